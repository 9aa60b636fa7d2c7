"""Signals of fixed strings and of the text as bytes: lorem ipsum, links, how well it compresses, code's markers."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import zstandard

from filters.bytewise import holds, load64
from filters.compiled import kernel, step
from filters.segment import TextView
from filters.signals.signal import C4, DOLMA_CODE, FLAG, INT, OWN, REAL, signals

LOREM = np.frombuffer(b"lorem ipsum", np.uint8).copy()
HTTP = np.frombuffer(b"http", np.uint8).copy()
XML = np.frombuffer(b"<?xml version=", np.uint8).copy()
SCRIPT, STYLE = np.frombuffer(b"script", np.uint8).copy(), np.frombuffer(b"style", np.uint8).copy()
COMMENT, COMMENT_END = np.frombuffer(b"<!--", np.uint8).copy(), np.frombuffer(b"-->", np.uint8).copy()


@step
def stands_at(data, at, start, end, word, folded):  # type: ignore[no-untyped-def]
    """Whether an ASCII string stands at `at` within [start, end), in any case if `folded`."""
    if at < start or at + len(word) > end:
        return False
    for k in range(len(word)):
        b = data[at + k]
        if folded and 65 <= b <= 90:
            b += 32
        if b != word[k]:
            return False
    return True


@kernel
def strings(data, bounds, lorem, http):  # type: ignore[no-untyped-def]
    """Two columns a text: 'lorem ipsum' in any case; links that begin http://, https:// or a word's www."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 2), np.int64)
    for doc in range(docs):
        start, end = bounds[doc], bounds[doc + 1]
        i = start
        while i < end:
            if i + 8 <= end:
                word = load64(data, i)
                if (holds(word | np.uint64(0x2020202020202020), 0x70) | holds(word, 0x3A) | holds(word, 0x2E)) == 0:
                    i += 8
                    continue
            b = data[i]
            if (b == 0x70 or b == 0x50) and stands_at(data, i - 7, start, end, lorem, True):
                out[doc, 0] += 1
            elif b == 0x3A and i + 2 < end and data[i + 1] == 0x2F and data[i + 2] == 0x2F:
                bare = stands_at(data, i - 4, start, end, http, True)
                secure = i > start and data[i - 1] | 32 == 0x73 and stands_at(data, i - 5, start, end, http, True)
                out[doc, 1] += bare or secure
            elif b == 0x2E and i >= start + 3 and data[i - 1] | 32 == data[i - 2] | 32 == data[i - 3] | 32 == 0x77:
                left = data[i - 4] if i - 4 >= start else 0x20
                alone = not (0x30 <= left <= 0x39 or 0x61 <= left | 32 <= 0x7A or left == 0x2F or left >= 0x80)
                out[doc, 1] += alone  # after '//' it is counted already
            i += 1
    return out


@kernel
def html_text(data, bounds, script, style, comment, comment_end):  # type: ignore[no-untyped-def]
    """Characters outside tags, comments, scripts and styles; an entity is one character."""
    docs = len(bounds) - 1
    out = np.zeros(docs, np.int64)
    for doc in range(docs):
        i, end = bounds[doc], bounds[doc + 1]
        while i < end:
            b = data[i]
            if b == 0x3C and i + 1 < end and stands_at(data, i, i, end, comment, False):
                i += 4
                while i < end and not stands_at(data, i, i, end, comment_end, False):
                    i += 1
                i += 3
            elif b == 0x3C and i + 1 < end and _opens(data[i + 1]):
                i = _past_tag(data, i, end, script, style)
            else:
                if b == 0x26:  # an entity counts as its last byte
                    stop = i + 1
                    while stop < end and stop < i + 12 and (_alnum(data[stop]) or data[stop] == 0x23):
                        stop += 1
                    if stop > i + 1 and stop < end and data[stop] == 0x3B:
                        i = stop
                out[doc] += (data[i] & 0xC0) != 0x80
                i += 1
    return out


@step
def _alnum(b):  # type: ignore[no-untyped-def]
    return 0x30 <= b <= 0x39 or 0x61 <= b | 32 <= 0x7A


@step
def _opens(b):  # type: ignore[no-untyped-def]
    """Whether this byte after '<' makes a tag or declaration."""
    return 0x61 <= b | 32 <= 0x7A or b == 0x2F or b == 0x21 or b == 0x3F


@step
def _past_tag(data, i, end, script, style):  # type: ignore[no-untyped-def]
    """The byte after a tag; after the element of a script or style."""
    for word in (script, style):
        if stands_at(data, i + 1, i, end, word, True):
            after = i + 1 + len(word)
            if after < end and not _alnum(data[after]):
                while after < end and not (data[after] == 0x2F and data[after - 1] == 0x3C
                                           and stands_at(data, after + 1, i, end, word, True)):  # fmt: skip
                    after += 1
                i = after
    while i < end and data[i] != 0x3E:
        i += 1
    return i + 1


def fixed(view: TextView) -> dict[str, np.ndarray]:
    """Lorem ipsum and links."""
    c = strings(view.data, view.bounds, LOREM, HTTP)
    return {"has_lorem_ipsum": c[:, 0] > 0, "url_count": c[:, 1]}


def compression(view: TextView) -> dict[str, np.ndarray]:
    """How small zstd at level 1 makes each text."""
    compressor = zstandard.ZstdCompressor(level=1, write_content_size=False)
    raw = memoryview(view.data)  # type: ignore[arg-type]
    edges = view.bounds.tolist()
    out = np.zeros(len(view))
    for i, (start, end) in enumerate(pairwise(edges)):
        if end > start:
            out[i] = len(compressor.compress(raw[start:end])) / (end - start)
    return {"compression_ratio": out}


@kernel
def xml_headers(data, bounds, xml):  # type: ignore[no-untyped-def]
    """Whether the first 100 characters hold an XML header."""
    out = np.zeros(len(bounds) - 1, np.bool_)
    for doc in range(len(out)):
        i, end, chars = bounds[doc], bounds[doc + 1], 0
        while i < end:
            chars += (data[i] & 0xC0) != 0x80
            if chars > 100 - len(xml) + 1:
                break
            if data[i] == 0x3C and stands_at(data, i, i, end, xml, False):
                out[doc] = True
                break
            i += 1
    return out


def code(view: TextView) -> dict[str, np.ndarray]:
    """StarCoder's markers of code files."""
    visible = html_text(view.data, view.bounds, SCRIPT, STYLE, COMMENT, COMMENT_END)
    chars = np.maximum(view.char_counts, 1)
    return {
        "code_xml_header": xml_headers(view.data, view.bounds, XML),
        "code_html_text_ratio": np.where(visible > 100, visible / chars, 0.0),
    }


SIGNALS = (
    *signals(fixed, (
        ("has_lorem_ipsum", FLAG, "holds 'lorem ipsum' in any case", C4),
        ("url_count", INT, "links: http://, https:// and www.", OWN),
    )),
    *signals(compression, (("compression_ratio", REAL, "bytes of zstd at level 1 over bytes", OWN),)),
    *signals(code, (
        ("code_xml_header", FLAG, "'<?xml version=' in the first 100 characters", DOLMA_CODE + "/code_taggers.py"),
        ("code_html_text_ratio", REAL, "characters outside tags and scripts over all, 0 up to 100 of them",
         DOLMA_CODE + "/utils.py: filter_html"),
    )),
)  # fmt: skip
