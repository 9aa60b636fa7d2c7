"""Losses on what was held out: over all of it, and of each source and language where the shards say what is what."""

from __future__ import annotations

import numpy as np
import torch

from training.data import Sequences
from training.dataset import tensors
from training.model import Transformer
from training.team import Team


@torch.no_grad()
def held_out_losses(model: Transformer, data: Sequences, size: int, team: Team) -> dict[str, float]:
    """Mean loss in nats a token by label, such as "language:zh", and "" for all; empty if nothing is held out.

    Sequences are shared out among the ranks and what they found is added up, so every rank has the same.
    """
    names = _names(data)
    losses, counts = np.zeros(len(names)), np.zeros(len(names))
    for numbers, batch in data.held_out_batches(size, team.rank, team.ranks):
        rows = {name: value.to(team.device) for name, value in tensors(batch).items()}
        apart = (rows["documents"], rows["positions"]) if data.apart else (None, None)
        with team.autocast():
            logits = model(rows["ids"], None, *apart)
        if not len(numbers):
            continue
        found = Transformer.losses(logits, rows["targets"]).double().cpu().numpy()
        learnt = batch.targets.ravel() >= 0
        codes = [np.zeros(learnt.sum(), np.int64)]
        codes += [data.labels(numbers, column, names).ravel()[learnt] for column in data.manifest.labels]
        for of in codes:
            losses += np.bincount(of[of >= 0], found[learnt][of >= 0], len(names))
            counts += np.bincount(of[of >= 0], minlength=len(names))
    added = np.array(team.total(*losses, *counts))
    losses, counts = added[: len(names)], added[len(names) :]
    return {name: losses[i] / counts[i] for name, i in names.items() if counts[i]}


def _names(data: Sequences) -> dict[str, int]:
    """Number of each label that the manifest knows, the same on all ranks; 0 is all of them."""
    m = data.manifest
    named = {"language": m.languages, "source": m.sources}
    known = [f"{column}:{name}" for column in m.labels for name in sorted(named[column])]
    return {name: number for number, name in enumerate(["", *known])}
