"""The training loop: verify, restore, step, log, save.

One process on CPU or GPU, or one a device under torchrun (DDP). A step's batch and learning rate depend on the
step's number only, so a stopped training that is started again takes exactly the next batch; on CPU its losses are
equal to the bit. Traded away: each step waits for its loss, so that the log is exact and a NaN stops at once.
"""

from __future__ import annotations

import json
import math
import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from tokenization.manifest import Manifest
from tokenization.versions import superseded
from training import checkpoint
from training.data import Sequences
from training.model import ModelConfig, Transformer
from training.options import TrainOptions


@dataclass
class TrainResult:
    """What a training came to: losses in nats a token, by step and (step: loss) on what was held out."""

    first_step: int
    last_step: int
    entropy: float
    losses: list[float] = field(default_factory=list)
    held_out: dict[int, float] = field(default_factory=dict)
    stopped: bool = False


@dataclass(frozen=True)
class Team:
    """This process among those that train together: torchrun's, or just itself."""

    rank: int
    ranks: int
    device: torch.device

    def total(self, *values: float) -> list[float]:
        """Each value summed over all ranks; every rank gets the same."""
        if self.ranks == 1:
            return list(values)
        tensor = torch.tensor(values, dtype=torch.float64, device=self.device)
        dist.all_reduce(tensor)
        return tensor.tolist()  # type: ignore[no-any-return]

    def autocast(self) -> AbstractContextManager[object]:
        """bf16 for matrix products on a GPU."""
        return torch.autocast("cuda", torch.bfloat16) if self.device.type == "cuda" else nullcontext()


def train(options: TrainOptions) -> TrainResult:
    """Train from scratch or from the checkpoint in `options.out`; ValueError in a sentence if a shard is wrong."""
    manifest, folder = Manifest.read(options.manifest), Path(options.manifest).parent
    why = superseded(Path(options.manifest), Path(options.removals) if options.removals else None)
    if why is not None and not options.superseded:
        raise ValueError(f"{why} To train on it all the same, say --superseded.")
    if problems := manifest.problems(folder):
        raise ValueError(problems[0])
    data = Sequences(manifest, folder, options.context, options.seed, options.held_out, Path(options.out) / "ids")
    if data.count < options.batch:
        raise ValueError(f"The corpus has {data.count} sequences, too few for one --batch {options.batch}.")
    with joined(options) as team:
        if options.batch % (team.ranks * options.accumulate):
            raise ValueError(f"--batch {options.batch} must be a multiple of {team.ranks} ranks times --accumulate.")
        return _train(options, data, team)


def _train(options: TrainOptions, data: Sequences, team: Team) -> TrainResult:
    torch.manual_seed(options.seed)
    shape = ModelConfig(data.vocab_size, options.width, options.layers, options.heads, options.context)
    model = Transformer(shape).to(team.device)
    optimiser = make_optimiser(model, options)
    first = checkpoint.restore(options, model, optimiser)
    teams = [*(team for team in checkpoint.teams(options) if team[0] < first), (first, team.ranks)]
    result = TrainResult(first, first, data.unigram_entropy())
    log = Log(options, team, first)
    log.say(f"{model.parameter_count():,} parameters on {team.ranks} x {team.device.type}, {data.ends[-1]:,} tokens, "
            f"unigram entropy {result.entropy:.4f} nats a token, from step {first} of {options.steps}")  # fmt: skip
    wrapped: nn.Module = DistributedDataParallel(model) if team.ranks > 1 else model
    if team.device.type == "cuda" and options.compile:
        wrapped = torch.compile(wrapped)  # type: ignore[assignment]
    with stoppable() as asked:
        for step in range(first, options.steps):
            began = time.monotonic()
            loss = one_step(wrapped, optimiser, data, options, step, team)
            seconds = time.monotonic() - began
            result.losses.append(loss)
            result.last_step = step + 1
            last = step + 1 == options.steps
            if data.held_out and (last or (step + 1) % options.eval_every == 0):
                result.held_out[step] = held_out_loss(model, data, options, team)
            log.step(step, loss, learning_rate(options, step), seconds, result.held_out.get(step))
            # All ranks must agree: one that left alone would leave the others waiting for it.
            result.stopped = not last and team.total(float(bool(asked)))[0] > 0
            if (last or result.stopped or (step + 1) % options.save_every == 0) and team.rank == 0:
                checkpoint.save(options, model, optimiser, step + 1, teams)
            if result.stopped:
                log.say(f"Stopped after step {step + 1}, saved; the same command goes on from there.")
                break
    return result


