"""The statistics of an ablation, against SciPy and against data made with a known difference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy import stats as scipy

from stats.ablation import ALL, Measured, domains, interval, losses, resampled, summary, verdict
from stats.ablation_report import markdown, plot


def measured(effect: float, seeds: int = 3, spread: float = 0.002) -> Measured:
    """Two recipes; the second is `effect` nats a token below raw, give or take `spread` a seed."""
    random = np.random.default_rng(1)
    ids = random.integers(50, 400, 80)
    level = random.normal(4, 0.3, 80)
    nats = np.empty((2, 2, seeds, 80))
    for r, b, s in np.ndindex(2, 2, seeds):
        nats[r, b, s] = (level - b * 0.5 - r * effect + random.normal(0, spread)) * ids
    languages = ["en", "zh"] * 40
    given = [None] * 70 + ["mine.txt"] * 10
    return Measured(["raw", "clean"], [500, 1000], list(range(seeds)), nats, ids, ids * 4,
                    domains(languages, ["a"] * 80, given))  # fmt: skip


def test_intervals_are_scipys() -> None:
    values = np.array([3.1, 2.9, 3.4, 3.0])
    assert interval(values) == pytest.approx(
        scipy.t.interval(0.95, 3, loc=values.mean(), scale=scipy.sem(values)), rel=1e-12
    )
    random = np.random.default_rng(5)
    ids = random.integers(50, 400, 200)
    nats = random.normal(-0.1, 0.2, 200) * ids
    theirs = scipy.bootstrap((nats, ids), lambda a, b, axis: a.sum(axis) / b.sum(axis), paired=True, vectorized=True,
                             method="percentile", n_resamples=4000, rng=1).confidence_interval  # fmt: skip
    assert resampled(nats, ids) == pytest.approx(tuple(theirs), abs=0.004)


def test_a_difference_is_found_and_none_is_not() -> None:
    found = {(r["recipe"], r["domain"], r["tokens"]): r for r in summary(measured(0.1)).to_pylist()}
    clean = found["clean", ALL, 1000]
    assert clean["to raw"] == pytest.approx(-0.1, abs=0.01)
    assert clean["by seeds, high"] < 0 > clean["by documents, high"]
    assert clean["verdict"] == "better"
    assert found["raw", ALL, 1000]["to raw"] is None
    assert found["clean", "file mine.txt", 500]["documents"] == 10
    assert {r["verdict"] for r in summary(measured(0.0, spread=0.05)).to_pylist()} == {"", "unsure"}
    assert {r["verdict"] for r in summary(measured(-0.1)).to_pylist()} == {"", "worse"}
    assert {r["verdict"] for r in summary(measured(0.1, seeds=1)).to_pylist()} == {"", "one seed"}


def test_chance_in_either_is_unsure() -> None:
    assert verdict((-0.2, -0.1), (-0.3, 0.1)) == "unsure"
    assert verdict((-0.2, 0.1), (-0.3, -0.1)) == "unsure"
    assert verdict((0.1, 0.2), (0.1, 0.3)) == "worse"


def test_losses_and_the_report(tmp_path: Path) -> None:
    made = measured(0.1)
    rows = losses(made).to_pylist()
    assert len(rows) == 2 * 2 * 3 * len(made.domains)
    one = next(
        r for r in rows if (r["recipe"], r["tokens"], r["seed"], r["domain"]) == ("clean", 1000, 2, "language zh")
    )
    mask = np.array([i % 2 == 1 and i < 70 for i in range(80)])
    assert one["loss"] == pytest.approx(made.nats[1, 1, 2, mask].sum() / made.ids[mask].sum())
    table = summary(made)
    bits = next(r for r in table.to_pylist() if r["recipe"] == "raw" and r["domain"] == ALL and r["tokens"] == 1000)
    assert bits["bits a byte"] == pytest.approx(bits["loss"] / np.log(2) / 4)
    corpora = [{"recipe": "a|b", "documents": 3, "tokens": 5, "text_bytes": 7, "epochs": 1.5}]
    text = markdown(table, corpora, ["Told."])
    assert "| a\\|b | 3 | 5 | 7 | 1.50 |" in text
    lines = text.splitlines()
    assert lines.index("## all") < lines.index("## language en") < lines.index("## file mine.txt")
    first = lines[lines.index("## all") + 4]
    assert first.startswith("| clean |")  # the lowest loss first
    assert first.endswith("| better |")
    plot(table, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    plot(summary(measured(0.1, seeds=1)), tmp_path / "b.png")
