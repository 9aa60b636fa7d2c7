"""The base of every model in a recipe: frozen, and an unknown key is an error."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict

Evidence = Literal["C", "P", "S", "M", "A"]  # code, paper, secondary source, memory, assumed


class Strict(BaseModel):
    """Base of every recipe model: frozen, and an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
