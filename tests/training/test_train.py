"""The trainer: learns, resumes to the bit, stops when told, and refuses what does not hold."""

from __future__ import annotations

import errno
import itertools
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pyarrow as pa
import pytest
import torch

from tests.training.corpora import documents, labelled
from tokenization.manifest import Count, Manifest, Shard, TokenizerInfo, Totals, file_sha256
from tokenization.shards import schema_for, write_shard
from training import checkpoint, dataset, loop
from training.cache import fetch
from training.data import Sequences
from training.evaluate import held_out_losses
from training.loop import train
from training.optimise import learning_rate, make_optimisers
from training.options import FLAGS, TrainOptions
from training.seen import seen

REPO = Path(__file__).resolve().parents[2]
SMALL = {
    "batch": 8,
    "context": 64,
    "width": 32,
    "layers": 2,
    "heads": 2,
    "warmup": 5,
    "device": "cpu",
    "held_out": 16,
    "curves": False,
}


def corpus(folder: Path, form: str = "arrow", dtype: str = "uint16", vocab: int = 64) -> Path:
    """A manifest of 60 documents with structure, in two shards: a token mostly decides the next."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "t.json").write_text("{}")
    random = np.random.default_rng(0)
    rows = []
    for i in range(60):
        steps = random.choice([3, 3, 3, 5], 300)
        rows.append({"doc_id": f"{i:032x}", "tokens": [*(np.cumsum(steps) % 63 + 1).tolist(), 0]})
    shards = []
    for n in range(2):
        table = pa.Table.from_pylist(rows[n::2], schema_for(dtype))
        path = folder / f"shard-{n}.{form}"
        with pa.OSFile(str(path), "wb") as sink:
            write_shard(sink, table, form, dtype, "m")
        shards.append(
            Shard(path=path.name, bytes=path.stat().st_size, sha256=file_sha256(path), documents=30, tokens=9030)
        )
    info = TokenizerInfo(
        name="t", file="t.json", sha256=file_sha256(folder / "t.json"), vocab_size=vocab, end_of_text=0
    )
    made = Manifest.model_validate(
        {"recipe": "r", "recipe_hash": "h", "tokenizer": info, "dtype": dtype, "format": form, "seed": 0,
         "shards": shards, "totals": Totals(documents=60, tokens=18060, text_bytes=1), "sources": {},
         "languages": {"en": Count(documents=60, tokens=18060)}}
    )  # fmt: skip
    (folder / "manifest.json").write_bytes(made.as_bytes())
    return folder / "manifest.json"


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return corpus(tmp_path_factory.mktemp("corpus"))


def options(manifest: Path, out: Path, **more: object) -> TrainOptions:
    return TrainOptions.model_validate({"manifest": str(manifest), "out": str(out), "steps": 20, **SMALL, **more})


def log_of(out: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (out / "train.jsonl").read_text().splitlines()]


def signalled_at(step: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send this process SIGTERM while `step` is being computed."""
    real = loop.one_step

    def signalling(*given: object) -> float:
        if given[4] == step:
            os.kill(os.getpid(), signal.SIGTERM)
        return real(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "one_step", signalling)


def test_learns_below_the_unigram_entropy(manifest: Path, tmp_path: Path) -> None:
    result = train(options(manifest, tmp_path, steps=120, lr=1e-2))
    assert result.losses[-1] < result.entropy - 0.5
    assert result.held_out[119] < result.entropy - 0.5  # and not by heart
    log = log_of(tmp_path)
    assert [row["step"] for row in log] == list(range(120))
    assert [row["loss"] for row in log] == result.losses
    assert [row["step"] for row in log if "held_out" in row] == [49, 99, 119]
    assert all(row["tokens_per_s"] > 0 for row in log)


