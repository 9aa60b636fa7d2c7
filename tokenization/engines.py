"""The fastest engine that is exactly equal to the reference, for one tokenizer file.

The reference is the library whose format the file has: `tokenizers`, `tiktoken`, `sentencepiece`. Faster libraries are
tried in the order of their measured speed (benchmarks/encoders.py). One is taken if it reads the file and gives the
reference's ids for all of `tokenization.hostile`; single texts that are known to part the two go to the reference.
If the fastest is not taken, `told` says so in a sentence; the ids are the same whichever it is.

Traded away: a second or two at load, once a process, for two engines and the sample.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tokenization import gigatoken_engine, kitoken_engine
from tokenization.gigatoken_engine import Prepared
from tokenization.guard import Mask, contested, framed, spelling, strange
from tokenization.hostile import sample
from tokenization.tokenizer import Ids, Offsets, Reference

FAST: dict[str, Callable[[Path, Reference], Prepared]] = {
    "gigatoken": gigatoken_engine.prepare,
    "kitoken": kitoken_engine.prepare,
}
LINE = re.compile(r"(?<=\n)(?=\S)")  # where published patterns never have one piece on both sides
PIECES = 4_000  # of the vocabulary, spelled in the sample
TRIED = 16 << 10  # bytes of a part's own text


class Chosen:
    """A tokenizer: the reference's file and ids, a fast engine's speed."""

    def __init__(self, reference: Reference, name: str, fast: Prepared, told: str) -> None:
        self.reference, self.fast, self.told = reference, fast, told
        self.engine = f"{name} {version(name)}"
        self.name, self.copy_name, self.sha256 = reference.name, reference.copy_name, reference.sha256
        self.vocab_size, self.end_of_text = reference.vocab_size, reference.end_of_text
        if fast.unicode_differs:
            self._unknown, self._tried = contested().copy(), set[int]()

    def encode_batch(self, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        """Ids of all texts, and their offsets."""
        text = pc.fill_null(text, "") if text.null_count else text
        apart = self._apart(text)
        if not apart.any():
            return self._fast(text)
        mask = pa.array(apart)
        return merge(self._fast(text.filter(pc.invert(mask))), self._line_by_line(text.filter(mask)), apart)

    def _line_by_line(self, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        """Texts with something in them for the reference: it gets the lines that have it, if lines may be parted."""
        if not getattr(self.reference, "in_lines", False):
            return self.reference.encode_batch(text)
        pieces = [LINE.split(one) for one in text.to_pylist()]
        lines = pa.array([line for some in pieces for line in some], pa.large_string())
        apart = self._apart(lines)
        mask = pa.array(apart)
        ids, offsets = merge(
            self._fast(lines.filter(pc.invert(mask))), self.reference.encode_batch(lines.filter(mask)), apart
        )
        return ids, offsets[np.cumsum([0, *map(len, pieces)])]

    def _fast(self, text: pa.LargeStringArray) -> tuple[Ids, Offsets]:
        try:
            return self.fast.encode(text)
        except BaseException as error:  # noqa: BLE001 - a panic of a Rust library is no Exception; it is told
            self.told = _sentence([f"{self.engine} failed on some texts ({_reason(error)})"])
            return self.reference.encode_batch(text)

    def _apart(self, text: pa.LargeStringArray) -> Mask:
        spelled = spelling(text, self.fast.avoid)
        if not self.fast.unicode_differs:
            return spelled
        found = strange(text, self._unknown)
        if found.any() and self._try_out(text.filter(pa.array(found))):
            found = strange(text, self._unknown)
        return spelled | found

    def _try_out(self, text: pa.LargeStringArray) -> bool:
        """Try the contested characters of some texts that were not tried yet; whether any is read alike by both."""
        met = set[int]().union(*(map(ord, set(one)) for one in text.to_pylist()))
        new = sorted(point for point in met - self._tried if self._unknown[point])
        if not new:
            return False
        self._tried.update(new)
        texts = framed(new)
        try:
            alike = rows_equal(self.fast.encode(texts), self.reference.encode_batch(texts))
        except BaseException as error:  # noqa: BLE001 - a panic, as above: these characters stay the reference's
            _reason(error)
            return False
        settled = np.array(new)[alike.reshape(len(new), -1).all(axis=1)]
        self._unknown[settled] = False
        return len(settled) > 0

    def decode(self, ids: Sequence[int] | Ids) -> str:
        """The text of `ids`."""
        return self.reference.decode(ids)


def choose(file: Path, reference: Reference) -> Chosen:
    """The fastest equal engine for `file`, the reference if there is none."""
    size = reference.vocab_size
    pieces = [_piece(reference, i) for i in range(0, size, max(1, size // PIECES)) if i != reference.end_of_text]
    texts = sample(reference.spellings(), pieces)
    wanted = reference.encode_batch(texts)
    refused: list[str] = []
    for name, prepare in FAST.items():
        try:
            chosen = Chosen(reference, name, prepare(file, reference), _sentence(refused))
            if equal(chosen.encode_batch(texts), wanted):
                return chosen
            refused.append(f"{name} gave other ids for the sample")
        except BaseException as error:  # noqa: BLE001 - likewise; `_reason` raises what no library says
            refused.append(f"{name} does not read this file ({_reason(error)})")
    return as_reference(reference, _sentence(refused))


def as_reference(reference: Reference, told: str = "") -> Chosen:
    """The reference itself as what encodes."""
    return Chosen(reference, reference.engine_name, Prepared(reference.encode_batch, unicode_differs=False), told)


def tried_on(chosen: Chosen, text: pa.LargeStringArray, limit: int = TRIED) -> Chosen:
    """`chosen` if it gives the reference's ids for the first texts, of `limit` bytes at most; else the reference."""
    sizes = np.cumsum(pc.fill_null(pc.binary_length(text), 0).to_numpy(zero_copy_only=False))
    some = text.slice(0, int(np.searchsorted(sizes, limit, side="right")))
    if equal(chosen.encode_batch(some), chosen.reference.encode_batch(some)):
        return chosen
    return as_reference(chosen.reference, _sentence([f"{chosen.engine} gave other ids for texts of this part"]))


