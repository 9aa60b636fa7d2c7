"""Whose reservations a recipe honours: the crawlers' names that robots.txt is asked for, the forms that count, and
lists of domains that have opted out.

Every form is measured whatever is chosen here, and each has a signal of its own; `honour` says only which of them the
signals `opt_out` and `opted_out` stand for. The default names crawlers whose operators publish that what they fetch
trains models, whose name is a switch for just that (`Google-Extended`, `Applebot-Extended`), or whom the public list
https://github.com/ai-robots-txt/ai.robots.txt knows to collect for it. The group `*` is not
among them: it concerns every crawler, and whoever made the crawl had to obey it already.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from pydantic import Field, field_validator

from recipes.strict import Evidence, Strict

Form = Literal[
    "domain-list", "robots.txt", "content-usage", "content-signal", "tdm", "ai.txt", "noai", "noindex"
]  # fmt: skip
FORMS: tuple[Form, ...] = get_args(Form)
AGENT = r"^(\*|[A-Za-z0-9._-]{1,60})$"
AI_TRAINING = (
    "AI2Bot", "Ai2Bot-Dolma", "Amazonbot", "anthropic-ai", "Applebot-Extended", "Bytespider", "CCBot", "ChatGLM-Spider",
    "Claude-Web", "ClaudeBot", "cohere-ai", "cohere-training-data-crawler", "DeepSeekBot", "Diffbot", "FacebookBot",
    "Google-CloudVertexBot", "Google-Extended", "GPTBot", "meta-externalagent", "Omgilibot", "PanguBot", "Timpibot",
    "webzio-extended",
)  # fmt: skip


class Rights(Strict):
    """`agents`: product tokens of robots.txt, ai.txt, robots metas and X-Robots-Tag that speak to us, `*` for the group
    of all crawlers; `honour`: the forms that make a document opted out; `lists`: files of domains, one a line.
    """

    agents: tuple[str, ...] = AI_TRAINING
    honour: tuple[Form, ...] = tuple(form for form in FORMS if form != "noindex")
    lists: tuple[str, ...] = ()
    evidence: Evidence = "A"
    note: str = Field(default="")

    @field_validator("agents")
    @classmethod
    def _tokens(cls, agents: tuple[str, ...]) -> tuple[str, ...]:
        for agent in agents:
            if not re.fullmatch(AGENT, agent):
                raise ValueError(f"{agent!r} is no crawler's name: letters, digits, '.', '_' and '-', or '*' alone")
        return agents
