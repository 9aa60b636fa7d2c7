"""A run on an S3 store: moto's server in a process of its own, on loopback. What is there is what a run here makes; a
run that is killed goes on, also from another machine; and of two runs at once one is refused.
"""

from __future__ import annotations

import hashlib
import json
import re
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import s3fs

from pipelines.claim import Claim
from pipelines.mirror import Mirror, copy_of, folder_of, opened
from pipelines.sample import write_sample

REPO = Path(__file__).resolve().parents[2]
Told = subprocess.CompletedProcess[str]
PART = "20000"


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment that leads to a store."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-p", str(port)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
    try:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with socket.socket() as asked:
                if asked.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "test", "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_SECRET_ACCESS_KEY": "test", "WINNOW_CACHE": str(tmp_path_factory.mktemp("cache")),
        }  # fmt: skip
    finally:
        server.terminate()
        server.wait(30)


@pytest.fixture
def bucket(store: dict[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> s3fs.S3FileSystem:
    """The store from this process, with a bucket named `bucket`, and a cache that is empty."""
    for name, value in {**store, "WINNOW_CACHE": str(tmp_path / "cache")}.items():
        monkeypatch.setenv(name, value)
    system = s3fs.S3FileSystem(use_listings_cache=False, skip_instance_cache=True)
    if not system.exists("bucket"):
        system.mkdir("bucket")
    return system


@pytest.fixture(scope="module")
def crawl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample(tmp_path_factory.mktemp("crawl") / "crawl.warc.gz", 40, seed=5).warc


@pytest.fixture
def at(winnow: Callable[..., Told], store: dict[str, str]) -> Callable[..., Told]:
    """The command, in the store's environment."""

    def call(*arguments: object, **more: str) -> Told:
        return winnow(*arguments, timeout=900, more={**store, **more})

    return call


def data(found: dict[str, bytes]) -> dict[str, str]:
    """sha256 of what is the result; run.json names inputs by where they lie, and log/ is no part of it."""
    passed = re.compile(r"^(log/|\.|run\.json|report\.html)")
    return {name: hashlib.sha256(body).hexdigest() for name, body in found.items() if not passed.match(name)}


def objects(system: s3fs.S3FileSystem, root: str) -> dict[str, bytes]:
    return {path[len(root) + 1 :]: system.cat_file(path) for path in system.find(root)}


BLOCK = re.compile(r"^```console\n(.*?)^```", re.MULTILINE | re.DOTALL)
RUN = "s3://corpora/runs/first"  # the page's


def page() -> list[list[str]]:
    """The commands of docs/object-storage.md, with parts that suit a small crawl."""
    text = (REPO / "docs" / "object-storage.md").read_text()
    lines = [line for block in BLOCK.findall(text) for line in block.splitlines() if line.startswith("$ winnow ")]
    found = [shlex.split(line)[2:] for line in lines]
    assert [words[0] for words in found] == ["run", "verify", "sql", "train"]
    return [[*found[0], "--part-bytes", PART], *found[1:]]


@pytest.mark.slow
def test_a_run_on_a_store_is_killed_goes_on_elsewhere_and_is_the_run_made_here(
    crawl: Path, bucket: s3fs.S3FileSystem, at: Callable[..., Told], environment: dict[str, str],
    store: dict[str, str], tmp_path: Path,
) -> None:  # fmt: skip
    """By the page's own commands."""
    bucket.mkdir("corpora")
    bucket.put_file(str(crawl), "corpora/crawl.warc.gz")
    run, verify, sql, train = page()
    with subprocess.Popen([sys.executable, "-m", "flows.cli", *run], cwd=REPO,
                          env={**environment, **store, "WINNOW_CACHE": str(tmp_path / "first")},
                          stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # fmt: skip
        end = time.monotonic() + 500
        while not bucket.exists(f"{RUN}/documents/part-00001.parquet") and time.monotonic() < end:
            time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    assert bucket.exists(f"{RUN}/documents/part-00001.parquet")
    assert not bucket.exists(f"{RUN}/manifest.json")
    done = at(*run)  # with another cache, as on another machine
    assert done.returncode == 0, done.stderr
    assert f"manifest: {RUN}/manifest.json" in done.stdout
    assert not bucket.exists(f"{RUN}/.lock")
    here = at("run", crawl, "--out", tmp_path / "here", "--workers", 2, "--part-bytes", PART)
    assert here.returncode == 0, here.stderr
    files = {p.relative_to(tmp_path / "here").as_posix(): p for p in (tmp_path / "here").rglob("*") if p.is_file()}
    made = data(objects(bucket, RUN.removeprefix("s3://")))
    assert made == data({name: path.read_bytes() for name, path in files.items()})
    assert len(made) > 30
    assert "every record has one fate" in at(*verify).stdout
    assert "kept" in at(*sql).stdout
    assert at("what-if", RUN, "--set", "gopher.dup_line=0.2").returncode == 0
    assert at("report", RUN).returncode == 0
    trained = at(*train[:-6], "--out", tmp_path / "model", *train[-4:])
    assert trained.returncode == 0, trained.stderr
    refuse(at, RUN, tmp_path)
    shard = f"{RUN}/tokens/shard-00000.arrow"
    damaged = bytearray(bucket.cat_file(shard))
    damaged[len(damaged) // 2] ^= 1
    bucket.pipe_file(shard, bytes(damaged))
    found = at(*verify)
    assert found.returncode == 1, found.stdout + found.stderr
    assert "sha256" in found.stdout


def refuse(at: Callable[..., Told], run: str, tmp_path: Path) -> None:
    """What cannot be done on a store says so."""
    asked = {
        ("remove", f"{run}/manifest.json", "--domain", "a.example", "--reason", "asked", "--register", tmp_path / "r"):
            f"{run}/manifest.json lies on a store",
        ("run", "s3://corpora/crawl.warc.gz", "--out", run, "--runner", "FlinkRunner"): "--runner FlinkRunner: a run on a store",
        ("verify", "s3://bucket/other"): "holds no run",
        ("verify", "s3://nowhere/run"): "s3://nowhere/run: ",
    }  # fmt: skip
    for arguments, told in asked.items():
        done = at(*arguments)
        assert done.returncode == 2, done.stdout
        assert told in done.stderr
        assert "Traceback" not in done.stderr


def test_of_two_claims_at_once_one_is_refused_and_a_dead_one_is_taken_over(
    bucket: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.claim.BEAT", 0.2)
    monkeypatch.setattr("pipelines.claim.PATIENCE", 3.0)
    where = opened("s3://bucket/claimed")
    with Claim(*where) as first:
        with pytest.raises(ValueError, match=r"held by process .* which is at work"), Claim(*where):
            pass
        first.sure()
    assert not bucket.exists("bucket/claimed/.lock")
    elsewhere = {"host": "another machine", "pid": 1, "token": "x", "beat": 7}
    bucket.pipe_file("bucket/claimed/.lock", json.dumps(elsewhere).encode())
    with Claim(*where) as taken:
        taken.sure()
        bucket.pipe_file("bucket/claimed/.lock", json.dumps(elsewhere).encode())  # and another takes it in turn
        with pytest.raises(ValueError, match="is another process's now"):
            taken.sure()
    assert bucket.exists("bucket/claimed/.lock")
    dead = {**elsewhere, "host": socket.gethostname(), "pid": 1 << 22}
    bucket.pipe_file("bucket/claimed/.lock", json.dumps(dead).encode())
    monkeypatch.setattr("pipelines.claim.PATIENCE", 300.0)
    with Claim(*where) as taken:  # at once
        taken.sure()


def test_the_manifest_comes_last_and_goes_before_its_shards_change(
    bucket: s3fs.S3FileSystem, monkeypatch: pytest.MonkeyPatch
) -> None:
    mirror = Mirror("s3://bucket/ordered")
    write(
        mirror.folder,
        {"run.json": "1", "kept/part-00000.parquet": "k", "tokens/shard-00000.arrow": "t", "manifest.json": "m"},
    )
    write(mirror.folder, {".tmp-x-part.parquet": "x", "encoded/part-00000.parquet": "x", "gathered/index.json": "x"})
    calls = watched(mirror, monkeypatch)
    mirror.push()
    assert calls == ["put run.json", "put kept/part-00000.parquet"]
    assert names(bucket) == {"run.json", "kept/part-00000.parquet"}
    calls.clear()
    mirror.push(whole=True)
    assert calls == ["put tokens/shard-00000.arrow", "put manifest.json"]
    write(mirror.folder, {"tokens/shard-00000.arrow": "other", "manifest.json": "other"})
    (mirror.folder / "kept/part-00000.parquet").unlink()
    calls.clear()
    mirror.push(whole=True)
    assert calls == [
        "rm manifest.json",
        "put tokens/shard-00000.arrow",
        "put manifest.json",
        "rm kept/part-00000.parquet",
    ]
    assert names(bucket) == {"run.json", "tokens/shard-00000.arrow", "manifest.json"}
    calls.clear()
    mirror.push(whole=True)
    assert calls == []


def test_what_changed_or_went_on_the_store_changes_or_goes_here(bucket: s3fs.S3FileSystem) -> None:
    bucket.pipe({"bucket/pulled/run.json": b"1", "bucket/pulled/kept/part-00000.parquet": b"k"})
    folder = Path(copy_of("s3://bucket/pulled"))
    assert folder == folder_of("s3://bucket/pulled/")
    assert (folder / "kept/part-00000.parquet").read_bytes() == b"k"
    bucket.pipe_file("bucket/pulled/run.json", b"2")
    bucket.rm_file("bucket/pulled/kept/part-00000.parquet")
    copy_of("s3://bucket/pulled")
    assert (folder / "run.json").read_bytes() == b"2"
    assert not (folder / "kept/part-00000.parquet").exists()


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def names(system: s3fs.S3FileSystem) -> set[str]:
    return set(objects(system, "bucket/ordered"))


def watched(mirror: Mirror, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is written to the store and deleted there, in order."""
    calls: list[str] = []
    put, rm = mirror.system.put_file, mirror.system.rm_file

    def put_file(here: str, there: str) -> Any:
        calls.append(f"put {there.removeprefix('bucket/ordered/')}")
        return put(here, there)

    def rm_file(there: str) -> Any:
        calls.append(f"rm {there.removeprefix('bucket/ordered/')}")
        return rm(there)

    monkeypatch.setattr(mirror.system, "put_file", put_file)
    monkeypatch.setattr(mirror.system, "rm_file", rm_file)
    return calls
