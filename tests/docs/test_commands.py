"""Every command of every page and of the README is given, in its order; those that cannot be are named one by one."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, REPO, Given, commands, lines_of, walk
from tests.docs.scenes import APPENDED, BETWEEN, FIRST, REPLACED, SCENES, SEED, copied
from tests.docs.scenes import PAGES as SMALL

# What no test gives: it serves until it is stopped, wants devices, a bucket or the network, or makes the checkout's own
# environment. `make demo` and the explorer have tests of their own.
NOT_GIVEN = {
    ("README.md", "make demo"),
    ("README.md", "torchrun --nproc-per-node 8 -m training runs/first/manifest.json --out runs/model"),
    ("README.md", "winnow explore runs/first"),
    ("explorer.md", "winnow explore runs/first"),
    ("exports.md", "python -m venv ENV && ENV/bin/pip install mosaicml-streaming==0.13.0"),
    ("operations.md", "make serve ARGS='--every 60 --settle 5'"),
    ("README.md", "make serve ARGS='--every 60 --settle 5'"),
    ("training.md", "torchrun --nproc-per-node=8 -m training runs/first/manifest.json --out runs/model --steps 200 --parallel fsdp"),
    ("training.md", "winnow train s3://bucket/runs/first/manifest.json --out runs/model --window 268435456 --cache-bytes 50000000000"),
    ("tutorial.md", "make install"),
    ("tutorial.md", "source .venv/bin/activate"),
}  # fmt: skip
# Read by the command line and not carried out: each trains many models, and tests/flows/test_ablate.py gives a small one.
PARSED = {
    "winnow ablate runs/second --recipes zh-en-general,fineweb --tokens 1000000 --out runs/ablation",
    "winnow ablate runs/first --recipes zh-en-general,fineweb --tokens 200000 --out ablation --width 64 --points 2 --vocab 2048",
}
# Forms of commands, with names to be filled in; tests/flows/test_corpus_commands.py gives them.
FORMS = (
    "winnow corpus extend CORPUS INPUTS --recipe zh-en-general     # what is new; also begins a corpus",
    "winnow corpus remove CORPUS --requests FOLDER                 # or --url, --domain, --doc, --reason",
    "winnow corpus remove CORPUS                                   # finishes what was cut off",
    "winnow corpus show CORPUS",
    "winnow versions CORPUS; winnow verify CORPUS; winnow train CORPUS/manifest.json --out MODEL",
)
NOT_GIVEN |= {("operations.md", line) for line in FORMS}
# Given by tests/flows/test_every_day.py, to deployments that are served.
for page in ("README.md", "operations.md"):
    NOT_GIVEN |= {(page, line) for line, _ in lines_of(PAGES[page]) if line in walk("README.md")}
# Given by tests/flows/test_object_storage.py, to a server of its own.
NOT_GIVEN |= {("object-storage.md", line) for line, _ in lines_of(PAGES["object-storage.md"])}
TWINS = {"README.zh-CN.md": "README.md", "tutorial.zh-CN.md": "tutorial.md"}
SHARED = {"--recipe", "--measure-for", "--opt-outs"}  # a run with no other options is made once for all pages


class Shell:
    """The driver's process, a base folder with the shared crawl and run, and what was made once."""

    def __init__(self, base: Path, environment: dict[str, str]) -> None:
        reading, writing = os.pipe()
        where = {**environment, "PYTHONPATH": os.pathsep.join([str(REPO), environment.get("PYTHONPATH", "")])}
        command = [sys.executable, str(REPO / "tests" / "docs" / "driver.py"), str(writing)]
        self.process = subprocess.Popen(
            command,
            cwd=base,
            env=where,
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            pass_fds=[writing],
            text=True,
        )
        os.close(writing)
        self.answers, self.base, self.made = os.fdopen(reading), base, dict[tuple[str, ...], Path]()

    def give(self, folder: Path, words: list[str]) -> dict[str, str]:
        """What a command answers in a folder: status, stdout and stderr. A run made before is copied."""
        key = self.key(words)
        if key in self.made:
            shutil.copytree(self.made[key], folder / words[words.index("--out") + 1], dirs_exist_ok=True)
            return {"status": "0", "stdout": "copied", "stderr": ""}
        assert self.process.stdin is not None
        print(json.dumps({"cwd": str(folder), "words": words}), file=self.process.stdin, flush=True)
        told = self.answers.readline()
        assert told, f"winnow {shlex.join(words)}: the process ended"
        answer = {name: str(value) for name, value in json.loads(told).items()}
        if key and answer["status"] == "0":
            shutil.copytree(folder / words[words.index("--out") + 1], self.base / f"made-{len(self.made)}")
            self.made[key] = self.base / f"made-{len(self.made)}"
        return answer

    @staticmethod
    def key(words: list[str]) -> tuple[str, ...]:
        """What makes one run equal another here, where all crawls are one; empty for what is no such run."""
        options = {one: two for one, two in pairwise(words) if one.startswith("--")}
        options.pop("--workers", None)
        if words[0] != "run" or not set(options) - {"--out"} <= SHARED or options.get("--recipe", "").endswith(".toml"):
            return ()
        options["--recipe"] = options.get("--recipe", "zh-en-general")
        return tuple(sorted(f"{name} {value}" for name, value in options.items() if name != "--out")) or ("run",)


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str], prefect_api: str) -> Iterator[Shell]:
    base = tmp_path_factory.mktemp("pages")
    one = Shell(base, {**environment, "PREFECT_API_URL": prefect_api})
    for words in (
        ["sample", "crawl.warc.gz", "--pages", SMALL, "--seed", SEED],
        ["sample", "other.warc.gz", "--pages", "60", "--seed", "8"],
        ["run", "crawl.warc.gz", "--out", "first"],
    ):
        answer = one.give(base, words)
        assert answer["status"] == "0", answer["stderr"]
    yield one
    assert one.process.stdin is not None
    one.process.stdin.close()
    one.answers.close()
    one.process.wait(60)


