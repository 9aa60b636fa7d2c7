"""ai.txt: rules of robots.txt's form, all of them about machine learning.

Spawning's ai.txt (https://site.spawning.ai/spawning-ai-txt, 2023) writes paths and endings (`*.txt`) under
`User-Agent: *`; a page is reserved if its own URL is disallowed, so `Disallow: *.jpg` does not reserve it. The file
at /.well-known/ai.txt is draft-car-ai-txt-wellknown-00 (2026, an individual submission), of which `Training: deny`
and its paths are read; its default for a file that does not say is none here, since silence reserves nothing.
Traded away: the draft's blocks for single agents; a `Training: deny` in any block is taken for all.
"""

from __future__ import annotations

from collections.abc import Sequence

from filters.rights.robots import EVERYONE, MOST_BYTES, MOST_PREFERENCES, TOO_MANY, Pattern, RobotsTxt, Said


class AiTxt:
    """One ai.txt, for `agents` and, since the whole file is about learning, for `*`."""

    def __init__(self, body: str, agents: Sequence[str]) -> None:
        self.rules = RobotsTxt(body, list(dict.fromkeys([*agents, EVERYONE])))
        self.training: list[tuple[Pattern, bool, Said]] = []
        for number, raw in enumerate(body[:MOST_BYTES].splitlines(), 1):
            field, mark, value = (piece.strip() for piece in raw.partition("#")[0].partition(":"))
            if not mark or not field.lower().startswith("training"):
                continue
            if len(self.training) == MOST_PREFERENCES:
                self.training.append((Pattern("/"), True, Said(EVERYONE, number, TOO_MANY.format(MOST_PREFERENCES))))
                break
            said = Said(EVERYONE, number, raw.strip()[:500])
            if field.lower() == "training" and value.lower() in ("deny", "allow"):
                self.training.append((Pattern("/"), value.lower() == "deny", said))
            elif field.lower() in ("training-deny", "training-allow") and value.startswith("/"):
                self.training.append((Pattern(value), field.lower() == "training-deny", said))

    def closed(self, url: str) -> Said | None:
        """The line that reserves the URL, None if none does."""
        if (said := self.rules.closed(url)) is not None:
            return said
        found = [one for one in self.training if one[0].matches(url)]
        best = max(found, key=lambda one: (len(one[0].text), one[1]), default=None)
        return best[2] if best and best[1] else None

    @property
    def says(self) -> bool:
        """Whether the file has any rule at all: a site's page for what it does not have has none."""
        return bool(self.rules.agents or self.training)
