"""What every task of one dedup needs to know: where things lie, how parts are grouped, how keys are cut.

It is handed to the tasks pickled, so it holds paths and numbers and no data. A node is a document's number: its part
and place (`pipelines.sign`); a node with the top bit set lives in the index of earlier corpora instead, and its
part is one of the index's units.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from apache_beam.io.filesystems import FileSystems

from dedup.keys import columns
from dedup.pairs import U64
from pipelines.signature import NODE_PART
from recipes.dedup import Dedup

GROUP_DOCUMENTS = 25_000  # documents whose keys one task cuts: 9 MB for 14 bands, three times that while they are cut
MOST_GROUPS = 8_000  # files that every range is gathered from
RANGE_DOCUMENTS = 2_000_000  # documents of one column that one task pairs: 48 MB
CLUSTER_DOCUMENTS = 500_000  # clustered documents that one task ranks: 230 MB with 112 hashes each
INDEXED = np.uint64(1) << np.uint64(63)


@dataclass(frozen=True)
class Earlier:
    """An index of earlier corpora as one dedup sees it: its units' files, and its generations' band files.

    `names`: the generations, oldest first; `bands`: for each generation its first unit, the number of ranges its keys
    were cut into, and its files.
    """

    names: tuple[str, ...]
    units: tuple[str, ...]
    clusters: tuple[str, ...]
    bands: tuple[tuple[int, int, tuple[str, ...]], ...]


@dataclass(frozen=True)
class Work:
    """One dedup. `sign` makes a part's signatures and returns their path; `texts` gives texts of rows of a part."""

    folder: str
    dedup: Dedup
    sign: Callable[[int], str]
    texts: Callable[[int, npt.NDArray[np.uint32]], pa.LargeStringArray]
    groups: tuple[tuple[int, ...], ...]
    ranges: int
    destinations: int
    mark: str
    earlier: Earlier | None = None

    def path(self, dataset: str, number: int) -> str:
        """The file that task `number` writes into `dataset` of this dedup's working files."""
        return FileSystems.join(self.folder, "exchange", dataset, f"{number:06d}.arrow")

    def where(self, dataset: str) -> str:
        """The folder of a dataset of working files."""
        return FileSystems.join(self.folder, "exchange", dataset)

    @property
    def columns(self) -> tuple[str, ...]:
        """The kind of each key column."""
        return columns(self.dedup)

    @property
    def sets(self) -> tuple[tuple[int, ...], ...]:
        """Groups of parts, and after them the index's units in groups of one: what nodes are cut by."""
        return (*self.groups, *((unit,) for unit in range(len(self.earlier.units) if self.earlier else 0)))

    def set_of(self, nodes: U64) -> npt.NDArray[np.int64]:
        """The number in `sets` of each node."""
        starts = np.array([group[0] for group in self.groups], np.int64)
        part = ((nodes & ~INDEXED) >> NODE_PART).astype(np.int64)
        own = np.searchsorted(starts, part, side="right") - 1
        return np.where(nodes & INDEXED != 0, len(self.groups) + part, own)

    def is_earlier(self, number: int) -> bool:
        """Whether a set is of the index."""
        return number >= len(self.groups)

    def signature_files(self, number: int) -> list[tuple[np.uint64, str]]:
        """(first node, signature file) of each part of a set."""
        if self.earlier and self.is_earlier(number):
            unit = number - len(self.groups)
            return [(INDEXED | (np.uint64(unit) << NODE_PART), self.earlier.units[unit])]
        return [(np.uint64(part) << NODE_PART, self.sign(part)) for part in self.groups[number]]


def grouped(parts: Sequence[int], documents: Sequence[int], workers: int) -> tuple[tuple[int, ...], ...]:
    """Neighbouring parts together, about GROUP_DOCUMENTS each, and no fewer groups than keep the workers busy."""
    total = sum(documents)
    most = min(max(GROUP_DOCUMENTS, total // MOST_GROUPS), max(1, total // (4 * workers)))
    groups: list[list[int]] = []
    filled = most
    for part, count in zip(parts, documents, strict=True):
        if filled >= most:
            groups.append([])
            filled = 0
        groups[-1].append(part)
        filled += max(count, 1)
    return tuple(tuple(group) for group in groups)


def ranges_for(documents: int) -> int:
    """Ranges (a power of two, so that ranges of different files fit each other) to cut each key column into.

    >>> ranges_for(1_000), ranges_for(5_000_000)
    (1, 4)
    """
    return 1 << max(0, (documents - 1) // RANGE_DOCUMENTS).bit_length()
