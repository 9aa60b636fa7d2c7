"""`winnow chat`: conversations into shards for fine-tuning."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from flows.commands.terminal import console


def chat(
    files: Annotated[list[str], typer.Argument(help="JSONL, plain, .gz or .zst; NAME=PATH names one.", metavar="FILE")],
    tokenizer: Annotated[Path, typer.Option(help="tokenizer.json, .tiktoken or SentencePiece .model.")],
    template: Annotated[
        str, typer.Option(help="chatml, llama3, deepseek, a tokenizer_config.json, or a file with a Jinja2 template.")
    ],
    out: Annotated[Path, typer.Option(help="A new folder.")],
    seed: Annotated[int, typer.Option(min=0, help="Of the shuffle.")] = 0,
    shard_bytes: Annotated[int, typer.Option(min=1_000, help="Bytes of input a shard.")] = 256_000_000,
    add_special: Annotated[
        bool, typer.Option("--add-special", help="Give special tokens that the tokenizer lacks new ids.")
    ] = False,
) -> None:
    """Chat and instruction data (OpenAI, ShareGPT, Alpaca) into shards that mark the answers."""
    from tokenization.chat.write import ChatOptions, write_chat

    options = ChatOptions(
        files=tuple(files), tokenizer=str(tokenizer), template=template, out=str(out), seed=seed,
        shard_bytes=shard_bytes, add_special=add_special,
    )  # fmt: skip
    note = write_chat(options)
    counts = note["counts"]
    console.print(
        f"{counts['lines']:,} lines: {counts['conversations']:,} conversations, {counts['rejects']:,} rejects, "
        f"{counts['blank']:,} blank. {counts['tokens']:,} tokens, {counts['learnt']:,} of them in "
        f"{counts['answers']:,} answers. manifest: {escape(str(out / 'manifest.json'))}",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    if counts["rejects"]:
        told = ", ".join(f"{reason} {count:,}" for reason, count in note["reasons"].items())
        console.print(f"rejects: {told}; {escape(str(out / 'rejects.jsonl'))}", soft_wrap=True, highlight=False)
