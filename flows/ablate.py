"""The flow `ablate`: one run, several recipes, and how a model learns from what each keeps.

Stages are those of the packages below: who keeps what (stats), texts to corpora (pipelines), the trainer, losses of the
held-out documents (training), and what to make of them (stats). Each model's losses are a file; with it, the model is
not trained again, so an ablation that was stopped goes on. A folder belongs to one ablation.

Traded away: models are trained one after another. On several GPUs, give each seeds of its own and another folder.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

from pipelines.ablation import Asked, Choice, manifest_of, write_corpora
from pipelines.held_out import held_out_rows
from recipes.model import Recipe
from stats.ablation import Measured, domains, losses, summary
from stats.ablation_report import markdown, plot
from stats.passing import held_out as apart
from stats.passing import passing
from stats.run import Run
from stats.show import save
from tokenization.commit import put
from tokenization.manifest import file_sha256

Say = Callable[[str], None]


class AblateOptions(BaseModel):
    """What `winnow ablate` can be told; unknown options are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    run: str
    out: str
    tokens: int = Field(ge=1_000, description="tokens that each model is trained on")
    seeds: int = Field(default=3, ge=1, le=100)
    points: int = Field(default=3, ge=1, le=8, description="budgets: tokens, half of it, and so on")
    tokenizer: str | None = None
    vocab: int = Field(default=4096, ge=300, le=1_000_000)
    held_out: tuple[str, ...] = ()
    held_share: float = Field(default=0.1, ge=0, le=0.5)
    held_most: int = Field(default=200, ge=1)
    held_by: Literal["all", "any"] = "all"
    width: int = Field(default=128, ge=8)
    layers: int = Field(default=2, ge=1)
    heads: int = Field(default=4, ge=1)
    context: int = Field(default=128, ge=8)
    batch: int = Field(default=16, ge=1)
    lr: float = Field(default=3e-3, gt=0)
    device: str = Field(default="auto", pattern="^(auto|cpu|cuda)$")

    @model_validator(mode="after")
    def _fits(self) -> AblateOptions:
        if self.width % (2 * self.heads):
            raise ValueError(f"--width {self.width} must be a multiple of twice --heads {self.heads}")
        if self.steps(self.budgets()[0]) < 1:
            raise ValueError(f"--tokens {self.tokens} is less than a step of {self.batch * self.context} tokens at the "
                             "smallest of --points")  # fmt: skip
        return self

    def budgets(self) -> list[int]:
        """Tokens of each point, ascending."""
        return [self.tokens >> power for power in reversed(range(self.points))]

    def steps(self, budget: int) -> int:
        """Optimiser steps for so many tokens."""
        return budget // (self.batch * self.context)


@dataclass(frozen=True)
class Made:
    """What an ablation left: its report's tables and where it lies."""

    summary: pa.Table
    corpora: list[dict[str, Any]]
    notices: list[str]


def ablate(run: Run, recipes: Mapping[str, Recipe], options: AblateOptions, say: Say) -> Made:
    """Train every recipe's models and the raw ones, and write the report; ValueError in a sentence."""
    out = Path(options.out)
    _claim(out, run, recipes, options)
    found = passing(run, recipes)
    held, without = apart(run, found, options.held_share, options.held_most, 0, options.held_by)
    kept = found.keeps & ~without[:, None]
    choice = Choice(found.documents, found.parts, found.names, kept, held, found.recipes)
    asked = Asked(options.tokenizer, options.vocab, options.held_out)
    note = write_corpora(run.path, choice, asked, out / "corpora")
    rows = held_out_rows(out / "corpora")
    say(f"{rows.num_rows:,} documents are held out; {len(found.names)} corpora: "
        + ", ".join(f"{name} {note['corpora'][name]['tokens']:,} tokens" for name in found.names))  # fmt: skip
    documents = [ids.values.to_numpy() for ids in rows["ids"].combine_chunks()]
    budgets, seeds = options.budgets(), range(options.seeds)
    nats = np.zeros((len(found.names), len(budgets), len(seeds), len(documents)))
    for r, b, s, name in _models(found.names, budgets, seeds):
        nats[r, b, s] = _losses(options, name, budgets[b], s, documents, say)
    measured = Measured(
        found.names, budgets, list(seeds), nats, np.array([_judged(ids) for ids in documents], np.int64),
        rows["bytes"].to_numpy(),
        domains(rows["language"].to_pylist(), rows["source"].to_pylist(), rows["given"].to_pylist()),
    )  # fmt: skip
    corpora = [
        {"recipe": name, **dict(sorted(totals.items())), "epochs": options.tokens / totals["tokens"]}
        for name, totals in ((name, note["corpora"][name]) for name in found.names)
    ]
    return _report(out, measured, corpora, options, found.notices)


