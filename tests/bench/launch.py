"""Runs commands one after another in a small process of its own, and says what they took.

The process is small because Linux counts the memory of whoever starts a process as that process's, too.
"""

import json
import os
import subprocess
import sys
import time
from pathlib import Path


class Took:
    def __init__(self, told):
        self.wall, self.cpu, self.mib, self.failed = told["wall"], told["cpu"], told["mib"], told["failed"]


def launch(commands, place):
    """`commands`: (arguments, file for what they print); `place`.log gets the rest."""
    Path(place).parent.mkdir(parents=True, exist_ok=True)
    wish = json.dumps({"commands": commands, "log": f"{place}.log"}, default=str)
    done = subprocess.run([sys.executable, "-S", __file__], input=wish, stdout=subprocess.PIPE, text=True, check=True)
    return Took(json.loads(done.stdout))


def run(wish):
    failed = []
    cpu = mib = 0.0
    began = time.monotonic()
    with open(wish["log"], "w") as log:
        for arguments, environment, output in wish["commands"]:
            with open(output or os.devnull, "w") as printed:
                process = subprocess.Popen(arguments, stdin=subprocess.DEVNULL, stdout=printed, stderr=log, env=os.environ | environment)
                _, status, used = os.wait4(process.pid, 0)
            cpu += used.ru_utime + used.ru_stime
            mib = max(mib, used.ru_maxrss / 1024)
            if status != 0:
                failed.append(f"{os.path.basename(arguments[0])} ended with {os.waitstatus_to_exitcode(status)}")
    return {"wall": time.monotonic() - began, "cpu": cpu, "mib": mib, "failed": failed}


if __name__ == "__main__":
    print(json.dumps(run(json.load(sys.stdin))))
