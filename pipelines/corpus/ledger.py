"""corpus.json: what a corpus is made of, run by run. It states no time and no path of a machine.

A run is `begun` from the moment its inputs are written down, so that a command that was killed goes on with the same
files; `joined` once its shards are in the manifest, or `empty` if none of its documents was kept. Traded away: one file
lists every input that was ever taken, so a hundred thousand of them are fifteen megabytes of JSON.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tokenization.commit import put

NAME = "corpus.json"
RUNS, INPUTS, INDEX, REGISTER, LOG = "runs", "inputs", "index", "register", "log"


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Taken(_Strict):
    """One input file, by the source name that its documents' ids are made of."""

    source: str
    bytes: int = Field(ge=0)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$")


class CorpusRun(_Strict):
    """One run of the corpus: its number, what it took, and how far it has come."""

    number: int = Field(ge=1)
    inputs: tuple[Taken, ...]
    state: Literal["begun", "joined", "empty"] = "begun"

    @property
    def folder(self) -> str:
        """Where it lies, below the corpus.

        >>> CorpusRun(number=7, inputs=()).folder
        'runs/0007'
        """
        return f"{RUNS}/{self.number:04d}"


class Ledger(_Strict):
    """The whole of corpus.json; `recipe_hash` is of the recipe as it was resolved."""

    schema_version: Literal["winnow.corpus/1"] = "winnow.corpus/1"
    recipe: str
    recipe_hash: str
    runs: tuple[CorpusRun, ...] = ()

    @property
    def begun(self) -> CorpusRun | None:
        """The run that is still to be finished, if there is one: the last."""
        return self.runs[-1] if self.runs and self.runs[-1].state == "begun" else None

    @property
    def joined(self) -> list[CorpusRun]:
        """The runs whose shards the manifest has, in their order."""
        return [run for run in self.runs if run.state == "joined"]

    def taken(self) -> list[Taken]:
        """Every input of every run."""
        return [one for run in self.runs for one in run.inputs]

    def with_run(self, changed: CorpusRun) -> Ledger:
        """The same with one run added, or in another state."""
        others = tuple(run for run in self.runs if run.number != changed.number)
        return self.model_copy(update={"runs": (*others, changed)})


def is_corpus(folder: Path) -> bool:
    """Whether a folder is a corpus."""
    return (folder / NAME).is_file()


def load(corpus: Path) -> Ledger | None:
    """A corpus's ledger; None if the folder is empty or not there; ValueError in a sentence if it is something else."""
    file = corpus / NAME
    if not file.is_file():
        allowed = {LOG, REGISTER, "takedowns"}
        stray = [p for p in corpus.iterdir() if p.name not in allowed and p.name[0] != "."] if corpus.is_dir() else []
        if stray or (corpus.exists() and not corpus.is_dir()):
            raise ValueError(f"{corpus} is not empty and holds no {NAME}: it is no corpus. Name another folder.")
        return None
    try:
        ledger = Ledger.model_validate_json(file.read_bytes())
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the whole file"
        raise ValueError(f"{file} is damaged: {where}: {first['msg']}. Restore it from a copy.") from error
    if [run.number for run in ledger.runs] != list(range(1, len(ledger.runs) + 1)):
        raise ValueError(f"{file} is damaged: its runs are not numbered one after another. Restore it from a copy.")
    return ledger


def opened(corpus: Path) -> Ledger:
    """The ledger of a corpus that is there; FileNotFoundError with the remedy if it is not."""
    ledger = load(corpus)
    if ledger is None:
        raise FileNotFoundError(f"{corpus} holds no corpus. `winnow corpus extend {corpus} INPUTS` begins one.")
    return ledger


def save(corpus: Path, ledger: Ledger) -> None:
    """Write corpus.json, whole and durable."""
    text = json.dumps(ledger.model_dump(), indent=1, sort_keys=True, ensure_ascii=False)
    put(corpus / NAME, (text + "\n").encode())
