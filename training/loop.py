"""The training loop: verify, restore, step, log, save.

One process on CPU or GPU, or one a device under torchrun (DDP). A step's batch and learning rate depend on
the step's number only, so a stopped run that is started again takes exactly the next batch; on CPU its losses
are equal to the bit.
"""

from __future__ import annotations

import json
import math
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from tokenization.manifest import Manifest, file_sha256
from training.data import Sequences
from training.model import ModelConfig, Transformer
from training.options import TrainOptions


@dataclass
class TrainResult:
    """What a run of the loop came to."""

    losses: list[float]
    first_step: int
    last_step: int
    entropy: float
    stopped: bool = False


def train(options: TrainOptions) -> TrainResult:
    """Train from scratch or from the checkpoint in `options.out`; ValueError in a sentence if a shard is wrong."""
    manifest, folder = Manifest.read(options.manifest), Path(options.manifest).parent
    if problems := manifest.problems(folder):
        raise ValueError(problems[0])
    rank, ranks, device = join(options.device)
    if options.batch % (ranks * options.accumulate):
        raise ValueError(f"--batch {options.batch} must be a multiple of ranks times --accumulate.")
    data = Sequences(manifest, folder, options.context, options.seed)
    torch.manual_seed(options.seed)
    config = ModelConfig(manifest.tokenizer.vocab_size, options.width, options.layers, options.heads, options.context)
    model = Transformer(config).to(device)
    optimiser = torch.optim.AdamW(model.parameters(), lr=options.lr, betas=(0.9, 0.95), weight_decay=0.1)
    first = restore(options, model, optimiser, file_sha256(options.manifest))
    result = TrainResult([], first, first, data.unigram_entropy(config.vocab_size))
    if rank == 0:
        say(f"{model.parameter_count():,} parameters on {device}, {manifest.totals.tokens:,} tokens; "
            f"unigram entropy {result.entropy:.4f} nats a token; from step {first}")  # fmt: skip
    wrapped: nn.Module = DistributedDataParallel(model) if ranks > 1 else model
    if device.type == "cuda" and options.compile:
        wrapped = torch.compile(wrapped)  # type: ignore[assignment]
    with stoppable() as stop:
        for step in range(first, options.steps):
            began = time.monotonic()
            loss = one_step(wrapped, optimiser, data, options, step, rank, ranks, device)
            result.losses.append(loss)
            result.last_step = step + 1
            if rank == 0:
                log(options, step, loss, options.batch * options.context / (time.monotonic() - began))
            done = step + 1 == options.steps
            if stop or done or (step + 1) % options.save_every == 0:
                if rank == 0:
                    save(options, model, optimiser, step + 1, file_sha256(options.manifest))
                if stop and not done:
                    result.stopped = True
                    say(f"Stopped after step {step + 1}; the same command goes on from there.")
                    break
    if ranks > 1:
        dist.destroy_process_group()
    return result


def join(wanted: str) -> tuple[int, int, torch.device]:
    """(rank, ranks, device): of torchrun's process group if there is one."""
    cuda = torch.cuda.is_available() if wanted == "auto" else wanted == "cuda"
    if cuda and not torch.cuda.is_available():
        raise ValueError("--device cuda: PyTorch sees no CUDA device here. Use --device cpu.")
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    local = int(os.environ.get("LOCAL_RANK", "0"))
    if ranks > 1:
        dist.init_process_group("nccl" if cuda else "gloo")
    return int(os.environ.get("RANK", "0")), ranks, torch.device(f"cuda:{local}" if cuda else "cpu")


def one_step(
    model: nn.Module, optimiser: torch.optim.Optimizer, data: Sequences, options: TrainOptions,
    step: int, rank: int, ranks: int, device: torch.device,
) -> float:  # fmt: skip
    """Forward, backward, clip, update; returns the mean loss over all ranks, in nats a token."""
    for group in optimiser.param_groups:
        group["lr"] = learning_rate(options, step)
    rows = torch.from_numpy(data.batch(step, options.batch, rank, ranks)).to(device)
    mixed = torch.autocast("cuda", torch.bfloat16) if device.type == "cuda" else nullcontext()
    total = torch.zeros((), device=device)
    for piece in rows.chunk(options.accumulate):
        with mixed:
            loss: Tensor = model(piece[:, :-1], piece[:, 1:]) / options.accumulate
        loss.backward()  # type: ignore[no-untyped-call]
        total += loss.detach()
    nn.utils.clip_grad_norm_(model.parameters(), options.clip)
    optimiser.step()
    optimiser.zero_grad(set_to_none=True)
    if ranks > 1:
        dist.all_reduce(total)
        total /= ranks
    value = float(total)
    if not math.isfinite(value):
        raise ValueError(f"The loss is {value} at step {step}. Use a smaller --lr.")
    return value


def learning_rate(options: TrainOptions, step: int) -> float:
    """Linear warm-up, then a cosine to a tenth of the peak."""
    if step < options.warmup:
        return options.lr * (step + 1) / options.warmup
    progress = (step - options.warmup) / max(options.steps - options.warmup, 1)
    return options.lr * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))


def save(options: TrainOptions, model: nn.Module, optimiser: torch.optim.Optimizer, step: int, manifest: str) -> None:
    """Write the checkpoint whole, then give it its name: a kill leaves the old one."""
    path = Path(options.out) / "checkpoint.pt"
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {"step": step, "manifest": manifest, "model": model.state_dict(), "optimiser": optimiser.state_dict(),
             "options": shape_of(options)}  # fmt: skip
    temporary = path.with_suffix(".tmp")
    torch.save(state, temporary)
    temporary.replace(path)


def restore(options: TrainOptions, model: nn.Module, optimiser: torch.optim.Optimizer, manifest: str) -> int:
    """Load the checkpoint if there is one; returns the next step. ValueError if it is of another training."""
    path = Path(options.out) / "checkpoint.pt"
    if not path.is_file():
        return 0
    try:
        state = torch.load(path, weights_only=True, map_location="cpu")
    except Exception as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}). Delete it to start anew.") from error
    for key, value in {"manifest": manifest, "options": shape_of(options)}.items():
        if state[key] != value:
            raise ValueError(f"{path} is of another training: its {key} differs. Choose another --out.")
    model.load_state_dict(state["model"])
    optimiser.load_state_dict(state["optimiser"])
    return int(state["step"])


def shape_of(options: TrainOptions) -> dict[str, Any]:
    """The options that a training cannot change midway."""
    return options.model_dump(exclude={"manifest", "out", "save_every", "device", "compile", "accumulate"})


@contextmanager
def stoppable() -> Iterator[list[int]]:
    """A list that becomes true on SIGTERM or SIGINT: the loop saves and ends at the next step."""
    seen: list[int] = []
    before = {s: signal.signal(s, lambda number, _: seen.append(number)) for s in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield seen
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def log(options: TrainOptions, step: int, loss: float, rate: float) -> None:
    """One line of train.jsonl a step; one on the terminal every ten."""
    Path(options.out).mkdir(parents=True, exist_ok=True)
    with (Path(options.out) / "train.jsonl").open("a") as stream:
        stream.write(json.dumps({"step": step, "loss": loss, "tokens_per_s": round(rate)}) + "\n")
    if step % 10 == 0 or step + 1 == options.steps:
        say(f"step {step:5d}  loss {loss:.4f}  {rate:,.0f} tokens/s")


def say(line: str) -> None:
    """A line on the terminal, at once."""
    print(line, flush=True)
