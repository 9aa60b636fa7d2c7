"""The trainer: learns, resumes to the bit, and refuses what does not hold."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.shards import schema_for, write_shard
from training.data import Sequences
from training.loop import train
from training.model import ModelConfig, Transformer
from training.options import TrainOptions


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus with structure: each token mostly decides the next."""
    folder = tmp_path_factory.mktemp("corpus")
    (folder / "t.json").write_text("{}")
    random = np.random.default_rng(0)
    rows = []
    for i in range(60):
        steps = random.choice([3, 3, 3, 5], 300)
        rows.append({"doc_id": f"{i:032x}", "tokens": [*(np.cumsum(steps) % 63 + 1).tolist(), 0]})
    shards = []
    for n in range(2):
        table = pa.Table.from_pylist(rows[n::2], schema_for("uint16"))
        path = folder / f"shard-{n}.arrow"
        with pa.OSFile(str(path), "wb") as sink:
            write_shard(sink, table, "arrow", "uint16", "m")
        shards.append(
            Shard(path=path.name, bytes=path.stat().st_size, sha256=file_sha256(path), documents=30, tokens=9030)
        )
    info = TokenizerInfo(name="t", file="t.json", sha256=file_sha256(folder / "t.json"), vocab_size=64, end_of_text=0)
    made = Manifest(
        recipe="r", recipe_hash="h", tokenizer=info, dtype="uint16", format="arrow", seed=0, shards=tuple(shards),
        totals=Totals(documents=60, tokens=18060, text_bytes=1), sources={}, languages={"en": Count(documents=1, tokens=1)},
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(made.as_bytes())
    return folder / "manifest.json"


def options(manifest: Path, out: Path, **more: object) -> TrainOptions:
    small = {"batch": 8, "context": 64, "width": 32, "layers": 2, "heads": 2, "warmup": 5, "device": "cpu"}
    return TrainOptions.model_validate({"manifest": str(manifest), "out": str(out), "steps": 40, **small, **more})


def test_learns_below_the_unigram_entropy(manifest: Path, tmp_path: Path) -> None:
    result = train(options(manifest, tmp_path, steps=120, lr=1e-2))
    assert result.losses[-1] < result.entropy - 0.5


def test_resumes_on_the_next_batch_with_equal_losses(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(options(manifest, tmp_path / "whole")).losses
    import training.loop as loop

    real, calls = loop.one_step, []

    def stopping(*arguments: object) -> float:
        calls.append(arguments)
        if len(calls) == 21:
            raise KeyboardInterrupt
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "one_step", stopping)
    with pytest.raises(KeyboardInterrupt):
        train(options(manifest, tmp_path / "parts", save_every=20))
    monkeypatch.setattr(loop, "one_step", real)
    rest = train(options(manifest, tmp_path / "parts", save_every=20))
    assert rest.first_step == 20
    assert rest.losses == whole[20:]


def test_every_sequence_once_an_epoch_on_any_number_of_ranks(manifest: Path) -> None:
    data = Sequences(Manifest.read(manifest), manifest.parent, 64, seed=1)
    steps = data.count // 8
    alone = np.concatenate([data.batch(s, 8) for s in range(steps)])
    ranked = [np.stack([data.batch(s, 8, r, 2) for r in range(2)], axis=1).reshape(8, -1) for s in range(steps)]
    assert (np.concatenate(ranked) == alone).all()
    places = [data._at(p) for p in range(data.count)]
    assert sorted(places) == list(range(data.count))


def test_a_changed_shard_is_refused(manifest: Path, tmp_path: Path) -> None:
    shard = manifest.parent / "shard-1.arrow"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-10] + bytes(10))
    try:
        with pytest.raises(ValueError, match="sha256"):
            train(options(manifest, tmp_path))
    finally:
        shard.write_bytes(whole)


def test_another_training_s_checkpoint_is_refused(manifest: Path, tmp_path: Path) -> None:
    train(options(manifest, tmp_path, steps=2))
    with pytest.raises(ValueError, match="another training"):
        train(options(manifest, tmp_path, steps=3))
    (tmp_path / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="damaged"):
        train(options(manifest, tmp_path, steps=2))


def test_the_future_does_not_leak() -> None:
    torch.manual_seed(0)
    model = Transformer(ModelConfig(32, width=16, layers=2, heads=2, context=12))
    ids = torch.randint(0, 32, (1, 12))
    other = ids.clone()
    other[0, 8:] = (other[0, 8:] + 1) % 32
    with torch.no_grad():
        a, b = model(ids), model(other)
    assert torch.allclose(a[:, :8], b[:, :8], atol=1e-6)
    assert not torch.allclose(a[:, 8:], b[:, 8:])


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_bf16_agrees_with_fp32(manifest: Path, tmp_path: Path) -> None:
    gpu = train(options(manifest, tmp_path / "gpu", device="cuda", steps=10)).losses
    cpu = train(options(manifest, tmp_path / "cpu", steps=10)).losses
    assert gpu == pytest.approx(cpu, rel=0.02)
