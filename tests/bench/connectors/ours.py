"""This connector, from a directory of its own."""

import json
import subprocess

from simulator import ORGANIZATION, TOKEN, built

from .base import Connector

FETCH = "pull-requests,issues,commits,releases,teams,deployments,workflow-runs"


class Ours(Connector):
    name = "ours"
    title = "this connector"

    def install(self, _):
        self.program = built("sei-github")

    def commands(self, number):
        arguments = ["sync", "--org", ORGANIZATION, "--api-url", self.simulator.url, "--data-dir", self.place / "data", "--fetch", FETCH]
        return [([self.program, *arguments], {"GITHUB_TOKEN": TOKEN}, self.place / f"out-{number}")]

    def rows(self, entity):
        arguments = [self.program, "export", entity, "--data-dir", self.place / "data"]
        with subprocess.Popen(arguments, stdout=subprocess.PIPE) as process:
            for line in process.stdout:
                yield json.loads(line)

    def count(self, number):
        listed = subprocess.run([self.program, "export", "--list"], stdout=subprocess.PIPE, text=True, check=True).stdout
        before = self.seen
        # What is in the copy is what there is: it knows of deletions, and emits nothing twice.
        self.seen = {}
        for entity in [line.split(":")[0] for line in listed.splitlines()]:
            for index, row in enumerate(self.rows(entity)):
                self.add(entity, index, row.get("title"))
        had = sum(len(keys) for keys in before.values())
        self.emitted = sum(len(keys) for keys in self.seen.values()) - had + len(self.edited)
