"""The loader: every id where the documents say it is, under any layout, on any number of ranks, from any storage."""

from __future__ import annotations

import itertools
import os
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fsspec
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from tests.training.corpora import LANGUAGES, documents, labelled
from tokenization.manifest import Manifest
from tokenization.mix import PERIOD
from tokenization.plan import Layout
from training import cache as cache_module
from training.cache import Store
from training.data import IGNORED, Sequences, ahead
from training.dataset import TokenDataset, local_manifest
from training.shards import Shards

ROWS = documents(180)
KINDS = {"arrow", "parquet", "uint16"}  # files that a cache is bounded in
LAYOUTS: list[dict[str, Any]] = [
    {},
    {"window": 700},
    {"packing": "best-fit"},
    {"mix": "language:zh=0.5"},
    {"mix": "source:s1=0.2,language:en=0.8", "packing": "best-fit", "window": 200},
]


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return labelled(tmp_path_factory.mktemp("labelled"), ROWS)


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


def opened(manifest: Path, cache: Path, apart: bool = True, **layout: Any) -> Sequences:
    how = Layout(**{"context": 50, "seed": 1, **layout})
    return Sequences(Manifest.read(manifest), manifest.parent, how, cache, apart)


STREAM = [i for row in ROWS for i in row["tokens"]]
OWNERS = [number for number, row in enumerate(ROWS) for _ in row["tokens"]]
WITHIN = [i for row in ROWS for i in range(len(row["tokens"]))]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_rows_are_the_stretches_of_the_stream(layout: dict[str, Any], form: str, tmp_path: Path) -> None:
    """Ids, targets, documents and positions, against the documents as plain lists."""
    data = opened(labelled(tmp_path / form, ROWS, form=form), tmp_path / "cache", **layout)
    numbers = np.array([*range(data.count)][:60], np.int64)
    batch = data.rows(numbers)
    for row, number in enumerate(numbers.tolist()):
        places = [i for first, length in data.plan.segments(number) for i in range(first, first + length)]
        ids, filled = batch.ids[row].tolist(), min(len(places), 50)
        assert ids[:filled] == [STREAM[i] for i in places[:filled]]
        starts = set(itertools.accumulate([0, *(length for _, length in data.plan.segments(number))]))
        for at in range(50):
            known = at + 1 < len(places)
            same = known and OWNERS[places[at]] == OWNERS[places[at + 1]] and at + 1 not in starts
            assert batch.targets[row, at] == (STREAM[places[at + 1]] if same else IGNORED)
            if at + 1 < filled:
                assert (batch.documents[row, at] == batch.documents[row, at + 1]) == same
                assert batch.positions[row, at + 1] == (batch.positions[row, at] + 1 if same else 0)
        assert (batch.documents[row, filled:] == -1).all()
        assert data.doc_ids(number) == [ROWS[k]["doc_id"] for k, _ in itertools.groupby(OWNERS[i] for i in places)]


def test_joined_documents_are_one(manifest: Path, cache: Path) -> None:
    data = opened(manifest, cache, apart=False)
    batch = data.rows(np.arange(10))
    assert (batch.targets == np.array([STREAM[n * 50 + 1 : n * 50 + 51] for n in range(10)])).all()


def test_only_answers_are_learnt(tmp_path: Path) -> None:
    data = opened(labelled(tmp_path, ROWS, answers=True), tmp_path / "cache", packing="best-fit")
    learnt = [
        any(row["answers"][k] <= i < row["answers"][k + 1] for k in range(0, len(row["answers"]), 2))
        for row in ROWS
        for i in range(len(row["tokens"]))
    ]
    some = 0
    for number in range(data.count):
        batch = data.rows(np.array([number]))
        at = 0
        for first, length in data.plan.segments(number):
            for i in range(1, length):  # the first id of a stretch has nothing before it
                target = batch.targets[0, at + i - 1]
                assert target == (STREAM[first + i] if learnt[first + i] else IGNORED)
                some += target != IGNORED
            at += length
    assert some > 100


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_conversation_whose_turns_end_with_end_of_text_is_one_document(
    layout: dict[str, Any], tmp_path: Path
) -> None:
    rows = [{**row, "tokens": [0 if i % 7 == 3 else t for i, t in enumerate(row["tokens"])]} for row in ROWS]
    data = opened(labelled(tmp_path, rows, answers=True), tmp_path / "cache", **layout)
    for number in range(min(data.count, 60)):
        batch, at = data.rows(np.array([number])), 0
        for first, length in data.plan.segments(number):
            for place in range(first, first + min(length, 50 - at)):
                here = at + place - first
                known = place > first and OWNERS[place - 1] == OWNERS[place]
                assert batch.positions[0, here] == (batch.positions[0, here - 1] + 1 if known else 0)
                if known:
                    assert batch.documents[0, here - 1] == batch.documents[0, here]
                    row, within = rows[OWNERS[place]], WITHIN[place]
                    asked = any(a <= within < b for a, b in np.reshape(row["answers"], (-1, 2)))
                    assert batch.targets[0, here - 1] == (row["tokens"][within] if asked else IGNORED)
            at += length