def small(given: Given) -> list[str]:
    """The command with the shared crawl, the replaced words and, for a model, a tiny one."""
    words = [REPLACED.get(word, word) for word in given.words]
    if words[0] == "sample" and "--opt-outs" not in words:
        words = [words[0], words[1], "--pages", SMALL, "--seed", SEED]
    return [*words, *([] if given.fails else APPENDED.get(words[0], ()))]


def expanded(words: list[str], folder: Path) -> list[str]:
    """Words with file patterns as a shell would give them: the files that match, or the word itself."""
    return [
        path
        for word in words
        for path in (
            sorted(str(found.relative_to(folder)) for found in folder.glob(word))
            if "*" in word and " " not in word
            else []
        )
        or [word]
    ]


def given_on(name: str) -> list[Given]:
    """The commands of a page that are given; a Chinese README's only where they differ from the English one's."""
    same = {given.line for given in commands(TWINS[name])} if name in TWINS else set()
    return [
        given
        for given in commands(name)
        if (TWINS.get(name, name), given.line) not in NOT_GIVEN and given.line not in same
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(SCENES))
def test_the_commands_of_a_page_can_be_given(name: str, shell: Shell, tmp_path: Path) -> None:
    runs, prepare = SCENES[name]
    copied(shell.base, tmp_path, *runs)
    if prepare is not None:
        prepare(tmp_path)
    for words in FIRST.get(name, ()):
        assert shell.give(tmp_path, [*words, *APPENDED.get(words[0], ())])["status"] == "0"
    for number, given in enumerate(given_on(name)):
        if given.line in PARSED:
            parse(given)
            continue
        if between := BETWEEN.get((name, number)):
            between(tmp_path)
        answer = shell.give(tmp_path, expanded(small(given), tmp_path))
        assert answer["status"] == ("2" if given.fails else "0"), f"{given.line}: {answer['stdout']}{answer['stderr']}"
        assert answer["stderr" if given.fails else "stdout"].strip(), given.line
        if given.into:
            (tmp_path / given.into).write_text(answer["stdout"])
        if found := CHECKS.get(name):
            found(given, answer)


def parse(given: Given) -> None:
    """Have the command line read a command: an option that is not there ends the test."""
    import typer

    from flows.cli import app

    typer.main.get_command(app).commands[given.words[0]].make_context(given.words[0], list(given.words[1:]))  # type: ignore[attr-defined]


def decontaminated(given: Given, answer: dict[str, str]) -> None:
    """What docs/decontamination.md makes of the crawl is what it says."""
    if given.words[0] == "run":
        assert ("nothing is decontaminated" in answer["stderr"]) == (
            "--decontaminate" not in given.words and answer["stdout"] != "copied"
        )
    if "--json" in given.words:
        told = json.loads(answer["stdout"])
        counts = {row["what"]: row["count"] for row in told["totals"]}
        assert counts["documents cut"] + counts["documents dropped"] >= 6
        assert all(row["items hit"] == row["looked for"] == 6 for row in told["sets"])
        assert len(told["items"]) == 6


CHECKS = {"decontamination.md": decontaminated}


def test_every_page_with_commands_is_given() -> None:
    with_some = {name for name in PAGES if given_on(name)}
    assert with_some == set(SCENES)
    assert {name for name in PAGES if any("winnow" in line for line, _ in lines_of(PAGES[name]))} <= {
        *SCENES, *TWINS, *(page for page, _ in NOT_GIVEN),
    }  # fmt: skip


def test_nothing_else_is_left_out() -> None:
    """A line of another program is named above, or is a script of benchmarks/ that is there."""
    for name, path in PAGES.items():
        for line, _ in lines_of(path):
            page = TWINS.get(name, name)
            if line.startswith("winnow ") or (page, line) in NOT_GIVEN:
                continue
            script = re.match(r"python (?:-m )?(benchmarks[/.]\w+)", line)
            assert script, f"{name}: {line}"
            assert (REPO / f"{script.group(1).replace('.', '/')}.py").is_file(), line
    found = {(name, line) for name, path in PAGES.items() for line, _ in lines_of(path)}
    assert {line for _, line in found} >= PARSED
    assert found >= NOT_GIVEN, NOT_GIVEN - found


def test_the_chinese_pages_give_the_same_commands() -> None:
    assert lines_of(PAGES["tutorial.zh-CN.md"]) == lines_of(PAGES["tutorial.md"])

    def levelled(name: str) -> list[str]:
        lines = (line for line, _ in lines_of(PAGES[name]))
        return [re.sub(r'--reason "[^"]*"', '--reason ""', line.removesuffix(" --zh")) for line in lines]

    assert levelled("README.zh-CN.md") == levelled("README.md")


def test_every_walk_is_the_one_that_is_gone() -> None:
    assert walk("operations.md") == walk("README.md") == walk("README.zh-CN.md")


def test_every_command_named_in_a_sentence_is_one() -> None:
    import typer

    from flows.cli import app

    known = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    for name, path in PAGES.items():
        for found in re.findall(r"`winnow ([a-z][a-z-]*)", path.read_text("utf-8")):
            assert found in known, f"{name}: winnow {found}"
