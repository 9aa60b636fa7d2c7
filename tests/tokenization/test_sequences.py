"""The order of a training: a permutation without an array, both ways, whole and by windows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tokenization.sequences import Order

SEEDS = st.integers(0, 2**32)


@settings(max_examples=80, deadline=None)
@given(seed=SEEDS, count=st.integers(1, 3000), window=st.integers(0, 3500), epoch=st.integers(0, 10**6))
def test_every_epoch_has_every_sequence_once(seed: int, count: int, window: int, epoch: int) -> None:
    order = Order(seed, count, window)
    places = epoch * count + np.arange(count)
    numbers = order.numbers_at(places)
    assert np.array_equal(np.sort(numbers), np.arange(count))
    assert np.array_equal(order.numbers_at(places[::-1]), numbers[::-1])  # each place by itself


@settings(max_examples=60, deadline=None)
@given(seed=SEEDS, count=st.integers(1, 2**40), window=st.integers(0, 2**20), data=st.data())
def test_the_way_back_is_the_way_back(seed: int, count: int, window: int, data: st.DataObject) -> None:
    order = Order(seed, count, window)
    number = data.draw(st.integers(0, count - 1))
    places = order.places_of(number, 4)
    assert (order.numbers_at(places) == number).all()
    assert (places // count).tolist() == [0, 1, 2, 3]


def test_seeds_epochs_and_streams_have_orders_of_their_own() -> None:
    places = np.arange(1000)
    orders = [
        Order(1, 1000).numbers_at(places),
        Order(2, 1000).numbers_at(places),
        Order(1, 1000, stream=1).numbers_at(places),
        Order(1, 1000).numbers_at(places + 1000),
        places,
    ]
    for i, one in enumerate(orders):
        for other in orders[:i]:
            assert (one == other).sum() < 12  # one is to be expected


def test_every_number_is_as_likely_at_every_place() -> None:
    """Chi-square of number by place over seeds: within four standard deviations of its mean."""
    for count in (10, 37, 64):
        seen = np.zeros((count, count))
        for seed in range(4000):
            seen[np.arange(count), Order(seed, count).numbers_at(np.arange(count))] += 1
        square, free = ((seen - 4000 / count) ** 2 / (4000 / count)).sum(), (count - 1) ** 2
        assert abs(square - free) < 4 * np.sqrt(2 * free), count


def test_neighbours_in_the_order_are_no_neighbours_in_the_stream() -> None:
    numbers = Order(0, 100_000).numbers_at(np.arange(100_000))
    assert abs(np.corrcoef(numbers[:-1], numbers[1:])[0, 1]) < 0.015
    assert abs(np.diff(numbers)).mean() == pytest.approx(100_000 / 3, rel=0.02)


def test_a_window_needs_few_neighbours_at_a_time() -> None:
    order = Order(3, 10_250, window=1000)
    numbers = order.numbers_at(np.arange(10_250))
    blocks = [sorted(set((numbers[i : i + 1000] // 1000).tolist())) for i in range(0, 10_000, 1000)]
    assert all(len(block) == 1 for block in blocks)
    assert [block[0] for block in blocks] != sorted(block[0] for block in blocks)
    assert (numbers[10_000:] >= 10_000).all()
