"""robots.txt, read for what it says of machine learning: who may fetch what (RFC 9309), and usage preferences.

Protego (https://github.com/scrapy/protego) decides whether a path is allowed: longest match, Allow before Disallow,
percent-encoding, misspellings. Here the file is only cut down to the groups of the crawlers in question, which keeps
a hostile file linear and knows the line of each rule. Content-Usage lines are draft-ietf-aipref-attach-05 section 3,
longest path first, the most restrictive of equals; a line without a path, as earlier drafts had it, is for all paths.
Content-Signal lines are https://contentsignals.org. A line before any group is taken to be for everyone. Rules are
bounded, and a file with more than are read is taken to reserve what the rest of it might.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from protego import Protego

from filters.rights.usage import preference, signal

MOST_BYTES = 500 * 1024  # RFC 9309 2.5: at least 500 KiB must be read
MOST_RULES = 10_000  # of all crawlers in question; a line that speaks to twenty of them is one
MOST_PREFERENCES = 500  # lines; each is asked for every page of the site
RULE_SIZE, PREFERENCE_SIZE = 1_000, 600  # bytes that one costs in memory, about
TOO_MANY = "more rules than are read ({}): the rest is taken to reserve"
AGENT_LINE = re.compile(r"^user[- ]?agent\s*(?::|\s)\s*(.*)$", re.IGNORECASE)
TOKEN = re.compile(r"[A-Za-z0-9._-]+|\*")
RULES = ("allow", "dis", "dia")  # beginnings of Allow and Disallow, with the misspellings that Protego knows
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

    def matches(self, url: str) -> bool:
        """Whether the URL's path is under the pattern."""
        return not _rule(self.text).can_fetch(url, "x")


@lru_cache(maxsize=1 << 14)  # of all sites together: a parsed pattern is some 2 KB
def _rule(text: str) -> Protego:
    return Protego.parse(f"User-agent: *\nDisallow: {text}")


@dataclass(frozen=True)
class Group:
    """Rules for one crawler: (line, text) as they stand."""

    agent: str
    rules: tuple[tuple[int, str], ...]

    @cached_property
    def _parsed(self) -> Protego:
        return Protego.parse("\n".join([f"User-agent: {self.agent}", *(text for _, text in self.rules)]))

    @cached_property
    def _closing(self) -> list[tuple[Pattern, int, str]]:
        """Disallow lines, the longest pattern first."""
        found = [(text.partition(":")[2].strip(), line, text) for line, text in self.rules if not _allows(text)]
        return [(Pattern(p), line, text) for p, line, text in sorted(found, key=lambda o: (-len(o[0].encode()), o[1]))]

    def closed(self, url: str) -> Said | None:
        """The line that keeps this crawler away from the URL; None if it may fetch it."""
        if self._parsed.can_fetch(url, self.agent):
            return None
        for pattern, line, text in self._closing:
            if pattern.text and pattern.matches(url):
                return Said(self.agent, line, text)
        return Said(self.agent, 0, "Disallow")


@dataclass(frozen=True)
class Preference:
    """One usage preference, and the groups that it stands in."""

    field: str
    pattern: Pattern
    agents: tuple[str, ...]
    said: Said


class RobotsTxt:
    """One robots.txt, for `agents` (tokens in lower case). The group `*` is read for usage preferences in any case.

    `over` is what a page is told that no line read closes, if there were more than MOST_RULES of the crawlers in
    question, and `over_usage` the same for preferences, by field.
    """

    def __init__(self, body: str, agents: Sequence[str]) -> None:
        self.over: Said | None = None
        self.over_usage: dict[str, Said] = {}
        self.preferences: list[Preference] = []
        rules = self._read(body, frozenset(agents))
        heard = {agent for one in self.preferences for agent in one.agents}
        self.agents = [agent for agent in agents if agent in rules or agent in heard]
        # Twenty names over one Disallow are asked once; the rules are the same, whatever the group is called.
        distinct: dict[tuple[int, ...], Group] = {}
        held = 0
        for agent in self.agents:
            found = rules.get(agent, [])
            lines = tuple(line for line, _ in found)
            if not lines or lines in distinct:
                continue
            if held + len(found) > MOST_RULES:  # many long groups that share lines
                self.over = self.over or Said(agent, lines[-1], TOO_MANY.format(MOST_RULES))
                break
            held += len(found)
            distinct[lines] = Group(agent, tuple(found))
        self.groups = list(distinct.values())
        self.size = RULE_SIZE * held + PREFERENCE_SIZE * len(self.preferences)

    def _read(self, body: str, agents: frozenset[str]) -> dict[str, list[tuple[int, str]]]:
        """The rules of the crawlers in question; a crawler has one group (RFC 9309 2.2.1).

        Only rules end a run of names: other records, as Crawl-delay, must not interfere (2.2.4).
        """
        rules: dict[str, list[tuple[int, str]]] = {}
        current, naming, kept = [EVERYONE], False, 0
        for number, raw in enumerate(body[:MOST_BYTES].splitlines(), 1):
            line = raw.partition("#")[0].strip().lstrip("\ufeff")
            if named := AGENT_LINE.match(line):
                current = current if naming else []
                naming = True
                token = TOKEN.match(named.group(1))
                name = token.group().lower() if token else ""
                if name and (name in agents or name == EVERYONE) and name not in current:
                    current.append(name)
                    if name in agents:
                        rules.setdefault(name, [])
                continue
            field = line.partition(":")[0].strip().lower()
            if field in PREFERENCES:
                naming = False
                self._prefer(field, line, tuple(current), number)
            elif field.startswith(RULES):
                naming = False
                asked = [agent for agent in current if agent in agents]
                if asked and kept == MOST_RULES:
                    self.over = self.over or Said(asked[0], number, TOO_MANY.format(MOST_RULES))
                elif asked:
                    kept += 1
                    for agent in asked:
                        rules.setdefault(agent, []).append((number, line))
        return rules

    def _prefer(self, field: str, line: str, current: tuple[str, ...], number: int) -> None:
        value = line.partition(":")[2].strip()
        path, rest = ([*value.split(None, 1), ""])[:2] if value.startswith("/") else ("/", value)
        said = PREFERENCES[field](rest.strip())
        if said is None or not current:
            return
        if len(self.preferences) == MOST_PREFERENCES:
            self.over_usage.setdefault(field, Said(current[0], number, TOO_MANY.format(MOST_PREFERENCES), "n"))
            return
        self.preferences.append(Preference(field, Pattern(path), current, Said(current[0], number, line[:500], said)))

    def closed(self, url: str) -> Said | None:
        """The first honoured crawler's line that keeps it away from the URL; None if all may fetch it."""
        said = (group.closed(url) for group in self.groups)
        return min((one for one in said if one), key=lambda one: self.agents.index(one.agent), default=self.over)

    def usage(self, url: str, field: str) -> Said | None:
        """What `content-usage` or `content-signal` lines say of training for the URL.

        In a group the longest path counts, of equally long ones one that says no; a no of any group wins.
        """
        best: dict[str, tuple[tuple[int, bool], Said]] = {}
        for one in self.preferences:
            if one.field == field and one.pattern.matches(url):
                rank = (len(one.pattern.text.encode()), one.said.value == "n")
                for agent in one.agents:
                    if agent not in best or rank > best[agent][0]:
                        best[agent] = rank, replace(one.said, agent=agent)
        found = [said for _, said in best.values()]
        if field in self.over_usage:
            found.append(self.over_usage[field])
        return min(found, key=lambda said: (said.value != "n", said.line), default=None)


def _allows(line: str) -> bool:
    return line.lower().startswith("allow")
