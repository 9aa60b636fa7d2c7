"""The trainer and the versions of a manifest: what a removal has superseded is trained on only by who says so."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from tokenization.manifest import Count, Manifest, Removal, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.shards import schema_for, write_shard
from tokenization.versions import history, newer, superseded
from training.__main__ import main
from training.loop import train
from training.options import TrainOptions

SMALL = {
    "batch": 8,
    "context": 64,
    "width": 32,
    "layers": 1,
    "heads": 2,
    "warmup": 2,
    "device": "cpu",
    "held_out": 8,
    "curves": False,
}
REQUEST, OTHER = "0123456789abcdef", "fedcba9876543210"


def corpus(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "t.json").write_text("{}")
    random = np.random.default_rng(0)
    rows = [{"doc_id": f"{i:032x}", "tokens": [*random.integers(1, 60, 300).tolist(), 0]} for i in range(40)]
    path = folder / "shard-00000.arrow"
    with pa.OSFile(str(path), "wb") as sink:
        write_shard(sink, pa.Table.from_pylist(rows, schema_for("uint16")), "arrow", "uint16", "m")
    info = TokenizerInfo(name="t", file="t.json", sha256=file_sha256(folder / "t.json"), vocab_size=64, end_of_text=0)
    shard = Shard(path=path.name, bytes=path.stat().st_size, sha256=file_sha256(path), documents=40, tokens=40 * 301)
    Manifest(
        recipe="r", recipe_hash="h", tokenizer=info, dtype="uint16", format="arrow", seed=0, shards=(shard,),
        totals=Totals(documents=40, tokens=40 * 301, text_bytes=1), sources={},
        languages={"en": Count(documents=40, tokens=40 * 301)},
    ).write(folder / "manifest.json")  # fmt: skip
    return folder / "manifest.json"


def followed(path: Path, request: str = REQUEST) -> Path:
    """The version after the newest in the folder; that it takes out nothing is the same to the trainer."""
    last = history(path.parent)[-1]
    removal = Removal(request=request, reason="x", documents=0, tokens=0)
    changes = {"version": last.manifest.version + 1, "parent": last.sha256, "removal": removal}
    made = last.manifest.model_copy(update={**changes, "obeys": tuple(sorted({*last.manifest.obeys, request}))})
    after = path.parent / f"manifest.{made.version:04d}.json"
    made.write(after)
    return after


def options(manifest: Path, out: Path, **more: object) -> TrainOptions:
    return TrainOptions.model_validate({"manifest": str(manifest), "out": str(out), "steps": 3, **SMALL, **more})


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return corpus(tmp_path / "corpus")


def test_a_later_version_supersedes_wherever_it_is_asked_from(manifest: Path, tmp_path: Path) -> None:
    assert superseded(manifest) is None
    second = followed(manifest)
    third = followed(manifest, OTHER)
    assert newer(manifest) == newer(second) == third
    assert superseded(third) is None
    copy = shutil.copy(manifest, manifest.parent / "mine.json")
    assert newer(Path(copy)) == third  # known by its hash, not by its name
    with pytest.raises(ValueError, match=r"superseded: manifest.0003.json, beside it.*--superseded"):
        train(options(second, tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    assert train(options(third, tmp_path / "out")).last_step == 3
    assert train(options(second, tmp_path / "old", superseded=True)).last_step == 3


def test_a_training_on_what_is_superseded_does_not_go_on(manifest: Path, tmp_path: Path) -> None:
    train(options(manifest, tmp_path / "out"))
    second = followed(manifest)
    with pytest.raises(ValueError, match="superseded"):
        train(options(manifest, tmp_path / "out", steps=3))
    with pytest.raises(ValueError, match=r"was trained on .*manifest.json, which .*manifest.0002.json supersedes"):
        train(options(second, tmp_path / "out"))
    assert train(options(manifest, tmp_path / "out", superseded=True)).first_step == 3
    assert train(options(second, tmp_path / "out", resume=False)).first_step == 0
    state = torch.load(tmp_path / "out" / "checkpoint.pt", weights_only=True)
    assert (state["teams"], state["manifest"]) == ([[0, 1]], file_sha256(second))


def test_a_register_supersedes_until_its_requests_are_obeyed(manifest: Path, tmp_path: Path) -> None:
    register = tmp_path / "register"
    with pytest.raises(FileNotFoundError, match="There is no register"):
        train(options(manifest, tmp_path / "out", removals=str(register)))
    register.mkdir()
    assert superseded(manifest, register) is None
    (register / f"request-{REQUEST}.parquet").write_bytes(b"")
    (register / "note.txt").write_bytes(b"")
    with pytest.raises(ValueError, match=rf"does not obey request {REQUEST} .*`winnow remove"):
        train(options(manifest, tmp_path / "out", removals=str(register)))
    second = followed(manifest)
    assert train(options(second, tmp_path / "out", removals=str(register))).last_step == 3
    (register / f"request-{OTHER}.parquet").write_bytes(b"")
    with pytest.raises(ValueError, match=rf"does not obey request {OTHER}"):
        train(options(second, tmp_path / "out", removals=str(register)))


def test_the_command_line_has_both_options(manifest: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    followed(manifest)
    (tmp_path / "register").mkdir()
    small = [p for name, v in SMALL.items() if name != "curves" for p in (f"--{name.replace('_', '-')}", str(v))]
    asked = [
        str(manifest),
        "--out",
        str(tmp_path / "out"),
        "--steps",
        "2",
        *small,
        "--no-curves",
        "--register",
        str(tmp_path / "register"),
    ]
    with pytest.raises(ValueError, match="superseded"):
        main(asked)
    assert main([*asked, "--superseded"]) == 0
    assert "unigram entropy" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"version": 2}, "has no parent"),
        ({"removal": {"request": REQUEST, "reason": "x", "documents": 0, "tokens": 0}}, "has no parent"),
        ({"version": 2, "parent": "0" * 64, "removal": {"request": REQUEST, "reason": "x", "documents": 0, "tokens": 0}},
         "not among those that it obeys"),
        ({"obeys": ["short"]}, "obeys.0"),
    ],
)  # fmt: skip
def test_versions_that_do_not_hold_together_are_refused(
    changes: dict[str, object], told: str, manifest: Path
) -> None:  # fmt: skip
    described = json.loads(manifest.read_bytes())
    manifest.write_text(json.dumps({**described, **changes}))
    with pytest.raises(ValueError, match=told):
        Manifest.read(manifest)


def test_versions_that_do_not_follow_are_told(manifest: Path) -> None:
    second, third = followed(manifest), followed(manifest, OTHER)
    second.unlink()
    with pytest.raises(ValueError, match="is version 3, number 2 of its folder"):
        history(manifest.parent)
    third.rename(second)
    with pytest.raises(ValueError, match="is version 3, number 2 of its folder"):
        history(manifest.parent)