@pytest.mark.parametrize("layout", LAYOUTS)
def test_an_epoch_sees_every_sequence_once_and_never_what_is_held_out(
    layout: dict[str, Any], manifest: Path, cache: Path
) -> None:
    data = opened(manifest, cache, held_out=12, **layout)
    held = set(data.plan.held_out.tolist())
    assert len(held) == data.held_out
    assert 8 <= data.held_out <= 12 + len(data.plan.groups)
    for group in data.plan.groups:
        places = np.arange(0, 3 * PERIOD)
        numbers = data.plan.numbers_at(places)
        assert not held & set(numbers.tolist())
        mine = numbers[(numbers >= group.base) & (numbers < group.base + group.count)]
        for epoch in range(len(mine) // group.count):
            once = mine[epoch * group.count : (epoch + 1) * group.count]
            assert sorted(once.tolist()) == list(range(group.base, group.base + group.count))
        assert len(mine) == 3 * group.quota if len(data.plan.groups) > 1 else 3 * PERIOD
        assert data.plan.epochs(3 * PERIOD)[group.name] == pytest.approx(len(mine) / group.count)
    shared = [n for rank in range(3) for numbers, _ in data.held_out_batches(5, rank, 3) for n in numbers.tolist()]
    assert sorted(shared) == sorted(held)
    assert len({len(list(data.held_out_batches(2, rank, 3))) for rank in range(3)}) == 1


def test_a_mixture_has_its_shares_and_its_labels(manifest: Path, cache: Path) -> None:
    data = opened(manifest, cache, mix="language:zh=0.5,source:s1=0.25")
    assert [group.name for group in data.plan.groups] == ["language:zh", "source:s1", "rest"]
    numbers = data.plan.numbers_at(np.arange(2 * PERIOD))
    for group, share in zip(data.plan.groups, (0.5, 0.25, 0.25), strict=True):
        mine = (numbers >= group.base) & (numbers < group.base + group.count)
        assert mine.mean() == pytest.approx(share, abs=1e-9)
    wanted = (lambda r: r["language"] == "zh", lambda r: r["source"] == "s1", lambda r: True)
    names = {f"language:{name}": n for n, name in enumerate(LANGUAGES)}
    rows = {row["doc_id"]: row for row in ROWS}
    for index, group in enumerate(data.plan.groups):
        for number in range(group.base, group.base + group.count):
            for doc_id in data.doc_ids(number):
                assert wanted[index](rows[doc_id])
                assert not any(earlier(rows[doc_id]) for earlier in wanted[:index])
    labels = data.labels(np.arange(data.plan.groups[0].count), "language", names)
    assert set(labels.ravel().tolist()) == {names["language:zh"]}


def test_a_mixture_of_what_is_not_there_is_refused(manifest: Path, cache: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not one sequence of 50 tokens for language:fr"):
        opened(manifest, cache, mix="language:fr=0.5")
    every = ",".join(f"language:{name}=0.3" for name in LANGUAGES)
    with pytest.raises(ValueError, match="let the shares add up to 1"):
        opened(manifest, cache, mix=every)
    unlabelled = Manifest.read(manifest).model_copy(update={"labels": ()})
    with pytest.raises(ValueError, match="do not say the language"):
        Sequences(unlabelled, manifest.parent, Layout(50, 0, mix="language:zh=0.5"), tmp_path)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    layout=st.sampled_from(LAYOUTS),
    seed=st.integers(0, 5),
    teams=st.lists(st.tuples(st.sampled_from([1, 2, 4]), st.integers(0, 9)), min_size=1, max_size=5),
)
def test_stopped_and_resumed_on_other_ranks_the_order_is_one(
    layout: dict[str, Any], seed: int, teams: list[tuple[int, int]], manifest: Path, cache: Path
) -> None:
    """1, 2 and 4 ranks in any order, each going on from the state that the one before left: one order of rows."""
    common = {"context": 50, "seed": seed, "cache": str(cache), "held_out": 6, **layout}
    found: list[bytes] = []
    state: dict[str, Any] | None = None
    for ranks, steps in teams:
        members = [TokenDataset(str(manifest), 8, rank=rank, ranks=ranks, **common) for rank in range(ranks)]
        for one in members:
            if state is not None:
                one.load_state_dict(state)
        for shares in itertools.islice(zip(*members, strict=True), steps):
            rows = np.stack([share["ids"].numpy() for share in shares], axis=1).reshape(8, -1)
            found += [row.tobytes() for row in rows]
        assert len({one.state_dict()["step"] for one in members}) == 1
        state = members[0].state_dict()
    alone = opened(manifest, cache, seed=seed, held_out=6, **layout)
    numbers = alone.plan.numbers_at(np.arange(len(found)))
    assert found == [row.tobytes() for row in alone.rows(numbers).ids] if len(found) else True


def test_a_state_of_another_order_is_refused(manifest: Path, cache: Path) -> None:
    one = TokenDataset(str(manifest), 8, 50, cache=str(cache))
    other = TokenDataset(str(manifest), 8, 50, seed=1, cache=str(cache))
    with pytest.raises(ValueError, match="another manifest, batch or layout"):
        other.load_state_dict(one.state_dict())
    with pytest.raises(ValueError, match="cannot be shared equally by 3"):
        TokenDataset(str(manifest), 8, 50, ranks=3, cache=str(cache))


def test_worker_processes_keep_the_order(manifest: Path, cache: Path) -> None:
    data = TokenDataset(str(manifest), 4, 50, steps=6, cache=str(cache))
    alone = [rows["ids"] for rows in data]
    data.step = 0
    shared = [rows["ids"] for rows in DataLoader(data, batch_size=None, num_workers=2)]
    assert len(alone) == len(shared) == 6
    assert all((a == b).all() for a, b in zip(alone, shared, strict=True))


def test_what_is_made_ahead_comes_in_order_and_faults_come_through() -> None:
    assert list(ahead(lambda n: n * n, range(20), 3)) == [n * n for n in range(20)]

    def failing(number: int) -> int:
        if number == 5:
            raise OSError("gone")
        return number

    got = []
    with pytest.raises(OSError, match="gone"):
        for one in ahead(failing, range(20), 3):
            got.append(one)
    assert got == [0, 1, 2, 3, 4]


@pytest.fixture
def bucket(manifest: Path) -> str:
    """The corpus in fsspec's file system in memory, as an object store."""
    upload(manifest)
    return "memory://bucket/manifest.json"


def upload(manifest: Path) -> None:
    system = fsspec.filesystem("memory")
    system.store.clear()
    for path in manifest.parent.iterdir():
        if path.is_file():
            system.pipe(f"/bucket/{path.name}", path.read_bytes())


@pytest.mark.parametrize("layout", [{}, {"packing": "best-fit"}, {"mix": "language:zh=0.5"}], ids=str)
@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_object_storage_gives_the_same_and_keeps_to_its_disk(
    form: str, layout: dict[str, Any], bucket: str, manifest: Path, tmp_path: Path
) -> None:
    """With a window of about a shard, the cache never holds more than two of the three shards."""
    if form == "parquet":
        manifest = labelled(tmp_path / "corpus", ROWS, form=form)
        upload(manifest)
    shards = Manifest.read(manifest).shards
    most = sum(sorted(shard.bytes for shard in shards)[-2:]) if form == "arrow" else sum(s.tokens for s in shards) * 2
    common: dict[str, Any] = {"context": 50, "steps": 25, "window": 1000, **layout}
    local = TokenDataset(str(manifest), 8, cache=str(tmp_path / "local"), **common)
    far = TokenDataset(bucket, 8, cache=str(tmp_path / "far"), cache_bytes=most, **common)
    for here, there in zip(local, far, strict=True):
        assert all((here[name] == there[name]).all() for name in here)
        with far.sequences.shards.store._locked("list"):  # and what is being fetched
            held = sizes(tmp_path / "far")
        assert 0 < sum(held) <= most
    assert not list((tmp_path / "far").glob(".tmp-*"))


def sizes(cache: Path) -> list[int]:
    while True:
        try:
            return [path.stat().st_size for path in cache.iterdir() if path.suffix[1:] in KINDS]
        except FileNotFoundError:  # one got its final name meanwhile
            continue


def test_ranks_fetch_a_manifest_at_the_same_time(
    bucket: str, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = cache_module._opened

    def slow(*given: Any) -> Any:
        time.sleep(0.01)
        return real(*given)

    monkeypatch.setattr(cache_module, "_opened", slow)
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: local_manifest(bucket, tmp_path)[0].read_bytes(), range(32)))
    assert set(found) == {manifest.read_bytes()}


