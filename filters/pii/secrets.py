"""Keys and tokens of services: gitleaks' public rules, restated in secrets.toml, and private keys in PEM.

A token is looked at only when one of a rule's words stands in or near it, as in gitleaks; what then matches must be as
disorderly as the rule demands (Shannon entropy per sign) and no published example. The words that keep gitleaks'
generic rule from taking identifiers for keys are a selection.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from dataclasses import dataclass
from functools import cache
from math import log2
from pathlib import Path

import re2
from ahocorasick_rs import BytesAhoCorasick, MatchKind

RULES = Path(__file__).with_name("secrets.toml")
NEAR, LONG = 100, 1200  # bytes before a token, and after it, that a rule may cover
PEM_LONGEST = 16384
BEGIN = re2.compile(r"-----BEGIN[ A-Z0-9_\-]{0,40}PRIVATE KEY(?: BLOCK)?-----")
END = re2.compile(r"-----END[ A-Z0-9_\-]{0,40}PRIVATE KEY(?: BLOCK)?-----")
BODY = re2.compile(r"(?:\s{0,4}[A-Za-z0-9+/=:, \-]{16,})+")


@dataclass(frozen=True)
class Token:
    """One rule: its pattern has the secret in group 1."""

    name: str
    words: tuple[str, ...]
    pattern: re2._Regexp
    entropy: float


@dataclass(frozen=True)
class Tokens:
    """All rules, an automaton over their words, and which rules each word calls."""

    rules: tuple[Token, ...]
    words: BytesAhoCorasick
    called: tuple[tuple[int, ...], ...]
    stop: BytesAhoCorasick
    examples: BytesAhoCorasick
    not_keys: re2._Regexp


@cache
def tokens() -> Tokens:
    """The rules of secrets.toml; ValueError for a file that names a word or pattern it should not."""
    table = tomllib.loads(RULES.read_text("utf-8"))
    rules = [
        Token(name, tuple(words.split()), re2.compile(rf"{pattern}(?:[^A-Za-z0-9_\-]|$)"), entropy)
        for name, (words, entropy, pattern) in table["forms"].items()
    ]
    for name, (words, entropy, value) in table["named"].items():
        names = "|".join(words.split())
        text = table["assigned"].replace("NAME", table["names"].get(name, names)).replace("VALUE", value)
        rules.append(Token(name, tuple(words.split()), re2.compile(text), entropy))
    called: dict[bytes, list[int]] = {}
    for k, rule in enumerate(rules):
        for word in rule.words:
            called.setdefault(word.lower().encode(), []).append(k)
    stop = [w.encode() for w in table["stop"].split()]
    examples = [w.encode() for w in table["examples"].split()]
    return Tokens(tuple(rules), BytesAhoCorasick(list(called), MatchKind.Standard), tuple(map(tuple, called.values())),
                  BytesAhoCorasick(stop), BytesAhoCorasick(examples), re2.compile(table["not_keys"]))  # fmt: skip


def entropy(text: bytes) -> float:
    """Shannon entropy in bits for each sign.

    >>> entropy(b"aabb")
    1.0
    """
    return -sum(n / len(text) * log2(n / len(text)) for n in Counter(text).values())


def secrets(window: bytes, start: int, end: int) -> list[tuple[int, int]]:
    """Starts and ends, in the window, of secrets that overlap the token [start, end) of it."""
    known = tokens()
    near = window[max(0, start - NEAR) : end + NEAR].lower()
    hits = known.words.find_matches_as_indexes(near, overlapping=True)
    found = []
    for k in sorted({rule for word, _, _ in hits for rule in known.called[word]}):
        rule = known.rules[k]
        for match in rule.pattern.finditer(window):
            s, e = match.span(1)
            if s >= end:
                break
            if start < e and _is_secret(rule, match.group(1), match.group(0)):
                found.append((s, e))
    return found


def _is_secret(rule: Token, value: bytes, whole: bytes) -> bool:
    known = tokens()
    if entropy(value) < rule.entropy or known.examples.find_matches_as_indexes(value):
        return False
    if rule.name != "generic":
        return True
    plain = not any(0x30 <= b <= 0x39 for b in value) or not any(0x41 <= b & 0xDF <= 0x5A for b in value)
    return not (plain or known.not_keys.search(whole) or known.stop.find_matches_as_indexes(value.lower()))


def private_key(window: bytes) -> int:
    """Where the private key that begins the window ends; 0 if none does. Without END, at the last line of its body."""
    begin = BEGIN.match(window)
    if begin is None:
        return 0
    end = END.search(window, begin.end())
    if end is not None:
        return int(end.end())
    body = BODY.match(window, begin.end())
    return int(body.end()) if body else 0
