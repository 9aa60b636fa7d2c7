"""Training a classifier: metrics against scikit-learn, the hold-out, the same bytes twice, the card and the commands."""

from __future__ import annotations

import hashlib
import json
import random
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from filters.scores import load
from flows.commands.classifier import app
from pipelines.classifier import Training, evaluate, train
from pipelines.classifier.metrics import at_thresholds, average_precision, curve, interval, roc_auc
from pipelines.classifier.texts import gather
from recipes.scores import FastText


def corpus(seed: int, count: int) -> list[str]:
    """Texts of a made-up language; odd seeds like other words than even ones."""
    rng = random.Random(seed)
    words = [f"w{k}" for k in range(200)]
    weights = [1.0 + 3.0 * ((k + seed) % 2) for k in range(200)]
    return [" ".join(rng.choices(words, weights, k=rng.randrange(5, 60))) + f" {seed}n{i}" for i in range(count)]


@pytest.fixture(scope="module")
def heaps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("heaps")
    (folder / "good.jsonl").write_text("".join(json.dumps({"text": t}) + "\n" for t in corpus(0, 400)))
    pq.write_table(pa.table({"text": corpus(1, 400)}), folder / "bad.parquet")
    return folder / "good.jsonl", folder / "bad.parquet"


def test_areas_are_scikit_learn_s() -> None:
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(5)
    for step in (0.0, 0.1, 0.5):
        good = rng.random(500) < 0.3
        values = rng.random(500) + 0.3 * good
        values = np.round(values / step) * step if step else values  # ties
        assert roc_auc(values, good) == pytest.approx(metrics.roc_auc_score(good, values), abs=1e-12)
        assert average_precision(values, good) == pytest.approx(
            metrics.average_precision_score(good, values), abs=1e-12
        )
        thresholds, false, true = curve(values, good)
        for t, f, h in zip(thresholds, false, true, strict=True):
            assert (f, h) == ((values[~good] >= t).sum(), (values[good] >= t).sum())
        low, high = interval(values, good, 300)
        assert low < roc_auc(values, good) < high and (low, high) == interval(values, good, 300)


def test_thresholds_are_rules() -> None:
    values, good = np.array([0.1, 0.5, 0.5, 0.9]), np.array([False, False, True, True])
    half, top = at_thresholds(values, good, [0.5, 0.95])
    assert half == {"threshold": 0.5, "precision": pytest.approx(2 / 3), "recall": 1.0, "kept": 0.75}
    assert top["recall"] == top["kept"] == 0.0 and np.isnan(top["precision"])
    assert roc_auc(values, good) == 0.875 and np.isnan(roc_auc(values, good | True))


def test_holdout_goes_by_the_text_alone(heaps: tuple[Path, Path], tmp_path: Path) -> None:
    first = gather([heaps[0]], [heaps[1]], "text", 0.2)
    lines = heaps[0].read_text().splitlines()
    (tmp_path / "a.jsonl").write_text("\n".join(lines[::-2] + lines[::-1]))
    (tmp_path / "b.jsonl").write_text("\n".join([*lines[:50], json.dumps({"text": "in both w1 w2"}), '{"text": "  "}']))
    (tmp_path / "both.txt").write_text("in both w1 w2\n")
    second = gather([tmp_path / "a.jsonl", tmp_path / "b.jsonl"], [heaps[1], tmp_path / "both.txt"], "text", 0.2)
    assert second.texts == first.texts and (second.held == first.held).all() and (second.good == first.good).all()
    assert 100 < first.held.sum() < 220 and "in both w1 w2" not in second.texts
    facts = second.facts
    assert (facts["repeated"], facts["blank"], facts["in_both"]) == (250, 1, 1)
    assert facts["negatives"][1]["sha256"] == hashlib.sha256(b"in both w1 w2\n").hexdigest()


