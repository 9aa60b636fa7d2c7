"""Exports, each read back by its own ecosystem's reader: the same ids, the same documents, in the same order."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from megatron.core.datasets.indexed_dataset import IndexedDataset

from tokenization.exports import mds
from tokenization.exports.run import ExportOptions, export
from tokenization.manifest import Count, Manifest, Removal, Shard, TokenizerInfo, Totals, dtype_for, file_sha256
from tokenization.shards import schema_for

REPO = Path(__file__).resolve().parents[2]
Documents = list[list[int]]
FORMS = ("megatron", "mds", "npy", "nanogpt", "datasets")


def corpus(folder: Path, vocab: int, form: str = "arrow", answers: bool = False) -> tuple[Path, Documents]:
    """A manifest over two shards in several batches, the greatest id of the vocabulary among the ids."""
    folder.mkdir(parents=True)
    (folder / "tokenizer.json").write_text("{}")
    random = np.random.default_rng(vocab)
    documents = [[*random.integers(1, vocab, size).tolist(), 0] for size in (5, 0, 700, 1, 64, 3, 2, 900, 11)]
    documents[2][3] = documents[8][0] = vocab - 1
    kind = dtype_for(vocab)
    schema = pa.schema([*schema_for(kind), pa.field("language", pa.dictionary(pa.int32(), pa.string())),
                        *([pa.field("answers", pa.list_(pa.uint32()))] if answers else [])])  # fmt: skip
    shards = []
    for n, (first, stop) in enumerate([(0, 4), (4, 9)]):
        rows = [{"doc_id": f"{i:032x}", "tokens": documents[i], "language": "zh" if i % 2 else "en",
                 "answers": spans_of(documents[i])} for i in range(first, stop)]  # fmt: skip
        path = folder / f"shard-{n:05d}.{form}"
        table = pa.Table.from_pylist(rows, schema)
        if form == "parquet":
            pq.write_table(table, path, row_group_size=2)
        else:
            with pa.ipc.new_file(str(path), schema) as sink:
                for batch in table.to_batches(max_chunksize=2):
                    sink.write_batch(batch)
        shards.append(Shard(path=path.name, bytes=path.stat().st_size, sha256=file_sha256(path),
                            documents=stop - first, tokens=sum(map(len, documents[first:stop]))))  # fmt: skip
    tokens = sum(map(len, documents))
    info = TokenizerInfo(name="t", file="tokenizer.json", sha256=file_sha256(folder / "tokenizer.json"),
                         vocab_size=vocab, end_of_text=0)  # fmt: skip
    Manifest(
        recipe="r<b>", recipe_hash="h", tokenizer=info, dtype=kind, format="arrow" if form == "arrow" else "parquet",
        seed=0, shards=tuple(shards), totals=Totals(documents=9, tokens=tokens, text_bytes=1),
        sources={"a|b": Count(documents=9, tokens=tokens)}, languages={"en": Count(documents=9, tokens=tokens)},
        labels=("language",), answers=answers,
    ).write(folder / "manifest.json")  # fmt: skip
    return folder / "manifest.json", documents


def spans_of(ids: list[int]) -> list[int]:
    """Two answers in a long document, one in a short one."""
    return [1, 3, len(ids) - 2, len(ids)] if len(ids) > 6 else [0, len(ids)]


def masks_of(documents: Documents) -> Documents:
    masks = []
    for ids in documents:
        spans = spans_of(ids)
        learnt = {i for a, b in zip(spans[::2], spans[1::2], strict=True) for i in range(a, b)}
        masks.append([int(i in learnt) for i in range(len(ids))])
    return masks


def chain(parts: Iterable[list[int]]) -> list[int]:
    return list(itertools.chain.from_iterable(parts))


def options(manifest: Path, to: str, out: Path, **more: Any) -> ExportOptions:
    return ExportOptions.model_validate({"manifest": str(manifest), "to": to, "out": str(out), **more})


@pytest.fixture(scope="module", params=[(60_000, "arrow"), (65_536, "parquet"), (65_537, "arrow"), (152_064, "parquet")],
                ids=str)  # fmt: skip
def case(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Documents]:
    return corpus(tmp_path_factory.mktemp("exports") / "corpus", *request.param, answers=True)


def test_megatron_core_reads_it(case: tuple[Path, Documents], tmp_path: Path) -> None:
    note = export(options(case[0], "megatron", tmp_path / "out"))
    read = IndexedDataset(str(tmp_path / "out" / "corpus"))
    assert [read[i].tolist() for i in range(len(read))] == case[1]
    assert read.document_indices.tolist() == list(range(len(case[1]) + 1))
    assert read.index.dtype().dtype == note["dtype"]
    mask = IndexedDataset(str(tmp_path / "out" / "corpus_mask"))
    assert [mask[i].tolist() for i in range(len(mask))] == masks_of(case[1])
    assert read.get(2, 3, 5).tolist() == case[1][2][3:8]  # a piece of a document, as the trainer asks for it


def test_load_dataset_reads_it(case: tuple[Path, Documents], tmp_path: Path) -> None:
    export(options(case[0], "datasets", tmp_path / "out"))
    read = datasets.load_dataset(str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "cache"))
    assert read["input_ids"][:] == case[1]
    assert read["doc_id"][:] == [f"{i:032x}" for i in range(9)]
    assert read["language"][:3] == ["en", "zh", "en"]
    kept = [
        [i if m else -100 for i, m in zip(*pair, strict=True)] for pair in zip(case[1], masks_of(case[1]), strict=True)
    ]
    assert read["labels"][:] == kept
    streamed = datasets.load_dataset(str(tmp_path / "out"), split="train", streaming=True)
    assert [row["input_ids"] for row in streamed] == case[1]
    card = (tmp_path / "out" / "README.md").read_text()
    assert "<b>" not in card.split("---", 2)[2]
    assert "| a&#124;b | 9 |" in card


def test_numpy_maps_it(case: tuple[Path, Documents], tmp_path: Path) -> None:
    export(options(case[0], "npy", tmp_path / "out"))
    ids, ends, mask = (np.load(tmp_path / "out" / f"{name}.npy", mmap_mode="r") for name in ("tokens", "ends", "mask"))
    assert isinstance(ids, np.memmap)
    assert [part.tolist() for part in np.split(ids, ends[:-1])] == case[1]
    assert [part.tolist() for part in np.split(mask, ends[:-1])] == masks_of(case[1])
    assert ids.dtype == Manifest.read(case[0]).dtype


def test_nanogpt_maps_it(case: tuple[Path, Documents], tmp_path: Path) -> None:
    """nanoGPT's own get_batch does no more than this: a memmap of the file without a header."""
    for share, apart in ((None, 1), (0.5, 2)):
        out = tmp_path / str(share)
        note = export(options(case[0], "nanogpt", out, validation=share))
        train, val = (np.memmap(out / f"{name}.bin", dtype=note["dtype"], mode="r") for name in ("train", "val"))
        assert train.tolist() == chain(case[1][:-apart])
        assert val.tolist() == chain(case[1][-apart:])
        assert np.fromfile(out / "train_mask.bin", np.uint8).tolist() == chain(masks_of(case[1])[:-apart])


