"""A model's card, for people (card.md) and programs (card.json), and its curves (roc.png, pr.png).

No time of day is written: the same training gives the same card. Curves are drawn by matplotlib where it is installed
(the extra `classifier`); their points are in card.json in any case.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import orjson

from pipelines.classifier.metrics import Flags, Reals, at_thresholds, average_precision, curve, roc_auc

POINTS = 200


def write_card(out: Path, card: dict[str, Any], values: Reals, good: Flags) -> dict[str, Any]:
    """Complete the card with what the hold-out's numbers say, write it, and return it."""
    _, false, true = curve(values, good)
    some = np.unique(np.linspace(0, len(true) - 1, min(len(true), POINTS)).astype(int))
    false, true = false[some], true[some]
    roc = np.stack([false / (~good).sum(), true / good.sum()], 1).round(6).tolist()
    pr = np.stack([true / good.sum(), true / (true + false)], 1).round(6).tolist()
    card = {
        **card,
        "metrics": {"roc_auc": roc_auc(values, good), "pr_auc": average_precision(values, good)},
        "thresholds": [
            {k: None if math.isnan(v) else v for k, v in row.items()} for row in at_thresholds(values, good)
        ],
        "curves": {"roc (false positive rate, recall)": roc, "pr (recall, precision)": pr},
    }
    drawn = _draw(out, [[0.0, 0.0], *roc], pr, float(good.mean()))
    (out / "card.json").write_bytes(orjson.dumps(card, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    (out / "card.md").write_text(_markdown(card, drawn), encoding="utf-8")
    return card


def _draw(out: Path, roc: list[list[float]], pr: list[list[float]], chance: float) -> bool:
    try:
        from matplotlib.figure import Figure
    except ImportError:
        return False
    for name, points, axes, line in (
        ("roc", roc, ("false positive rate", "true positive rate"), ([0, 1], [0, 1])),
        ("pr", pr, ("recall", "precision"), ([0, 1], [chance, chance])),
    ):
        figure = Figure(figsize=(5, 5), layout="constrained")  # drawn without pyplot: no display is looked for
        plot = figure.subplots()
        plot.plot(*zip(*points, strict=True), drawstyle="default" if name == "roc" else "steps-pre")
        plot.plot(*line, linestyle="--", color="grey", linewidth=1)
        plot.set(xlabel=axes[0], ylabel=axes[1], xlim=(0, 1), ylim=(0, 1.01), title=f"{name.upper()} on the hold-out")
        figure.savefig(out / f"{name}.png", dpi=100, metadata={"Software": None})
    return True


def _markdown(card: dict[str, Any], drawn: bool) -> str:
    options, classes, metrics = card["options"], card["classes"], card["metrics"]
    entry = {**card["score"], "file": card["model"]["file"]}
    toml = "\n".join(f"{key} = {orjson.dumps(value).decode()}" for key, value in entry.items())
    files = [
        f"| {side[:-1]} | {file['file']} | {file['rows']:,} | `{file['sha256']}` |"
        for side in ("positives", "negatives")
        for file in card["data"][side]
    ]
    table = [
        f"| {row['threshold']:g} | {_three(row['precision'])} | {_three(row['recall'])} | {_three(row['kept'])} |"
        for row in card["thresholds"]
    ]
    mixed = classes["holdout"]
    lines = [
        f"# Classifier ({options['kind']})",
        "",
        f"`{card['model']['file']}`, {card['model']['bytes']:,} bytes, sha256 `{card['model']['sha256']}`.",
        "",
        f"On the hold-out: ROC-AUC {metrics['roc_auc']:.4f}, PR-AUC {metrics['pr_auc']:.4f}"
        f" ({mixed['positive']:,} positive, {mixed['negative']:,} negative texts;"
        f" trained on {classes['training']['positive']:,} and {classes['training']['negative']:,}).",
        "The hold-out comes from the same files as the training texts: on other text expect less. Precision and kept"
        " share hold for this mixture of classes.",
        "",
        *(["![ROC](roc.png) ![precision-recall](pr.png)"] if drawn else
          ["Curves were not drawn, as matplotlib is not installed (`pip install 'winnow-corpus[classifier]'`); their"
           " points are in card.json."]),
        "",
        "## Thresholds", "", "| min | precision | recall | kept |", "|---:|---:|---:|---:|", *table, "",
        "## Data", "", "| class | file | rows | sha256 |", "|---|---|---:|---|", *files, "",
        f"{card['data']['repeated']:,} repeated and {card['data']['blank']:,} blank texts were passed over, and"
        f" {card['data']['in_both']:,} that were both positive and negative.",
        "",
        "## In a recipe", "", "```toml", "[[scores]]", toml, "```", "",
        "## Options and versions", "",
        *(f"* {key} = {value}" for key, value in options.items()),
        *(f"* {name} {number}" for name, number in card["versions"].items()),
    ]  # fmt: skip
    if options["autotune_seconds"]:
        lines.append("\nAutotune chose the options by the clock: another training will give another model.")
    return "\n".join(lines) + "\n"


def _three(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