@pytest.mark.parametrize("kind", ["fasttext", "hashing_lr"])
def test_training_twice_gives_the_same_bytes(kind: str, heaps: tuple[Path, Path], tmp_path: Path) -> None:
    if kind == "hashing_lr":
        pytest.importorskip("sklearn")
    options = Training.model_validate(
        {"kind": kind, "dim": 16, "epoch": 10, "lr": 0.5, "buckets": 5000, "bits": 12, "holdout": 0.25}
    )
    cards = [train([heaps[0]], [heaps[1]], tmp_path / name, options) for name in ("one", "two")]
    assert cards[0] == cards[1]
    for name in ("card.json", "card.md", cards[0]["model"]["file"]):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    card = json.loads((tmp_path / "one" / "card.json").read_text())
    model = tmp_path / "one" / card["model"]["file"]
    assert card["model"]["sha256"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert card["metrics"]["roc_auc"] > 0.9 and card["metrics"]["pr_auc"] > 0.9
    assert sum(card["classes"]["training"].values()) + sum(card["classes"]["holdout"].values()) == 800
    rows = [{"body": t, "good": k} for k in (0, 1) for t in corpus(1 - k, 60)]
    (tmp_path / "labelled.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    found = evaluate(tmp_path / "one", tmp_path / "labelled.jsonl", "body", "good")
    assert found["roc_auc"] > 0.9 and found["low"] <= found["roc_auc"] <= found["high"] and found["positive"] == 60


def test_the_card_is_for_people_and_recipes(heaps: tuple[Path, Path], tmp_path: Path) -> None:
    import tomllib

    options = Training(dim=10, epoch=5, buckets=1000)
    card = train([heaps[0]], [heaps[1]], tmp_path, options)
    text = (tmp_path / "card.md").read_text()
    assert card["model"]["sha256"] in text and f"ROC-AUC {card['metrics']['roc_auc']:.4f}" in text
    snippet = tomllib.loads(text.split("```toml\n")[1].split("```")[0])["scores"][0]
    entry = FastText.model_validate(snippet)
    batch = pa.RecordBatch.from_pydict({"doc_id": ["a"]})
    scorer = load(entry.model_copy(update={"file": None}), str(tmp_path / snippet["file"]))
    value = scorer.score(batch, pa.array(["w2 w4 w6 w8"], pa.large_string()), pa.array(["en"]))[0].as_py()
    assert 0 < value <= 1 and scorer.digest == card["model"]["sha256"]
    pytest.importorskip("matplotlib")
    assert (tmp_path / "roc.png").read_bytes().startswith(b"\x89PNG") and "roc.png" in text


def test_a_text_cannot_name_its_class(tmp_path: Path) -> None:
    (tmp_path / "good.txt").write_text("".join(f"{t} __label__cc\n" for t in corpus(0, 200)))
    (tmp_path / "bad.txt").write_text("".join(f"{t} __label__hq\n" for t in corpus(1, 200)))
    card = train(
        [tmp_path / "good.txt"],
        [tmp_path / "bad.txt"],
        tmp_path / "out",
        Training(dim=10, lr=0.5, epoch=10, word_ngrams=1),
    )
    assert card["metrics"]["roc_auc"] > 0.8


def test_commands(heaps: tuple[Path, Path], tmp_path: Path) -> None:
    runner = CliRunner()
    given = ["--positive", str(heaps[0]), "--negative", str(heaps[1]), "--out", str(tmp_path / "m"), "--dim", "10"]
    done = runner.invoke(app, ["train", *given, "--lr", "0.5", "--buckets", "1000"], env={"COLUMNS": "300"})
    assert done.exit_code == 0, done.output
    assert "model.bin: ROC-AUC " in done.output and "texts held out" in done.output
    rows = [{"text": t, "label": k} for k in ("ham", "spam") for t in corpus(int(k == "spam"), 50)]
    (tmp_path / "l.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    done = runner.invoke(app, ["score", str(tmp_path / "m"), str(tmp_path / "l.jsonl"), "--positive", "ham"])
    assert done.exit_code == 0 and "100 texts, 50 positive" in " ".join(done.output.split()), done.output
    done = runner.invoke(app, ["score", str(tmp_path / "m"), str(tmp_path / "l.jsonl")])
    assert "0 of 100 rows have a 'label' of 1 or true" in str(done.exception) and "--positive" in str(done.exception)
    done = runner.invoke(app, ["train", *given, "--kind", "bert"])
    assert str(done.exception).startswith("--kind: Input should be 'fasttext' or 'hashing_lr'")


@pytest.mark.parametrize(
    ("good", "message"),
    [
        ("missing.txt", "There is no file .*missing.txt. Give a .jsonl"),
        ("one.txt", "No positive text is left for (training|the hold-out): give more texts"),
        ("other.jsonl", "other.jsonl: line 1 is no JSON object with text"),
        ("other.csv", "other.csv is no .jsonl, .parquet or .txt file"),
        ("other.parquet", "has no column 'text'; it has body"),
    ],
)
def test_faults_are_told(good: str, message: str, heaps: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "one.txt").write_text("only one\n")
    (tmp_path / "other.jsonl").write_text('{"body": "x"}\n')
    (tmp_path / "other.csv").write_text("text\nx\n")
    pq.write_table(pa.table({"body": ["x"]}), tmp_path / "other.parquet")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        train([tmp_path / good], [heaps[1]], tmp_path / "out", Training())


def test_a_training_that_diverges_is_told(heaps: tuple[Path, Path], tmp_path: Path) -> None:
    wild = Training(dim=10, epoch=5, word_ngrams=1).model_copy(update={"lr": 1e30})
    with pytest.raises(RuntimeError, match=r"fastText could not train: Encountered NaN\. A smaller --lr"):
        train([heaps[0]], [heaps[1]], tmp_path, wild)
