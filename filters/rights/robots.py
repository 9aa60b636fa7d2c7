"""robots.txt, read for what it says of machine learning: who may fetch what (RFC 9309), and usage preferences.

Protego (https://github.com/scrapy/protego) decides whether a path is allowed: longest match, Allow before Disallow,
percent-encoding, misspellings. Here the file is only cut down to the groups of the crawlers in question, which keeps
a hostile file linear and knows the line of each rule. Content-Usage lines are draft-ietf-aipref-attach-05 section 3,
longest path first, the most restrictive of equals; a line without a path, as earlier drafts had it, is for all paths.
Content-Signal lines are https://contentsignals.org. A line before any group is taken to be for everyone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from protego import Protego

from filters.rights.usage import preference, signal

MOST_BYTES = 500 * 1024  # RFC 9309 2.5: at least 500 KiB must be read
MOST_RULES = 10_000  # of all crawlers in question together
AGENT_LINE = re.compile(r"^user[- ]?agent\s*(?::|\s)\s*(.*)$", re.IGNORECASE)
TOKEN = re.compile(r"[A-Za-z0-9._-]+|\*")
SITEWIDE = ("sitemap", "site-map", "host")
PREFERENCES = {"content-usage": preference, "content-signal": signal}
EVERYONE = "*"


@dataclass(frozen=True, slots=True)
class Said:
    """What one line says: its number from 1, its text, and the group that it stands in."""

    agent: str
    line: int
    text: str
    value: str | None = None  # of a usage preference: y or n


@dataclass(frozen=True)
class Pattern:
    """A path pattern of robots.txt: `*` for anything, `$` for the end, compared as Protego compares."""

    text: str

    @cached_property
    def _rule(self) -> Protego:
        return Protego.parse(f"User-agent: *\nDisallow: {self.text}")

    def matches(self, url: str) -> bool:
        """Whether the URL's path is under the pattern."""
        return not self._rule.can_fetch(url, "x")


@dataclass(frozen=True)
class Group:
    """Rules for one crawler: the lines as they stand, and the usage preferences by their field."""

    agent: str
    rules: tuple[Said, ...]
    preferences: tuple[tuple[str, Pattern, Said], ...]

    @cached_property
    def _parsed(self) -> Protego:
        return Protego.parse("\n".join([f"User-agent: {self.agent}", *(rule.text for rule in self.rules)]))

    @cached_property
    def _closing(self) -> list[tuple[Pattern, Said]]:
        """Disallow lines, the longest pattern first."""
        found = [(rule.text.partition(":")[2].strip(), rule) for rule in self.rules if not _allows(rule.text)]
        return [(Pattern(p), rule) for p, rule in sorted(found, key=lambda one: (-len(one[0].encode()), one[1].line))]

    def closed(self, url: str) -> Said | None:
        """The line that keeps this crawler away from the URL; None if it may fetch it."""
        if self._parsed.can_fetch(url, self.agent):
            return None
        closing = next((rule for pattern, rule in self._closing if pattern.text and pattern.matches(url)), None)
        return closing or Said(self.agent, 0, "Disallow")

    def usage(self, url: str, field: str) -> Said | None:
        """The line of `field` that counts for the URL; of equally long ones, one that says no."""
        found = [(p, said) for name, p, said in self.preferences if name == field and p.matches(url)]
        rank = {"n": 2, "y": 1}
        best = max(found, key=lambda one: (len(one[0].text.encode()), rank[one[1].value or ""]), default=None)
        return best[1] if best else None


class RobotsTxt:
    """One robots.txt, for `agents` (tokens in lower case). The group `*` is read for usage preferences in any case."""

    def __init__(self, body: str, agents: Sequence[str]) -> None:
        self.groups = _groups(body, frozenset(agents) | {EVERYONE})
        self.agents = [agent for agent in agents if agent in self.groups]
        # Twenty names over one Disallow are asked once; the rules are the same, whatever the group is called.
        self._distinct = {tuple(r.line for r in self.groups[a].rules): a for a in reversed(self.agents)}

    def closed(self, url: str) -> Said | None:
        """The first honoured crawler's line that keeps it away from the URL; None if all may fetch it."""
        said = (self.groups[agent].closed(url) for agent in self._distinct.values())
        return min((one for one in said if one), key=lambda one: self.agents.index(one.agent), default=None)

    def usage(self, url: str, field: str) -> Said | None:
        """What `content-usage` or `content-signal` lines say of training for the URL; a no of any group wins."""
        found = [group.usage(url, field) for group in self.groups.values()]
        said = sorted((one for one in found if one), key=lambda one: (one.value != "n", one.line))
        return said[0] if said else None


def _groups(body: str, wanted: frozenset[str]) -> dict[str, Group]:
    """The groups of the wanted crawlers, by token in lower case; a crawler has one group (RFC 9309 2.2.1)."""
    rules: dict[str, list[Said]] = {}
    preferences: dict[str, list[tuple[str, Pattern, Said]]] = {}
    current: list[str] = [EVERYONE]
    naming, kept = False, 0
    for number, raw in enumerate(body[:MOST_BYTES].splitlines(), 1):
        line = raw.partition("#")[0].strip().lstrip("\ufeff")
        if not line:
            continue
        if named := AGENT_LINE.match(line):
            current = current if naming else []
            naming = True
            token = TOKEN.match(named.group(1))
            if token and token.group().lower() in wanted and token.group().lower() not in current:
                current.append(token.group().lower())
                rules.setdefault(token.group().lower(), [])
            continue
        field = line.partition(":")[0].strip().lower()
        if field in SITEWIDE:
            continue
        naming = False
        for agent in current if kept < MOST_RULES else ():
            kept += 1
            if field in PREFERENCES:
                if (one := _preference(field, line, agent, number)) is not None:
                    preferences.setdefault(agent, []).append(one)
            elif field.startswith(("allow", "dis", "dia")):
                rules.setdefault(agent, []).append(Said(agent, number, line))
    agents = {**rules, **preferences}
    return {a: Group(a, tuple(rules.get(a, ())), tuple(preferences.get(a, ()))) for a in agents}


def _preference(field: str, line: str, agent: str, number: int) -> tuple[str, Pattern, Said] | None:
    value = line.partition(":")[2].strip()
    path, _, rest = value.partition(" ") if value.startswith("/") else ("/", "", value)
    said = PREFERENCES[field](rest.strip())
    return (field, Pattern(path), Said(agent, number, line[:500], said)) if said else None


def _allows(line: str) -> bool:
    return line.lower().startswith("allow")
