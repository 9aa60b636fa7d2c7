"""Extending a corpus by what is new: the flow `curate`, between what pipelines.corpus does before and after it.

The command line and the deployment `daily` both call this. Whoever calls holds the corpus. Beam's chatter goes to the
run's own log.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from flows import settings

settings.apply()

from flows.curate import curate  # noqa: E402
from flows.progress import shown  # noqa: E402
from flows.quiet import chatter_logged  # noqa: E402
from pipelines.corpus.extend import Work, begin, finish, nothing_kept  # noqa: E402
from pipelines.corpus.publish import newest, publish  # noqa: E402
from pipelines.run import BusyError, locked  # noqa: E402
from recipes.model import Recipe  # noqa: E402
from tokenization.versions import Version  # noqa: E402

Say = Callable[[str], None]


@dataclass(frozen=True)
class How:
    """With what a run is made; `tokenizer` is for a corpus that has none yet."""

    recipe: Recipe
    others: Sequence[Recipe] = ()
    notices: Sequence[str] = ()
    workers: int = 1
    runner: str = "embedded"
    tokenizer: str | None = None
    settle: float = 0
    flags: Sequence[str] = ()


@dataclass
class Extended:
    """What an extension made: folders of its runs, those of which nothing was kept, and the newest version now."""

    version: Version | None
    runs: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)


@contextmanager
def held(corpus: Path, patience: float = 0) -> Iterator[None]:
    """Hold a corpus, waiting up to `patience` seconds for whoever has it; BusyError after that."""
    end = time.monotonic() + patience
    with ExitStack() as holding:
        while True:
            try:
                holding.enter_context(locked(str(corpus)))
                break
            except BusyError:
                if time.monotonic() > end:
                    raise
                time.sleep(random.uniform(1, 5))  # two that wait do not ask at the same moment for ever
        yield


def extended(corpus: Path, inputs: Sequence[str], how: How, say: Say) -> Extended:
    """Extend a corpus that is held by everything that is new, and publish; goes on where a killed call stopped.

    A run of which nothing was kept is recorded and makes no version. ValueError or FileNotFoundError in a sentence.
    """
    corpus = corpus.absolute()
    publish(corpus)  # what was joined or removed, and cut off before it was published
    out = Extended(newest(corpus))
    while True:
        begun = begin(corpus, inputs, how.recipe, how.tokenizer, how.settle)
        out.notices += [told for told in begun.notices if told not in out.notices]
        if begun.work is None:
            return out
        work = begun.work
        say(f"{'goes on with' if work.carried_on else 'takes'} {len(work.run.inputs)} inputs: {work.run.folder}")
        empty = not _curated(work, how)
        version = finish(corpus, work, empty)
        out.runs.append(work.run.folder)
        out.empty += [work.run.folder] * empty
        out.version = version or out.version


def _curated(work: Work, how: How) -> bool:
    """Make the run of a Work; whether any of its documents was kept."""
    with locked(work.out), chatter_logged(work.out) as terminal, shown(work.out, terminal):
        try:
            curate(
                [work.inputs], how.recipe, work.out, others=how.others, notices=how.notices, workers=how.workers,
                runner=how.runner, tokenizer=work.tokenizer, against=work.against, register=work.register,
                flags=how.flags, follow_links=True,
            )  # fmt: skip
        except ValueError:
            if not nothing_kept(work):
                raise
            return False
    return True
