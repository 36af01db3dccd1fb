"""The table of what was measured."""

# What is compared with the truth, in this order.
ENTITIES = ["issues", "pull_requests", "reviews", "review_comments", "issue_comments", "issue_events", "commits", "pull_request_commits",
            "pull_request_files", "releases", "deployments", "workflow_runs", "labels", "milestones", "branches", "tags", "teams"]
HEAD = ["connector", "sync", "REST", "of these 304", "GraphQL (points)", "git", "units", "most at once", "wall s", "CPU s", "peak MiB",
        "records emitted", "missing", "edits / commits found", "breaches"]


class Row:
    def __init__(self, cells, records, requests, at_once, wall):
        self.cells, self.records = cells, records
        self.requests, self.at_once, self.wall = requests, at_once, wall

    def brief(self):
        return ", ".join(f"{name} {cell}" for name, cell in zip(HEAD[1:], self.cells[1:], strict=True))


def row(name, connector, took, asked, truth, changed):
    units = asked["rest"] - asked["not_modified"] - asked["free"] + asked["points"]
    found = f"{len(connector.edited)} of {changed['edited']} / {connector.new_commits} of {changed['commits']}" if changed else "–"
    cells = [connector.title, name, asked["rest"], asked["not_modified"], f"{asked['graphql']} ({asked['points']})", asked["git"], units,
             asked["most_in_flight"], f"{took.wall:.1f}", f"{took.cpu:.1f}", f"{took.mib:.0f}", connector.emitted, missing(connector, truth), found,
             len(asked["breaches"])]
    if took.failed:
        cells[1] = f"{name} (**{'; '.join(sorted(set(took.failed)))}**)"
    records = {entity: len(connector.seen.get(entity, ())) for entity in ENTITIES} | {"_": truth, "_name": name}
    requests = asked["rest"] + asked["graphql"] + asked["git"]
    return Row([str(cell) for cell in cells], records, requests, max(asked["most_in_flight"], 1), took.wall)


def missing(connector, truth):
    """Entities that it does not have, and those of which it has too few or too many."""
    without = [entity for entity in ENTITIES if truth.get(entity) and not connector.seen.get(entity)]
    other = [f"{entity} {len(connector.seen[entity])} of {truth[entity]}" for entity in ENTITIES
             if connector.seen.get(entity) and len(connector.seen[entity]) != truth.get(entity)]
    texts = other + ([f"no {', '.join(without)}"] if without else [])
    return "; ".join(texts).replace("_", " ") or "nothing"


def line(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def show(rows):
    print(line(HEAD))
    print(line(["---", "---"] + ["--:"] * 10 + ["---", "--:", "--:"]))
    for one in rows:
        print(line(one.cells))
    first = [one for one in rows if one.records["_name"] == "first"]
    print("\nWhat the first sync brought:\n")
    print(line(["entity", "there are"] + [one.cells[0] for one in first]))
    print(line(["---", "--:"] + ["--:"] * len(first)))
    for entity in ENTITIES:
        print(line([entity.replace("_", " "), first[0].records["_"].get(entity, 0)] + [one.records[entity] or "–" for one in first]))


def show_limits(rows, latency):
    print(f"\nAgainst the limit of {latency} ms for each request:\n")
    print(line(["connector", "sync", "requests", "most at once", "least, s", "took, s", "times the least"]))
    print(line(["---", "---"] + ["--:"] * 5))
    for one in rows:
        least = one.requests * latency / 1000 / one.at_once
        print(line([*one.cells[:2], one.requests, one.at_once, f"{least:.1f}", f"{one.wall:.1f}", f"{one.wall / least:.1f}" if least else "–"]))
