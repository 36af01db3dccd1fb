"""GrimoireLab's Perceval, which reads one repository after another. <https://github.com/chaoss/grimoirelab-perceval>"""

from datetime import UTC, datetime

from simulator import ORGANIZATION, TOKEN

from . import streams
from .base import Packaged

CATEGORIES = ["issue", "pull_request"]


class Perceval(Packaged):
    name = "perceval"
    title = "Perceval 1.6.1"
    note = "run for each repository as GrimoireLab does, commits by its git backend, each time from the newest date it has seen"

    def begin(self, simulator, place):
        super().begin(simulator, place)
        self.repositories = simulator.repositories()
        self.newest = {}

    def commands(self, number):
        commands = []
        for repository in self.repositories:
            for category in CATEGORIES:
                since = self.newest.get((repository, category))
                arguments = ["github", ORGANIZATION, repository, "--enterprise-url", self.simulator.url, "-t", TOKEN, "--category", category, "--no-archive",
                             "--max-items", "100", "--json-line", *(["--from-date", since] if since else [])]
                commands.append(self.command(arguments, number, repository, category))
            url = f"http://x:{TOKEN}@{self.simulator.host}/{ORGANIZATION}/{repository}.git"
            since = self.newest.get((repository, "commit"))
            arguments = ["git", url, "--git-path", self.place / "git" / repository, "--json-line", *(["--from-date", since] if since else [])]
            commands.append(self.command(arguments, number, repository, "commit"))
        return commands

    def command(self, arguments, number, repository, category):
        return [self.bin / "perceval", *arguments], {"HOME": str(self.place)}, self.place / f"{number}-{repository}-{category}"

    def count(self, number):
        for repository in self.repositories:
            for category in [*CATEGORIES, "commit"]:
                for item in streams.messages(self.place / f"{number}-{repository}-{category}"):
                    self.item(repository, category, item)

    def item(self, repository, category, item):
        data, known = item["data"], (repository, category)
        self.newest[known] = max(self.newest.get(known, ""), datetime.fromtimestamp(item["updated_on"], UTC).isoformat())
        if category == "commit":
            self.add("commits", (repository, data["commit"]))
            return
        if category == "issue":
            if "pull_request" in data:
                self.emitted += 1
            else:
                self.add("issues", data["id"], data["title"])
            for comment in data["comments_data"]:
                self.add("issue_comments", comment["id"])
            return
        self.add("pull_requests", data["id"], data["title"])
        for review in data["reviews_data"]:
            self.add("reviews", review["id"])
        for comment in data["review_comments_data"]:
            self.add("review_comments", comment["id"])
        for sha in data["commits_data"]:
            self.add("pull_request_commits", (data["id"], sha))