def test_stopped_by_a_signal_and_resumed_the_losses_are_equal_to_the_bit(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = train(options(manifest, tmp_path / "whole"))
    before = signal.getsignal(signal.SIGTERM)
    with monkeypatch.context() as patched:
        signalled_at(9, patched)
        first = train(options(manifest, tmp_path / "parts"))
    assert first.stopped
    assert "Stopped after step 10" in capsys.readouterr().out
    assert signal.getsignal(signal.SIGTERM) == before
    rest = train(options(manifest, tmp_path / "parts"))
    assert (rest.first_step, rest.last_step) == (10, 20)
    assert first.losses + rest.losses == whole.losses
    assert rest.held_out == whole.held_out
    one, two = (
        torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["model"] for name in ("whole", "parts")
    )
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert [row["loss"] for row in log_of(tmp_path / "parts")] == whole.losses


def test_a_lost_process_repeats_from_its_checkpoint_and_logs_no_step_twice(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = train(options(manifest, tmp_path / "whole")).losses
    real = loop.one_step

    def dying(*given: object) -> float:
        if given[4] == 13:
            raise MemoryError
        return real(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(loop, "one_step", dying)
        with pytest.raises(MemoryError):
            train(options(manifest, tmp_path / "lost", save_every=8))
    rest = train(options(manifest, tmp_path / "lost", save_every=8))
    assert rest.losses == whole[8:]
    assert [row["loss"] for row in log_of(tmp_path / "lost")] == whole


def test_an_interrupted_save_leaves_the_checkpoint_before(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(options(manifest, tmp_path / "whole"))
    real = torch.save
    seen: list[int] = []

    def filling(state: dict[str, object], sink: object) -> None:
        seen.append(1)
        real(state, sink)  # type: ignore[arg-type]
        if len(seen) == 2:
            sink.truncate(1000)  # type: ignore[attr-defined]
            raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(torch, "save", filling)
        with pytest.raises(OSError, match="No space"):
            train(options(manifest, tmp_path / "full", save_every=6))
    assert torch.load(tmp_path / "full" / "checkpoint.pt", weights_only=True)["step"] == 6
    assert {p.name for p in (tmp_path / "full").iterdir()} == {"checkpoint.pt", "train.jsonl"}
    assert train(options(manifest, tmp_path / "full")).losses[-1] == train_losses(tmp_path / "whole")[-1]


def train_losses(out: Path) -> list[float]:
    return [row["loss"] for row in log_of(out)]


def test_a_full_device_is_an_os_error(manifest: Path, tmp_path: Path) -> None:
    """The real thing: writing the checkpoint to /dev/full."""
    out = tmp_path / "out"
    out.mkdir()
    (out / "checkpoint.tmp").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left on device"):
        train(options(manifest, out, steps=1))
    assert not (out / "checkpoint.pt").exists()


def test_a_finished_training_does_nothing_more_and_may_be_started_over(manifest: Path, tmp_path: Path) -> None:
    first = train(options(manifest, tmp_path, steps=2))
    assert train(options(manifest, tmp_path, steps=2)).losses == []
    assert train(options(manifest, tmp_path, steps=2, resume=False)).losses == first.losses


def test_another_training_s_checkpoint_is_refused(manifest: Path, tmp_path: Path) -> None:
    train(options(manifest, tmp_path, steps=2))
    with pytest.raises(ValueError, match="another training: it has --steps 2, not 3"):
        train(options(manifest, tmp_path, steps=3))
    other = corpus(tmp_path / "other", vocab=80)
    with pytest.raises(ValueError, match="another manifest"):
        train(options(other, tmp_path, steps=2))
    (tmp_path / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="damaged"):
        train(options(manifest, tmp_path, steps=2))


def test_a_checkpoint_that_would_run_code_is_refused(manifest: Path, tmp_path: Path) -> None:
    class Trap:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return Path.touch, (tmp_path / "sprung",)  # type: ignore[return-value]

    torch.save({"step": Trap()}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="damaged"):
        train(options(manifest, tmp_path))
    assert not (tmp_path / "sprung").exists()


def test_a_changed_or_missing_shard_is_refused(tmp_path: Path) -> None:
    manifest = corpus(tmp_path / "corpus")
    shard = manifest.parent / "shard-1.arrow"
    whole = shard.read_bytes()
    shard.write_bytes(whole[:-10] + bytes(10))
    with pytest.raises(ValueError, match="sha256"):
        train(options(manifest, tmp_path))
    shard.unlink()
    with pytest.raises(ValueError, match=r"shard-1.arrow is missing"):
        train(options(manifest, tmp_path))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"dtype": "uint32"}, "holds uint16, the manifest says uint32"),
        ({"totals": {"documents": 60, "tokens": 18061, "text_bytes": 1}}, "18,060 tokens, the manifest says 18,061"),
        ({"tokenizer.vocab_size": 60}, "the id 63, and the manifest's tokenizer has only 60"),
    ],
)
def test_a_manifest_that_does_not_fit_its_shards_is_refused(
    change: dict[str, object], told: str, tmp_path: Path
) -> None:
    manifest = corpus(tmp_path / "corpus")
    described = json.loads(manifest.read_bytes())
    for key, value in change.items():
        *path, last = key.split(".")
        (described[path[0]] if path else described)[last] = value
    manifest.write_text(json.dumps(described))
    with pytest.raises(ValueError, match=told):
        train(options(manifest, tmp_path))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"context": 30_000}, "too few for one sequence"),
        ({"batch": 400}, "too few for one --batch"),
        ({"batch": 8, "accumulate": 3}, "multiple of"),
        ({"lr": 1e9, "steps": 20}, "smaller --lr"),
    ],
)
def test_options_that_cannot_work_get_a_sentence(
    manifest: Path, tmp_path: Path, more: dict[str, object], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        train(options(manifest, tmp_path, **more))


def test_accumulating_gives_the_same_training(manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes: list[int] = []

    def spying(*given: Any) -> dict[str, float]:
        sizes.append(given[2])
        return held_out_losses(*given)

    monkeypatch.setattr(loop, "held_out_losses", spying)
    whole = train(options(manifest, tmp_path / "1", steps=5)).losses
    pieces = train(options(manifest, tmp_path / "4", steps=5, accumulate=4)).losses
    assert pieces == pytest.approx(whole, rel=1e-4)
    assert sizes == [8, 2]  # what is held out takes no more memory than a step does


def test_parquet_shards_give_the_same_training(manifest: Path, tmp_path: Path) -> None:
    parquet = corpus(tmp_path / "corpus", "parquet")
    assert (
        train(options(parquet, tmp_path / "p", steps=5)).losses
        == train(options(manifest, tmp_path / "a", steps=5)).losses
    )
    unpacked = sorted((tmp_path / "p" / "cache").glob("*.uint16"))
    assert [p.stat().st_size for p in unpacked] == [9030 * 2] * 2


def test_the_schedules(manifest: Path, tmp_path: Path) -> None:
    for schedule in ("cosine", "wsd"):
        given = options(manifest, tmp_path, steps=105, lr=1.0, schedule=schedule)
        rates = [learning_rate(given, step) for step in range(106)]
        assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
        assert rates[105] == pytest.approx(0.1)
        assert all(a >= b for a, b in itertools.pairwise(rates[5:]))
    assert rates[84] == 1.0  # wsd is flat until the last fifth
    assert rates[95] == pytest.approx(0.55)


def run_module(command: list[str], *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command, *map(str, arguments)],
        cwd=REPO, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip


def flags() -> list[str]:
    given = {name: value for name, value in SMALL.items() if name != "curves"}
    return ["--no-curves", *(p for name, value in given.items() for p in (f"--{name.replace('_', '-')}", str(value)))]


@pytest.mark.slow
def test_two_ranks_under_torchrun_train_as_one_does(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same global batch on two gloo processes: the same losses and weights, also from where one process stopped."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "training"]
    done = run_module(
        torchrun, manifest, "--out", tmp_path / "two", "--steps", 12, *flags(), "--accumulate", 2, "--save-every", 6
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("on 2 x cpu") == 1  # one rank speaks
    alone = train(options(manifest, tmp_path / "one", steps=12))
    assert train_losses(tmp_path / "two") == pytest.approx(alone.losses, rel=1e-3)
    assert log_of(tmp_path / "two")[-1]["held_out"] == pytest.approx(alone.held_out[11], rel=1e-3)
    one, two = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True)["model"] for name in ("one", "two"))
    assert all(torch.allclose(one[name], two[name], atol=2e-3) for name in one)
    with monkeypatch.context() as patched:
        signalled_at(5, patched)
        assert train(options(manifest, tmp_path / "both", steps=12)).stopped
    done = run_module(torchrun, manifest, "--out", tmp_path / "both", "--steps", 12, *flags())
    assert done.returncode == 0, done.stderr
    assert "from step 6 of 12" in done.stdout
    assert train_losses(tmp_path / "both") == pytest.approx(alone.losses, rel=1e-3)
    state = torch.load(tmp_path / "both" / "checkpoint.pt", weights_only=True)
    assert state["teams"] == [[0, 1], [6, 2]]


@pytest.mark.slow
def test_one_rank_then_two_in_shards_then_one_again(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DDP's and FSDP's checkpoints are one: 1 rank, then 2 under FSDP, then 1, lose and repeat nothing."""
    alone = train(options(manifest, tmp_path / "one", steps=12))
    with monkeypatch.context() as patched:
        signalled_at(3, patched)
        assert train(options(manifest, tmp_path / "many", steps=12)).stopped
    script = tmp_path / "stopping.py"
    script.write_text(STOPPING)
    arguments = [manifest, "--out", tmp_path / "many", "--steps", 12, *flags(), "--parallel", "fsdp"]
    done = run_module(
        ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", str(script)], *arguments
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Stopped after step 8" in done.stdout
    rest = train(options(manifest, tmp_path / "many", steps=12))
    assert rest.first_step == 8
    assert train_losses(tmp_path / "many") == pytest.approx(alone.losses, rel=1e-3)
    one, two = (torch.load(tmp_path / name / "checkpoint.pt", weights_only=True) for name in ("one", "many"))
    assert two["teams"] == [[0, 1], [4, 2], [8, 1]]
    assert all(torch.allclose(one["model"][name], two["model"][name], atol=2e-3) for name in one["model"])


STOPPING = """
import os, signal, sys
sys.path.insert(0, os.getcwd())
from training import loop
from training.__main__ import leave, main
real = loop.one_step
def one_step(*given):
    if given[4] == 7 and os.environ["RANK"] == "1":  # one rank is told, and both stop
        os.kill(os.getpid(), signal.SIGTERM)
    return real(*given)
loop.one_step = one_step
leave(main())
"""


def test_the_command_line(manifest: Path, tmp_path: Path) -> None:
    done = run_module(["-m", "training"], manifest, "--out", tmp_path, "--steps", 3, *flags())
    assert done.returncode == 0, done.stderr
    assert "unigram entropy" in done.stdout
    assert "held-out loss" in done.stdout
    for wrong, told in (
        ([tmp_path / "none.json", "--out", tmp_path], "no manifest"),
        ([manifest, "--out", tmp_path, "--steps", "0"], "--steps: Input should be greater"),
        ([manifest, "--out", tmp_path, "--width", "34"], "multiple of twice --heads"),
    ):
        refused = run_module(["-m", "training"], *wrong)
        assert refused.returncode == 2
        assert told in refused.stderr
        assert "Traceback" not in refused.stderr


def test_restoring_brings_back_the_random_state(manifest: Path, tmp_path: Path) -> None:
    train(options(manifest, tmp_path, steps=1))
    given = options(manifest, tmp_path, steps=1)
    model = loop.Transformer(loop.ModelConfig(64, 32, 2, 2, 64))
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    torch.manual_seed(99)
    assert checkpoint.restore(given, manifest, model, make_optimisers(model, given)) == 1
    assert torch.equal(torch.get_rng_state(), state["random"])
    assert state["sequences"] == 8


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_bf16_and_compile_agree_with_fp32(manifest: Path, tmp_path: Path) -> None:
    gpu = train(options(manifest, tmp_path / "gpu", device="cuda", steps=10)).losses
    cpu = train(options(manifest, tmp_path / "cpu", steps=10)).losses
    assert gpu == pytest.approx(cpu, rel=0.02)


def test_muon_learns_and_resumes_to_the_bit(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    given = {"optimiser": "muon", "lr": 1e-2, "steps": 24}
    whole = train(options(manifest, tmp_path / "whole", **given))
    assert whole.losses[-1] < whole.losses[0] - 0.3
    with monkeypatch.context() as patched:
        signalled_at(9, patched)
        first = train(options(manifest, tmp_path / "parts", **given))
    assert first.losses + train(options(manifest, tmp_path / "parts", **given)).losses == whole.losses


LAYOUT = {"packing": "best-fit", "mix": "language:zh=0.3", "window": 2000, "context": 32, "held_out": 30}


def test_a_mixture_is_told_in_epochs_and_judged_by_label(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:  # fmt: skip
    """Padding, epochs, MFU and held-out losses by label are told; what a step saw is what the loader dealt."""
    path = labelled(tmp_path / "corpus", documents(200), answers=True)
    out = tmp_path / "out"
    result = train(options(path, out, **{**LAYOUT, "steps": 10, "eval_every": 5, "peak_flops": 1e12, "curves": True}))
    told = capsys.readouterr().out
    assert "of places are padding" in told
    assert "epochs by label: language:zh " in told
    assert "MFU 0." in told
    last = log_of(out)[-1]
    assert last["mfu"] > 0
    by = last["held_out_by"]
    assert set(by) == {"language:de", "language:en", "language:zh", "source:s0", "source:s1"}  # type: ignore[arg-type]
    assert min(by.values()) <= last["held_out"] <= max(by.values())  # type: ignore[attr-defined]
    assert last["held_out"] == result.held_out[9]
    assert (out / "curves.png").read_bytes().startswith(b"\x89PNG")
    assert scalars(out)["held_out/language:zh"] == {
        row["step"]: pytest.approx(row["held_out_by"]["language:zh"], rel=1e-5)  # type: ignore[index]
        for row in log_of(out)
        if "held_out" in row
    }
    rows = list(seen(out, str(path), 7))
    data = Sequences(Manifest.read(path), path.parent, options(path, out, **LAYOUT).layout, tmp_path / "c")
    assert [row["sequence"] for row in rows] == data.plan.numbers_at(np.arange(56, 64)).tolist()
    assert all(row["documents"] == data.doc_ids(row["sequence"]) and row["rank"] == 0 for row in rows)
    with pytest.raises(ValueError, match="has the steps 0 to 9, not 10"):
        list(seen(out, str(path), 10))
    (tmp_path / "older").mkdir()
    torch.save({**checkpoint.read(out / "checkpoint.pt"), "order": -1}, tmp_path / "older" / "checkpoint.pt")
    with pytest.raises(ValueError, match="orders data another way, so its steps are not known here"):
        list(seen(tmp_path / "older", str(path), 7))


def scalars(out: Path) -> dict[str, dict[int, float]]:
    """What TensorBoard itself reads of the events."""
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(out / "tensorboard"), purge_orphaned_data=True)
    events.Reload()
    return {tag: {one.step: one.value for one in events.Scalars(tag)} for tag in events.Tags()["scalars"]}


def test_tensorboard_has_each_step_once_after_a_lost_process(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = loop.one_step

    def dying(*given: object) -> float:
        if given[4] == 7:
            raise MemoryError
        return real(*given)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(loop, "one_step", dying)
        with pytest.raises(MemoryError):
            train(options(manifest, tmp_path, save_every=4, steps=10, curves=True))
    train(options(manifest, tmp_path, save_every=4, steps=10, curves=True))
    losses = scalars(tmp_path)["train/loss"]
    assert list(losses) == list(range(10))
    assert list(losses.values()) == pytest.approx(train_losses(tmp_path), rel=1e-5)


def test_hashes_may_be_checked_beside_the_training(tmp_path: Path) -> None:
    path = corpus(tmp_path / "corpus")
    whole = train(options(path, tmp_path / "start", steps=3)).losses
    assert train(options(path, tmp_path / "beside", steps=3, verify="background")).losses == whole
    shard = path.parent / "shard-1.arrow"
    data = bytearray(shard.read_bytes())
    data[-8000] ^= 1  # an id, or an offset of the footer: the size stays
    shard.write_bytes(bytes(data))
    with pytest.raises(ValueError, match="sha256"):
        train(options(path, tmp_path / "changed", steps=3, verify="background"))
    assert not (tmp_path / "changed" / "checkpoint.pt").exists()
    shard.write_bytes(bytes(data[:-1]))
    for how in ("background", "none"):
        with pytest.raises(ValueError, match=r"bytes, the manifest says"):
            train(options(path, tmp_path / "cut", steps=3, verify=how))


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"packing": "best-fit", "documents": "joined"}, "keeps --documents apart"),
        ({"optimiser": "muon", "parallel": "fsdp"}, "needs whole matrices"),
        ({"window": 10}, "must be at least --context"),
        ({"mix": "language:zh"}, "is no share of a label"),
    ],
)
def test_options_that_contradict_each_other(manifest: Path, tmp_path: Path, more: dict[str, object], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        options(manifest, tmp_path, **more)


def test_a_manifest_in_object_storage_is_trained_on(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: list[str] = []
    monkeypatch.setattr(dataset, "fetch", lambda url, target: (fetched.append(url), fetch(url, target)))
    system = fsspec.filesystem("memory")
    system.store.clear()
    for path in manifest.parent.iterdir():
        system.pipe(f"/far/{path.name}", path.read_bytes())
    given = options(manifest, tmp_path / "far", steps=4).model_copy(update={"manifest": "memory://far/manifest.json"})
    far = train(given)
    assert far.losses == train(options(manifest, tmp_path / "near", steps=4)).losses
    packed = given.model_copy(update={"packing": "best-fit", "out": str(tmp_path / "packed"), "steps": 1})
    assert len(train(packed).losses) == 1
    assert fetched == [given.manifest, given.manifest]  # once a training, whatever it is replaced by meanwhile
    system.pipe("/far/manifest.0002.json", b"{}")
    with pytest.raises(ValueError, match=r"superseded by memory://far/manifest.0002.json.*--superseded"):
        train(given)


def test_the_page_on_training_names_options_that_there_are() -> None:
    page = (REPO / "docs" / "training.md").read_text()
    named = set(re.findall(r"--([a-z][a-z-]+)", page))
    known = {FLAGS.get(name, name).replace("_", "-") for name in TrainOptions.model_fields}
    others = {"help", "steps", "nproc-per-node", "no-curves"}
    assert named - known <= others
    told = {
        "mix",
        "packing",
        "documents",
        "window",
        "verify",
        "cache",
        "cache-bytes",
        "prefetch",
        "parallel",
        "optimiser",
    }
    assert told <= named
