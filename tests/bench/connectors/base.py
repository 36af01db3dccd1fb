"""What a connector is to the benchmark."""

import filecmp
import shutil
import subprocess
import sys
from pathlib import Path


class Connector:
    """`begin` once for a simulation; then for each round `commands`, which are measured, and `read` what they brought."""

    name = title = ""
    # What was changed or set so that it runs, if anything a reader should know.
    note = ""

    def begin(self, simulator, place):
        self.simulator, self.place = simulator, place
        # Keys by entity, over all rounds; what was emitted in the last one.
        self.seen, self.emitted = {}, 0
        self.edited, self.new_commits = set(), 0

    def commands(self, number):
        """(arguments, environment, file for what is printed) for each, in order."""
        raise NotImplementedError

    def read(self, number):
        self.emitted, self.edited = 0, set()
        commits = len(self.seen.get("commits", ()))
        self.count(number)
        self.new_commits = len(self.seen.get("commits", ())) - commits

    def count(self, number):
        raise NotImplementedError

    def add(self, entity, key, title=None):
        self.emitted += 1
        self.seen.setdefault(entity, set()).add(key)
        # As the simulation edits, when it changes.
        if title == "changed":
            self.edited.add((entity, key))


class Packaged(Connector):
    """One from the package index, in an environment of its own."""

    def install(self, work):
        asked = Path(__file__).parent.parent / f"{self.name}.txt"
        self.bin = (work / f"venv-{self.name}" / "bin").resolve()
        done = self.bin.parent / "requirements.txt"
        if done.exists() and filecmp.cmp(asked, done, shallow=False):
            return
        shutil.rmtree(self.bin.parent, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "venv", str(self.bin.parent)], check=True)
        subprocess.run([self.bin / "pip", "install", "--quiet", "--disable-pip-version-check", "-r", asked], check=True)
        shutil.copy(asked, done)
