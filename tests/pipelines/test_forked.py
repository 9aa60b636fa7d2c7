"""Workers that are forked: they share no interpreter with the command, and one that dies is told and does not hang."""

from __future__ import annotations

import os
import signal
from collections.abc import Mapping
from pathlib import Path

import pytest
from apache_beam.options.pipeline_options import DirectOptions

from pipelines.mapping import map_parts
from pipelines.options import beam_options


def noted(reference: int, run: str) -> Mapping[str, int]:
    """Leave a note of the process that worked."""
    Path(run, f"{reference}.pid").write_text(str(os.getpid()))
    return {"documents": reference}


def fatal(reference: int, run: str) -> Mapping[str, int]:
    """Die as by the kernel's hand, once."""
    died = Path(run, "died")
    if reference == 1 and not died.exists():
        died.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return {"documents": reference}


def test_several_elements_are_worked_on_by_other_processes(tmp_path: Path) -> None:
    options = beam_options(2)
    for _ in range(2):  # options are handed from one job to the next
        assert map_parts(str(tmp_path), "noted", [1, 2, 3], noted, options) == {"documents": 6}
        assert options.view_as(DirectOptions).direct_running_mode == "multi_processing"
    assert str(os.getpid()) not in {path.read_text() for path in tmp_path.glob("*.pid")}


def test_a_single_element_needs_no_process(tmp_path: Path) -> None:
    assert map_parts(str(tmp_path), "noted", [7], noted, beam_options(4)) == {"documents": 7}
    assert (tmp_path / "7.pid").read_text() == str(os.getpid())


def test_a_worker_that_dies_is_told_and_the_work_can_be_done_again(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="A worker process was lost, with exit status -9"):
        map_parts(str(tmp_path), "fatal", [1, 2], fatal, beam_options(2))
    assert map_parts(str(tmp_path), "fatal", [1, 2], fatal, beam_options(2)) == {"documents": 3}
