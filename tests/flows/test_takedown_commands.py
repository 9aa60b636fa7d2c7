"""`winnow remove`, `versions`, `trace`, `erase`: what they print, and the exit status of each outcome."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows.cli import app

REPO = Path(__file__).resolve().parents[2]
PAGE = "https://www.site5.example/page/45"


@pytest.fixture
def run(removal_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(removal_run, tmp_path / "run")


def winnow(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_a_removal_from_the_command_line(run: Path, tmp_path: Path) -> None:
    manifest = run / "manifest.json"
    (tmp_path / "list.txt").write_text(f"{PAGE}\nowner.example.net\n")
    asked = (
        "remove",
        manifest,
        "--list",
        tmp_path / "list.txt",
        "--reason",
        "asked",
        "--register",
        tmp_path / "register",
    )
    (run / "report.html").write_text("a page that is to go")
    dry = winnow(*asked, "--dry-run")
    assert dry.exit_code == 0
    assert (run / "report.html").exists()
    assert "3 documents would be removed, 3 of them from the shards" in dry.output
    assert not (run / "manifest.0002.json").exists()
    done = winnow(*asked)
    assert done.exit_code == 0
    assert not (run / "report.html").exists()
    assert f"manifest: {run / 'manifest.0002.json'}" in done.output
    assert PAGE in done.output
    assert "is obeyed already" in winnow(*asked).output
    assert "obeys all of" in winnow("remove", manifest, "--register", tmp_path / "register").output
    table = winnow("versions", manifest, "--format", "csv").output.splitlines()
    assert [line.split(",")[:2] for line in table[1:]] == [["1", "manifest.json"], ["2", "manifest.0002.json"]]
    erased = winnow("erase", manifest)
    assert "texts blanked: 3 in documents/, 3 in kept/" in erased.output
    assert winnow("versions", run, "--format", "csv").output.splitlines()[1].endswith("True")
    assert winnow("verify", run).exit_code == 0


def test_what_cannot_be_done_is_told(run: Path, tmp_path: Path) -> None:
    nowhere = winnow("remove", run / "manifest.json", "--url", "https://nowhere.example.com/x", "--reason", "x")
    assert nowhere.exit_code == 1
    for more, told in (
        (["--url", PAGE], "Give a --reason"),
        (["--reason", "x"], "Nothing is asked"),
        (["--domain", "co.uk", "--reason", "x"], "public suffix"),
        (["--doc", "12", "--reason", "x"], "32 hexadecimal digits"),
        (["--url", PAGE, "--reason", "x", "--near", "2"], "at most 1"),
        (["--url", PAGE, "--reason", "x", "--date", "yesterday"], "YYYY-MM-DD"),
    ):
        refused = winnow("remove", run / "manifest.json", *more)
        assert isinstance(refused.exception, ValueError)
        assert told in str(refused.exception)
    alone = tmp_path / "alone"
    alone.mkdir()
    shutil.copy(run / "manifest.json", alone)
    refused = winnow("remove", alone / "manifest.json", "--url", PAGE, "--reason", "x")
    assert isinstance(refused.exception, FileNotFoundError)
    assert "holds no run.json" in str(refused.exception)


def test_tracing_from_the_command_line(run: Path) -> None:
    told = winnow("trace", run / "manifest.json", "--url", PAGE, "--record")
    assert told.exit_code == 0
    assert "header content-type: text/plain" in told.output
    assert "payload begins:" in told.output
    (line,) = winnow("trace", run / "manifest.json", "--shard", 3, "--token", 17, "--json").output.splitlines()
    found = json.loads(line)
    assert (found["place"]["number"], found["place"]["first"] + found["place"]["at"]) == (3, 17)
    assert found["page"]["doc_id"] == found["place"]["doc_id"]
    wrong = winnow("trace", run / "manifest.json", "--shard", 3)
    assert "Say what to trace" in str(wrong.exception)


# A disk of its own in a name space of its own, full but for some pages of 4096 bytes.
FULL = """
mount -t tmpfs -o size=300m none {disk} || exit 99
cp -r {run} {disk}/run
blocks=$(df --output=used -B4096 {disk} | tail -1)
mount -o remount,size=$(( (blocks + {room}) * 4096 )) {disk}
{winnow} remove {disk}/run/manifest.json --domain owner.example.net --reason asked; echo "first: $?"
{winnow} verify {disk}/run; echo "old: $?"
mount -o remount,size=300m {disk}
{winnow} remove {disk}/run/manifest.json --domain owner.example.net --reason asked; echo "second: $?"
{winnow} verify {disk}/run; echo "new: $?"
"""


@pytest.mark.slow
@pytest.mark.parametrize("room", [0, 3])  # full at the first byte, and with shards half written
def test_a_disk_that_is_full_leaves_the_old_version_and_the_command_goes_on(
    room: int, removal_run: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    script = FULL.format(disk=disk, run=removal_run, room=room, winnow=f"{sys.executable} -m flows.cli")
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", script]
    done = subprocess.run(command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode == 99 or "unshare:" in done.stderr:
        pytest.skip("this machine allows no name spaces of one's own, hence no small disk")
    told = done.stdout + done.stderr
    assert "first: 2" in done.stdout and "The disk is full" in done.stderr, told
    assert "Traceback" not in done.stderr
    assert all(f"{step}: 0" in done.stdout for step in ("old", "second", "new")), told
