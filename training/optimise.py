"""The optimisers of a model, and the learning rate of each step.

AdamW (arXiv:1711.05101) decays matrices and leaves the norms' gains alone. With Muon (Jordan 2024; arXiv:2502.16982)
the matrices within layers go along their orthogonalised momentum, scaled to the update size of AdamW so that one rate
serves both, and AdamW keeps the embedding and the gains. Traded away: Muon takes query, key and value as the one matrix
that they are stored in.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import nn

from training.options import TrainOptions

Optimisers = Sequence[torch.optim.Optimizer]


def make_optimisers(model: nn.Module, options: TrainOptions) -> Optimisers:
    """One optimiser, or Muon and AdamW."""
    named = dict(model.named_parameters())
    inner = [p for name, p in named.items() if p.dim() >= 2 and "embed" not in name]
    outer = [p for name, p in named.items() if p.dim() >= 2 and "embed" in name]
    gains = [p for p in named.values() if p.dim() < 2]
    muon = options.optimiser == "muon"
    decayed = {"params": outer if muon else inner + outer, "weight_decay": options.weight_decay}
    groups = [decayed, {"params": gains, "weight_decay": 0.0}]
    made: list[torch.optim.Optimizer] = [
        torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.95), fused=next(model.parameters()).is_cuda)
    ]
    if muon:
        made.append(
            torch.optim.Muon(
                inner, lr=options.lr, weight_decay=options.weight_decay, adjust_lr_fn="match_rms_adamw"
            )
        )  # fmt: skip
    return made


def learning_rate(options: TrainOptions, step: int) -> float:
    """Linear warm-up, then to a tenth of the peak: by a cosine, or WSD (arXiv:2404.06395), linear in the last fifth."""
    if step < options.warmup:
        return options.lr * (step + 1) / options.warmup
    progress = (step - options.warmup) / max(options.steps - options.warmup, 1)
    if options.schedule == "wsd":
        return options.lr * min(1.0, 0.1 + 0.9 * (1 - progress) / 0.2)
    return options.lr * (0.1 + 0.45 * (1 + math.cos(math.pi * progress)))
