"""Banned words in a URL: RefinedWeb's second URL filter (arXiv:2306.01116, G.1.2), as DCLM's `url_substring_filter`
and datatrove's `URLFilter` rebuilt it.

URLs are lower-cased first: datatrove compares whole words with case, and so misses `/XXX/`. A word is a run of ASCII
letters and digits, as in datatrove. Entries lose everything else before they are compared.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.scores.interface import Found, Scorer, urls_of
from filters.scores.lists import lines
from filters.scores.search import ASCII_WORD, Search, distinct
from filters.urls import hosts
from recipes.scores import UrlWords

NAMES = ("strict", "hard", "soft")


class UrlWordsScorer(Scorer[UrlWords]):
    """Three automata; the first of strict, hard, soft that matches gives the category."""

    def __init__(self, entry: UrlWords, path: Path | None, digest: str) -> None:
        super().__init__(entry, digest)
        folder = Path(path or ".")
        if not folder.is_dir():
            raise ValueError("it is no folder.")
        self.dropped = r"[-.]" if entry.ignore == "dash_dot" else r"[^a-z0-9]+"
        lists = {name: _words(folder, str(getattr(entry, name))) for name in NAMES}
        if not any(lists.values()):
            raise ValueError("its lists have no words.")
        kept = r"[-.\s]" if entry.ignore == "dash_dot" else r"[^a-z0-9]"
        self.strict = Search(sorted({re.sub(kept, "", word) for word in lists["strict"]} - {""}))
        self.hard, self.soft = (
            Search(sorted({re.sub(r"[^a-z0-9]", "", word) for word in lists[name]} - {""})) for name in ("hard", "soft")
        )

    def find(self, batch: pa.RecordBatch, text: pa.LargeStringArray, lang: pa.StringArray) -> Found:
        """1 or 0, and which list matched; both null without a valid URL."""
        urls = urls_of(batch)
        low = pc.utf8_lower(urls.cast(pa.large_string()))
        count = len(low)
        category = np.full(count, None, object)
        rows, which = self.soft.find(low, ASCII_WORD)
        category[distinct(rows, which, self.soft.size, count) >= self.entry.soft_min] = "soft"
        category[self.hard.find(low, ASCII_WORD)[0]] = "hard"
        category[self.strict.find(pc.replace_substring_regex(low, self.dropped, ""))[0]] = "strict"
        known = hosts(urls).is_valid().to_numpy(zero_copy_only=False)
        hit = known & (category != None)  # noqa: E711 (elementwise)
        return pa.array(hit.astype(np.float64), mask=~known), pa.array(category, pa.string(), mask=~hit)


def _words(folder: Path, name: str) -> list[str]:
    if not name:
        return []
    file = folder / name
    if not file.is_file():
        there = ", ".join(sorted(p.name for p in folder.iterdir())[:10]) or "nothing"
        raise ValueError(f"there is no {name} in it, but {there}; name the lists in the recipe (strict, hard, soft).")
    return [line.lower() for line in lines(file)]
