"""Faults by name: a part that cannot be read, no memory, a clock that jumps, two runs on one folder, SIGTERM; and kills
by seed, a few here and any number by `benchmarks/faults.py`. A full disk is in tests/flows/test_hardships.py, a stuck
page in tests/filters/test_extract.py.
"""

from __future__ import annotations

import errno
import fcntl
import resource
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import pytest

from flows.faults import sentence
from pipelines.mapping import map_parts
from pipelines.options import beam_options
from pipelines.parts import read_part
from tests.faults.harness import PART, REPO, Ground, campaign, digests, prepare
from tests.faults.processes import left_behind
from tests.faults.stages import forks, run_stages


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return prepare(tmp_path_factory.mktemp("ground"))


def again(ground: Ground, run: Path) -> int | None:
    """The same run once more, as bare stages; its exit status."""
    process = forks.Process(target=run_stages, args=(str(run) + ".home", str(ground.crawl), str(run), PART))
    process.start()
    process.join(500)
    return process.exitcode


@pytest.mark.slow
def test_killed_by_seed_the_stages_end_in_the_undisturbed_bytes(ground: Ground) -> None:
    """Seed after seed until three strikes have met a process: which do depends on the machine's speed."""
    trials = list(islice(campaign(ground, 11, 3, 5, whole=False), 6))
    assert [trial for trial in trials if trial.wrong] == []
    assert sum(len(trial.struck) for trial in trials) >= 3


@pytest.mark.slow
def test_killed_by_seed_the_command_ends_in_the_undisturbed_bytes(ground: Ground) -> None:
    trials = list(islice(campaign(ground, 1003, 1, 2, whole=True), 6))
    assert [trial for trial in trials if trial.wrong] == []
    assert any(trial.struck for trial in trials)


@pytest.mark.slow
def test_parts_that_were_cut_short_are_made_again(ground: Ground, tmp_path: Path) -> None:
    """Their footers are gone, so they bear no fingerprint; what was made of them is still right."""
    run = tmp_path / "run"
    shutil.copytree(ground.folder / "undisturbed", run)
    for dataset in ("documents", "signals", "kept"):
        part = run / dataset / "part-00001.parquet"
        part.write_bytes(part.read_bytes()[:-100])
    (run / "decisions" / "part-00000.parquet").write_bytes(b"")
    assert again(ground, run) == 0
    assert digests(run) == ground.digests


def test_a_part_with_a_whole_footer_and_damaged_rows_is_named(ground: Ground, tmp_path: Path) -> None:
    part = tmp_path / "part-00000.parquet"
    whole = (ground.folder / "undisturbed" / "documents" / part.name).read_bytes()
    part.write_bytes(whole[:4] + bytes(len(whole) // 2) + whole[4 + len(whole) // 2 :])
    with pytest.raises(ValueError, match=r"part-00000.parquet cannot be read .* Delete it and give the same command"):
        list(read_part(str(part)))


def test_a_part_on_a_failing_disk_is_named(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object, **__: object) -> object:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr("pipelines.parts.pq.ParquetFile", fails)
    path = str(ground.folder / "undisturbed" / "documents" / "part-00000.parquet")
    with pytest.raises(ValueError, match=r"part-00000.parquet cannot be read .*Input/output error.* Delete it"):
        list(read_part(path))


def greedy(reference: int, run: str) -> Mapping[str, int]:
    """Want more memory than the process may have, the first time each."""
    tried = Path(run, f"tried-{reference}")
    if not tried.exists():
        tried.touch()
        _, hard = resource.getrlimit(resource.RLIMIT_AS)
        resource.setrlimit(resource.RLIMIT_AS, (2 << 30, hard))
        try:
            return {"bytes": len(bytearray(16 << 30))}
        finally:
            resource.setrlimit(resource.RLIMIT_AS, (hard, hard))
    return {"documents": reference}


def test_a_worker_out_of_memory_is_told_and_the_stage_can_be_done_again(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as raised:
        map_parts(str(tmp_path), "greedy", [1, 2], greedy, beam_options(2))
    assert sentence(raised.value).startswith("Out of memory. Use fewer --workers")
    for reference in (1, 2):
        (tmp_path / f"tried-{reference}").touch()
    assert map_parts(str(tmp_path), "greedy", [1, 2], greedy, beam_options(2)) == {"documents": 3}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("cc") is None, reason="the clock that jumps is built by a C compiler")
def test_a_clock_that_jumps_changes_nothing(ground: Ground, environment: dict[str, str], tmp_path: Path) -> None:
    """Two days on and a week back, in every process of the run, while it runs."""
    clock = tmp_path / "clock.so"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", clock, Path(__file__).with_name("clock.c"), "-ldl"], check=True)
    jumping = {**environment, "LD_PRELOAD": str(clock), "JUMP_AFTER": "4", "PREFECT_HOME": str(tmp_path / "home")}
    done = subprocess.run(command(ground.crawl, tmp_path / "run"), cwd=REPO, env=jumping, capture_output=True,
                          text=True, check=False, timeout=550)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert digests(tmp_path / "run") == ground.digests


def test_two_runs_on_one_folder(ground: Ground, environment: dict[str, str], tmp_path: Path) -> None:
    """The second ends with a sentence and touches nothing."""
    (tmp_path / "run").mkdir()
    with (tmp_path / "run" / ".lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        done = subprocess.run(command(ground.crawl, tmp_path / "run"), cwd=REPO, env=environment, capture_output=True,
                              text=True, check=False, timeout=500)  # fmt: skip
    assert done.returncode == 2
    assert "is being written by another process. Wait for it, or work in another folder." in done.stderr
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


@pytest.mark.slow
def test_sigterm_ends_a_run_soon_and_the_next_goes_on(
    ground: Ground, environment: dict[str, str], tmp_path: Path
) -> None:
    home, run = str(tmp_path / "home"), tmp_path / "run"
    with subprocess.Popen(command(ground.crawl, run), cwd=REPO, env={**environment, "PREFECT_HOME": home},
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # fmt: skip
        end = time.monotonic() + 500
        while not (run / "signals").is_dir() and process.poll() is None and time.monotonic() < end:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        _, told = process.communicate(timeout=120)
    assert process.returncode == 143
    assert told.splitlines()[-1] == "winnow: Stopped. Give the same command again to go on where it stopped."
    assert not left_behind(home, 120)
    before = {p: p.stat().st_mtime_ns for p in (run / "documents").iterdir()}
    assert again(ground, run) == 0
    assert {p: p.stat().st_mtime_ns for p in (run / "documents").iterdir()} == before
    assert digests(run) == ground.digests


def command(crawl: Path, out: Path) -> list[str]:
    """`winnow run` with the harness's parts."""
    how = ["--out", str(out), "--workers", "2", "--part-bytes", str(PART)]
    return [sys.executable, "-m", "flows.cli", "run", str(crawl), *how]
