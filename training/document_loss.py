"""What a trained checkpoint makes of documents that it is given: their loss, one by one.

A document is read as it is trained on with `--documents apart`: nothing before it, so its first id is given and not
judged, and each other id is predicted once, in windows of the model's context that overlap by an id. So losses of
models with the same tokenizer can be compared document by document.

Traded away: context that slides; the first ids of a window have little before them, in every model alike.
"""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F

from training.model import IGNORED, ModelConfig, Transformer


def load_model(checkpoint: Path, device: torch.device) -> Transformer:
    """The model of a checkpoint, ready for evaluation; ValueError in a sentence if it cannot be read."""
    try:
        state = torch.load(checkpoint, weights_only=True, map_location="cpu")
        options = state["options"]
        shape = ModelConfig(
            state["model"]["embed.weight"].shape[0], options["width"], options["layers"], options["heads"],
            options["context"],
        )  # fmt: skip
        model = Transformer(shape)
        model.load_state_dict(state["model"])
    except (OSError, RuntimeError, EOFError, KeyError, TypeError, ValueError, pickle.UnpicklingError) as error:
        raise ValueError(
            f"{checkpoint} cannot be read ({type(error).__name__}). Delete it, and train again."
        ) from error
    return model.to(device).eval()


@torch.no_grad()
def document_losses(
    checkpoint: Path, documents: Sequence[npt.NDArray[np.integer]], batch: int = 16, device: str = "auto"
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:  # fmt: skip
    """(nats, ids) of each document: the sum of the cross-entropy over its ids but the first, (n,), their number, (n,).

    `batch` is windows at a time; `device` auto, cpu or cuda.
    """
    place = torch.device("cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu")
    model = load_model(checkpoint, place)
    nats = np.zeros(len(documents), np.float64)
    counts = np.array([max(len(ids) - 1, 0) for ids in documents], np.int64)
    for owners, inputs, targets in _batches(documents, model.config.context, batch):
        asked = torch.from_numpy(targets).to(place)
        logits = model(torch.from_numpy(inputs).to(place))
        losses = F.cross_entropy(logits.float().flatten(0, 1), asked.flatten(), ignore_index=IGNORED, reduction="none")
        np.add.at(nats, owners, losses.view(asked.shape).double().sum(1).cpu().numpy())
    return nats, counts


Batch = tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]


def _batches(documents: Sequence[npt.NDArray[np.integer]], context: int, size: int) -> Iterator[Batch]:
    """(document of each window, inputs, targets), windows of like length together so that little is padded."""
    windows = [(i, start) for i, ids in enumerate(documents) for start in range(0, len(ids) - 1, context)]
    windows.sort(key=lambda one: min(context, len(documents[one[0]]) - 1 - one[1]))
    for first in range(0, len(windows), size):
        chosen = windows[first : first + size]
        longest = min(context, max(len(documents[i]) - 1 - start for i, start in chosen))
        inputs = np.zeros((len(chosen), longest), np.int64)
        targets = np.full((len(chosen), longest), IGNORED, np.int64)
        for row, (i, start) in enumerate(chosen):
            told = documents[i][start : start + longest + 1]
            inputs[row, : len(told) - 1] = told[:-1]
            targets[row, : len(told) - 1] = told[1:]
        yield np.array([i for i, _ in chosen]), inputs, targets
