"""`winnow plan`: how many tokens a model wants, what a corpus offers against that, and what it costs."""

from __future__ import annotations

from typing import Annotated

import typer

from flows.commands.terminal import console


def plan(
    params: Annotated[str, typer.Option(help="Parameters of the model: 7B, 350M, 70e9, 70亿.")],
    recipe: Annotated[str | None, typer.Option(help="The recipe whose mixture and budget count.")] = None,
    variant: Annotated[str | None, typer.Option(help="One of the mixture's published columns.")] = None,
    run: Annotated[
        list[str] | None, typer.Option(help="A run or manifest, or SOURCE=PATH: what the corpus has.")
    ] = None,
    tokens: Annotated[str | None, typer.Option(help="Another budget: 300B, 1.4T.")] = None,
    partial: Annotated[bool, typer.Option(help="Go on without the sources that the corpus lacks, and say so.")] = False,
    precision: Annotated[str, typer.Option(help="Of weights in training: bf16 or fp32.")] = "bf16",
    shape: Annotated[str | None, typer.Option(help="LAYERSxWIDTHxHEADS, for the activations.")] = None,
    context: Annotated[int, typer.Option(min=1, help="Tokens of a sequence.")] = 2048,
    micro_batch: Annotated[int, typer.Option(min=1, help="Sequences a device holds at once.")] = 1,
    peak: Annotated[str | None, typer.Option(help="FLOP/s of one device, as 989e12.")] = None,
    mfu: Annotated[float, typer.Option(help="Share of the peak that training reaches.")] = 0.4,
    memory: Annotated[str, typer.Option(help="Of one device.")] = "80 GB",
    devices: Annotated[int | None, typer.Option(min=1, help="How many; without it, as many as memory wants.")] = None,
    zh: Annotated[bool, typer.Option("--zh", help="In Chinese.")] = False,
) -> None:
    """Tokens, epochs a source, storage, memory and hours, each with its formula."""
    from flows.show_plan import show_plan

    console.print(
        show_plan(
            params,
            recipe=recipe,
            variant=variant,
            runs=run or [],
            tokens=tokens,
            missing="renormalise" if partial else "refuse",
            precision=precision,
            shape=shape,
            context=context,
            micro_batch=micro_batch,
            peak=peak,
            mfu=mfu,
            memory=memory,
            devices=devices,
            zh=zh,
        )
    )
