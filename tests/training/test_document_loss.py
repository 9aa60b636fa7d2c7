"""Losses of single documents under a checkpoint: those of the model itself at the places it was trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from tests.training.corpora import documents, labelled
from tokenization.manifest import Manifest
from tokenization.plan import Layout
from training import checkpoint
from training.data import IGNORED, Sequences
from training.document_loss import document_losses, load_model
from training.model import ModelConfig, Transformer
from training.optimise import make_optimisers
from training.options import TrainOptions

CONTEXT = 12


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    options = TrainOptions(manifest=str(folder / "m"), out=str(folder), width=16, layers=2, heads=2, context=12)
    (folder / "m").write_text("{}")
    torch.manual_seed(3)
    model = Transformer(ModelConfig(40, 16, 2, 2, 12))
    checkpoint.save(options, folder / "m", model, make_optimisers(model, options), 1)
    return folder / "checkpoint.pt"


def by_hand(model: Transformer, ids: list[int]) -> float:
    """Window by window, id by id."""
    total = 0.0
    for start in range(0, len(ids) - 1, CONTEXT):
        window = torch.tensor([ids[start : start + CONTEXT + 1]])
        with torch.no_grad():
            chances = F.log_softmax(model(window[:, :-1]).double(), -1)
        total -= float(sum(chances[0, i, window[0, i + 1]] for i in range(window.shape[1] - 1)))
    return total


def test_each_document_s_loss_is_the_model_s_own(trained: Path) -> None:
    random = np.random.default_rng(0)
    documents = [random.integers(1, 40, size) for size in (1, 5, 12, 13, 40, 2, 24)]
    model = load_model(trained, torch.device("cpu"))
    nats, counts = document_losses(trained, documents, batch=3, device="cpu")
    assert counts.tolist() == [0, 4, 11, 12, 39, 1, 23]
    assert nats == pytest.approx([by_hand(model, ids.tolist()) for ids in documents], rel=1e-4)
    assert document_losses(trained, documents, batch=64, device="cpu")[0] == pytest.approx(nats, rel=1e-5)
    assert document_losses(trained, [], device="cpu")[0].tolist() == []


def test_a_document_is_judged_as_the_trainer_would(trained: Path, tmp_path: Path) -> None:
    """The trainer's loss of a sequence that holds one document, kept apart, is the same sum over the same targets."""
    rows = [{**documents(1)[0], "tokens": [*range(1, 13), 0]}]
    data = Sequences(Manifest.read(labelled(tmp_path, rows, 1)), tmp_path, Layout(12, 0), tmp_path / "cache")
    batch = data.rows(np.zeros(1, np.int64))
    learnt = batch.targets != IGNORED
    model = load_model(trained, torch.device("cpu"))
    with torch.no_grad():
        logits = model(torch.from_numpy(np.ascontiguousarray(batch.ids)))
        theirs = float(Transformer.losses(logits, torch.from_numpy(batch.targets)).sum())
    nats, counts = document_losses(trained, [np.array(rows[0]["tokens"])], device="cpu")
    assert counts.tolist() == [learnt.sum()]
    assert nats[0] == pytest.approx(theirs, rel=1e-5)


def test_a_checkpoint_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="Delete it, and train again"):
        load_model(tmp_path / "checkpoint.pt", torch.device("cpu"))
    with pytest.raises(ValueError, match="cannot be read"):
        load_model(tmp_path / "nowhere.pt", torch.device("cpu"))