@contextmanager
def joined(options: TrainOptions) -> Iterator[Team]:
    """The team that torchrun's environment describes; on a CPU, with all cores that this process may use."""
    cuda = torch.cuda.is_available() if options.device == "auto" else options.device == "cuda"
    if cuda and not torch.cuda.is_available():
        raise ValueError("--device cuda: PyTorch sees no CUDA device here. Use --device cpu.")
    rank, ranks, local = (int(os.environ.get(k, d)) for k, d in (("RANK", 0), ("WORLD_SIZE", 1), ("LOCAL_RANK", 0)))
    if cuda:
        torch.cuda.set_device(local)
        torch.set_float32_matmul_precision("high")
    else:
        beside = int(os.environ.get("LOCAL_WORLD_SIZE", 1))
        torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // beside))
    if ranks > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    try:
        yield Team(rank, ranks, torch.device(f"cuda:{local}" if cuda else "cpu"))
    finally:
        if ranks > 1:
            dist.destroy_process_group()


def make_optimiser(model: nn.Module, options: TrainOptions) -> torch.optim.Optimizer:
    """AdamW (arXiv:1711.05101) that decays matrices and leaves the norms' gains alone."""
    matrices = [p for p in model.parameters() if p.dim() >= 2]
    gains = [p for p in model.parameters() if p.dim() < 2]
    groups = [{"params": matrices, "weight_decay": options.weight_decay}, {"params": gains, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.95), fused=next(model.parameters()).is_cuda)


def one_step(
    model: nn.Module, optimiser: torch.optim.Optimizer, data: Sequences, options: TrainOptions, step: int, team: Team
) -> float:
    """Forward, backward, clip, update; returns the mean loss over all ranks, in nats a token."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(options, step)
    rows = torch.from_numpy(data.batch(step, options.batch, team.rank, team.ranks)).to(team.device)
    total = torch.zeros((), device=team.device)
    pieces = rows.chunk(options.accumulate)
    for number, piece in enumerate(pieces, 1):
        waits = team.ranks > 1 and number < len(pieces)  # gradients travel once a step, with the last piece
        with model.no_sync() if waits else nullcontext():  # type: ignore[operator]
            with team.autocast():
                loss: Tensor = model(piece[:, :-1], piece[:, 1:]) / options.accumulate
            loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    nn.utils.clip_grad_norm_(model.parameters(), options.clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    value = team.total(float(total))[0] / team.ranks
    if not math.isfinite(value):
        raise ValueError(f"The loss is {value} at step {step}. Use a smaller --lr.")
    return value


@torch.no_grad()
def held_out_loss(model: nn.Module, data: Sequences, options: TrainOptions, team: Team) -> float:
    """Mean loss in nats a token over the sequences that are never trained on, shared out among the ranks."""
    loss, seen = 0.0, 0
    for rows in data.held_out_batches(options.batch, team.rank, team.ranks):
        ids = torch.from_numpy(rows).to(team.device)
        with team.autocast():
            loss += float(model(ids[:, :-1], ids[:, 1:])) * len(rows)
        seen += len(rows)
    loss, count = team.total(loss, float(seen))
    return loss / count


def learning_rate(options: TrainOptions, step: int) -> float:
    """Linear warm-up, then to a tenth of the peak: by a cosine, or WSD (arXiv:2404.06395), linear in the last fifth."""
    if step < options.warmup:
        return options.lr * (step + 1) / options.warmup
    progress = (step - options.warmup) / max(options.steps - options.warmup, 1)
    if options.schedule == "wsd":
        return options.lr * min(1.0, 0.1 + 0.9 * (1 - progress) / 0.2)
    return options.lr * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))


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


class Log:
    """train.jsonl, one line a step, and a line on the terminal every ten; only the first rank speaks."""

    def __init__(self, options: TrainOptions, team: Team, first: int) -> None:
        self.path, self.steps = Path(options.out) / "train.jsonl", options.steps
        self.tokens, self.speaks = options.batch * options.context, team.rank == 0
        if self.speaks:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            lines = self.path.read_text().splitlines(keepends=True) if first and self.path.is_file() else []
            temporary = self.path.with_suffix(".tmp")  # steps after the checkpoint are about to be done again
            temporary.write_text("".join(lines[:first]))
            temporary.replace(self.path)

    def say(self, line: str) -> None:
        """A line on the terminal, at once."""
        if self.speaks:
            print(line, flush=True)

    def step(self, step: int, loss: float, rate: float, seconds: float, held_out: float | None) -> None:
        """One step's figures; `held_out` where it was measured."""
        if not self.speaks:
            return
        speed = round(self.tokens / seconds)
        row = {"step": step, "loss": loss, "lr": rate, "tokens_per_s": speed}
        with self.path.open("a") as stream:
            stream.write(json.dumps(row if held_out is None else {**row, "held_out": held_out}) + "\n")
        if step % 10 == 0 or step + 1 == self.steps or held_out is not None:
            more = "" if held_out is None else f"  held out {held_out:.4f}"
            self.say(f"step {step:5d}  loss {loss:.4f}  {speed:,} tokens/s{more}")
