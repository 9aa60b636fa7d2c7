"""Bounds on time and memory for what runs in the test's own process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from tests.hostile.road import high_water, reset


@contextmanager
def bounded(seconds: float = 10, megabytes: int = 300) -> Iterator[None]:
    """AssertionError if what is done inside takes more CPU seconds, or makes the process grow by more."""
    reset("self")
    began, before = time.process_time(), high_water("self")
    yield
    assert time.process_time() - began < seconds
    assert high_water("self") - before < megabytes
