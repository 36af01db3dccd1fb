"""MeltanoLabs' tap-github. <https://github.com/MeltanoLabs/tap-github>"""

import json
import os
import subprocess

from simulator import ORGANIZATION, TOKEN

from . import streams
from .base import Packaged

STREAMS = ["repositories", "issues", "issue_comments", "issue_events", "pull_requests", "pull_request_commits", "reviews", "review_comments", "commits",
           "releases", "deployments", "workflow_runs", "labels", "milestones", "branches", "tags", "teams", "team_members"]


class Meltano(Packaged):
    name = "meltano"
    note = "its check of the token asks the configured address, where its code has github.com written into it"
    title = "MeltanoLabs tap-github 1.30.1"

    def begin(self, simulator, place):
        super().begin(simulator, place)
        # Whether a token works is asked of github.com itself, whatever address is configured.
        for file in self.bin.parent.glob("lib/*/site-packages/tap_github/authenticator.py"):
            asked = file.read_text()
            told = asked.replace('url="https://api.github.com/rate_limit"', 'url=__import__("os").environ["BENCH_API"] + "/rate_limit"')
            file.write_text(told)
        config = {"auth_token": TOKEN, "api_url_base": simulator.url, "organizations": [ORGANIZATION], "start_date": "2020-01-01T00:00:00Z",
                  "stream_options": {"milestones": {"state": "all"}}}
        (place / "config.json").write_text(json.dumps(config))
        told = subprocess.run([self.bin / "tap-github", "--config", place / "config.json", "--discover"], env=os.environ | {"BENCH_API": simulator.url}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
        catalog = json.loads(told.stdout)
        for stream in catalog["streams"]:
            for entry in stream["metadata"]:
                if not entry["breadcrumb"]:
                    entry["metadata"]["selected"] = stream["tap_stream_id"] in STREAMS
        (place / "catalog.json").write_text(json.dumps(catalog))

    def commands(self, number):
        state = ["--state", self.place / "state.json"] if number else []
        return [([self.bin / "tap-github", "--config", self.place / "config.json", "--catalog", self.place / "catalog.json", *state], {"BENCH_API": self.simulator.url}, self.place / f"out-{number}")]

    def count(self, number):
        state = None
        for message in streams.messages(self.place / f"out-{number}"):
            if message["type"] == "RECORD":
                streams.count(self, message["stream"], message["record"])
            elif message["type"] == "STATE":
                state = message["value"]
        if state is not None:
            (self.place / "state.json").write_text(json.dumps(state))
