"""What a run meets in the world: a disk that fills up, shards that cannot be read, a manifest that lies."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipelines.sample import write_sample

REPO = Path(__file__).resolve().parents[2]
# A disk of its own in a name space of its own: it fills up, gets room, and is gone with the shell.
SCRIPT = """
mount -t tmpfs -o size={small} none {disk} || exit 99
{run}; echo "first: $?"
mount -o remount,size=200m {disk}
{run}; echo "second: $?"
{verify}; echo "verify: $?"
"""


@pytest.mark.slow
@pytest.mark.parametrize("small", ["40k", "400k"])  # full in the first stage, and later on
def test_a_full_disk_is_told_and_mended(small: str, environment: dict[str, str], tmp_path: Path) -> None:
    crawl = write_sample(tmp_path / "crawl.warc.gz", 60, 1).warc
    disk = tmp_path / "disk"
    disk.mkdir()
    winnow = f"{sys.executable} -m flows.cli"
    script = SCRIPT.format(
        small=small,
        disk=disk,
        run=f"{winnow} run {crawl} --out {disk}/run --workers 2",
        verify=f"{winnow} verify {disk}/run",
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode == 99 or "unshare:" in done.stderr:
        pytest.skip("this machine allows no name spaces of one's own, hence no small disk")
    assert "first: 2" in done.stdout, done.stdout + done.stderr
    assert "The disk is full" in done.stderr
    assert "Traceback" not in done.stderr
    assert "second: 0" in done.stdout, done.stderr
    assert "verify: 0" in done.stdout


@pytest.fixture(scope="module")
def finished(winnow, tmp_path_factory: pytest.TempPathFactory) -> Path:  # type: ignore[no-untyped-def]
    folder = tmp_path_factory.mktemp("finished")
    crawl = write_sample(folder / "crawl.warc.gz", 60, 1).warc
    done = winnow("run", crawl, "--out", folder / "run", "--workers", 2)
    assert done.returncode == 0, done.stderr
    return folder / "run"


def spoil(run: Path, how: str) -> None:
    """Damage a finished run's shards or manifest."""
    manifest = json.loads((run / "manifest.json").read_bytes())
    shard = run / manifest["shards"][0]["path"]
    if how == "cut short":
        shard.write_bytes(shard.read_bytes()[:1000])
    elif how == "gone":
        shard.unlink()
    elif how == "not a shard":
        shard.write_bytes(b"\x00" * shard.stat().st_size)
    else:
        manifest["shards"][0]["sha256"] = "0" * 64
        (run / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ("cut short", "bytes"),
        ("gone", "missing"),
        ("not a shard", "sha256"),
        ("a wrong hash", "sha256"),
    ],
)
def test_shards_that_are_not_what_the_manifest_says(
    how: str,
    told: str,
    finished: Path,
    winnow,  # type: ignore[no-untyped-def]
    tmp_path: Path,
) -> None:
    shutil.copytree(finished, tmp_path / "run")
    spoil(tmp_path / "run", how)
    trained = winnow("train", tmp_path / "run" / "manifest.json", "--out", tmp_path / "model", "--steps", 1)
    assert trained.returncode == 2, trained.stdout + trained.stderr
    assert trained.stderr.count("\n") == 1, trained.stderr
    assert "shard" in trained.stderr
    assert not list((tmp_path / "model").glob("checkpoint*"))
    verified = winnow("verify", tmp_path / "run")
    assert verified.returncode == 1
    assert told in verified.stdout, verified.stdout
