"""Airbyte's source-github, as a process of its own, without the platform. <https://docs.airbyte.com/integrations/sources/github>"""

import json
import subprocess

from simulator import ORGANIZATION, TOKEN

from . import streams
from .base import Packaged

STREAMS = ["repositories", "issues", "comments", "issue_events", "pull_requests", "pull_request_stats", "pull_request_commits", "reviews", "review_comments",
           "commits", "releases", "deployments", "workflow_runs", "issue_labels", "issue_milestones", "branches", "tags", "teams", "team_members"]


class Airbyte(Packaged):
    name = "airbyte"
    title = "Airbyte source-github 2.7.1"
    note = "page_size_for_large_streams is 100, where 10 is usual; num_workers is 25, the most, where 4 is usual; what can be incremental is"

    def begin(self, simulator, place):
        super().begin(simulator, place)
        self.states = {}
        config = {"credentials": {"option_title": "PAT Credentials", "personal_access_token": TOKEN}, "repositories": [f"{ORGANIZATION}/*"],
                  "api_url": simulator.url, "start_date": "2020-01-01T00:00:00Z", "page_size_for_large_streams": 100, "num_workers": 25}
        (place / "config.json").write_text(json.dumps(config))
        arguments = [self.bin / "source-github", "discover", "--config", place / "config.json"]
        told = subprocess.run(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
        catalog = next(message["catalog"] for message in map(json.loads, told.stdout.splitlines()) if message["type"] == "CATALOG")
        configured = [self.configured(stream) for stream in catalog["streams"] if stream["name"] in STREAMS]
        (place / "catalog.json").write_text(json.dumps({"streams": configured}))

    def configured(self, stream):
        incremental = "incremental" in stream["supported_sync_modes"]
        return {"stream": stream, "sync_mode": "incremental" if incremental else "full_refresh", "cursor_field": stream.get("default_cursor_field") or [],
                "destination_sync_mode": "append_dedup" if incremental else "overwrite", "primary_key": stream.get("source_defined_primary_key")}

    def commands(self, number):
        state = ["--state", self.place / "state.json"] if number else []
        arguments = ["read", "--config", self.place / "config.json", "--catalog", self.place / "catalog.json", *state]
        return [([self.bin / "source-github", *arguments], {}, self.place / f"out-{number}")]

    def count(self, number):
        for message in streams.messages(self.place / f"out-{number}"):
            if message["type"] == "RECORD":
                streams.count(self, message["record"]["stream"], message["record"]["data"])
            elif message["type"] == "STATE" and message["state"].get("type") == "STREAM":
                self.states[message["state"]["stream"]["stream_descriptor"]["name"]] = message["state"]
        (self.place / "state.json").write_text(json.dumps(list(self.states.values())))
