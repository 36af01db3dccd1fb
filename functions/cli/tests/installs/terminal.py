"""Runs a command in a terminal of its own and takes every question's default, but where ANSWERS (JSON: from a part of the
question to the keys) knows better. Prints what was shown; exits as it does."""

import json
import os
import pty
import re
import select
import sys
import time

PATIENCE = 60.0

child, terminal = pty.fork()
if child == 0:
    os.environ["TERM"] = "xterm"
    os.execvp(sys.argv[1], sys.argv[1:])

answers = json.loads(os.environ.get("ANSWERS", "{}"))
shown = ""
answered = 0
last = time.monotonic()
while time.monotonic() - last < PATIENCE:
    ready, _, _ = select.select([terminal], [], [], 0.3)
    if ready:
        try:
            data = os.read(terminal, 65536)
        except OSError:
            break
        if not data:
            break
        shown += data.decode(errors="replace")
        last = time.monotonic()
    elif len(shown) > answered:
        # It has gone quiet after saying something: it waits for an answer.
        question = shown[answered:]
        keys = next((keys for part, keys in answers.items() if part in question), "\r")
        os.write(terminal, keys.encode())
        answered = len(shown)
_, status = os.waitpid(child, 0)
print(re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown))
sys.exit(os.waitstatus_to_exitcode(status))
