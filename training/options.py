"""Everything that `winnow train` can be told, in one model: names, bounds and help."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class TrainOptions(BaseModel):
    """Options of one training run; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manifest: str = Field(description="manifest.json of a finished run")
    out: str = Field(description="folder for checkpoint and log; one that holds a checkpoint is carried on")
    steps: int = Field(default=200, ge=1, description="optimiser steps in all")
    batch: int = Field(default=16, ge=1, description="sequences a step, over all ranks")
    context: int = Field(default=256, ge=8, description="tokens a sequence")
    width: int = Field(default=160, ge=8, description="model width")
    layers: int = Field(default=4, ge=1, description="layers")
    heads: int = Field(default=5, ge=1, description="attention heads")
    lr: float = Field(default=3e-3, gt=0, description="peak learning rate")
    warmup: int = Field(default=20, ge=0, description="steps to reach it")
    accumulate: int = Field(default=1, ge=1, description="pieces that a rank's batch is computed in")
    clip: float = Field(default=1.0, gt=0, description="greatest gradient norm")
    save_every: int = Field(default=50, ge=1, description="steps between checkpoints")
    seed: int = Field(default=0, ge=0, description="of weights and of the data's order")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="where to compute")
    compile: bool = Field(default=True, description="torch.compile, on a GPU")
