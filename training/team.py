"""The processes that train together, and how one model is spread over them.

torchrun's environment says who is there. DDP keeps a whole model on every rank; FSDP (`fully_shard`, layer by layer)
keeps a part of each matrix and gathers a layer when it is computed. Traded away: with FSDP, too, the model is first
made whole on every rank, so it must once fit one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.nn.parallel import DistributedDataParallel

from training.model import Transformer
from training.options import TrainOptions


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


def sharded(model: Transformer, options: TrainOptions, team: Team) -> None:
    """Spread the model's parameters over the ranks in place, where FSDP is asked for."""
    if options.parallel == "fsdp" and team.ranks > 1:
        mesh = dist.device_mesh.init_device_mesh(team.device.type, (team.ranks,))
        for block in model.blocks:
            fully_shard(block, mesh=mesh)
        fully_shard(model, mesh=mesh)


def wrapped(model: Transformer, options: TrainOptions, team: Team) -> nn.Module:
    """The model as the loop calls it: under DDP where that is asked for, and compiled on a GPU."""
    whole: nn.Module = model
    if options.parallel == "ddp" and team.ranks > 1:
        whole = DistributedDataParallel(model)
    if team.device.type == "cuda" and options.compile:
        whole = torch.compile(whole)  # type: ignore[assignment]
    return whole


@contextmanager
def gradients_travel(model: nn.Module, now: bool) -> Iterator[None]:
    """Whether gradients go to the other ranks at the end of a backward pass: only with the last piece of a step."""
    inner = getattr(model, "_orig_mod", model)
    if isinstance(inner, DistributedDataParallel) and not now:
        with inner.no_sync():
            yield
        return
    if isinstance(inner, FSDPModule):
        inner.set_requires_gradient_sync(now)
    yield
