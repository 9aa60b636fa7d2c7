"""One interpreter that is given command lines and answers each with its exit status and what it printed.

A command in a process of its own imports for three seconds before it does anything; here that is paid once, and so is
what first use costs (the engine that draws charts, Beam, torch), which each fork of tests/forked_command.py pays for
itself. Traded away: one command can leave something to the next, so only the pages' many commands are given this way. It
is not the tests' own process, since `winnow run` forks and holds Prefect to its settings. Run as a script:
a JSON object {"cwd", "words"} a line comes in on standard input, and one a line goes out on the descriptor named first.
"""

from __future__ import annotations

import json
import os
import sys

from typer.testing import CliRunner

from flows import settings
from flows.cli import app
from flows.faults import sentence


def answer(words: list[str]) -> dict[str, object]:
    """What `winnow` with these words does, as flows.cli.main tells it."""
    done = CliRunner().invoke(app, words)
    status, told = done.exit_code, done.stderr
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        status, told = 2, f"{told}winnow: {sentence(done.exception)}"
    return {"status": status, "stdout": done.stdout, "stderr": told}


def main() -> None:
    settings.apply()
    with os.fdopen(int(sys.argv[1]), "w") as answers:
        for line in sys.stdin:
            asked = json.loads(line)
            os.chdir(asked["cwd"])
            print(json.dumps(answer(asked["words"])), file=answers, flush=True)
    os._exit(0)  # what is left in memory takes three seconds to be taken apart


if __name__ == "__main__":
    main()