def read_mds(folder: Path) -> list[dict[str, Any]]:
    """Samples by the format as mosaicml-streaming documents it; benchmarks/export_readers.py asks the library itself."""
    samples = []
    for shard in json.loads((folder / "index.json").read_text())["shards"]:
        data = (folder / shard["raw_data"]["basename"]).read_bytes()
        assert len(data) == shard["raw_data"]["bytes"]
        assert int.from_bytes(data[:4], "little") == shard["samples"]
        offsets = np.frombuffer(data, "<u4", shard["samples"] + 1, 4)
        for start, stop in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
            names, at, sample = shard["column_names"], start + 4 * len(shard["column_names"]), {}
            sizes = np.frombuffer(data, "<u4", len(names), start)
            for name, encoding, size in zip(names, shard["column_encodings"], sizes.tolist(), strict=True):
                sample[name] = _mds_value(encoding, data[at : at + size])
                at += size
            assert at == stop
            samples.append(sample)
    return samples


def _mds_value(encoding: str, data: bytes) -> Any:
    if encoding == "str":
        return data.decode()
    assert data[0] >> 2 == 1  # one axis
    width = 1 << (data[0] & 3)
    values = np.frombuffer(data[1 + width :], encoding.removeprefix("ndarray:"))
    assert int.from_bytes(data[1 : 1 + width], "little") == len(values)
    return values.tolist()


