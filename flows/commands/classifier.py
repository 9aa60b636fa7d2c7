"""`winnow classifier`: train a text classifier from two heaps of texts, and judge one on labelled texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from flows.commands.terminal import console

app = typer.Typer(no_args_is_help=True, help="Train a text classifier, and judge one.")


@app.command()
def train(
    positive: Annotated[list[Path], typer.Option(help="Good texts: .jsonl, .parquet or .txt (a text a line).")],
    negative: Annotated[list[Path], typer.Option(help="Bad texts, likewise.")],
    out: Annotated[Path, typer.Option(help="The folder to write: model, card and curves.")],
    kind: Annotated[str, typer.Option(help="fasttext, or hashing_lr (GPT-3's).")] = "fasttext",
    text_field: Annotated[str, typer.Option(help="The field that holds the text.")] = "text",
    holdout: Annotated[float, typer.Option(help="Share of texts that only judge the model.")] = 0.1,
    prefix: Annotated[int, typer.Option(help="Characters of a text that are read.")] = 200_000,
    case: Annotated[str, typer.Option(help="none, or lower.")] = "none",
    dim: Annotated[int, typer.Option(help="fastText: numbers a word.")] = 100,
    epoch: Annotated[int, typer.Option(help="fastText: times over the texts.")] = 5,
    lr: Annotated[float, typer.Option(help="fastText: learning rate.")] = 0.1,
    word_ngrams: Annotated[int, typer.Option(help="fastText: words in a row that count together.")] = 2,
    buckets: Annotated[int, typer.Option(help="fastText: places for word n-grams; 4 x dim bytes each.")] = 200_000,
    autotune_seconds: Annotated[int, typer.Option(help="fastText: seconds of search for options; 0 is off.")] = 0,
    seed: Annotated[int, typer.Option(help="fastText: seed of the starting weights.")] = 0,
    bits: Annotated[int, typer.Option(help="hashing_lr: 2^bits features.")] = 18,
    c: Annotated[float, typer.Option("--c", help="hashing_lr: inverse strength of the L2 penalty.")] = 1.0,
) -> None:
    """Train a classifier; the same texts and options give the same model."""
    from pydantic import ValidationError

    from pipelines.classifier import Training
    from pipelines.classifier import train as fit

    try:
        options = Training.model_validate(
            {
                "kind": kind, "text": text_field, "holdout": holdout, "prefix": prefix, "case": case, "dim": dim,
                "epoch": epoch, "lr": lr, "word_ngrams": word_ngrams, "buckets": buckets, "seed": seed, "bits": bits,
                "c": c, "autotune_seconds": autotune_seconds,
            }
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"--{str(first['loc'][0]).replace('_', '-')}: {first['msg']}.") from error
    card = fit(positive, negative, out, options)
    metrics, classes = card["metrics"], card["classes"]["holdout"]
    console.print(
        f"{escape(str(out / card['model']['file']))}: ROC-AUC {metrics['roc_auc']:.4f}, PR-AUC {metrics['pr_auc']:.4f} "
        f"on {classes['positive'] + classes['negative']:,} texts held out. The card is {escape(str(out / 'card.md'))}.",
        soft_wrap=True,
    )


@app.command()
def score(
    model: Annotated[Path, typer.Argument(help="A folder made by `winnow classifier train`.", metavar="MODEL")],
    file: Annotated[Path, typer.Argument(help="Labelled texts: .jsonl or .parquet.", metavar="FILE")],
    text_field: Annotated[str, typer.Option(help="The field that holds the text.")] = "text",
    label_field: Annotated[str, typer.Option(help="The field that holds the label.")] = "label",
    positive: Annotated[str, typer.Option(help="The label of good texts; else 1, true, yes, good, positive.")] = "",
) -> None:
    """How well a model parts labelled texts: ROC-AUC with its 95 % interval, and PR-AUC."""
    from pipelines.classifier import evaluate

    found = evaluate(model, file, text_field, label_field, positive)
    console.print(
        f"ROC-AUC {found['roc_auc']:.4f} (95 % {found['low']:.4f} to {found['high']:.4f}), "
        f"PR-AUC {found['pr_auc']:.4f}, {found['texts']:,} texts, {found['positive']:,} positive.",
        soft_wrap=True,
    )
