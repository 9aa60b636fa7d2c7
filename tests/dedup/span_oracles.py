"""Plain Python that does what the compiled kernels of dedup/spans do, from the published code's own words."""

from __future__ import annotations

import re
from collections.abc import Sequence

PUNCTUATION = "，。、„”“«»１」「《》´∶：？！（）；–—．～’…━〈〉【】％►"
OUT = re.compile(f"[{PUNCTUATION}{''.join(map(chr, [*range(32), *range(127, 160)]))}]")


def ccnet(line: str) -> str:
    """cc_net/text_normalizer.py normalize_for_dedup."""
    return OUT.sub("", re.sub(r"\d", "0", line.strip().lower()))


LEVELS = {"none": str, "lower_strip": lambda line: line.strip().lower(), "ccnet": ccnet}


def c4(pages: dict[str, str], first: Sequence[str]) -> dict[str, str]:
    """C4's remove_duplicate_text without the look at sentences; `first` lists pages, best first. Blank lines stay."""
    owner: dict[str, str] = {}
    for page in first:
        for line in pages[page].split("\n"):
            owner.setdefault(line.strip().lower(), page)
    left = {}
    for page, text in pages.items():
        kept, seen = [], set()
        for line in text.split("\n"):
            key = line.strip().lower()
            if not key or (owner[key] == page and key not in seen):
                kept.append(line)
            seen.add(key)
        left[page] = "\n".join(kept)
    return left


def ccnet_left(pages: dict[str, str]) -> dict[str, str]:
    """cc_net's DuplicatesRemover over all pages: what two pages have goes from both, else the first copy stays.

    Blank lines are not looked at.
    """
    has: dict[str, set[str]] = {}
    for page, text in pages.items():
        for line in filter(str.strip, text.split("\n")):
            has.setdefault(ccnet(line), set()).add(page)
    left = {}
    for page, text in pages.items():
        kept, seen = [], set()
        for line in text.split("\n"):
            key = ccnet(line)
            if not line.strip() or (len(has[key]) == 1 and key not in seen):
                kept.append(line)
            if line.strip():
                seen.add(key)
        left[page] = "\n".join(kept)
    return left


def words(text: str) -> list[tuple[int, int]]:
    """Character spans of words, single Han characters and marks; for texts of these test alphabets only."""
    return [m.span() for m in re.finditer(r"[一-鿿]|[^\W一-鿿]+|[^\w\s]", text)]


def bff(pages: dict[str, str], first: Sequence[str], n: int, threshold: float) -> tuple[dict[str, str], set[str]]:
    """Lines that go by their n-grams, and pages that go whole; an n-gram of a line that went counts as seen."""
    seen: set[tuple[str, ...]] = set()
    left, gone = {}, set()
    for page in first:
        kept, all_found, all_grams = [], 0, 0
        for line in pages[page].split("\n"):
            tokens = [line[a:b] for a, b in words(line)]
            grams = [tuple(tokens[i : i + n]) for i in range(len(tokens) - n + 1)]
            found = sum(gram in seen for gram in grams)  # a line is remembered when it is through
            seen |= set(grams)
            all_found, all_grams = all_found + found, all_grams + len(grams)
            if not grams or found / len(grams) <= threshold:
                kept.append(line)
        left[page] = "\n".join(kept)
        if all_grams and all_found / all_grams > threshold:
            gone.add(page)
    return left, gone


def stretches(pages: dict[str, str], first: Sequence[str], n: int) -> dict[str, str]:
    """Windows of n words that stand before are cut, but no word of a first copy that stands again somewhere."""
    tokens = {page: [pages[page][a:b] for a, b in words(pages[page])] for page in pages}
    windows = [(page, i, tuple(tokens[page][i : i + n])) for page in first for i in range(len(tokens[page]) - n + 1)]
    count: dict[tuple[str, ...], int] = {}
    for _, _, window in windows:
        count[window] = count.get(window, 0) + 1
    lost: dict[str, set[int]] = {page: set() for page in pages}
    spared: dict[str, set[int]] = {page: set() for page in pages}
    seen = set()
    for page, i, window in windows:
        if window in seen:
            lost[page] |= set(range(i, i + n))
        elif count[window] > 1:
            spared[page] |= set(range(i, i + n))
        seen.add(window)
    left = {}
    for page, text in pages.items():
        spans, out, at = words(text), "", 0
        cut = sorted(lost[page] - spared[page])
        for k in cut:
            start = spans[k - 1][1] if k - 1 in cut else spans[k][0]
            out, at = out + text[at:start], spans[k][1]
        left[page] = out + text[at:]
    return left
