"""The edit `ftfy`: repaired encodings, HTML entities and controls, by the library, in the settings of FineWeb-2.

Only texts, and of them lines, that can change are handed over: ftfy, in these settings, leaves alone what has no HTML
entity, no control character and nothing that its own mojibake detector finds. Traded away: ftfy's fixes are repeated
16 times at most. One byte becomes at most 2 (U+0085 becomes "…", some entities two characters).
"""

from __future__ import annotations

from collections.abc import Iterator

import ftfy
import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import re2
from ftfy import fixes
from ftfy.badness import BADNESS_RE

from filters.compiled import kernel, step
from filters.edits.libraries import where
from filters.segment import buffers, decode_at

MOST_PASSES = 16
CONTROL, ENTITY, OTHER = 1, 2, 4
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


def _pairs() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Two tables of bytes: two neighbours may begin what ftfy works on if their entries have a bit in common."""
    first, second = np.zeros(256, np.uint8), np.zeros(256, np.uint8)
    first[[*range(9), 0x0B, *range(0x0E, 0x20), 0x7F]] = CONTROL
    second[:] = CONTROL
    for bit, lead, following in (
        (ENTITY, 0x26, [*b"#0123456789", *range(0x41, 0x5B), *range(0x61, 0x7B)]),
        (OTHER, 0xC2, range(0x80, 0xA0)),
        (OTHER << 1, 0xE2, [0x81]),
        (OTHER << 2, 0xEF, [0xBB, 0xBF]),
    ):
        first[lead] = bit
        second[[*following]] |= bit
    return first, second


@step
def _is_entity(data, i, end):  # type: ignore[no-untyped-def]
    """Whether &#?[0-9A-Za-z]{1,24}; stands at the ampersand i."""
    i += 1 + (i + 1 < end and data[i + 1] == 0x23)
    start = i
    while i < end and i - start <= 24 and (0x61 <= data[i] | 0x20 <= 0x7A or 0x30 <= data[i] <= 0x39):
        i += 1
    return 0 < i - start <= 24 and i < end and data[i] == 0x3B


@kernel
def _has_work(data, bounds, first, second):  # type: ignore[no-untyped-def]
    """Which texts have an entity, a control as ftfy removes or repairs them (C1 too), or a mark that it drops:
    &#?[0-9A-Za-z]{1,24};|[\\x00-\\x08\\x0b\\x0e-\\x1f\\x7f-\\x9f\\u206a-\\u206f\\ufeff\\ufff9-\\ufffc]"""
    out = np.zeros(len(bounds) - 1, np.bool_)
    for doc in range(len(out)):
        i, last, found = bounds[doc], bounds[doc + 1] - 1, np.int64(0)
        for k in range(i, last):  # without a branch: most texts have nothing
            found |= np.int64(first[data[k]] & second[data[k + 1]])
        if i <= last:
            found |= np.int64(first[data[last]]) & CONTROL
        while i < last and found & ~CONTROL and not found & CONTROL:
            bits = np.int64(first[data[i]] & second[data[i + 1]])
            if bits == ENTITY:
                found |= _is_entity(data, i, last + 1)
            elif bits:
                code = decode_at(data, i)[0]
                found |= code < 0xA0 or 0x206A <= code <= 0x206F or code == 0xFEFF or 0xFFF9 <= code <= 0xFFFC
            i += 1
        out[doc] = found & CONTROL != 0
    return out


def _may_change(text: pa.LargeStringArray) -> npt.NDArray[np.bool_]:
    """Which texts, or lines, hold anything that ftfy works on; of ASCII it repairs no encoding."""
    work: npt.NDArray[np.bool_] = _has_work(*buffers(text), *PAIRS)
    rest = np.flatnonzero(~(work | pc.string_is_ascii(text).to_numpy(zero_copy_only=False)))
    others = text.take(pa.array(rest)).cast(pa.large_binary()).to_pylist()
    work[rest] = [MOJIBAKE.search(other) is not None for other in others]
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
    return where(text, _may_change(text), repair)


MOJIBAKE = re2.compile(loosened(BADNESS_RE.pattern).encode())  # kept: Arrow compiles a pattern anew for each call
PAIRS = _pairs()
