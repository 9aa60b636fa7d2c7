"""The training loop: verify, restore, step, log, save.

One process on CPU or GPU, or one a device under torchrun (DDP or FSDP). A step's batch and learning rate depend on the
step's number only, so a stopped training that is started again, on any number of ranks, takes exactly the next batch;
on one CPU its losses are equal to the bit. The data of the next steps is made by a thread meanwhile. Traded away: each
step waits for its loss, so that the log is exact and a NaN stops at once.
"""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor, nn

from tokenization.manifest import Manifest
from tokenization.versions import file_of, superseded
from training import checkpoint
from training.cache import exists, is_remote
from training.data import IGNORED
from training.dataset import Rows, TokenDataset, local_manifest
from training.evaluate import held_out_losses
from training.flops import flops_a_token, peak
from training.log import Log
from training.model import ModelConfig, Transformer
from training.optimise import Optimisers, learning_rate, make_optimisers
from training.options import TrainOptions
from training.team import Team, gradients_travel, joined, sharded, wrapped
from training.verify import Verified


@dataclass
class TrainResult:
    """What a training came to: losses in nats a token, by step and (step: loss) on what was held out."""

    first_step: int
    last_step: int
    entropy: float
    losses: list[float] = field(default_factory=list)
    held_out: dict[int, float] = field(default_factory=dict)
    stopped: bool = False


def train(options: TrainOptions) -> TrainResult:
    """Train from scratch or from the checkpoint in `options.out`; ValueError in a sentence if a shard is wrong."""
    file, root = local_manifest(options.manifest, options.cache_folder)
    manifest = Manifest.read(file)
    if (why := _superseded(options, file, manifest)) is not None and not options.superseded:
        raise ValueError(f"{why} To train on it all the same, say --superseded.")
    verified = Verified(manifest, root, options.verify)
    try:
        with joined(options) as team:
            if options.batch % (team.ranks * options.accumulate):
                raise ValueError(
                    f"--batch {options.batch} must be a multiple of {team.ranks} ranks times --accumulate."
                )
            data = TokenDataset(
                str(file), options.batch, root=root, rank=team.rank, ranks=team.ranks, steps=options.steps,
                prefetch=options.prefetch, cache=str(options.cache_folder), cache_bytes=options.cache_bytes,
                apart=options.documents == "apart", **options.layout.as_dict(),
            )  # fmt: skip
            if data.sequences.count < options.batch:
                raise ValueError(
                    f"The corpus has {data.sequences.count} sequences, too few for one --batch {options.batch}."
                )
            return _Training(options, data, team, verified, file).run()
    finally:
        verified.stop()


def _superseded(options: TrainOptions, file: Path, manifest: Manifest) -> str | None:
    """Why the manifest should not be trained on, in a sentence; of a remote one the next version's name is asked."""
    if is_remote(options.manifest):
        after = f"{options.manifest.rpartition('/')[0]}/{file_of(manifest.version + 1)}"
        if exists(after):
            return f"{options.manifest} is superseded by {after}."
    return superseded(file, Path(options.removals) if options.removals else None)


