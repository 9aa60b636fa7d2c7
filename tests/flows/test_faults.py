"""Faults become one sentence that says what to do."""

from __future__ import annotations

import errno

import pytest

from flows.faults import sentence

BEAM = """Error processing instruction 1. Original traceback is
Traceback (most recent call last):
  File "somewhere.py", line 1, in work
ValueError: part-00003.parquet is damaged; delete it and run again. [while running 'extract']

"""


@pytest.mark.parametrize(
    ("error", "part"),
    [
        (ValueError("runs/x holds another run. Choose another --out."), "Choose another --out"),
        (OSError(errno.ENOSPC, "No space left on device", "out"), "Free some space"),
        (RuntimeError(BEAM), "part-00003.parquet is damaged; delete it and run again."),
        (
            RuntimeError(BEAM.replace("ValueError: part", "OSError: [Errno 28] No space left on device: part")),
            "disk",
        ),
        (
            RuntimeError(
                BEAM.replace("ValueError: part-00003.parquet is damaged; delete it and run again.", "MemoryError")
            ),
            "fewer --workers",
        ),
        (
            RuntimeError(
                BEAM.replace("ValueError: part", "pyarrow.lib.ArrowMemoryError: malloc of size 8 failed: part")
            ),
            "fewer --workers",
        ),
        (MemoryError(), "fewer --workers"),
        (KeyboardInterrupt(), "go on where it stopped"),
        (KeyError(), "KeyError"),
    ],
)
def test_sentence(error: BaseException, part: str) -> None:
    told = sentence(error)
    assert part in told
    assert "\n" not in told
    assert "while running" not in told