def _models(names: Sequence[str], budgets: Sequence[int], seeds: range) -> Iterator[tuple[int, int, int, str]]:
    """Every model, a seed at a time, so that what is stopped early has whole seeds."""
    for s in seeds:
        for b in range(len(budgets)):
            for r, name in enumerate(names):
                yield r, b, s, name


def _claim(out: Path, run: Run, recipes: Mapping[str, Recipe], options: AblateOptions) -> None:
    """The folder is this ablation's, or nobody's."""
    asked = options.model_dump(exclude={"device", "out", "run"})
    described = {name: recipe.model_dump() for name, recipe in recipes.items()}
    wanted = json.loads(json.dumps({**asked, "run": run.path.name, "recipes": described}, default=str))
    file = out / "asked.json"
    if file.is_file():
        if json.loads(file.read_bytes()) != wanted:
            raise ValueError(f"{out} holds another ablation. Choose another --out, or delete that folder.")
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise ValueError(f"{out} holds something else. Choose another --out, or empty that folder.")
    out.mkdir(parents=True, exist_ok=True)
    put(file, (json.dumps(wanted, indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode())


def _losses(
    options: AblateOptions,
    name: str,
    budget: int,
    seed: int,
    documents: Sequence[np.ndarray[Any, Any]],
    say: Say,
) -> np.ndarray[Any, Any]:
    """Nats of each held-out document under one model, from its file or by training it."""
    from training.document_loss import document_losses
    from training.loop import train
    from training.options import TrainOptions

    manifest = manifest_of(Path(options.out) / "corpora", name)
    folder = Path(options.out) / "models" / f"{manifest.parent.name}-{budget}-{seed}"
    file, mark = folder / "losses.json", {"manifest": file_sha256(manifest), "ids": sum(map(_judged, documents))}
    if file.is_file():
        known = json.loads(file.read_bytes())
        if all(known.get(key) == value for key, value in mark.items()) and len(known["nats"]) == len(documents):
            return np.array(known["nats"])
    steps = options.steps(budget)
    asked = TrainOptions(
        manifest=str(manifest), out=str(folder), steps=steps, batch=options.batch, context=options.context,
        width=options.width, layers=options.layers, heads=options.heads, lr=options.lr, held_out=0, seed=seed,
        warmup=max(1, min(20, steps // 10)), save_every=max(steps, 1), device=options.device,  # type: ignore[arg-type]
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "said.txt").open("w") as said, contextlib.redirect_stdout(said):
        result = train(asked)
    if result.stopped:
        raise KeyboardInterrupt
    nats, ids = document_losses(folder / "checkpoint.pt", documents, options.batch, options.device)
    put(file, json.dumps({**mark, "nats": nats.tolist()}).encode())
    say(f"{name}, {budget:,} tokens, seed {seed}: {nats.sum() / ids.sum():.4f} nats a token held out")
    return nats


def _judged(ids: np.ndarray[Any, Any]) -> int:
    """Ids of a document that a loss is of: all but the first, which has nothing before it."""
    return max(len(ids) - 1, 0)


def _report(
    out: Path, measured: Measured, corpora: list[dict[str, Any]], options: AblateOptions, notices: list[str]
) -> Made:
    found, detail = summary(measured), losses(measured)
    whose = "every recipe keeps" if options.held_by == "all" else "some recipe keeps"
    told = [
        f"A model: width {options.width}, {options.layers} layers, {options.heads} heads, context {options.context}; "
        f"{measured.budgets[-1]:,} tokens in batches of {options.batch * options.context:,}, {options.seeds} seeds.",
        f"Loss in nats a token on held-out documents that {whose}, with Student's 95 % interval over seeds.",
        *notices,
    ]
    save(detail, out / "losses.parquet")
    save(found, out / "ablation.parquet")
    described = {"summary": found.to_pylist(), "corpora": corpora, "notices": notices}
    put(out / "ablation.json", (json.dumps(described, indent=1, ensure_ascii=False) + "\n").encode())
    put(out / "ablation.md", markdown(found, corpora, told).encode())
    plot(found, out / "ablation.png")
    return Made(found, corpora, notices)