class _Training:
    """One training on one rank: its parts, put together."""

    def __init__(
        self, options: TrainOptions, data: TokenDataset, team: Team, verified: Verified, manifest: Path
    ) -> None:
        torch.manual_seed(options.seed)
        self.options, self.data, self.team, self.verified = options, data, team, verified
        vocabulary = data.sequences.manifest.tokenizer.vocab_size
        self.shape = ModelConfig(vocabulary, options.width, options.layers, options.heads, options.context)
        self.model = Transformer(self.shape).to(team.device)
        self.parameters = self.model.parameter_count()
        sharded(self.model, options, team)
        self.optimisers = make_optimisers(self.model, options)
        self.manifest = manifest
        self.first = checkpoint.restore(options, manifest, self.model, self.optimisers)
        before = (one for one in checkpoint.teams(options) if one[0] < self.first)
        self.teams = [*before, (self.first, team.ranks)]
        self.peak = peak(team.device, options.peak_flops)

    def run(self) -> TrainResult:
        """Take the steps that are left."""
        options, data = self.options, self.data
        result = TrainResult(self.first, self.first, data.sequences.unigram_entropy())
        log = Log(options, self.team.rank == 0, self.first)
        self._greet(log, result.entropy)
        model, data.step = wrapped(self.model, options, self.team), self.first
        part = options.batch // (self.team.ranks * options.accumulate)  # what the device holds in a step, and no more
        with stoppable() as asked:
            steps = iter(data)
            for step in range(self.first, options.steps):
                began = time.monotonic()
                rows = next(steps)
                waited = time.monotonic() - began
                loss = one_step(model, self.optimisers, rows, options, step, self.team)
                seconds = time.monotonic() - began
                result.losses.append(loss)
                result.last_step = step + 1
                last = step + 1 == options.steps
                held: dict[str, float] = {}
                if data.sequences.held_out and (last or (step + 1) % options.eval_every == 0):
                    held = held_out_losses(self.model, data.sequences, part, self.team)
                    result.held_out[step] = held[""]
                log.step(step, {**self._figures(step, loss, seconds), "waited_s": round(waited, 6)}, held)
                self.verified.check(wait=last)
                # All ranks must agree: one that left alone would leave the others waiting for it.
                result.stopped = not last and self.team.total(float(bool(asked)))[0] > 0
                if last or result.stopped or (step + 1) % options.save_every == 0:
                    self._save(step + 1)
                    log.drawn()
                if result.stopped:
                    log.say(f"Stopped after step {step + 1}, saved; the same command goes on from there.")
                    break
            steps.close()  # type: ignore[attr-defined]
        log.close()
        return result

    def _save(self, step: int) -> None:
        writes = self.team.rank == 0
        checkpoint.save(self.options, self.manifest, self.model, self.optimisers, step, self.teams, writes)

    def _figures(self, step: int, loss: float, seconds: float) -> dict[str, float]:
        options = self.options
        speed = options.batch * options.context / seconds
        row = {"loss": loss, "lr": learning_rate(options, step), "tokens_per_s": round(speed)}
        if self.peak is not None:
            row["mfu"] = speed * flops_a_token(self.shape, self.parameters) / (self.peak * self.team.ranks)
        return row

    def _greet(self, log: Log, entropy: float) -> None:
        data, options, plan = self.data.sequences, self.options, self.data.sequences.plan
        log.say(f"{self.parameters:,} parameters on {self.team.ranks} x {self.team.device.type}, "
                f"{data.shards.tokens:,} tokens, unigram entropy {entropy:.4f} nats a token, "
                f"from step {self.first} of {options.steps}")  # fmt: skip
        if options.packing == "best-fit":
            log.say(f"best-fit packing: {plan.padding():.2%} of places are padding")
        if options.mix:
            seen = plan.epochs(options.steps * options.batch)
            log.say("epochs by label: " + ", ".join(f"{name} {epochs:.2f}" for name, epochs in seen.items()))


def one_step(
    model: nn.Module, optimisers: Optimisers, rows: Rows, options: TrainOptions, step: int, team: Team
) -> float:
    """Forward, backward, clip, update; returns the mean loss over all ranks' targets, in nats a token."""
    for group in (group for optimiser in optimisers for group in optimiser.param_groups):
        group["lr"] = learning_rate(options, step)
    learnt = max(team.total(float((rows["targets"] != IGNORED).sum()))[0], 1.0)
    count = torch.tensor(learnt / team.ranks, device=team.device)  # DDP and FSDP take the mean over ranks
    total = torch.zeros((), device=team.device)
    parts = _parts({name: value.to(team.device, non_blocking=True) for name, value in rows.items()}, options)
    for number, part in enumerate(parts, 1):
        with gradients_travel(model, number == len(parts)):
            with team.autocast():
                loss: Tensor = model(*part, learnt=count)
            loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    nn.utils.clip_grad_norm_(model.parameters(), options.clip)
    for optimiser in optimisers:
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
    value = team.total(float(total))[0] / team.ranks
    if not math.isfinite(value):
        raise ValueError(f"The loss is {value} at step {step}. Use a smaller --lr.")
    return value


def _parts(rows: Rows, options: TrainOptions) -> Sequence[tuple[Tensor, ...]]:
    """The arguments of the model for each of `accumulate` parts of the rows."""
    names = ("ids", "targets", *(("documents", "positions") if options.documents == "apart" else ()))
    return list(zip(*(rows[name].chunk(options.accumulate) for name in names), strict=True))


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """A list that becomes true on SIGTERM or SIGINT, for the loop to save and end; a second signal interrupts."""
    asked: list[int] = []
    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield asked
        return

    def note(number: int, _: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)

    before = {number: signal.signal(number, note) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
