"""Measures this connector beside its peers, on a simulated GitHub: what a sync asks of GitHub, takes and brings.

    bash tests/bench/run [--only NAME,...] [--size small|organization] [--latency 0,100] [--rounds first,same,changed]

Every connector gets a simulation of its own, made from the same seed, and copies it three times: all of it (first), when
nothing has changed (same), and when every hundredth pull request and issue was edited and commits were pushed (changed).

So that it is fair:
- each peer runs as its documentation says, with a hundred items a page wherever it can be told, from an environment of
  pinned packages (NAME.txt) below target/bench, on one token, and with the streams that hold what this connector copies:
  issues, pull requests, reviews, comments, events, commits, releases, deployments, labels, milestones, branches, teams.
  Nobody reads the files of commits, and this connector neither;
- the simulation sets no limit that could be met, and answers every page however far behind (GitHub itself ends some lists
  early): waiting for a budget would only measure the clock. `units` says what would have been spent of it;
- nobody's code is changed, but for a host that is written into it; what else was set is told below the tables;
- this connector and the simulation run as they are built for development, unless SEI_BENCH_PROFILE names another profile of
  Cargo's (quick, release).

Units are the REST requests that count against a token's budget (all but those answered 304, and those about the budget
itself) plus GraphQL points. The least that a sync can take at a latency is that of its requests, as many at once as it had
at most. CPU time is that of all processes, memory that of the largest one.
What was brought is counted by distinct keys, whatever was emitted how often, and is compared with the simulation's truth.
"""

import argparse
import shutil
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import table
from connectors import CONNECTORS
from launch import launch
from simulator import Simulator

WORK = Path("target/bench")
ROUNDS = ["first", "same", "changed"]


def measure(connector, rounds, size, latency):
    """The rows of one connector's table."""
    place = WORK / connector.name / f"{size}-{latency}"
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    rows = []
    with Simulator(size, latency) as simulator:
        connector.begin(simulator, place.resolve())
        for number, name in enumerate(rounds):
            changed = simulator.change() if name == "changed" else None
            simulator.reset()
            took = launch(connector.commands(number), place / f"round-{number}")
            asked = simulator.ledger()
            connector.read(number)
            rows.append(table.row(name, connector, took, asked, simulator.truth(), changed))
            print(f"  {rows[-1].brief()}", file=sys.stderr, flush=True)
            for path in asked["not_found"]:
                print(f"  not there: {path}", file=sys.stderr)
    return rows


def main():
    parser = argparse.ArgumentParser(description="Measures this connector beside its peers.")
    parser.add_argument("--only", default=",".join(CONNECTORS), help="names, separated by commas: " + ", ".join(CONNECTORS))
    parser.add_argument("--size", default="organization", choices=["small", "organization"])
    parser.add_argument("--latency", default="0,100", help="milliseconds by which every answer is late, separated by commas")
    parser.add_argument("--rounds", default=",".join(ROUNDS), help="of " + ", ".join(ROUNDS) + ", from the first on")
    asked = parser.parse_args()
    connectors = [CONNECTORS[name]() for name in asked.only.split(",")]
    for connector in connectors:
        connector.install(WORK)
    for latency in [int(latency) for latency in asked.latency.split(",")]:
        rows = []
        for connector in connectors:
            print(f"{connector.title} at {latency} ms", file=sys.stderr, flush=True)
            rows += measure(connector, asked.rounds.split(","), asked.size, latency)
        print(f"\n## {asked.size}, {latency} ms\n")
        table.show(rows)
        if latency > 0:
            table.show_limits(rows, latency)
        for connector in connectors:
            if connector.note:
                print(f"\n{connector.title}: {connector.note}.")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
