"""RedPajama-v2's quality signals (arXiv:2411.12372; RedPajama-Data app/src/core/quality_signals), by their names.

Raw words are runs of word characters or of other characters (NLTK's WordPunctTokenizer); normal words are those of
normal.py. Signals that RedPajama gives for every line are here the mean over the text's lines, the javascript count
their sum. Where RedPajama gives none (a text without words) the value is 0. Values are not rounded to 8 places.
"""

from __future__ import annotations

import json
from functools import cache

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.bytewise import decode_at, hash_bytes, letters8, load64
from filters.codepoints import DATA, IS_LOWER, IS_SPACE, IS_UPPER, IS_WORD, PROPERTIES, RPV2_BULLET
from filters.compiled import kernel, step
from filters.hash_table import cells_for, find, longest_text
from filters.scan import before, find_byte, strip
from filters.segment import TextView
from filters.signals.lines import ellipsis_ends
from filters.tokens import word_hash

CELLS = 2048  # of a language's table of stop words; the longest list has 619


@cache
def stop_tables() -> tuple[tuple[str, ...], np.ndarray]:
    """(languages, a table of hashes for each; a last empty one for the other languages)."""
    lists = json.loads((DATA / "stop_words_rpv2.json").read_text("utf-8"))
    codes = tuple(code for code in lists if code != "source")
    keys = np.zeros((len(codes) + 1, CELLS), np.uint64)
    for row, code in enumerate(codes):
        for word in set(lists[code]):
            cell = word_hash(word) % CELLS
            while keys[row, cell]:
                cell = (cell + 1) % CELLS
            keys[row, cell] = word_hash(word)
    return codes, keys


@step
def cases8(word, run):  # type: ignore[no-untyped-def]
    """IS_UPPER and IS_LOWER of the first `run` letters of a word of eight bytes."""
    bit = np.uint64(0x2020202020202020) & (~np.uint64(0) >> np.uint64(64 - 8 * run))
    upper = np.uint32(IS_UPPER) if ~word & bit else np.uint32(0)
    return upper | (np.uint32(IS_LOWER) if word & bit else np.uint32(0))


@kernel
def raw_words(data, bounds, properties, rows, stops):  # type: ignore[no-untyped-def]
    """Five columns a text: raw words, with an ASCII letter, all capitals, stop words, matches of `\\b[^.!?]+[.!?]*`."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 5), np.int64)
    mask = stops.shape[1] - 1
    for doc in range(docs):
        i, end, in_sentence = bounds[doc], bounds[doc + 1], False
        while i < end:
            start, first_is_word, some, plain = i, False, np.uint32(0), False
            while i < end:
                if i + 8 <= end and (i == start or first_is_word):
                    word = load64(data, i)
                    run = letters8(word)
                    if run > 0:  # letters of ASCII, up to eight at once
                        some |= cases8(word, run)
                        first_is_word = plain = True
                        out[doc, 4] += not in_sentence
                        in_sentence = True
                        i += run
                        continue
                code, width = decode_at(data, i)
                bits = properties[code]
                is_word = (bits & IS_WORD) != 0
                if bits & IS_SPACE or (i > start and is_word != first_is_word):
                    break
                if code == 0x2E or code == 0x21 or code == 0x3F:
                    in_sentence = False
                elif is_word and not in_sentence:
                    in_sentence = True
                    out[doc, 4] += 1
                first_is_word = is_word
                some |= bits
                plain = plain or 0x61 <= (code | 32) <= 0x7A
                i += width
            if i == start:
                i += width
                continue
            out[doc, 0] += 1
            out[doc, 1] += plain
            out[doc, 2] += (some & IS_UPPER) != 0 and (some & IS_LOWER) == 0
            if first_is_word:
                h = hash_bytes(data, start, i)
                cell = np.int64(h & np.uint64(mask))
                while stops[rows[doc], cell] != np.uint64(0):
                    if stops[rows[doc], cell] == h:
                        out[doc, 3] += 1
                        break
                    cell = (cell + 1) & mask
    return out


@kernel
def raw_lines(data, bounds, properties):  # type: ignore[no-untyped-def]
    """Five columns a text: lines, terminal ends, ellipses, bullets, and the sum of the shares of capitals."""
    docs = len(bounds) - 1
    out = np.zeros((docs, 5))
    for doc in range(docs):
        at, end = bounds[doc], bounds[doc + 1]
        while at < end:
            stop = find_byte(data, at, end, 10)
            low, high = strip(data, at, stop, properties)
            if high > low:
                code = before(data, low, high)[0]
                out[doc, 1] += code == 0x2E or code == 0x21 or code == 0x3F or code == 0x201D
                out[doc, 2] += ellipsis_ends(data, low, high)
                out[doc, 3] += (properties[decode_at(data, low)[0]] & RPV2_BULLET) != 0
            upper, chars, i = 0, 0, at
            while i < stop:
                code, width = decode_at(data, i)
                upper += (properties[code] & IS_UPPER) != 0
                chars += 1
                i += width
            chars += stop < end  # a line holds its newline
            out[doc, 0] += 1
            out[doc, 4] += upper / chars
            at = stop + 1
    return out


@kernel
def normal_columns(first, lengths, hashes, flags, numeric, javascript):  # type: ignore[no-untyped-def]
    """Eight columns a text: words, characters, different words, entropy, 'lorem ipsum', lines, 'javascript', the sum
    of the lines' shares of numeric characters."""
    docs = len(first) - 1
    out = np.zeros((docs, 8))
    most = longest_text(first)
    keys, counts = np.empty(cells_for(most), np.uint64), np.empty(cells_for(most), np.int64)
    for doc in range(docs):
        size = cells_for(first[doc + 1] - first[doc])
        keys[:size] = 0
        counts[:size] = 0
        digits = line = 0
        lorem = False
        for t in range(first[doc], first[doc + 1]):
            if lengths[t] > 0:
                cell = find(keys, size, hashes[t] | np.uint64(1))
                keys[cell] = hashes[t] | np.uint64(1)
                counts[cell] += 1
                out[doc, 0] += 1
                out[doc, 1] += lengths[t]
                out[doc, 4] += lorem and (flags[t] & 4) != 0
                out[doc, 6] += hashes[t] == javascript
                lorem = (flags[t] & 2) != 0
                digits += numeric[t]
                line += lengths[t] + (1 if line > 0 else 0)
            if flags[t] & 1:
                out[doc, 5] += 1
                out[doc, 7] += digits / line if line > 0 else 0.0
                digits = line = 0
        for cell in range(size):
            if counts[cell] > 0:
                share = counts[cell] / out[doc, 0]
                out[doc, 2] += 1
                out[doc, 3] -= share * np.log(share)
    return out


def raw_columns(view: TextView) -> np.ndarray:
    """The columns of `raw_words`, once a batch."""

    def work() -> np.ndarray:
        codes, keys = stop_tables()
        rows = pc.fill_null(pc.index_in(view.lang, value_set=pa.array(codes, view.lang.type)), len(codes))
        found: np.ndarray = raw_words(view.data, view.bounds, PROPERTIES, np.asarray(rows, np.int64), keys)
        return found

    return view.once(raw_words, work)
