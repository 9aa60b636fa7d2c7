"""Edits by sentences, found by their end marks: 。！？｡…!? and the full stop before a blank, a closer or the end.

Closing quotes and brackets belong to the sentence before them, and a line break ends a sentence whatever stands
before it. Both edits are known from descriptions (ERNIE 3.0; WuDao and MNBVC; evidence S and M), and this
sentence splitter is our own reading. Traded away: abbreviations ("Dr. Roberts") end a sentence.
"""

from __future__ import annotations

import pyarrow as pa

from filters.compiled import kernel, step
from filters.edits.kernels import copy, edit, room, skip, skip_back
from filters.edits.tables import CLOSER, END, SPACE, WIDE, WORD, flags
from filters.scan import find_byte
from filters.segment import decode_at

LEAST_WORDS = 10  # ERNIE 3.0 [S]


@step
def _mark_end(data, i, end, flags):  # type: ignore[no-untyped-def]
    """If the character at i ends a sentence: the end of that sentence with its further marks and closers; else i."""
    start = i
    firm = False
    while i < end:
        code, width = decode_at(data, i)
        if flags[code] & END:
            firm = True
        elif code != 0x2E:
            break
        i += width
    if i == start:
        return start
    stop = skip(data, i, end, flags, CLOSER)
    # points alone (3.5, example.com) end nothing unless a blank, a closer or the line's end follows
    if firm or stop > i or stop == end or flags[decode_at(data, stop)[0]] & SPACE:
        return stop
    return start


@step
def next_sentence(data, i, end, flags):  # type: ignore[no-untyped-def]
    """(end of the sentence that begins at i, whether it has an end mark), within one line."""
    while i < end:
        b = data[i]
        if b < 0x80 and not (b == 0x2E or b == 0x21 or b == 0x3F):
            i += 1
            continue
        stop = _mark_end(data, i, end, flags)
        if stop > i:
            return stop, True
        if b == 0x2E:  # all of a run of points that ends nothing
            while i < end and data[i] == 0x2E:
                i += 1
        else:
            i += decode_at(data, i)[1]
    return end, False


@step
def enough_words(data, i, end, flags):  # type: ignore[no-untyped-def]
    """Whether [i, end) has ten words: runs without white space, but every wide letter is a word of its own."""
    count = 0
    inside = False
    while i < end and count < LEAST_WORDS:
        code, width = decode_at(data, i)
        kind = flags[code]
        if kind & SPACE:
            inside = False
        elif kind & WIDE:
            count += kind & WORD != 0  # a letter, not a full-width mark
            inside = False
        elif not inside:
            inside = True
            count += 1
        i += width
    return count >= LEAST_WORDS


@kernel
def _drop_short(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        i, end = bounds[doc], bounds[doc + 1]
        first = True
        while i <= end:
            stop = find_byte(data, i, end, 0x0A)
            blank = skip(data, i, stop, flags, SPACE) == stop
            at = o if first else o + 1
            line = at
            while i < stop:
                sentence, _ = next_sentence(data, i, stop, flags)
                following = skip(data, sentence, stop, flags, SPACE)
                if blank or enough_words(data, i, sentence, flags):
                    line = copy(data, i, following, out, line)
                i = following
            if blank or line > at:
                if not first:
                    out[o] = 0x0A
                first = False
                o = line
            i = stop + 1
        offsets[doc + 1] = o
    return out, offsets


@kernel
def _cut(data, bounds, flags):  # type: ignore[no-untyped-def]
    out, offsets = room(bounds)
    o = 0
    for doc in range(len(bounds) - 1):
        begin, end = bounds[doc], bounds[doc + 1]
        last = skip_back(data, begin, end, flags, SPACE)
        i = last
        while i > begin and data[i - 1] != 0x0A:
            i -= 1
        stop, ended = i, True  # of the last line: the end of its last ended sentence
        while i < last:
            i, ended = next_sentence(data, i, last, flags)
            if ended:
                stop = i
        if ended:
            stop = end
        else:
            stop = skip_back(data, begin, stop, flags, SPACE)
        o = copy(data, begin, stop, out, o)
        offsets[doc + 1] = o
    return out, offsets


def drop_short_sentences(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """Sentences of fewer than ten words go, and lines left empty by that; blank lines stay.

    Words are runs without white space; a Han, kana or Hangul character counts as one word, so that Chinese needs no
    segmenter: ten characters are about six words of Chinese (our own choice).
    """
    return edit(text, _drop_short, flags())


def cut_unterminated(text: pa.LargeStringArray) -> pa.LargeStringArray:
    """If the text's last sentence has no end mark it goes, with the white space before it.

    Own reading: the last sentence begins after an end mark or at a line break, so a whole last line may go.
    """
    return edit(text, _cut, flags())
