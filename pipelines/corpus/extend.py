"""What an extension of a corpus does before and after its run: take what is new, and join what came of it.

`begin` writes down the inputs of a new run, or finds the one that a command left unfinished; the run itself is an
ordinary one, with the folders that a Work names; `finish` joins it. Killed anywhere, the next `begin` goes on: inputs
are written down before anything reads them, and a run joins by one rename.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines import run as runs
from pipelines.corpus.inputs import find, folder_of, link, missing, sift
from pipelines.corpus.ledger import INDEX, REGISTER, CorpusRun, Ledger, load, save
from pipelines.corpus.publish import newest, publish
from pipelines.parts import part_path, read_rows
from pipelines.removal.register import begin as begin_register
from pipelines.tokenize import recipe_hash
from recipes.model import Recipe
from tokenization.versions import Version, latest


@dataclass(frozen=True)
class Work:
    """A run to be made: its folder, what it reads, and what of the corpus it is made with, as absolute paths."""

    run: CorpusRun
    out: str
    inputs: str
    against: str
    register: str
    tokenizer: str | None
    carried_on: bool = False


@dataclass(frozen=True)
class Begun:
    """What `begin` found: work, or none because nothing is new; and what a person should know."""

    work: Work | None
    notices: tuple[str, ...] = ()


def begin(
    corpus: Path, inputs: Sequence[str], recipe: Recipe, tokenizer: str | None = None, settle: float = 0
) -> Begun:
    """The run that is to be made next: one that was begun, else a new one of every file that no run has taken.

    `settle`: seconds for which a file must have stayed as it is. The tokenizer is the corpus's own once it has one.
    ValueError or FileNotFoundError in a sentence if the recipe is another than the corpus's, or inputs are gone.
    """
    corpus = corpus.absolute()
    ledger = load(corpus) or Ledger(recipe=recipe.name, recipe_hash=recipe_hash(recipe))
    if ledger.recipe_hash != recipe_hash(recipe):
        raise ValueError(f"{corpus} was made by the recipe {ledger.recipe} as it was then; {recipe.name} as it is now "
                         "decides otherwise. Use that recipe, or begin another corpus.")  # fmt: skip
    if ledger.begun is not None:
        if gone := missing(corpus, ledger.begun):
            raise FileNotFoundError(f"{corpus / ledger.begun.folder} was begun and cannot go on: its input {gone[0]} "
                                    "is gone, or has changed. Put it back where it was.")  # fmt: skip
        return Begun(_work(corpus, ledger.begun, tokenizer, carried_on=True))
    found, young = find(corpus, inputs, settle)
    sifted = sift(found, ledger.taken(), young)
    if not sifted.new:
        return Begun(None, tuple(sifted.notices()))
    run = CorpusRun(number=len(ledger.runs) + 1, inputs=tuple(one.taken for one in sifted.new))
    begin_register(corpus / REGISTER)
    link(corpus, run, sifted.new)
    save(corpus, ledger.with_run(run))
    return Begun(_work(corpus, run, tokenizer), tuple(sifted.notices()))


def _work(corpus: Path, run: CorpusRun, tokenizer: str | None, carried_on: bool = False) -> Work:
    now = newest(corpus)
    own = str(corpus / now.manifest.tokenizer.file) if now is not None else tokenizer
    return Work(run, str(corpus / run.folder), str(folder_of(corpus, run)), str(corpus / INDEX),
                str(corpus / REGISTER), own, carried_on)  # fmt: skip


def nothing_kept(work: Work) -> bool:
    """Whether a run came as far as its kept texts and has none: a crawl of nothing new or nothing good."""
    described = runs.load(work.out)
    if described["stages"].get("scrub", {}).get("state") != "done":
        return False
    return not sum(read_rows(part_path(work.out, "kept", part["index"])) for part in described["parts"])


def finish(corpus: Path, work: Work, empty: bool = False) -> Version | None:
    """Join a finished run to the corpus; the version that has it, None for a run of which nothing was kept.

    ValueError if the run is not finished.
    """
    if not empty and latest(Path(work.out)) is None:
        raise ValueError(f"{work.out} is not finished: it has no manifest. Extend {corpus} again to go on.")
    ledger = load(corpus)
    if ledger is None:
        raise ValueError(f"{corpus} has lost its ledger. Restore it from a copy.")
    save(corpus, ledger.with_run(work.run.model_copy(update={"state": "empty" if empty else "joined"})))
    return publish(corpus)
