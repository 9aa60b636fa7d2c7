"""Signals of lines: bullets, ellipses, terminal punctuation, lengths, paragraphs.

Gopher's rules take the lines of `str.splitlines`, blank ones too; FineWeb's the lines between newlines that are not
blank, their ends unstripped; both as datatrove 0.10.1 counts them. Bullets by Dolma and RedPajama-v2 take all lines
between newlines (RedPajama-v2 without an empty last one).
"""

from __future__ import annotations

from functools import partial

import numpy as np

from filters.bytewise import decode_at
from filters.codepoints import PROPERTIES, RPV2_BULLET, TERMINAL
from filters.compiled import kernel, step
from filters.scan import before, count_chars, find_byte, next_break, strip
from filters.segment import TextView
from filters.signals.signal import CWT, DOLMA, FINEWEB, GOPHER, INT, MC4, OWN, REAL, RPV2, ratio, signals

SHORT, LONG = 30, 200


@step
def ellipsis_ends(data, low, high):  # type: ignore[no-untyped-def]
    """Whether a stripped, filled span ends in '...' or '…'."""
    if data[high - 1] == 0x2E:
        return high - low >= 3 and data[high - 2] == 0x2E and data[high - 3] == 0x2E
    return high - low >= 3 and data[high - 1] == 0xA6 and data[high - 2] == 0x80 and data[high - 3] == 0xE2


@kernel
def gopher_lines(data, bounds, properties):  # type: ignore[no-untyped-def]
    """Five columns a text: lines, bullets, ellipses, longest line in characters, lines cut at other than newlines."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 4), np.int64)
    for doc in range(docs):
        at, end = bounds[doc], bounds[doc + 1]
        while at < end:
            stop, following = next_break(data, at, end)
            low, high = strip(data, at, stop, properties)
            out[doc, 0] += 1
            if high > low:
                code = decode_at(data, low)[0]
                out[doc, 1] += code == 0x2022 or code == 0x2D
                out[doc, 2] += ellipsis_ends(data, low, high)
            if stop - at > out[doc, 3]:  # no more characters than bytes
                out[doc, 3] = max(out[doc, 3], count_chars(data, at, stop))
            at = following
    return out


@kernel
def newline_lines(data, bounds, properties):  # type: ignore[no-untyped-def]
    """Ten columns a text, of its lines between newlines: all, filled, terminal ends, short, characters, stripped
    characters, long, paragraphs, Dolma's bullets, RedPajama-v2's bullets."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 10), np.int64)
    for doc in range(docs):
        at, end, in_paragraph = bounds[doc], bounds[doc + 1], False
        while at <= end:
            stop = find_byte(data, at, end, 10)
            low, high = strip(data, at, stop, properties)
            chars = count_chars(data, at, stop)
            out[doc, 0] += 1
            out[doc, 4] += chars
            out[doc, 6] += chars >= LONG
            if stop > at:
                out[doc, 8] += data[at] == 0x2A or data[at] == 0x2D
            if high > low:
                out[doc, 1] += 1
                out[doc, 2] += (properties[before(data, at, stop)[0]] & TERMINAL) != 0
                out[doc, 3] += chars <= SHORT
                edges = low > at or high < stop
                out[doc, 5] += count_chars(data, low, high) if edges else chars
                out[doc, 7] += not in_paragraph
                out[doc, 9] += (properties[decode_at(data, low)[0]] & RPV2_BULLET) != 0
            in_paragraph = high > low
            at = stop + 1
    return out


def by_gopher(view: TextView) -> dict[str, np.ndarray]:
    """Signals over `str.splitlines`."""
    s = gopher_lines(view.data, view.bounds, PROPERTIES)
    return {
        "bullet_line_ratio": ratio(s[:, 1], s[:, 0]),
        "ellipsis_line_ratio": ratio(s[:, 2], s[:, 0]),
        "max_line_length": s[:, 3],
    }


def by_newline(view: TextView) -> dict[str, np.ndarray]:
    """Signals over the lines between newlines."""
    s = newline_columns(view)
    size = np.diff(view.bounds)
    ends_open = np.ones(len(view), np.int64)  # whether the last line holds something
    filled = size > 0
    ends_open[filled] = view.data[view.bounds[1:][filled] - 1] != 10
    ends_open[~filled] = 0
    return {
        "line_count": s[:, 1],
        "mean_line_length": ratio(s[:, 5], s[:, 1]),
        "mean_all_line_length": ratio(s[:, 4] + s[:, 0] - 1, s[:, 0]),
        "line_punct_ratio": ratio(s[:, 2], s[:, 1]),
        "short_line_ratio": ratio(s[:, 3], s[:, 1]),
        "long_line_count": s[:, 6],
        "paragraph_count": s[:, 7],
        "bullet_line_ratio_dolma": ratio(s[:, 8], np.where(filled, s[:, 0], 0)),
        "bullet_line_ratio_rpv2": ratio(s[:, 9], s[:, 0] - 1 + ends_open),
    }


def newline_words(view: TextView) -> dict[str, np.ndarray]:
    """FineWeb's list ratio."""
    return {"newline_word_ratio": ratio(newline_counts(view), np.diff(view.tokens.first))}


def newline_counts(view: TextView) -> np.ndarray:
    """Newlines of each text."""
    return newline_columns(view)[:, 0] - 1


def newline_columns(view: TextView) -> np.ndarray:
    """The columns of `newline_lines`, once a batch."""
    return view.once(newline_lines, partial(newline_lines, view.data, view.bounds, PROPERTIES))


SIGNALS = (
    *signals(by_newline, (
        ("line_count", INT, "lines that are not blank", FINEWEB),
        ("mean_line_length", REAL, "mean characters of a line that is not blank, stripped", OWN),
        ("mean_all_line_length", REAL, "characters of the text for each line between newlines", CWT),
        ("line_punct_ratio", REAL, "share of filled lines that end in terminal punctuation", FINEWEB),
        ("short_line_ratio", REAL, "share of filled lines of at most 30 characters", FINEWEB),
        ("long_line_count", INT, "lines of at least 200 characters", MC4),
        ("paragraph_count", INT, "spans of filled lines between blank ones", OWN),
        ("bullet_line_ratio_dolma", REAL, "share of lines that begin with '*' or '-'", DOLMA),
        ("bullet_line_ratio_rpv2", REAL, "share of lines that begin with one of ten bullets", RPV2),
    )),
    *signals(by_gopher, (
        ("bullet_line_ratio", REAL, "share of lines that begin with '•' or '-'", GOPHER),
        ("ellipsis_line_ratio", REAL, "share of lines that end in an ellipsis", GOPHER),
        ("max_line_length", INT, "characters of the longest line", "py-data-juicer 1.6.1 and " + "RedPajama v1 code"),
    )),
    *signals(newline_words, (("newline_word_ratio", REAL, "newlines for each token", FINEWEB),)),
)  # fmt: skip
