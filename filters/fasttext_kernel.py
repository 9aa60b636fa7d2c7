"""fastText's prediction of one label, compiled: the library's labels, several times as fast.

The library adds up a vector for each n-gram of characters, again for every word. Most words of a batch come more than
once: here the sum of a word's vectors is kept while the batch lasts. Sums are taken in another order than the
library's and in more digits, so the probabilities of some thousand characters differ from its own in the sixth digit;
a test holds the two beside each other. Traded away: more than one label a text, and which of two labels is told that
are equally probable to four digits.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from filters.bytewise import Bytes, Ints, hash_bytes, hash_word, load64, trailing_zeros
from filters.codepoints import PROPERTIES
from filters.compiled import kernel, step
from filters.fasttext_tables import Tables
from filters.hash_table import cells_for, find, longest_text
from filters.scan import strip

CELLS = 1 << 16  # of a table of words and their sums; when half are taken, all are forgotten
LONG = 64  # bytes from which on a word is not kept: it will hardly come again
PARTED = np.zeros(256, np.uint8)
PARTED[[*b" \n\r\t\v\f\0"]] = 1  # dictionary.cc, readWord
LABEL, END = np.frombuffer(b"__label__", np.uint8), np.frombuffer(b"</s>", np.uint8)
FLOOR = 1e-5  # loss.cc, std_log: added to a probability before its logarithm is taken


@step
def _prefix_end(data, i, end, most):  # type: ignore[no-untyped-def]
    """End of the first `most` characters of a text."""
    if end - i <= most:
        return end
    high, low = np.uint64(0x8080808080808080), np.uint64(0x0101010101010101)
    while i + 8 <= end and most >= 8:  # no more than eight characters begin in eight bytes
        x = load64(data, i)
        inner = (x & high & ~(x << np.uint64(1))) >> np.uint64(7)  # one for each byte within a character
        most -= 8 - np.int64((inner * low) >> np.uint64(56))
        i += 8
    while i < end and (most > 0 or (data[i] & 0xC0) == 0x80):
        most -= (data[i] & 0xC0) != 0x80
        i += 1
    return i


@step
def _word_end(data, i, end):  # type: ignore[no-untyped-def]
    """End of the word that begins at i: eight bytes at once, as what parts words are all bytes below 0x21."""
    high = np.uint64(0x8080808080808080)
    while i < end:
        if i + 8 <= end:
            x = load64(data, i)
            low = (x - np.uint64(0x2121212121212121)) & ~x & high  # right up to the first such byte
            if low == np.uint64(0):
                i += 8
                continue
            i += trailing_zeros(low) >> 3
        if PARTED[data[i]]:
            return i
        i += 1
    return end


@step
def _begins(data, i, stop, word):  # type: ignore[no-untyped-def]
    """Whether a span begins with `word`."""
    same = 0
    while same < len(word) and i + same < stop and data[i + same] == word[same]:
        same += 1
    return same == len(word)


@step
def _add(rows, at, dim, sums, to):  # type: ignore[no-untyped-def]
    for d in range(dim):
        sums[to + d] += rows[at + d]


@step
def _kept_ngrams(word, size, model, found):  # type: ignore[no-untyped-def]
    """Write the buckets of those n-grams of word[:size] that the model kept; returns how many they are (dictionary.cc,
    computeSubwords). A quantised model kept few: asking a bitmap, without a branch, costs least.
    """
    kept, bucket = 0, np.uint32(len(model.ngram_row))
    for i in range(size):
        if (word[i] & 0xC0) == 0x80:
            continue
        h, j, n = np.uint64(2166136261), i, 1
        while j < size and n <= model.longest:
            inner = False
            while not inner or (j < size and (word[j] & 0xC0) == 0x80):
                signed = np.uint64(word[j]) | (np.uint64(0xFFFFFF00) if word[j] & 0x80 else np.uint64(0))
                h = ((h ^ signed) * np.uint64(16777619)) & np.uint64(0xFFFFFFFF)
                inner = True
                j += 1
            if n >= model.shortest and not (n == 1 and (i == 0 or j == size)):
                at = np.uint32(h) % bucket
                found[kept] = at
                kept += (model.is_kept[at >> 3] >> (at & 7)) & 1
            n += 1
    return kept


@step
def _add_word(data, i, stop, key, table, model, word, found, sums, to):  # type: ignore[no-untyped-def]
    """Add all rows of the word data[i:stop]; returns how many there are."""
    added = 0
    keys, places = table
    cell = find(keys, len(keys), key)
    if keys[cell] == key:
        _add(model.rows, np.int64(places[cell]) * model.dim, model.dim, sums, to)
        added = 1
    word[0], word[stop - i + 1] = 0x3C, 0x3E  # "<" and ">" stand around a word
    for k in range(stop - i):
        word[k + 1] = data[i + k]
    kept = _kept_ngrams(word, stop - i + 2, model, found)
    for k in range(kept):
        _add(model.rows, np.int64(model.ngram_row[found[k]]) * model.dim, model.dim, sums, to)
    return added + kept


@kernel
def word_table(words, bounds):  # type: ignore[no-untyped-def]
    """(keys, places) of an open-addressing table of a model's words."""
    size = cells_for(len(bounds) - 1)
    keys, places = np.zeros(size, np.uint64), np.zeros(size, np.int32)
    for k in range(len(bounds) - 1):
        key = hash_bytes(words, bounds[k], bounds[k + 1]) | np.uint64(1)
        cell = find(keys, size, key)
        keys[cell], places[cell] = key, k
    return keys, places


