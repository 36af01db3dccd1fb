"""One running sim-github, and what it counts."""

import json
import os
import subprocess
import urllib.request
from pathlib import Path

TOKEN = "sim-token"
ORGANIZATION = "acme"


def built(program):
    """Where cargo put it."""
    target = os.environ.get("CARGO_BUILD_TARGET")
    path = Path("target") / (target or "") / os.environ.get("SEI_BENCH_PROFILE", "debug") / program
    return str(path.resolve())


class Simulator:
    def __init__(self, size, latency):
        self.latency = latency
        self.process = subprocess.Popen([built("sim-github"), "--size", size], stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[0]
        self.host = self.url.removeprefix("http://")
        # No limit that could be met, and every page.
        self._post("faults", {"latency_ms": latency, "limit": 10_000_000, "last_page": None})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()

    def _post(self, part, wish):
        request = urllib.request.Request(f"{self.url}/_sim/{part}", json.dumps(wish).encode(), {"authorization": "none bench"})
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def reset(self):
        self._post("reset", {})

    def change(self):
        """Changes one per cent; what of it there is to find."""
        before = self.truth()
        self._post("change", {})
        after = self.truth()
        edited = sum((before[list] + 99) // 100 for list in ("issues", "pull_requests"))
        return {"edited": edited, "commits": after["commits"] - before["commits"]}

    def ledger(self):
        return self._post("ledger", {})

    def truth(self):
        return self._post("truth", {})

    def repositories(self):
        """Names, as whoever lists them sees them."""
        request = urllib.request.Request(f"{self.url}/orgs/{ORGANIZATION}/repos?per_page=100", headers={"authorization": f"token {TOKEN}"})
        with urllib.request.urlopen(request) as answer:
            return [repository["name"] for repository in json.load(answer)]
