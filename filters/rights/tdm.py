"""tdmrep.json: which paths of a site reserve text and data mining.

TDMRep, https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/ section 4.2: an array of rules, of which
the first whose `location` matches the path counts; patterns are those of robots.txt. A rule without a location or
with another reservation than 0 or 1 is passed over, and so is a file that is no such array.
"""

from __future__ import annotations

from dataclasses import dataclass

import orjson

from filters.rights.robots import Pattern

MOST_RULES = 5_000


@dataclass(frozen=True, slots=True)
class TdmRule:
    """One rule: its number from 1, its pattern, and what it says."""

    number: int
    location: Pattern
    reserved: bool
    policy: str | None


class TdmRep:
    """The rules of one tdmrep.json."""

    def __init__(self, body: str) -> None:
        try:
            data = orjson.loads(body.encode("utf-8", "replace"))
        except orjson.JSONDecodeError:  # often a site's page for what it does not have
            data = []
        self.rules = [rule for i, one in enumerate(data[:MOST_RULES], 1) if (rule := _rule(i, one))] \
            if isinstance(data, list) else []  # fmt: skip

    def first(self, url: str) -> TdmRule | None:
        """The rule that counts for the URL."""
        return next((rule for rule in self.rules if rule.location.matches(url)), None)


def _rule(number: int, one: object) -> TdmRule | None:
    if not isinstance(one, dict):
        return None
    location, said, policy = one.get("location"), reservation(one.get("tdm-reservation")), one.get("tdm-policy")
    if not isinstance(location, str) or said is None or not location.strip() or len(location) > 2_000:
        return None
    pattern = Pattern(location.partition("#")[0].splitlines()[0].strip())
    return TdmRule(number, pattern, said, policy[:500] if isinstance(policy, str) else None)


def reservation(value: object) -> bool | None:
    """A tdm-reservation value: 1 reserves, 0 does not, anything else is unset."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return {"1": True, "0": False}.get(text)
