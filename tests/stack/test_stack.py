"""The template, deployed with `sam deploy` to a stand-in that runs the real function binaries, copies the simulated
organization. Run by the test command; by itself: target/venv/bin/python -m unittest discover -v tests/stack"""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

from stand_in import StandIn, binaries, wait


class Stack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.aws = StandIn()
        cls.addClassCleanup(cls.aws.close)
        cls.aws.deploy()
        # Longer than any visit here takes, or a job would be worked on twice.
        cls.aws.quick_redelivery(20)

    def assert_whole(self):
        rows, truth = self.aws.rows(), self.aws.truth()
        for entity, there in truth.items():
            self.assertEqual(len(rows.get(entity, {})), there, entity)

    # unittest runs them by name.
    def test_1_the_schedule_copies_the_organization(self):
        self.assertEqual(self.aws.rows(), {}, "nothing is read before the token is there")
        self.aws.put_token()
        wait("a tick of the schedule", lambda: self.aws.ledger()["requests"] > 0, 150)
        wait("a copy", lambda: len(self.aws.rows().get("commit_files", {})) == self.aws.truth()["commit_files"], 180)
        self.aws.idle()
        self.assert_whole()
        self.assertEqual(self.aws.ledger()["breaches"], [])

    def test_2_it_is_the_same_copy_as_the_command_makes(self):
        with tempfile.TemporaryDirectory() as directory:
            env = {"GITHUB_TOKEN": "sim-token", "SEI_DATA_DIR": directory}
            run = lambda *arguments: subprocess.run([binaries() / "sei-github", *arguments], env=env, capture_output=True, text=True, check=True).stdout
            run("sync", "--org", "acme", "--api-url", self.aws.github)
            for entity, ours in self.aws.rows().items():
                theirs = [json.loads(line) for line in run("export", entity).splitlines()]
                for row in theirs:
                    # Neither is kept: both are joined when a row is exported.
                    row.pop("repo", None)
                    if entity == "pull_requests":
                        row.pop("review_comments", None)
                plain = lambda row: json.dumps(row, sort_keys=True, default=lambda number: int(number))
                self.assertEqual(sorted(plain(row) for row in ours.values()), sorted(plain(row) for row in theirs), entity)

    def test_3_when_nothing_changed_nothing_is_fetched(self):
        before, rows = self.aws.ledger(), self.aws.rows()
        self.aws.invoke("Discovery")
        self.aws.idle()
        after = self.aws.ledger()
        self.assertLessEqual(after["requests"] - after["not_modified"] - (before["requests"] - before["not_modified"]), 4)
        self.assertEqual(self.aws.rows(), rows)

    def test_4_a_message_that_is_no_job_ends_in_the_dead_letter_queue(self):
        self.aws.quick_redelivery(1)
        self.addCleanup(self.aws.quick_redelivery, 20)
        for body in ("not json", '{"scope": 1}', '{"scope": 1, "sweep": "wikis"}'):
            self.aws.sqs.send_message(QueueUrl=self.aws.outputs["QueueUrl"], MessageBody=body)
        wait("three dead letters", lambda: self.aws.messages("DeadLetterQueueUrl") == 3, 120)
        self.aws.idle()

    def test_5_a_function_that_is_killed_loses_nothing(self):
        post = lambda path, value: urllib.request.urlopen(urllib.request.Request(f"{self.aws.github}{path}", data=json.dumps(value).encode()))
        post("/_sim/happen", {"times": 60})
        post("/_sim/faults", {"latency_ms": 150})
        killed = 0
        self.aws.functions.invoke(FunctionName=self.aws.function("Discovery"), InvocationType="Event", Payload="{}")
        ends = time.monotonic() + 6
        while time.monotonic() < ends:
            for pid in self.aws.bootstraps():
                os.kill(pid, signal.SIGKILL)
                killed += 1
            time.sleep(0.7)
        self.assertGreater(killed, 0)
        post("/_sim/faults", {"latency_ms": 0})
        # Messages that were being worked on come back; a discovery that died is asked for by the next tick.
        for _ in range(3):
            self.aws.idle()
            self.aws.invoke("Discovery")
            time.sleep(1)
        self.aws.idle()
        self.assert_whole_but_for_history()

    def assert_whole_but_for_history(self):
        rows, truth = self.aws.rows(), self.aws.truth()
        for entity in ("issues", "pull_requests", "reviews", "issue_comments", "issue_events", "releases", "deployments", "workflow_runs"):
            self.assertEqual(len(rows[entity]), truth[entity], entity)


if __name__ == "__main__":
    unittest.main(verbosity=2)
