"""`winnow export`: a manifest's shards in the format of another trainer."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from flows.commands.terminal import console


def export(
    manifest: Annotated[Path, typer.Argument(help="manifest.json of a finished run.", metavar="MANIFEST")],
    to: Annotated[str, typer.Option(help="megatron, mds, npy, nanogpt or datasets.")],
    out: Annotated[Path, typer.Option(help="A new folder.")],
    length: Annotated[int | None, typer.Option(help="mds: ids a sample, instead of a document.")] = None,
    validation: Annotated[
        float | None, typer.Option(help="nanogpt: share of ids in val.bin, instead of 0.0005.")
    ] = None,
    register: Annotated[str | None, typer.Option(help="A register of removals that the manifest must obey.")] = None,
    superseded: Annotated[
        bool, typer.Option("--superseded", help="Export a manifest that a removal has superseded.")
    ] = False,
) -> None:
    """Write the shards as Megatron-LM, MosaicML MDS, NumPy, nanoGPT or Hugging Face datasets read them."""
    from pydantic import ValidationError

    from tokenization.exports.run import ExportOptions
    from tokenization.exports.run import export as write

    try:
        options = ExportOptions.model_validate(
            {
                "manifest": str(manifest), "to": to, "out": str(out), "length": length, "validation": validation,
                "register_": register, "superseded": superseded,
            }
        )  # fmt: skip
    except ValidationError as error:
        first = error.errors()[0]
        where = f"--{first['loc'][0]}: ".replace("_", "") if first["loc"] else ""
        raise ValueError(f"{where}{first['msg'].removeprefix('Value error, ')}.") from error
    note = write(options)
    console.print(
        f"{note['documents']:,} documents, {note['tokens']:,} tokens as {note['dtype']} in {escape(str(out))}. "
        f"Read it: {escape(note['read'].replace('DIR', str(out)))}",
        soft_wrap=True, highlight=False,
    )  # fmt: skip
    if note.get("left_out_tokens"):
        console.print(f"{note['left_out_tokens']:,} tokens after the last whole sample are left out.", soft_wrap=True)