@pytest.mark.parametrize("form", ["arrow", "parquet"])
def test_threads_share_shards_that_come_and_go(form: str, bucket: str, tmp_path: Path) -> None:
    """The cache holds two of twelve shards, and a few threads read all over."""
    manifest = labelled(tmp_path / "corpus", ROWS, 12, form)
    upload(manifest)
    read = Manifest.read(manifest)
    most = 2 * max(max(shard.bytes, shard.tokens * 2) for shard in read.shards)
    shards = Shards(read, Store(bucket.rpartition("/")[0], tmp_path / "far", most))

    def look(seed: int) -> bool:
        out, right = np.empty(30, np.int64), True
        for first in np.random.default_rng(seed).integers(0, len(STREAM) - 30, 60).tolist():
            shards.read(first, out)
            right &= out.tolist() == STREAM[first : first + 30]
        return right

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(look, range(4)))


def test_a_shard_that_is_read_all_the_time_stays(
    bucket: str, manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.shards.TOUCHED", 0.0)
    read = Manifest.read(manifest)
    store = Store(bucket.rpartition("/")[0], tmp_path, sum(sorted(shard.bytes for shard in read.shards)[-2:]))
    shards = Shards(read, store)
    for number in (0, 1, 0, 2):
        shards.opened(number)
        time.sleep(0.02)  # a file's time is that of the kernel's last tick
    assert [store.target(shard).is_file() for shard in read.shards] == [True, False, True]


def test_a_changed_object_is_refused(bucket: str, manifest: Path, tmp_path: Path) -> None:
    name = Manifest.read(manifest).shards[0].path
    whole = (manifest.parent / name).read_bytes()
    fsspec.filesystem("memory").pipe(f"/bucket/{name}", whole[:-10] + bytes(10))
    with pytest.raises(ValueError, match="does not have the sha256"):
        TokenDataset(bucket, 8, 50, cache=str(tmp_path))
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".arrow"] == []
    fsspec.filesystem("memory").rm(f"/bucket/{name}")
    with pytest.raises(FileNotFoundError, match="There is no memory://bucket"):
        TokenDataset(bucket, 8, 50, cache=str(tmp_path))
    with pytest.raises(ValueError, match="greater --cache-bytes"):
        Store("memory://bucket", tmp_path, 10).path(Manifest.read(manifest).shards[1])
    with pytest.raises(ValueError, match="nowhere"):
        TokenDataset("nowhere://bucket/manifest.json", 8, 50, cache=str(tmp_path))