def test_mds_holds_it(case: tuple[Path, Documents], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mds, "SIZE_LIMIT", 4000)
    export(options(case[0], "mds", tmp_path / "out"))
    assert len(list((tmp_path / "out").glob("*.mds"))) > 1
    read = read_mds(tmp_path / "out")
    assert [sample["tokens"] for sample in read] == case[1]
    assert [sample["loss_mask"] for sample in read] == masks_of(case[1])
    assert [sample["doc_id"] for sample in read] == [f"{i:032x}" for i in range(9)]
    note = export(options(case[0], "mds", tmp_path / "packed", length=100))
    read, stream = read_mds(tmp_path / "packed"), chain(case[1])
    assert all(len(sample["tokens"]) == 100 for sample in read)
    assert chain(sample["tokens"] for sample in read) == stream[: len(stream) // 100 * 100]
    assert note["left_out_tokens"] == len(stream) % 100
    assert chain(sample["loss_mask"] for sample in read) == chain(masks_of(case[1]))[: len(stream) // 100 * 100]


@pytest.fixture
def manifest(tmp_path: Path) -> Path:
    return corpus(tmp_path / "corpus", 1000)[0]


@pytest.mark.parametrize("to", FORMS)
def test_an_export_is_made_once_and_holds_its_tokenizer(to: str, manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()  # an empty folder is as good as none
    first = export(options(manifest, to, out))
    stamps = {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert export(options(manifest, to, out)) == first
    assert stamps == {path: path.stat().st_mtime_ns for path in out.rglob("*")}
    assert file_sha256(out / "tokenizer.json") == first["tokenizer"]["sha256"]
    assert not list(tmp_path.glob(".tmp-*"))
    largest = max((path for path in out.rglob("*") if path.is_file()), key=lambda path: path.stat().st_size)
    largest.write_bytes(largest.read_bytes()[:-1])
    with pytest.raises(ValueError, match="is damaged"):
        export(options(manifest, to, out))


def test_what_is_there_is_left_alone(manifest: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    export(options(manifest, "npy", out))
    with pytest.raises(ValueError, match="other inputs or options"):
        export(options(manifest, "mds", out))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(ValueError, match="something else"):
        export(options(manifest, "npy", tmp_path / "mine"))
    (tmp_path / ".tmp-new").mkdir()
    (tmp_path / ".tmp-new" / "thesis.txt").write_text("x")
    with pytest.raises(ValueError, match="in the way"):
        export(options(manifest, "npy", tmp_path / "new"))
    assert (tmp_path / ".tmp-new" / "thesis.txt").read_text() == "x"


@pytest.mark.parametrize("to", FORMS)
def test_a_fault_midway_leaves_nothing(to: str, tmp_path: Path) -> None:
    """A manifest that promises other counts than its shards have is found out while they are read."""
    manifest, _ = corpus(tmp_path / "corpus", 1000)
    described = json.loads(manifest.read_bytes())
    described["tokenizer"]["vocab_size"] = (
        999  # the second shard holds 999 too, the first holds it in its third document
    )
    manifest.write_text(json.dumps(described))
    with pytest.raises(ValueError, match="holds the id 999"):
        export(options(manifest, to, tmp_path / "out"))
    assert {path.name for path in tmp_path.iterdir()} == {"corpus"}


@pytest.mark.parametrize("to", FORMS)
@pytest.mark.parametrize("change", [{"documents": 8}, {"documents": 10}, {"tokens": 5}, {"tokens": 10_000}], ids=str)
def test_counts_that_are_not_the_shards_are_told(
    to: str, change: dict[str, int], manifest: Path, tmp_path: Path
) -> None:
    described = json.loads(manifest.read_bytes())
    described["totals"].update(change)
    manifest.write_text(json.dumps(described))
    with pytest.raises(ValueError, match="the manifest says"):
        export(options(manifest, to, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_a_changed_shard_is_refused(manifest: Path, tmp_path: Path) -> None:
    shard = manifest.parent / "shard-00001.arrow"
    shard.write_bytes(shard.read_bytes()[:-8] + bytes(8))
    with pytest.raises(ValueError, match="sha256"):
        export(options(manifest, "npy", tmp_path / "out"))


def test_a_superseded_manifest_is_exported_only_by_who_says_so(manifest: Path, tmp_path: Path) -> None:
    request = "0123456789abcdef"
    old = Manifest.read(manifest)
    removal = Removal(request=request, reason="x", documents=0, tokens=0)
    old.model_copy(
        update={"version": 2, "parent": file_sha256(manifest), "removal": removal, "obeys": (request,)}
    ).write(manifest.parent / "manifest.0002.json")
    with pytest.raises(ValueError, match=r"superseded: manifest.0002.json.*say --superseded"):
        export(options(manifest, "npy", tmp_path / "out"))
    assert export(options(manifest, "npy", tmp_path / "old", superseded=True))["version"] == 1
    (tmp_path / "register").mkdir()
    (tmp_path / "register" / "request-fedcba9876543210.parquet").write_bytes(b"")
    with pytest.raises(ValueError, match="does not obey request fedcba9876543210"):
        export(
            options(manifest.parent / "manifest.0002.json", "npy", tmp_path / "o", register_=str(tmp_path / "register"))
        )


def test_killed_midway_nothing_is_there_and_the_next_export_is_whole(manifest: Path, tmp_path: Path) -> None:
    """The process is killed between the second batch and the third; the command is then given again."""
    code = (
        "import os, signal, sys\nfrom tokenization.exports import run, source\nreal = source.Source._rows\nseen = []\n"
        "def dying(self, *given):\n    seen.append(1)\n    if len(seen) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return real(self, *given)\nsource.Source._rows = dying\n"
        "run.export(run.ExportOptions(manifest=sys.argv[1], to='npy', out=sys.argv[2]))\n"
    )
    out = tmp_path / "out"
    done = subprocess.run([sys.executable, "-c", code, manifest, out], cwd=REPO, check=False)
    assert done.returncode == -signal.SIGKILL
    assert not out.exists()
    assert (tmp_path / ".tmp-out").is_dir()
    export(options(manifest, "npy", out))
    assert not (tmp_path / ".tmp-out").exists()
    whole = tmp_path / "whole"
    export(options(manifest, "npy", whole))
    assert {p.name: p.read_bytes() for p in out.iterdir()} == {p.name: p.read_bytes() for p in whole.iterdir()}


KILLED = """
import os, sys
from pathlib import Path
from tokenization.exports.target import finished, placed, write_note

def work(out, fails):
    if finished(out, {}) is None:
        with placed(out) as folder:
            (folder / "sub").mkdir()
            (folder / "sub" / "x").write_text("x")
            write_note(folder, {})
            if fails:
                raise KeyError

def killed(out, fails, at):
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
    left = [at]

    def count(event, _):
        left[0] -= event == "open" or event.startswith(("os.", "shutil."))
        if left[0] == 0:
            os._exit(9)

    sys.addaudithook(count)
    try:
        work(out, fails)
    except KeyError:
        pass
    os._exit(0)

for fails in (False, True):
    at = 1
    while killed(out := Path(sys.argv[1], f"{fails}-{at}"), fails, at):
        work(out, False)
        assert {str(p.relative_to(out)) for p in out.rglob("*")} == {"sub", "sub/x", "winnow-export.json"}, (fails, at)
        at += 1
    print(at)
"""


def test_a_kill_at_any_step_leaves_what_the_next_export_makes_whole(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, tmp_path], cwd=REPO, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert all(int(steps) > 15 for steps in done.stdout.split())
    assert not list(tmp_path.glob(".tmp-*"))


def test_two_exports_do_not_share_a_place(manifest: Path, tmp_path: Path) -> None:
    hold = "import sys, time\nfrom pathlib import Path\nfrom tokenization.exports.target import placed\n"
    hold += "with placed(Path(sys.argv[1])) as f:\n    (f / 'x').write_text('x')\n    print(1, flush=True)\n    time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", hold, tmp_path / "out"], cwd=REPO, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        other.stdout.readline()
        with pytest.raises(ValueError, match="Another process is writing"):
            export(options(manifest, "npy", tmp_path / "out"))
        assert (tmp_path / ".tmp-out" / "x").exists()
        os.kill(other.pid, signal.SIGKILL)
    assert export(options(manifest, "npy", tmp_path / "out"))["documents"] == 9


def test_the_command(manifest: Path, tmp_path: Path, winnow: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = winnow("export", manifest, "--to", "nanogpt", "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "9 documents" in done.stdout
    for wrong, told in (
        (["--to", "pickle"], "--to: Input should be"),
        (["--to", "npy", "--length", 5], "--length is for --to mds"),
    ):
        done = winnow("export", manifest, "--out", tmp_path / "x", *wrong)
        assert done.returncode == 2
        assert told in done.stderr
        assert "Traceback" not in done.stderr
