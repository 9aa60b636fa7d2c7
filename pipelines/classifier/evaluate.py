"""A trained model on texts that people have labelled: areas under its curves, with an interval."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pipelines.classifier.metrics import average_precision, interval, roc_auc
from pipelines.classifier.texts import read
from pipelines.classifier.train import score_texts
from recipes.scores import FastText, HashingLR

LARGE = 20_000
YES = ("1", "true", "yes", "good", "positive")


def evaluate(
    model: Path, labelled: Path, text: str = "text", label: str = "label", positive: str = ""
) -> dict[str, Any]:
    """ROC-AUC with a 95 % bootstrap interval and PR-AUC of a model's folder on a file of labelled texts.

    A row is positive if its label is `positive`, or, where that is "", one of 1, true, yes, good, positive.
    """
    card_path = model / "card.json"
    if not card_path.is_file():
        raise FileNotFoundError(f"There is no card.json in {model}. Give a folder that `winnow classifier train` made.")
    card = orjson.loads(card_path.read_bytes())
    kind = FastText if card["score"]["kind"] == "fasttext" else HashingLR
    entry: FastText | HashingLR = kind.model_validate(card["score"])
    found = list(read(labelled, text, label))
    wanted = (positive,) if positive else YES
    good = np.array([str(value).strip().lower() in {w.lower() for w in wanted} for _, value in found], np.bool_)
    if not good.any() or good.all():
        raise ValueError(
            f"{labelled}: {int(good.sum())} of {len(good)} rows have a {label!r} of {' or '.join(wanted)}; both "
            "classes are needed. Name the positive label with --positive."
        )
    values = score_texts(entry, model / card["model"]["file"], [str(one or "") for one, _ in found])
    low, high = interval(values, good, 2000 if len(good) <= LARGE else 200)
    return {
        "texts": len(good),
        "positive": int(good.sum()),
        "roc_auc": roc_auc(values, good),
        "low": low,
        "high": high,
        "pr_auc": average_precision(values, good),
    }
