"""Every fuzz target on its corpus, and on some inputs near it: benchmarks/fuzz.py does the same for longer."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import TARGETS, seeds

SLOW = ("pii", "edits", "signals", "parquet")  # some milliseconds a try


@pytest.mark.parametrize("target", TARGETS)
def test_the_corpus_is_clean(target: str) -> None:
    assert seeds(target)
    for path in seeds(target):
        TARGETS[target](path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_inputs_near_the_corpus_are_clean(target: str) -> None:
    known = [path.read_bytes() for path in seeds(target)]

    @settings(max_examples=15 if target in SLOW else 60, deadline=None, database=None, derandomize=True)
    @given(st.sampled_from(known), st.sampled_from(known), st.integers(0, 1 << 32), st.binary(max_size=8))
    def near(one: bytes, other: bytes, seed: int, piece: bytes) -> None:
        draw = random.Random(seed)
        at, to = draw.randint(0, len(one)), draw.randint(0, len(other))
        TARGETS[target]((one[:at] + piece + other[to:])[:4000])

    near()


@settings(max_examples=30, deadline=None, database=None, derandomize=True)
@given(st.sampled_from([name for name in TARGETS if name not in SLOW]), st.binary(max_size=200))
def test_any_bytes_are_clean(target: str, data: bytes) -> None:
    TARGETS[target](data)
