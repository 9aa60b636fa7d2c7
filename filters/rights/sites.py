"""What a site's own files say: the policies of one site, each parsed once, and asked for many of its pages.

RFC 9309 2.3.1: a robots.txt that the server answers with 4xx restricts nothing, with 5xx everything; a redirect says
nothing here, since what it leads to is another record. A site's other scheme is asked where its own has no answer,
because crawlers often keep one of the two. The other files count only where they were served (2xx).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from filters.rights.aitxt import AiTxt
from filters.rights.robots import RobotsTxt
from filters.rights.tdm import TdmRep

ROBOTS, TDMREP = "/robots.txt", "/.well-known/tdmrep.json"
AI_TXT = ("/ai.txt", "/.well-known/ai.txt")
POLICY_PATHS = (ROBOTS, TDMREP, *AI_TXT)
LONGEST = 500  # characters of a line that are cited
Found = dict[str, Any]  # an entry of a document's evidence, without what is the same for all of a file
UNRESTRICTED = "answered {}: no restriction (RFC 9309 2.3.1.3)"
UNREACHABLE = "answered {}: complete disallow (RFC 9309 2.3.1.4)"
# How much an answer says, as `Policy.answers` has it, over a column `status`.
ANSWERS = "CASE WHEN status // 100 IN (2, 4) THEN 2 WHEN status // 100 = 5 THEN 1 ELSE 0 END"
OPEN = "closes the page to none of the crawlers that are asked for"


@dataclass(frozen=True)
class Policy:
    """One policy file as the crawl has it; `body` is empty unless `status` is 2xx."""

    path: str
    scheme: str
    url: str
    status: int
    fetched: str | None
    source: str
    offset: int
    sha256: str
    body: str

    @property
    def answers(self) -> int:
        """How much it says: 2 for an answer, 1 for a server's failure, 0 for a redirect."""
        return 2 if self.status // 100 in (2, 4) else int(self.status // 100 == 5)

    def cited(self) -> dict[str, Any]:
        """Where the evidence is found."""
        return {"url": self.url, "status": self.status, "fetched": self.fetched, "source": self.source,
                "offset": self.offset, "sha256": self.sha256}  # fmt: skip


class Site:
    """All policies of one host and port, for pages of one scheme."""

    def __init__(self, policies: Sequence[Policy], scheme: str, agents: Sequence[str]) -> None:
        self.agents = agents
        self.policies: Mapping[str, Policy] = {
            path: max(found, key=lambda p: (p.answers > 0, p.scheme == scheme, p.answers))
            for path in POLICY_PATHS
            if (found := [p for p in policies if p.path == path and p.answers])
        }

    @property
    def size(self) -> int:
        """What holding it costs, within a small factor: characters of all bodies, and rules of robots.txt."""
        rules = self._robots.size if self._robots else 0
        return rules + sum(len(policy.body) for policy in self.policies.values())

    @cached_property
    def _robots(self) -> RobotsTxt | None:
        policy = self.policies.get(ROBOTS)
        return RobotsTxt(policy.body, self.agents) if policy and policy.status // 100 == 2 else None

    @cached_property
    def _tdm(self) -> TdmRep | None:
        policy = self.policies.get(TDMREP)
        return TdmRep(policy.body) if policy and policy.status // 100 == 2 else None

    @cached_property
    def _ai(self) -> list[tuple[Policy, AiTxt]]:
        found = [self.policies[path] for path in AI_TXT if path in self.policies]
        return [(p, AiTxt(p.body, self.agents)) for p in found if p.status // 100 == 2]

    def evidence(self, url: str) -> list[Found]:
        """Entries of robots.txt, its usage preferences, tdmrep.json and ai.txt for a page's URL."""
        return [*self._of_robots(url), *self._of_tdm(url), *self._of_ai(url)]

    def _of_robots(self, url: str) -> list[Found]:
        policy = self.policies.get(ROBOTS)
        if policy is None:
            return []
        entry = {"form": "robots.txt", "via": "robots.txt", **policy.cited()}
        if self._robots is None:
            told = (UNREACHABLE if policy.status // 100 == 5 else UNRESTRICTED).format(policy.status)
            return [{**entry, "reserved": policy.status // 100 == 5, "says": told}]
        closed = self._robots.closed(url)
        who = (closed.agent, closed.line or None) if closed else (None, None)
        says = closed.text[:LONGEST] if closed else OPEN
        found: list[Found] = [{**entry, "reserved": bool(closed), "says": says, "agent": who[0], "line": who[1]}]
        for field in ("content-usage", "content-signal"):
            if (said := self._robots.usage(url, field)) is not None:
                found.append({**entry, "form": field, "reserved": said.value == "n", "says": said.text,
                              "agent": said.agent, "line": said.line, "value": said.value})  # fmt: skip
        return found

    def _of_tdm(self, url: str) -> list[Found]:
        rule = self._tdm.first(url) if self._tdm else None
        if rule is None:
            return []
        says = f"rule {rule.number}: location {rule.location.text}, tdm-reservation {int(rule.reserved)}"
        return [{"form": "tdm", "via": "tdmrep.json", "reserved": rule.reserved, "says": says, "policy": rule.policy,
                 **self.policies[TDMREP].cited()}]  # fmt: skip

    def _of_ai(self, url: str) -> list[Found]:
        found = []
        for policy, ai in self._ai:
            if ai.says:
                said = ai.closed(url)
                found.append({"form": "ai.txt", "via": "ai.txt", "reserved": said is not None,
                              "says": said.text[:LONGEST] if said else OPEN, "agent": said.agent if said else None,
                              "line": said.line if said else None, **policy.cited()})  # fmt: skip
        return found
