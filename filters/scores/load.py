"""A recipe's entry and the path given for it, to a scorer; or one sentence on what is missing and how to give it.

A scorer is kept for as long as its file is the same (place, size and time of change), so that the parts of one
process share a model.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filters.scores.fasttext_model import FastTextScorer
from filters.scores.hashing_lr import HashingLRScorer
from filters.scores.interface import Absent, Scorer, digest_of
from filters.scores.kenlm_model import KenLMScorer
from filters.scores.table import TableScorer
from filters.scores.url_list import UrlListScorer
from filters.scores.url_words import UrlWordsScorer
from filters.scores.words import WordsScorer
from recipes.scores import Entry

SCORERS: dict[str, Callable[[Any, Path | None, str], Scorer[Any]]] = {
    "fasttext": FastTextScorer, "hashing_lr": HashingLRScorer, "kenlm": KenLMScorer, "words": WordsScorer,
    "url_list": UrlListScorer, "url_words": UrlWordsScorer, "table": TableScorer,
}  # fmt: skip
Stamp = tuple[tuple[str, int, int], ...]
_loaded: dict[tuple[str, Stamp], Scorer[Any]] = {}


def load(score: Entry, path: str | None = None) -> Scorer[Any]:
    """The scorer of an entry; `path` (from the command line) wins over the entry's own `file`.

    Raises FileNotFoundError if no file was given or it is not there, naming the entry and what to give, unless the
    entry says `when_missing = "skip"` and none was given; ValueError if the file is not what the kind reads.
    """
    named = path or score.file
    if named is None and score.needs_file:
        if score.when_missing == "skip":
            return Absent(score, "")
        raise FileNotFoundError(
            f"The score {score.id!r} needs a file: {score.what.rstrip('.')}. Give it with --file {score.id}=PATH."
        )
    place = Path(named) if named is not None else None
    if place is not None and not place.exists():
        raise FileNotFoundError(
            f"The score {score.id!r} has no file at {place}. It needs: {score.what.rstrip('.')}. "
            f"Give it with --file {score.id}=PATH."
        )
    key = (score.model_dump_json(), _stamp(place))
    if key not in _loaded:
        _loaded[key] = _read(score, place)
    return _loaded[key]


def _stamp(place: Path | None) -> Stamp:
    if place is None:
        return ()
    files = sorted(p for p in place.rglob("*") if p.is_file()) if place.is_dir() else [place]
    return tuple((str(p.resolve()), p.stat().st_size, p.stat().st_mtime_ns) for p in files)


def _read(score: Entry, place: Path | None) -> Scorer[Any]:
    kind: str = score.kind  # type: ignore[attr-defined]
    digest = digest_of(place) if place is not None else hashlib.sha256(score.model_dump_json().encode()).hexdigest()
    try:
        return SCORERS[kind](score, place, digest)
    except (ValueError, OSError) as error:
        if isinstance(error, FileNotFoundError):
            raise
        raise ValueError(
            f"The score {score.id!r} cannot read {place} as {kind}: {error} It needs: {score.what}"
        ) from error
