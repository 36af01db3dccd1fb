"""singer-io's tap-github. <https://github.com/singer-io/tap-github>"""

import json
import subprocess

from simulator import ORGANIZATION, TOKEN

from . import streams
from .base import Packaged

STREAMS = ["issues", "comments", "issue_events", "pull_requests", "pr_commits", "reviews", "review_comments", "commits", "releases", "issue_labels",
           "issue_milestones", "teams", "team_members"]


class Singer(Packaged):
    name = "singer"
    title = "singer-io tap-github 4.0.0"
    note = "it has no setting for the size of a page, and reads 30 items at a time"

    def begin(self, simulator, place):
        super().begin(simulator, place)
        config = {"access_token": TOKEN, "base_url": simulator.url, "repository": f"{ORGANIZATION}/*", "start_date": "2020-01-01T00:00:00Z"}
        (place / "config.json").write_text(json.dumps(config))
        told = subprocess.run([self.bin / "tap-github", "--config", place / "config.json", "--discover"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        catalog = json.loads(told.stdout)
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] in STREAMS
                elif entry["metadata"].get("inclusion") == "available":
                    entry["metadata"]["selected"] = True
        (place / "catalog.json").write_text(json.dumps(catalog))

    def commands(self, number):
        state = ["--state", self.place / "state.json"] if number else []
        # By this name, too, it takes the catalog.
        return [([self.bin / "tap-github", "--config", self.place / "config.json", "--properties", self.place / "catalog.json", *state], {}, self.place / f"out-{number}")]

    def count(self, number):
        state = None
        for message in streams.messages(self.place / f"out-{number}"):
            if message["type"] == "RECORD":
                streams.count(self, message["stream"], message["record"])
            elif message["type"] == "STATE":
                state = message["value"]
        if state is not None:
            (self.place / "state.json").write_text(json.dumps(state))
