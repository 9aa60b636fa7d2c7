"""What a seed stands for: which process is struck, with which signal, and when."""

from __future__ import annotations

import random
from dataclasses import dataclass

STAGES = ("extract", "rights", "annotate", "dedup", "decide", "scrub", "tokenize", "report")
CHILDREN = {  # who is there to be killed, by stage
    "start": ("server",), "extract": ("sandbox", "sandbox", "server", "log"), "rights": ("server", "log"),
    "annotate": ("worker", "worker", "forks", "tracker", "server"), "dedup": ("server", "forks"),
    "decide": ("server", "log"), "scrub": ("worker", "worker", "forks", "server"),
    "tokenize": ("worker", "worker", "forks", "tracker", "server"), "report": ("server", "log"),
}  # fmt: skip
SIGNALS = ("KILL", "KILL", "KILL", "TERM", "TERM", "STOP")  # STOP: and a little later KILL


@dataclass(frozen=True)
class Fault:
    """One strike: at `stage`, after `files` new files of it, and `delay` seconds."""

    role: str
    signal: str
    stage: str
    files: int
    delay: float


def scenario(seed: int, count: int, whole: bool) -> list[Fault]:
    """The strikes of a seed; `whole`: at the command with all its processes, and not at bare stages."""
    dice = random.Random(seed)
    made = []
    for _ in range(count):
        stage = dice.choice(("start", *STAGES) if whole else STAGES[:-1])
        others = CHILDREN[stage] if whole else ("sandbox",) if stage == "extract" else ()
        role = dice.choice(others) if others and dice.random() < 0.6 else "command"
        made.append(Fault(role, dice.choice(SIGNALS if whole else ("KILL", "STOP")), stage,
                          dice.choice((0, 0, 1, 2)), dice.choice((0.0, dice.uniform(0, 0.3), dice.uniform(0, 2)))))  # fmt: skip
    return made