def equal(one: tuple[Ids, Offsets], other: tuple[Ids, Offsets]) -> bool:
    """Whether two encodings are the same ids, text by text."""
    return np.array_equal(one[0], other[0]) and np.array_equal(one[1], other[1])


def rows_equal(one: tuple[Ids, Offsets], other: tuple[Ids, Offsets]) -> Mask:
    """Which texts of two encodings have the same ids."""
    cut = (np.split(ids, offsets[1:-1]) for ids, offsets in (one, other))
    return np.array([np.array_equal(a, b) for a, b in zip(*cut, strict=True)], np.bool_)


def merge(plain: tuple[Ids, Offsets], special: tuple[Ids, Offsets], is_special: Mask) -> tuple[Ids, Offsets]:
    """Two encodings as one, with the rows of `special` where `is_special` has them.

    >>> a, b = (np.array([1, 2], np.uint32), np.array([0, 1, 2])), (np.array([7, 8], np.uint32), np.array([0, 2]))
    >>> [part.tolist() for part in merge(a, b, np.array([False, True, False]))]
    [[1, 7, 8, 2], [0, 1, 3, 4]]
    """
    lengths = np.empty(len(is_special), np.int64)
    lengths[~is_special], lengths[is_special] = np.diff(plain[1]), np.diff(special[1])
    offsets = np.concatenate(([0], np.cumsum(lengths)))
    ids = np.empty(int(offsets[-1]), np.uint32)
    of_special = np.repeat(is_special, lengths)
    ids[~of_special], ids[of_special] = plain[0], special[0]
    return ids, offsets


def _reason(error: BaseException) -> str:
    """What a library said, short and on one line; whatever no library says is raised again."""
    if isinstance(error, (KeyboardInterrupt, SystemExit, MemoryError)):
        raise error
    return " ".join(str(error).split()).partition(" Location:")[0][:120].rstrip(".")


def _piece(reference: Reference, number: int) -> str:
    try:
        return reference.decode([number])
    except (KeyError, IndexError):  # ids need not be dense
        return ""


def _sentence(refused: list[str]) -> str:
    return f"A slower engine encodes, with the same ids: {'; '.join(refused)}." if refused else ""
