"""The largest clusters of duplicates, each with its kept page and the member least like it, differences marked.

The comparison is of words (of characters, in scripts without spaces) by `difflib`, over a window that begins shortly
before the first difference; its size is bounded, so a hostile text costs no more than another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher

from stats.report.rows import TABLE, Held
from stats.report.texts import Page, pages
from stats.run import Run

CLUSTERS, LOOKED_AT = 6, 30
CHARACTERS = 6000  # of each text that are read
WINDOW, BEFORE = 500, 60  # characters shown, and how many of them before the first difference
WORD = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]|\w+|\s+|[^\w\s]")
Piece = tuple[str, bool]  # text, and whether the other side lacks it


@dataclass(frozen=True)
class Cluster:
    """`size` documents; `kept` beside `other`, as pieces of which some are marked; `same` if no difference was seen."""

    size: int
    method: str
    similarity: float | None
    kept: Page
    other: Page
    left: Sequence[Piece] = ()
    right: Sequence[Piece] = ()
    skipped: int = 0
    same: bool = False


@dataclass(frozen=True)
class Duplicates:
    """`methods`: documents dropped by each; `sizes`: clusters by the number of documents in them."""

    methods: Sequence[tuple[str, int]] = ()
    clusters: int = 0
    sizes: Sequence[tuple[str, int]] = ()
    largest: Sequence[Cluster] = field(default=())


def duplicates(run: Run, held: Held) -> Duplicates:
    """Counts over all clusters, and the CLUSTERS largest that lie wholly in this run."""
    methods = run.rows("SELECT method, count(*) FROM duplicates WHERE method <> 'kept' GROUP BY 1 ORDER BY 2 DESC, 1")
    sized = run.rows(
        """SELECT least(floor(log2(size)), 10)::INT, count(*) FROM (
            SELECT cluster_id, max(cluster_size) AS size FROM duplicates GROUP BY 1) GROUP BY 1 ORDER BY 1"""
    )
    return Duplicates(methods, sum(n for _, n in sized), [(_sizes(p), n) for p, n in sized], _largest(run, held))


def _sizes(power: int) -> str:
    """Cluster sizes of one power of two.

    >>> _sizes(1), _sizes(10)
    ('2–3', '1,024+')
    """
    return "1,024+" if power >= 10 else f"{1 << power}–{(2 << power) - 1}" if power else "1"


def _largest(run: Run, held: Held) -> list[Cluster]:
    if not held.documents:
        return []
    rows = run.rows(
        f"""SELECT max(cluster_size), arg_min(method, ({{order}})), arg_min(similarity, ({{order}})),
            arg_min(kept_id, ({{order}})), arg_min(doc_id, ({{order}}))
        FROM duplicates WHERE method <> 'kept' AND kept_in IS NULL AND kept_id <> doc_id
            AND doc_id IN (SELECT doc_id FROM {TABLE}) AND kept_id IN (SELECT doc_id FROM {TABLE})
        GROUP BY cluster_id ORDER BY 1 DESC, cluster_id LIMIT {LOOKED_AT}""".format(
            order="{'likeness': coalesce(similarity, 1), 'id': doc_id}"
        )
    )
    told = pages(run, held, [one for row in rows[:CLUSTERS] for one in row[3:]], CHARACTERS)
    return [
        _compared(size, method, similarity, told[kept], told[other])
        for size, method, similarity, kept, other in rows[:CLUSTERS]
        if kept in told and other in told and not told[kept].withheld
    ]


def _compared(size: int, method: str, similarity: float | None, kept: Page, other: Page) -> Cluster:
    alike = (i for i, (a, b) in enumerate(zip(kept.text, other.text, strict=False)) if a != b)
    same = next(alike, min(len(kept.text), len(other.text)))
    if kept.text == other.text:
        return Cluster(size, method, similarity, kept, other, [(kept.text[:WINDOW], False)], same=True)
    start = max(0, same - BEFORE)
    left, right = differences(kept.text[start : start + WINDOW], other.text[start : start + WINDOW])
    return Cluster(size, method, similarity, kept, other, left, right, start)


def differences(one: str, two: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts as pieces; a piece is marked where the other text has something else.

    >>> differences("a b c", "a x c")
    ([('a ', False), ('b', True), (' c', False)], [('a ', False), ('x', True), (' c', False)])
    """
    first, second = WORD.findall(one), WORD.findall(two)
    codes = SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
    left = [("".join(first[i:j]), tag != "equal") for tag, i, j, _, _ in codes]
    right = [("".join(second[i:j]), tag != "equal") for tag, _, _, i, j in codes]
    return list(_filled(left)), list(_filled(right))


def _filled(pieces: list[Piece]) -> Iterator[Piece]:
    return (piece for piece in pieces if piece[0])


__all__ = ["Cluster", "Duplicates", "differences", "duplicates"]
