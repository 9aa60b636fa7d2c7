"""Sentences: in English by spaCy's rules for its tokens, as C4 counts them; elsewhere by their end marks.

Both loops pass over what can neither end nor begin a sentence, byte by byte, and look at characters only where that may
be. Traded away: spaCy's trained splitters; C4's rule wants its rule-based one.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from filters.bytewise import Bytes, decode_at
from filters.codepoints import ENDS_SENTENCE, IS_ALPHA, IS_DIGIT, PROPERTIES
from filters.compiled import kernel, step
from filters.english import (
    ALL_P,
    ALPHA,
    BLANK,
    CHUNK,
    DIGIT,
    MARK,
    SHORT_WORDS,
    TABLE,
    UNIT_WORDS,
    chunk_end,
    code_before,
    cut_chunk,
)
from filters.segment import TextView, buffers
from filters.signals.signal import C4, INT, signals


def _stops(codes: np.ndarray) -> Bytes:
    """For every byte: whether a newline or one of these characters begins with it."""
    stops = np.zeros(256, np.uint8)
    stops[10] = 1
    stops[[chr(code).encode()[0] for code in codes]] = 1
    return stops


ENGLISH_STOPS = _stops(np.flatnonzero(TABLE & MARK))
STOPS = _stops(np.flatnonzero(PROPERTIES & ENDS_SENTENCE))


@step
def _is_all(data, start, stop, table, bit):  # type: ignore[no-untyped-def]
    while start < stop:
        code, width = decode_at(data, start)
        if not table[code] & bit:
            return False
        start += width
    return True


@step
def _is_filled(data, i, end, table):  # type: ignore[no-untyped-def]
    """Whether anything but blanks stands in [i, end)."""
    return not _is_all(data, i, end, table, BLANK)


@step
def _chunk_at(data, base, mark, end, table):  # type: ignore[no-untyped-def]
    """The chunk that holds the mark; one begins at `base`, others after blanks and after CHUNK bytes."""
    start = mark
    while start > base:
        code, at = code_before(data, base, start)
        if table[code] & BLANK:
            break
        start = at
    stop = chunk_end(data, start, end, table)[0]
    while stop <= mark:
        start, stop = stop, chunk_end(data, stop, end, table)[0]
    return start, stop


@step
def _sentences_in(data, i, stop, marked, table, units, short, ends):  # type: ignore[no-untyped-def]
    """Sentences that begin in a chunk, and whether one has just ended after it."""
    begun = 0
    for k in range(cut_chunk(data, i, stop, table, units, short, ends)):
        code, width = decode_at(data, i)
        if table[code] & MARK and i + width == ends[k]:
            marked = True
        elif marked and not _is_all(data, i, ends[k], table, ALL_P):
            begun += 1
            marked = False
        i = ends[k]
    return begun, marked


@kernel
def english_sentences(data, bounds, table, units, short, stops):  # type: ignore[no-untyped-def]
    """Sentences of each text, counted line by line as C4 does: a line that holds a token holds at least one.

    A sentence ends with a token that is one of MARKS; the next begins with the first token after it that is neither
    a mark nor punctuation.
    """
    out = np.zeros(len(bounds) - 1, np.int64)
    ends = np.empty(2 * (CHUNK + 4), np.int64)
    for doc in range(len(out)):
        i, end = bounds[doc], bounds[doc + 1]
        base = i  # where a chunk of what was not looked at yet begins
        filled = marked = False
        while i < end:
            if not marked:  # on to the next newline or mark
                while i < end and not stops[data[i]]:
                    i += 1
                if i == end:
                    break
                if data[i] == 10:
                    out[doc] += not filled and _is_filled(data, base, i, table)
                    filled, i = False, i + 1
                    base = i
                    continue
                code, width = decode_at(data, i)
                if not table[code] & MARK:
                    i += width
                    continue
                base, stop = _chunk_at(data, base, i, end, table)
            else:  # on to the next token
                code, width = decode_at(data, base)
                if table[code] & BLANK:
                    if code == 10:
                        filled = marked = False
                    base += width
                    i = base
                    continue
                stop, seen = chunk_end(data, base, end, table)
                if table[code] & (ALPHA | DIGIT):
                    out[doc] += 1
                    marked = False
                    if not seen & MARK:
                        i = base = stop
                        continue
            out[doc] += not filled
            filled = True
            begun, marked = _sentences_in(data, base, stop, marked, table, units, short, ends)
            out[doc] += begun
            i = base = stop
        out[doc] += not filled and _is_filled(data, base, end, table)
    return out


@kernel
def marked_sentences(data, bounds, properties, stops):  # type: ignore[no-untyped-def]
    """Runs of sentence-ending marks after some letter, and a last sentence without one."""
    docs = len(bounds) - 1
    out = np.zeros(docs, np.int64)
    for doc in range(docs):
        i, end, open_sentence, pending = bounds[doc], bounds[doc + 1], False, False
        while i < end:
            if open_sentence and not pending and not stops[data[i]]:
                i += 1  # nothing but a mark or a newline changes what is known
                continue
            code, width = decode_at(data, i)
            i += width
            kind = properties[code]
            if kind & IS_ALPHA:
                open_sentence, pending = True, False
            elif kind & ENDS_SENTENCE:
                pending = open_sentence
                if pending and code > 0x2FFF:  # a full-width mark needs no space after it
                    out[doc] += 1
                    open_sentence = pending = False
            elif code <= 32:
                if pending or (code == 10 and open_sentence):
                    out[doc] += 1
                    open_sentence = pending = False
            elif kind & IS_DIGIT:
                pending = False
        out[doc] += open_sentence
    return out


def sentences(view: TextView) -> dict[str, np.ndarray]:
    """Sentences of each text."""
    english = view.is_in(("en",))
    count = np.zeros(len(view), np.int64)
    for rows, count_of, tables in (
        (english, english_sentences, (TABLE, UNIT_WORDS, SHORT_WORDS, ENGLISH_STOPS)),
        (~english, marked_sentences, (PROPERTIES, STOPS)),
    ):
        if rows.any():
            count[rows] = count_of(*buffers(view.text.filter(pa.array(rows))), *tables)
    return {"sentence_count": count}


SIGNALS = signals(sentences, (("sentence_count", INT, "sentences, by terminal marks", C4),))
