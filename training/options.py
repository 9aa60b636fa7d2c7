"""Everything that `winnow train` can be told, in one model: names, bounds and help.

The command line, `python -m training` and the checkpoint all read this one class, so an option is written once.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tokenization.mix import parse
from tokenization.plan import Layout

# What may differ between a training and its continuation: none of these changes which batch or which rate a step has.
FREE = {
    "manifest",
    "out",
    "resume",
    "save_every",
    "eval_every",
    "device",
    "compile",
    "accumulate",
    "superseded",
    "removals",
    "parallel",
    "verify",
    "prefetch",
    "cache",
    "cache_bytes",
    "peak_flops",
    "curves",
}
FLAGS = {"removals": "register"}  # where an option has another name on the command line: pydantic has a `register`


class TrainOptions(BaseModel):
    """Options of one training run; unknown ones are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manifest: str = Field(description="manifest.json of a finished run, a path or a URL that fsspec reads")
    out: str = Field(description="folder for checkpoint and log; one that holds a checkpoint is carried on")
    resume: bool = Field(default=True, description="carry on from the checkpoint in --out, else start over it")
    steps: int = Field(default=120, ge=1, description="optimiser steps in all")
    batch: int = Field(default=16, ge=1, description="sequences a step, over all ranks")
    context: int = Field(default=256, ge=8, description="tokens a sequence")
    packing: Literal["concat", "best-fit"] = Field(
        default="concat", description="documents end to end and cut, or whole where they best fit"
    )
    documents: Literal["apart", "joined"] = Field(
        default="apart", description="whether attention and positions begin anew with each document"
    )
    mix: str = Field(default="", description="shares of labels, such as language:zh=0.3,source:NAME=0.1")
    window: int = Field(default=0, ge=0, description="tokens that are shuffled among each other, 0 for all")
    width: int = Field(default=160, ge=8, description="model width, a multiple of twice the heads")
    layers: int = Field(default=4, ge=1, description="layers")
    heads: int = Field(default=5, ge=1, description="attention heads")
    optimiser: Literal["adamw", "muon"] = Field(
        default="adamw", description="muon: for the matrices within layers, AdamW for the rest"
    )
    lr: float = Field(default=3e-3, gt=0, description="peak learning rate")
    schedule: Literal["cosine", "wsd"] = Field(
        default="cosine", description="cosine to a tenth, or warm-up, stable, and decay over the last fifth"
    )
    warmup: int = Field(default=20, ge=0, description="steps to reach the peak")
    weight_decay: float = Field(default=0.1, ge=0, description="of matrices; norms have none")
    accumulate: int = Field(default=1, ge=1, description="pieces that a rank's batch is computed in")
    clip: float = Field(default=1.0, gt=0, description="greatest gradient norm")
    held_out: int = Field(default=64, ge=0, description="sequences kept from training, a tenth of all at most")
    eval_every: int = Field(default=50, ge=1, description="steps between losses on what was held out")
    save_every: int = Field(default=50, ge=1, description="steps between checkpoints")
    seed: int = Field(default=0, ge=0, description="of weights and of the data's order")
    device: Literal["auto", "cpu", "cuda"] = Field(default="auto", description="where to compute")
    superseded: bool = Field(default=False, description="train on a manifest that a removal has superseded")
    removals: str | None = Field(default=None, description="a register of removals that the manifest must obey")
    compile: bool = Field(default=True, description="torch.compile, on a GPU")
    parallel: Literal["ddp", "fsdp"] = Field(
        default="ddp", description="under torchrun: a whole model a rank, or one in shards"
    )
    verify: Literal["start", "background", "none"] = Field(
        default="start", description="when the hashes of local shards are checked; sizes always are, at the start"
    )
    prefetch: int = Field(default=4, ge=1, description="steps whose data is made ahead")
    cache: str | None = Field(default=None, description="folder for fetched shards and plans (default OUT/cache)")
    cache_bytes: int = Field(default=1 << 40, ge=1, description="most bytes of fetched shards on disk")
    peak_flops: float | None = Field(
        default=None, gt=0, description="of one device, for MFU, where the table does not know it"
    )
    curves: bool = Field(default=True, description="curves.png and TensorBoard events beside the log")

    @model_validator(mode="after")
    def _even_heads(self) -> TrainOptions:
        if self.width % (2 * self.heads):
            raise ValueError(f"--width {self.width} must be a multiple of twice --heads {self.heads}")
        if self.packing == "best-fit" and self.documents == "joined":
            raise ValueError("--packing best-fit keeps --documents apart")
        if self.optimiser == "muon" and self.parallel == "fsdp":
            raise ValueError("--optimiser muon needs whole matrices: --parallel ddp")
        if self.window and self.window < self.context:
            raise ValueError(f"--window {self.window} must be at least --context {self.context}")
        parse(self.mix)
        return self

    @property
    def layout(self) -> Layout:
        """What the plan of the data depends on."""
        return Layout.of(self.model_dump())

    @property
    def cache_folder(self) -> Path:
        """Where fetched shards and plans lie."""
        return Path(self.cache or Path(self.out) / "cache")

    def fixed(self) -> dict[str, Any]:
        """The options that a training cannot change midway."""
        return self.model_dump(exclude=FREE)
