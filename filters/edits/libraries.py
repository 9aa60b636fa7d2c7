"""Edits that are a library's work: ftfy, OpenCC, Unicode normal forms. Only texts that can change are handed over.

What cannot change is known without the library: a text that has none of certain characters is its own NFC and NFKC;
OpenCC's t2s leaves a text alone that has none of the characters that its tables change; ftfy, in FineWeb-2's settings,
leaves a text alone that has no HTML entity, no control character and nothing that its own mojibake detector finds.
Traded away: a text with more than 128 combining marks in a row passes nfc and nfkc unchanged, because sorting them
takes quadratic time, in CPython as in utf8proc; and ftfy's fixes are repeated 16 times at most. One byte becomes at
most 11 by NFKC (U+FDFA: 3 become 33), 3 by NFC, 2 by ftfy (U+0085 becomes "…", some entities two characters).
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from functools import cache
from typing import Literal

import ftfy
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2
from ftfy import fixes
from ftfy.badness import BADNESS_RE

from filters.compiled import kernel
from filters.edits.tables import ASKED, CODES
from filters.segment import buffers, decode_at
from filters.signals.chinese import candidates, holds_any, simplify

MOST_MARKS = 128
MOST_PASSES = 16
# entities, controls as ftfy removes or repairs them (C1 too), escapes of terminals, and marks that it drops
FTFY_WORK = r"&#?[0-9A-Za-z]{1,24};|[\x00-\x08\x0b\x0e-\x1f\x7f-\x{9f}\x{206a}-\x{206f}\x{feff}\x{fff9}-\x{fffc}]"
# datatrove's FTFYFormatter, which FineWeb-2 runs: encodings are repaired, the writer's own characters stay
FTFY_CONFIG = ftfy.TextFixerConfig(
    unescape_html="auto",
    remove_terminal_escapes=True,
    fix_encoding=True,
    restore_byte_a0=True,
    replace_lossy_sequences=True,
    decode_inconsistent_utf8=True,
    fix_c1_controls=True,
    fix_latin_ligatures=False,
    fix_character_width=False,
    uncurl_quotes=False,
    fix_line_breaks=False,
    fix_surrogates=True,
    remove_control_chars=True,
    normalization=None,
)
Mask = npt.NDArray[np.bool_]
Form = Literal["NFC", "NFKC"]


def _where(text: pa.LargeStringArray, wanted: Mask, change: Callable[[str], str]) -> pa.LargeStringArray:
    """`change` of the texts that `wanted` names; the others pass as they are."""
    if not wanted.any():
        return text
    mask = pa.array(wanted)
    changed = pa.array([change(t) for t in text.filter(mask).to_pylist()], pa.large_string())
    return pc.replace_with_mask(text, mask, changed)


@cache
def _changing(form: Form) -> npt.NDArray[np.uint8]:
    """For every code point: 1 if a text without any such character is its own normal form, 2 if it is a combining mark
    besides. They are those that have another form, and those that may join the character before them (UAX #15, 9)."""
    table = np.zeros(CODES, np.uint8)
    table[0x1161:0x1176] = table[0x11A8:0x11C3] = 1  # vowels and finals of Hangul
    for code in ASKED:
        char = chr(code)
        if not unicodedata.is_normalized(form, char):
            table[code] = 1
        parts = unicodedata.decomposition(char).split()
        if parts and not parts[0].startswith("<"):
            table[[int(part, 16) for part in parts[1:]]] = 1
    marks = [code for code in ASKED if unicodedata.combining(chr(code))]
    table[marks] = 2
    return table


@kernel
def _normalisable(data, bounds, changing):  # type: ignore[no-untyped-def]
    """1 for each text that may have another form and has no run of more than MOST_MARKS combining marks."""
    out = np.zeros(len(bounds) - 1, np.bool_)
    for doc in range(len(out)):
        i, end = bounds[doc], bounds[doc + 1]
        run = 0
        while i < end:
            if data[i] < 0x80:
                run = 0
                i += 1
                continue
            code, width = decode_at(data, i)
            out[doc] |= changing[code] > 0
            run = run + 1 if changing[code] == 2 else 0
            if run > MOST_MARKS:
                out[doc] = False
                break
            i += width
    return out


def _normalise(text: pa.LargeStringArray, form: Form) -> pa.LargeStringArray:
    text = text.fill_null("") if text.null_count else text
    return _where(text, _normalisable(*buffers(text), _changing(form)), lambda t: unicodedata.normalize(form, t))


def nfc(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Unicode's canonical composition, by Python's unicodedata."""
    return _normalise(text, "NFC")


def nfkc(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Unicode's compatibility composition, by Python's unicodedata: full-width marks become ASCII."""
    return _normalise(text, "NFKC")


def t2s(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Traditional to simplified characters, by OpenCC."""
    text = text.fill_null("") if text.null_count else text
    return _where(text, holds_any(*buffers(text), np.arange(len(text)), candidates()), simplify)


def loosened(verbose: str) -> str:
    """ftfy's verbose pattern for RE2, matching wherever the pattern does: comments and blanks out, \\s and \\w any
    character, no anchor. RE2 reads \\x of two digits as Python does.
    """
    parts = re2.findall(r"(?s)\[(?:[^\]\\]|\\.)*\]|\\.|#[^\n]*|\s+|.", verbose)
    loose = {r"\s": "(?s:.)", r"\w": "(?s:.)", "^": ""}
    return "".join("" if p[0] == "#" or p.isspace() else loose.get(p, p) for p in parts)


def _repair_line(line: str, entities: bool) -> str:
    for _ in range(MOST_PASSES):
        before = line
        if entities:
            line = fixes.unescape_html(line)
        line = ftfy.fix_encoding(line, FTFY_CONFIG)
        line = fixes.fix_surrogates(fixes.fix_c1_controls(line))
        line = fixes.remove_control_chars(fixes.remove_terminal_escapes(line))
        if line == before:
            break
    return line


def _may_change(text: pa.LargeStringArray) -> npt.NDArray[np.bool_]:
    """Which texts, or lines, hold anything that ftfy works on; of ASCII it repairs no encoding."""
    work: npt.NDArray[np.bool_] = pc.match_substring_regex(text, FTFY_WORK).to_numpy(zero_copy_only=False).copy()
    rest = np.flatnonzero(~(work | pc.string_is_ascii(text).to_numpy(zero_copy_only=False)))
    work[rest] = pc.match_substring_regex(text.take(pa.array(rest)), MOJIBAKE).to_numpy(zero_copy_only=False)
    return work


def _lines(text: str) -> Iterator[str]:
    """Lines with their newlines, a long one in pieces of the length that ftfy takes at once."""
    start = 0
    while start < len(text):
        end = text.find("\n", start) + 1 or len(text)
        end = min(end, start + FTFY_CONFIG.max_decode_length)
        yield text[start:end]
        start = end


def repair(text: str) -> str:
    """ftfy's fix_text in FineWeb-2's settings, but a line still changing after MOST_PASSES passes stays as it is.

    ftfy itself repeats its fixes without end: "&amp;amp;amp;..." takes quadratic time.
    """
    lines = list(_lines(text))
    tags = next((i for i, line in enumerate(lines) if "<" in line), len(lines))
    for i in np.flatnonzero(_may_change(pa.array(lines, pa.large_string()))).tolist():
        lines[i] = _repair_line(lines[i], i < tags)  # as ftfy's "auto": what looks like HTML is left so from there on
    return "".join(lines)


def repair_all(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Repaired encodings, HTML entities and controls, by ftfy."""
    text = text.fill_null("") if text.null_count else text
    return _where(text, _may_change(text), repair)


MOJIBAKE = loosened(BADNESS_RE.pattern)
