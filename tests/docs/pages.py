"""The commands of a page: which lines are given to Winnow, in their order, and what each is said to end with.

In a ```console block every line that begins with `$` is a command, and the lines after it are its output; a first line
`winnow: ...` of output says that the command fails. In a ```sh block, in a block without a language and in an indented
one, a line that begins with a program's name is a command.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

REPO = Path(__file__).resolve().parents[2]
PAGES = {path.name: path for path in [*sorted(REPO.glob("docs/*.md")), REPO / "README.md", REPO / "README.zh-CN.md"]}
FENCE = re.compile(r"^```(\w*)")
WALK = re.compile(r"^## (?:Every day|每天自动运行)\n(.*?)^## ", re.MULTILINE | re.DOTALL)
PROGRAM = re.compile(r"(?:winnow|torchrun|python|make|pip|source(?= \.))\b")


@dataclass(frozen=True)
class Given:
    """A command line: its words after the program, the file its output goes to, and whether it is said to fail."""

    line: str
    words: tuple[str, ...]
    into: str | None = None
    fails: bool = False


def lines_of(page: Path) -> list[tuple[str, bool]]:
    """(command line, whether it is said to fail) of every command of a page, whatever its program."""
    found: list[tuple[str, bool]] = []
    kind: str | None = None
    for line in page.read_text("utf-8").splitlines():
        if fence := FENCE.match(line):
            kind = None if kind is not None else fence.group(1)
        elif kind == "console":
            if line.startswith("$ "):
                found.append((line[2:], False))
            elif line.startswith("winnow: ") and found:
                found[-1] = (found[-1][0], True)
        elif (kind in ("sh", "") or (kind is None and line.startswith("    "))) and PROGRAM.match(line.strip()):
            found.append((line.strip(), False))
    return found


def commands(name: str) -> list[Given]:
    """The `winnow` commands of a page."""
    made = []
    for line, fails in lines_of(PAGES[name]):
        program, *words = shlex.split(line)
        if program == "winnow":
            into = words[-1] if words[-2:-1] == [">"] else None
            made.append(Given(line, tuple(words[:-2] if into else words), into, fails))
    return made


def walk(name: str) -> list[str]:
    """The lines of a page's section "Every day" that a person types after the first, which serves until Ctrl-C."""
    section = WALK.search(PAGES[name].read_text("utf-8"))
    assert section is not None, name
    lines = section.group(1).splitlines()
    typed = [line.strip().removeprefix("$ ") for line in lines if line.startswith(("$ ", "    "))]
    assert typed[0].startswith("make serve "), name
    return typed[1:]
