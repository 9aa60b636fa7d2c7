"""`winnow run` and `winnow sample`: a crawl to curate, and the curating."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from flows import settings
from flows.commands.ask import told_funnel
from flows.commands.terminal import Settings, console, errors


def run(
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs; NAME=PATH names a source.")],
    out: Annotated[str, typer.Option(help="The run folder to write.")],
    recipe: Annotated[str, typer.Option(help="A shipped recipe's name, or a .toml file.")] = "zh-en-general",
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = os.cpu_count() or 1,
    runner: Annotated[str, typer.Option(help="embedded, or any Beam runner's name.")] = "embedded",
    tokenizer: Annotated[str | None, typer.Option(help="tokenizer.json, .tiktoken or SentencePiece .model.")] = None,
    set_: Settings = None,
    measure_for: Annotated[
        list[str] | None, typer.Option(help="Measure for this recipe's rules too, for what-if and compare; or all.")
    ] = None,
    file: Annotated[list[str] | None, typer.Option(help="ID=PATH: the model or list of one of the scores.")] = None,
    decontaminate: Annotated[
        list[str] | None, typer.Option(help="An evaluation set to keep out: FILE, or FILE=FIELD,FIELD.")
    ] = None,
    opt_outs: Annotated[
        list[str] | None, typer.Option(help="A list of domains that have opted out, one a line.")
    ] = None,
    part_bytes: Annotated[
        int | None, typer.Option(min=1024, help="Input bytes a part, as they lie in the file.")
    ] = None,
    against: Annotated[
        str | None, typer.Option(help="An index of earlier corpora: look for duplicates there too, and add this one.")
    ] = None,
    register: Annotated[str | None, typer.Option(help="A register of removals: what it asks for is left out.")] = None,
    follow_links: Annotated[
        bool, typer.Option("--follow-links", help="Read what a folder finds also where it is a link out of it.")
    ] = False,
    beam: Annotated[list[str] | None, typer.Option(help="A flag for the Beam runner, as --beam=--flag=value.")] = None,
) -> None:
    """Curate a crawl: extract, rights, annotate, dedup, decide, scrub, tokenize."""
    from flows.server import own_server
    from flows.stopping import stoppable

    settings.apply()
    with stoppable(), own_server():  # first of all: it starts while everything below is imported
        from flows.choices import chosen_recipes

        chosen, others, notices = chosen_recipes(
            recipe, set_ or [], measure_for or [], file or [], decontaminate or [], opt_outs or []
        )
        told = [notice for notice in notices if notice.startswith(chosen.name) or notice == chosen.notice]
        for notice in told:
            errors.print(f"notice: {escape(notice)}", soft_wrap=True, highlight=False)
        if rest := len(notices) - len(told):
            errors.print(
                f"notice: {rest} more, on recipes that are measured for too, are in run.json.", highlight=False
            )
        if tokenizer is not None and not Path(tokenizer).is_file():
            raise FileNotFoundError(f"There is no tokenizer file {tokenizer}. Give the path of an existing one.")
        if register is not None and not Path(register).is_dir():
            raise FileNotFoundError(f"There is no register {register}. `winnow remove ... --register` begins one.")
        from flows.progress import shown
        from flows.quiet import chatter_logged
        from pipelines.mirror import made_at
        from pipelines.run import locked

        _can_be_made(out, runner, against)
        with made_at(out) as folder, locked(folder), chatter_logged(folder) as terminal, shown(folder, terminal):
            from flows.curate import curate, start_sandboxes

            start_sandboxes(chosen, workers, runner, beam or [])
            curate(
                [_absolute(i) for i in inputs],
                chosen,
                folder,
                others=others,
                notices=notices,
                workers=workers,
                runner=runner,
                tokenizer=tokenizer,
                part_bytes=part_bytes,
                against=_absolute(against) if against else None,
                register=_absolute(register) if register else None,
                flags=beam or [],
                follow_links=follow_links,
            )
    _tell(out, folder)


def _can_be_made(out: str, runner: str, against: str | None) -> None:
    """ValueError if a run on a store is asked for what needs a folder that everyone sees."""
    if "://" in out and runner not in ("embedded", "DirectRunner"):
        raise ValueError(f"--runner {runner}: a run on a store is made in a folder of this machine, so its workers are "
                         "here too. Use --runner embedded, or an --out that all workers see as a folder.")  # fmt: skip
    if against is not None and "://" in against:
        raise ValueError(f"--against {against}: an index lies on a local disk. Name a folder.")


def _tell(out: str, run: str) -> None:
    """What a person wants to know at the end: notices, the funnel, and where manifest and report are."""
    from flows.report import fault_of
    from stats.gather import gather
    from stats.run import open_run

    if fault := fault_of(run):
        errors.print(f"notice: {escape(fault)}", soft_wrap=True, highlight=False)
    _tell_engines(Path(run))
    with open_run(run) as opened:
        gather(opened)  # so that the first question is answered as fast as the second
    told_funnel(run, out)


def _tell_engines(run: Path) -> None:
    """Say so if a slower engine than the fastest encoded the text."""
    import orjson

    from pipelines.tokenize import ENGINE_NOTE

    note = run / "log" / ENGINE_NOTE
    told = {one["told"] for one in orjson.loads(note.read_bytes())} if note.is_file() else set()
    for sentence in sorted(told - {""}):
        errors.print(f"notice: tokenizer: {escape(sentence)}", soft_wrap=True, highlight=False)


def _absolute(named: str) -> str:
    """An input as run.json keeps it: findable from any folder. `NAME=PATH` keeps its name."""
    if "://" in named:
        return named
    name, mark, path = named.partition("=")
    if mark and not Path(named).exists():
        return f"{name}={Path(path).absolute()}"
    return str(Path(named).absolute())


def sample(
    out: Annotated[Path, typer.Argument(help="The file to write, ending in .warc.gz.")],
    pages: Annotated[int, typer.Option(min=1, help="How many records.")] = 2000,
    seed: Annotated[int, typer.Option(help="Same seed, same bytes.")] = 0,
    opt_outs: Annotated[
        bool, typer.Option("--opt-outs", help="Instead: a page for every form of opt-out and licence.")
    ] = False,
) -> None:
    """Write a synthetic crawl with known truth beside it."""
    from pipelines.sample import write_opt_outs, write_sample

    made = write_opt_outs(out, seed) if opt_outs else write_sample(out, pages, seed)
    console.print(f"crawl: {made.warc}\ntruth: {made.truth}\nrecords: {made.records:,}", soft_wrap=True)
