"""`winnow tokenizer`: train a vocabulary on texts, and report what tokenizers make of them."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer

from flows.commands.terminal import console, errors
from flows.settings import apply

app = typer.Typer(no_args_is_help=True, help="Train a tokenizer, and compare tokenizers.")
Inputs = Annotated[list[str], typer.Argument(help="Runs, or .jsonl, .parquet and .txt files.", metavar="RUN_OR_FILES")]
TextField = Annotated[str, typer.Option(help="Files: the field that holds the text.")]
LangField = Annotated[str | None, typer.Option(help="Files: the field that holds the language.")]


@app.command()
def train(
    inputs: Inputs,
    out: Annotated[Path, typer.Option(help="The file to write: .json for bpe, .model for unigram.")],
    model: Annotated[str, typer.Option(help="bpe, or unigram.")] = "bpe",
    split: Annotated[
        str, typer.Option(help="bpe: qwen3.5, qwen2, gpt2, cl100k, o200k, nemotron, deepseek or han.")
    ] = "qwen3.5",
    single_digits: Annotated[bool, typer.Option(help="Each digit is a token of its own.")] = True,
    special: Annotated[list[str] | None, typer.Option(help="A special token besides <|endoftext|>.")] = None,
    language: Annotated[list[str] | None, typer.Option(help="LANG=WEIGHT in the sample; * is the others.")] = None,
    vocab_size: Annotated[int, typer.Option(help="Ids, at most.")] = 16_384,
    sample_bytes: Annotated[int, typer.Option(help="Bytes of text to learn from.")] = 200_000_000,
    seed: Annotated[int, typer.Option(help="Which documents are in the sample.")] = 0,
    text_field: TextField = "text",
    lang_field: LangField = None,
) -> None:
    """Train a tokenizer; the same texts and options give the same file."""
    from pydantic import ValidationError

    apply()
    from pipelines.tokenizer import ENDINGS, documents, sampled, trained
    from recipes.model import Tokens

    try:
        tokens = Tokens.model_validate(
            {
                "model": model, "split": split, "single_digits": single_digits, "special_tokens": special or [],
                "languages": dict(map(_weight, language or [])), "vocab_size": vocab_size,
                "sample_bytes": sample_bytes, "seed": seed,
            }
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        where = f"--{str(first['loc'][0]).replace('_', '-')}: " if first["loc"] else ""
        raise ValueError(f"{where}{first['msg'].removeprefix('Value error, ')}.") from error
    if out.suffix != ENDINGS[tokens.model]:
        raise ValueError(f"--out {out}: a {tokens.model} tokenizer is written to a *{ENDINGS[tokens.model]} file.")
    told: Counter[str] = Counter()
    made = trained(sampled(documents(inputs, text_field, lang_field), tokens, told), tokens)
    temporary = out.with_name(f".tmp-{out.name}")
    temporary.write_bytes(made)
    temporary.replace(out)
    _describe(out, told)


def _describe(out: Path, told: Counter[str]) -> None:
    from stats.show import safe
    from tokenization.load import load

    tokenizer = load(out)
    shown = ", ".join(f"{safe(name)} {size:,}" for name, size in told.most_common(20))
    _print(f"{out}: {tokenizer.vocab_size:,} ids, encoded by {tokenizer.engine}. Bytes learned from: {shown}.")
    if tokenizer.told:
        errors.print(f"notice: {tokenizer.told}", soft_wrap=True, highlight=False, markup=False)


def _weight(given: str) -> tuple[str, float]:
    name, mark, number = given.partition("=")
    try:
        return name, float(number if mark else "none")
    except ValueError as error:
        raise ValueError(f"--language {given}: give LANG=WEIGHT, such as zh=0.4.") from error


@app.command()
def report(
    tokenizer: Annotated[Path, typer.Argument(help="The tokenizer to look into.", metavar="TOKENIZER")],
    inputs: Inputs,
    against: Annotated[list[Path] | None, typer.Option(help="Another tokenizer to compare with.")] = None,
    text_field: TextField = "text",
    lang_field: LangField = None,
    most: Annotated[int, typer.Option(min=1, help="Tokens shown of each kind.")] = 20,
    json_out: Annotated[Path | None, typer.Option("--json", help="A file for all of it.")] = None,
) -> None:
    """Bytes a token and fertility by language; longest, unreachable and never-seen tokens."""
    apply()
    from pipelines.tokenizer import documents, reported

    made = reported([tokenizer, *(against or [])], documents(inputs, text_field, lang_field))
    measures, found = made.measures(), made.vocabulary(most)
    _print("| language | tokenizer | bytes/token | tokens/word | tokens/character | documents | text bytes |")
    _print("|---|---|---:|---:|---:|---:|---:|")
    for m in measures:
        _print(
            f"| {_cell(m.language)} | {_cell(m.tokenizer)} | {m.bytes_per_token:.3f} | {m.fertility:.3f} | "
            f"{m.per_character:.3f} | {m.documents:,} | {m.text_bytes:,} |"
        )
    _print(f"\n{found.size:,} ids, {found.partial:,} of them parts of characters.")
    kinds = {"Longest": found.longest, "Unreachable": found.unreachable, "Never in these texts": found.unseen}
    for title, rows in kinds.items():
        count = "" if title == "Longest" else f": {len(rows):,}"
        _print(f"\n{title}{count}\n" + "\n".join(f"  {i}  {_shown(text)}" for i, text in rows[:most]))
    if json_out is not None:
        _write(json_out, measures, found)


def _write(path: Path, measures: Any, found: Any) -> None:
    import orjson

    tokens = {name: getattr(found, name) for name in ("size", "partial", "longest", "unreachable", "unseen")}
    whole = {"measures": [m.as_dict() for m in measures], "vocabulary": tokens}
    path.write_bytes(orjson.dumps(whole, option=orjson.OPT_INDENT_2))


def _shown(text: str) -> str:
    """A token as a string literal: blanks and controls are seen and nothing steers the terminal."""
    return ascii(text[:200]) if not text.isprintable() else repr(text[:200])


def _cell(text: str) -> str:
    from stats.show import safe

    return safe(text).replace("|", "\\|")


def _print(line: str) -> None:
    console.print(line, soft_wrap=True, highlight=False, markup=False)
