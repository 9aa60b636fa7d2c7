"""`winnow ablate`: which recipe's corpus does a model learn most from?"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape

from flows.commands.terminal import RunFolder, console, errors


def ablate(
    run: RunFolder,
    recipes: Annotated[str, typer.Option(help="a,b,c: names or .toml files; raw is always there.")],
    tokens: Annotated[int, typer.Option(help="Tokens that each model is trained on.")],
    out: Annotated[Path, typer.Option(help="A folder; the same command goes on in it.")],
    seeds: Annotated[int, typer.Option(help="Models of each kind.")] = 3,
    points: Annotated[int, typer.Option(help="Budgets: --tokens, half of it, and so on.")] = 3,
    tokenizer: Annotated[str | None, typer.Option(help="Shared by all; else a BPE on the raw text.")] = None,
    vocab: Annotated[int, typer.Option(help="Ids of that BPE.")] = 4096,
    held_out: Annotated[
        list[str] | None, typer.Option(help="More held-out texts, .txt or .jsonl with text; again for more.")
    ] = None,
    held_share: Annotated[float, typer.Option(help="Share of what all keep that is held out.")] = 0.1,
    held_most: Annotated[int, typer.Option(help="Documents of a language held out at most.")] = 200,
    held_by: Annotated[str, typer.Option(help="Hold out what all recipes keep, or any.")] = "all",
    width: Annotated[int, typer.Option(help="Of the model.")] = 128,
    layers: Annotated[int, typer.Option(help="Of the model.")] = 2,
    heads: Annotated[int, typer.Option(help="Of the model.")] = 4,
    context: Annotated[int, typer.Option(help="Tokens a sequence.")] = 128,
    batch: Annotated[int, typer.Option(help="Sequences a step.")] = 16,
    lr: Annotated[float, typer.Option(help="Peak learning rate.")] = 3e-3,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
) -> None:
    """Train the same small model on what each recipe keeps of a run, and on everything; compare held-out losses."""
    from flows.choices import compared
    from stats.gather import gather
    from stats.run import open_run
    from stats.show import table

    options = _options({
        "run": run, "out": str(out), "tokens": tokens, "seeds": seeds, "points": points, "tokenizer": tokenizer,
        "vocab": vocab, "held_out": tuple(held_out or ()), "held_share": held_share, "held_most": held_most,
        "held_by": held_by, "width": width, "layers": layers, "heads": heads, "context": context, "batch": batch,
        "lr": lr, "device": device,
    })  # fmt: skip
    try:
        import torch  # noqa: F401 - told before an hour's work, not after
    except ModuleNotFoundError as error:
        raise ValueError(f"{error}: pip install 'winnow-corpus[train]'.") from error
    from flows.ablate import ablate as start

    with open_run(run) as opened:
        gather(opened)
        chosen, notices = compared(opened.described, opened.recipe, recipes)
        made = start(opened, chosen, options, lambda line: console.print(escape(line), soft_wrap=True, highlight=False))
    for notice in [*notices, *made.notices]:
        errors.print(f"notice: {escape(notice)}", soft_wrap=True, highlight=False)
    shown = made.summary.filter(_greatest(made.summary))
    columns = ["recipe", "documents", "loss", "low", "high", "to raw", "verdict"]
    for domain in dict.fromkeys(shown["domain"].to_pylist()):
        rows = shown.filter(_equal(shown["domain"], domain)).select(columns)
        console.print(table(rows, f"{domain}: held-out loss after {options.tokens:,} tokens"))
    console.print(f"report: {escape(str(out / 'ablation.md'))}", soft_wrap=True)


def _greatest(rows: Any) -> Any:
    import pyarrow.compute as pc

    return _equal(rows["tokens"], pc.max(rows["tokens"]))


def _equal(column: Any, value: object) -> Any:
    import pyarrow.compute as pc

    return pc.equal(column, value)


def _options(given: dict[str, Any]) -> Any:
    from pydantic import ValidationError

    from flows.ablate import AblateOptions

    try:
        return AblateOptions.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        where = "".join(f"--{part}: ".replace("_", "-") for part in first["loc"])
        raise ValueError(f"{where}{first['msg'].removeprefix('Value error, ')}.") from error