@step
def _sum_text(data, i, end, table, model, word, found, known, sums, counts, total):  # type: ignore[no-untyped-def]
    """Add to `total` the rows of all words of a text but its end; returns how many.

    The last row of `sums` is for words that are not kept; known[-1] says how many are.
    """
    added, dim = 0, model.dim
    while i < end:
        if PARTED[data[i]]:
            i += 1
            continue
        start = i
        i = _word_end(data, i, end)
        if _begins(data, start, i, LABEL):
            continue
        if i - start == len(END) and _begins(data, start, i, END):
            break
        key = hash_word(data, start, i) | np.uint64(1)
        cell = find(known, CELLS, key) if i - start < LONG else CELLS
        if cell == CELLS or known[cell] != key:
            if cell < CELLS and known[CELLS] == np.uint64(CELLS // 2):
                known[:] = 0
                cell = find(known, CELLS, key)
            if cell < CELLS:
                known[cell] = key
                known[CELLS] += np.uint64(1)
            sums[cell * dim : (cell + 1) * dim] = 0
            counts[cell] = _add_word(data, start, i, key, table, model, word, found, sums, cell * dim)
        _add(sums, cell * dim, dim, total, 0)
        added += counts[cell]
    return added


@kernel
def hidden(data, bounds, most, table, model, properties):  # type: ignore[no-untyped-def]
    """The mean row of each text's first `most` characters, newlines being blanks, and whether more than blanks are in
    it (`str.strip`)."""
    docs, dim = len(bounds) - 1, model.dim
    out, filled = np.zeros((docs, dim), np.float32), np.zeros(docs, np.bool_)
    known, counts = np.zeros(CELLS + 1, np.uint64), np.empty(CELLS + 1, np.int32)
    sums, total = np.empty((CELLS + 1) * dim, np.float32), np.zeros(dim)
    word = np.empty(min(longest_text(bounds), 4 * most) + 2, np.uint8)
    found = np.empty(len(word) * (model.longest - model.shortest + 1) + 1, np.uint32)
    for doc in range(docs):
        end = _prefix_end(data, bounds[doc], bounds[doc + 1], most)
        low, high = strip(data, bounds[doc], end, properties)
        filled[doc] = low < high
        total[:] = 0
        _add(model.rows, model.end_row * dim, dim, total, 0)
        added = 1 + _sum_text(data, bounds[doc], end, table, model, word, found, known, sums, counts, total)
        for d in range(dim):
            out[doc, d] = total[d] / added
    return out, filled


@kernel
def likeliest(vectors, output, children):  # type: ignore[no-untyped-def]
    """The most probable leaf of the tree for each vector and its probability (loss.cc, HierarchicalSoftmaxLoss)."""
    (docs, dim), labels = vectors.shape, len(children) // 2 + 1
    best, sure = np.zeros(docs, np.int64), np.zeros(docs)
    nodes, scores = np.zeros(labels + 1, np.int64), np.zeros(labels + 1)
    for doc in range(docs):
        top, found = 1, -np.inf
        nodes[0], scores[0] = 2 * labels - 2, 0.0
        while top:
            top -= 1
            node, score = nodes[top], scores[top]
            if score <= found:
                continue
            if node < labels:
                best[doc], found = node, score
                continue
            dot = np.float32(0)
            for d in range(dim):
                dot += vectors[doc, d] * output[(node - labels) * dim + d]
            right = 1 / (1 + np.exp(-np.float64(dot)))
            likely = 1 if right > 0.5 else 0  # looked at first, it rules out most of the others
            for side in (1 - likely, likely):
                nodes[top] = children[2 * (node - labels) + side]
                scores[top] = score + np.log((right if side else 1 - right) + FLOOR)
                top += 1
        sure[doc] = min(np.exp(found), 1.0)
    return best, sure


class Classifier:
    """A model ready to be asked."""

    def __init__(self, model: Tables) -> None:
        self.model = model
        self.table = word_table(model.words, model.word_bounds)

    def predict(self, data: Bytes, bounds: Ints, most: int) -> tuple[Ints, npt.NDArray[np.float64]]:
        """Place of the most probable label of each text's first `most` characters and its probability; -1 and 0 for
        blank texts."""
        vectors, filled = hidden(data, bounds, most, self.table, self.model, PROPERTIES)
        best, sure = likeliest(vectors, self.model.output, self.model.children)
        return np.where(filled, best, -1), np.where(filled, sure, 0.0)
