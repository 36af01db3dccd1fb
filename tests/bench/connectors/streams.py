"""What streams of records bring: which of the truth's entities each stream is, and by which fields a record is known."""

import json

# The names that peers give to the same lists of GitHub's.
ENTITIES = {
    "issues": "issues", "pull_requests": "pull_requests", "reviews": "reviews", "pr_reviews": "reviews", "review_comments": "review_comments",
    "pull_request_reviews": "reviews", "pull_request_comments": "review_comments", "comments": "issue_comments", "issue_comments": "issue_comments",
    "issue_events": "issue_events", "commits": "commits", "pull_request_commits": "pull_request_commits", "pr_commits": "pull_request_commits",
    "releases": "releases", "deployments": "deployments", "workflow_runs": "workflow_runs", "labels": "labels", "issue_labels": "labels",
    "milestones": "milestones", "issue_milestones": "milestones", "branches": "branches", "tags": "tags", "teams": "teams",
}


def key(entity, record, stream):
    repository = record.get("repository") or record.get("_sdc_repository") or record.get("repo")
    if entity in ("labels", "milestones", "branches", "tags"):
        return repository, record.get("name") or record.get("number") or record.get("title")
    if entity == "commits":
        return repository, record["sha"]
    if entity == "pull_request_commits":
        return repository, record.get("pull_number") or record.get("pr_number") or record.get("pr_id"), record["sha"]
    return record.get("id") or record.get("node_id")


def count(connector, stream, record):
    """Adds one record of a stream."""
    entity = ENTITIES.get(stream)
    # Over REST, GitHub lists pull requests among the issues.
    if entity is None or (stream == "issues" and (record.get("pull_request") or record.get("type") == "pull_request")):
        connector.emitted += 1
        return
    connector.add(entity, key(entity, record, stream), record.get("title") if entity in ("issues", "pull_requests") else None)


def messages(path):
    """The JSON among the lines that a connector printed."""
    with open(path) as lines:
        for line in lines:
            if line.startswith("{"):
                yield json.loads(line)
