"""Full-width digits, letters and signs, and the decimal digits of every script, as the ASCII that they stand for.

Rules are written for ASCII; a number in full-width or Arabic digits is the same number. A batch without one such digit
or letter is looked through as it is: the pass that looks for them skips eight bytes of ASCII, or one Chinese
character, at a step. Where there is one, a copy is made with one byte in the place of each, and a list of where the
copy is shorter, so that spans are told in bytes of the text as it was. Signs are folded only beside a folded digit or
letter, so that the rules that know full-width signs see them as before.

Digits: Unicode's general category Nd. Letters and signs: Halfwidth and Fullwidth Forms, U+FF01 to U+FF5E.
https://www.unicode.org/charts/PDF/UFF00.pdf
"""

from __future__ import annotations

import sys
import unicodedata

import numpy as np

from filters.bytewise import Bytes, Ints, copy_bytes, decode_at, load64
from filters.compiled import kernel, step

HIGH = np.uint64(0x8080808080808080)
LAST = 0x1FFFF  # no decimal digit lies above
EITHER, BOTH = 0x80, 0x100  # a sign that is folded beside one folded letter or digit, or only between two
SIGNS_EITHER, SIGNS_BOTH = "．－＋＿＠（）／", "：　"

# character -> ASCII, for single values: what `str.translate` takes
PLAIN = {
    **{code + 0xFEE0: code for code in range(0x30, 0x7B) if chr(code).isalnum()},
    **{ord(sign): ord(unicodedata.normalize("NFKC", sign)) for sign in SIGNS_EITHER + SIGNS_BOTH},
    **{code: 48 + unicodedata.decimal(chr(code)) for code in range(128, min(LAST, sys.maxunicode) + 1)
       if unicodedata.category(chr(code)) == "Nd"},
}  # fmt: skip


def _tables() -> tuple[Bytes, np.ndarray]:
    """For each lead byte the width of its character, with bit 8 where one can be folded; and for each code point what
    it becomes, 0 for itself, with EITHER or BOTH for a sign."""
    to = np.zeros(LAST + 1, np.uint16)
    leads = np.ones(256, np.uint8)
    leads[0xC0:0xE0], leads[0xE0:0xF0], leads[0xF0:] = 2, 3, 4
    for code, plain in PLAIN.items():
        mark = BOTH if chr(code) in SIGNS_BOTH else EITHER if chr(code) in SIGNS_EITHER else 0
        to[code] = plain | mark
        if chr(code) != "　":  # asked about after a digit only: its lead byte is that of all kana
            leads[chr(code).encode()[0]] |= 8
    return leads, to


LEADS, TO = _tables()


@step
def _becomes(data, i, hi, to):  # type: ignore[no-untyped-def]
    """What the character at `i` becomes (0: stays), and its width."""
    if i >= hi or data[i] < 0x80:
        return 0, 1
    code, width = decode_at(data, i)
    return (np.int64(to[code]) if code <= LAST else 0), width


@kernel
def _folds(data, bounds, leads, to, out):  # type: ignore[no-untyped-def]
    """Write (byte, width, ASCII) of each character that is folded; return how many there are, room or no room."""
    n = 0
    for row in range(len(bounds) - 1):
        i, hi, after = bounds[row], bounds[row + 1], False
        while i < hi:
            b = data[i]
            if b < 0x80:
                i, after = i + 1, False
                while i + 8 <= hi and load64(data, i) & HIGH == 0:
                    i += 8
                continue
            if 0xE3 < b <= 0xE9 or (b == 0xE3 and not after):  # Chinese and kana
                i, after = i + 3, False
                continue
            if not leads[b] & 8 and b != 0xE3:
                i, after = i + leads[b], False
                continue
            becomes, width = _becomes(data, i, hi, to)
            if becomes & (EITHER | BOTH):
                following, more = _becomes(data, i + width, hi, to)
                if becomes & EITHER and following & EITHER:  # "（＋８６": one sign further
                    following, _ = _becomes(data, i + width + more, hi, to)
                folded = following > 0 and not following & (EITHER | BOTH)
                if not (after and folded if becomes & BOTH else after or folded):
                    becomes = 0
            if becomes:
                if n < len(out):
                    out[n, 0], out[n, 1], out[n, 2] = i, width, becomes & 0x7F
                n += 1
            i, after = i + width, becomes > 0
    return n


def folded(data: Bytes, bounds: Ints) -> tuple[Bytes, Ints, Folds] | None:
    """A copy of texts (UTF-8 bytes, and (rows + 1,) offsets) with ASCII for what stands for it; None if nothing does.

    Time is linear in the text.
    """
    out = np.empty((256, 3), np.int64)
    count = _folds(data, bounds, LEADS, TO, out)
    if count > len(out):
        out = np.empty((count, 3), np.int64)
        _folds(data, bounds, LEADS, TO, out)
    if not count:
        return None
    at, widths, _ = out[:count].T
    shorter = np.concatenate([[0], np.cumsum(widths - 1)])
    short, ends = np.empty(len(data) - shorter[-1] + 8, np.uint8), bounds - shorter[np.searchsorted(at, bounds)]
    _copy(data, out[:count], short)
    short = short[: len(data) - shorter[-1]]
    short.flags.writeable = ends.flags.writeable = False  # one type for every kernel
    return short, ends, Folds(at - shorter[:-1], shorter)


@kernel
def _copy(data, folds, out):  # type: ignore[no-untyped-def]
    """Write `data` with each of `folds` as one byte; `out` has eight bytes more than that takes."""
    at, o = 0, 0
    for k in range(len(folds)):
        copy_bytes(data, at, folds[k, 0], out, o)
        o += folds[k, 0] - at
        out[o] = folds[k, 2]
        at, o = folds[k, 0] + folds[k, 1], o + 1
    copy_bytes(data, at, len(data), out, o)


class Folds:
    """Where a copy is shorter: `at`, its folded bytes; `shorter`, by how many bytes in all before each, and at last."""

    def __init__(self, at: Ints, shorter: Ints) -> None:
        self.at, self.shorter = at, shorter

    def back(self, places: Ints) -> Ints:
        """Bytes of the text as it was, for bytes of the copy."""
        return places + self.shorter[np.searchsorted(self.at, places)]
