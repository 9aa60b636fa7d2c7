from __future__ import annotations

from typing import Literal

from recipes.strict import Evidence, Strict


class Score(Strict):
    kind: Literal["table"]
    id: str
    file: str | None = None
    languages: tuple[str, ...] | None = None
    when_missing: Literal["refuse", "skip"] = "refuse"
    what: str = ""
    evidence: Evidence = "A"
