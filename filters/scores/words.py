"""Words and phrases of a list in a text: how many, how many different, or how dense.

Sources: C4 and mC4, tensorflow_datasets/text/c4_utils.py (`get_badwords_filter_fn`): lower-cased text, an entry counts
when no \\w stands on either side, for Chinese, Japanese and Thai anywhere; ChineseWebText (arXiv:2311.01149): different
sensitive words over lines; RedPajama-v2's LDNOOBW count. Entries inside longer entries count as well, as they do
there. Traded away: lower case is utf8proc's, one code point to one, so that "İ" does not become two as in Python.
"""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.scores.interface import Found, Scorer
from filters.scores.lists import is_jsonl, lines, rows
from filters.scores.search import WORD, Search, distinct
from filters.segment import SYMBOL, TextView
from recipes.scores import Words

UNSPACED = ("zh", "wuu", "yue", "ja", "th")
LIST_OF = {"wuu": "zh", "yue": "zh", "tl": "fil"}  # lid.176's code to the name that LDNOOBW has
EVERY = "*"


class WordsScorer(Scorer[Words]):
    """Lists become automata when the first text of their language comes."""

    def __init__(self, entry: Words, path: Path | None, digest: str) -> None:
        super().__init__(entry, digest)
        self.lists: dict[str, set[str]] = defaultdict(set)
        if path is None:
            self.lists[EVERY].update(entry.words)
        elif is_jsonl(path):
            for lang, phrase in rows(path, "lang", "phrase"):
                self.lists[str(lang)].add(str(phrase).strip())
        else:
            self.lists[EVERY].update(line.rpartition("\t")[2].strip() for line in lines(path))
        self.lists = {lang: low for lang, words in self.lists.items() if (low := _lower(words))}
        if not self.lists:
            raise ValueError("it has no words.")
        self.machines: dict[str, Search] = {}

    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """The entry's measure; null where the list has nothing for the document's language."""
        codes = np.array([code or "" for code in lang.to_pylist()], object)
        values = np.full(len(text), np.nan)
        for code in sorted(set(codes)):
            machine = self._machine(code)
            if machine is not None:
                these = np.flatnonzero(codes == code)
                some = text.take(pa.array(these))
                values[these] = self._measure(machine, some, lang.take(pa.array(these)), code)
        return pa.array(values, mask=np.isnan(values)), None

    def _machine(self, code: str) -> Search | None:
        if code not in self.machines:
            name = LIST_OF.get(code, code)
            words = self.lists.get(EVERY) or self.lists.get(name)
            if words is None:
                return None
            allowed = _lower(set(self.entry.allow.get(name, ())) | set(self.entry.allow.get(code, ())))
            self.machines[code] = Search(sorted(words - allowed))
        return self.machines[code]

    def _measure(
        self, machine: Search, text: pa.LargeStringArray, lang: pa.StringArray, code: str
    ) -> npt.NDArray[np.float64]:
        """The number of each text; they are all of one language."""
        match = self.entry.match if self.entry.match != "auto" else "substring" if code in UNSPACED else "word"
        found, which = machine.find(pc.utf8_lower(pc.fill_null(text, "")), WORD if match == "word" else None)
        count = np.bincount(found, minlength=len(text)).astype(np.float64)
        match self.entry.measure:
            case "count":
                return count
            case "any":
                return (count > 0).astype(np.float64)
            case "distinct":
                return distinct(found, which, machine.size, len(text)).astype(np.float64)
            case "per_line":
                breaks = pc.fill_null(pc.count_substring(text, "\n"), 0).to_numpy(zero_copy_only=False)
                return distinct(found, which, machine.size, len(text)) / (breaks + 1.0)
            case "per_word_ratio":
                return np.minimum(count / np.maximum(_words(text, lang), 1), 1.0)


def _words(text: pa.LargeStringArray, lang: pa.StringArray) -> npt.NDArray[np.int64]:
    """Tokens of each text that are no symbols, as the signal word_count counts them."""
    tokens = TextView(text, lang).tokens
    first, flags = tokens.first, tokens.flags
    before = np.concatenate(([0], np.cumsum((flags & SYMBOL) == 0)))
    counts: npt.NDArray[np.int64] = np.diff(before[first])
    return counts


def _lower(words: set[str]) -> set[str]:
    ordered = pa.array(sorted(w for w in words if w), pa.large_string())
    return set(pc.utf8_lower(ordered).to_pylist())