def test_a_plan_is_made_once_and_a_kill_leaves_none(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tokenization import plan_files

    real, asked = plan_files.document_sizes, []

    def counted(*given: Any) -> Any:
        asked.append(given)
        if len(asked) == 2:
            raise MemoryError
        return real(*given)

    monkeypatch.setattr(plan_files, "document_sizes", counted)
    with pytest.raises(MemoryError):
        opened(manifest, tmp_path, packing="best-fit")
    first = opened(manifest, tmp_path, packing="best-fit")
    assert len(asked) == 2 + 3
    again = opened(manifest, tmp_path, packing="best-fit", held_out=9)
    assert len(asked) == 2 + 3
    assert again.plan.padding() == first.plan.padding()
    assert [path.name[:5] for path in tmp_path.iterdir() if path.is_dir()] == ["plan-"]


@pytest.mark.parametrize("harm", ["cut", "empty", "gone", "unnoted"])
def test_a_plan_that_lost_power_is_made_again(harm: str, manifest: Path, tmp_path: Path) -> None:
    """A name may be there after a loss of power when the bytes are not."""
    whole = opened(manifest, tmp_path, packing="best-fit").rows(np.arange(5)).ids
    (folder,) = tmp_path.glob("plan-*")
    file = folder / ("sizes.json" if harm == "unnoted" else "0.starts")
    size = file.stat().st_size
    if harm in ("gone", "unnoted"):
        file.unlink()
    else:
        os.truncate(file, 0 if harm == "empty" else size - 8)
    assert (opened(manifest, tmp_path, packing="best-fit").rows(np.arange(5)).ids == whole).all()
    assert file.stat().st_size == size


def test_shards_are_mapped_and_opened_when_they_are_needed(manifest: Path, tmp_path: Path) -> None:
    data = opened(manifest, tmp_path)
    assert len(data.shards._open) == 1
    ids = data.shards.opened(0).ids
    path = data.shards.path(0)
    assert str(path) in Path("/proc/self/maps").read_text()
    assert str(path) not in {str(link.resolve()) for link in Path("/proc/self/fd").iterdir()}  # thousands may be open
    assert not ids.flags.owndata
    assert not ids.flags.writeable
    data.rows(np.arange(data.count))
    assert len(data.shards._open) == 3


def test_what_a_killed_process_had_begun_makes_room(bucket: str, manifest: Path, tmp_path: Path) -> None:
    shards = Manifest.read(manifest).shards
    store = Store("memory://bucket", tmp_path, max(shard.bytes for shard in shards))
    first = store.path(shards[0])
    begun = tmp_path / f".tmp-{shards[2].sha256}.arrow"
    begun.write_bytes(bytes(shards[2].bytes))
    assert store.path(shards[1]).read_bytes() == (manifest.parent / shards[1].path).read_bytes()
    assert not first.exists()
    assert not begun.exists()
