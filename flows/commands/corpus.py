"""`winnow corpus`: many crawls, one after another, under one manifest; all that the deployments do, by hand."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from flows import settings
from flows.commands.takedown import day_of, targets_of
from flows.commands.terminal import Settings, console, errors

app = typer.Typer(no_args_is_help=True, help="Many crawls, one after another, under one manifest.")
Corpus = Annotated[Path, typer.Argument(help="A folder; `extend` begins one.", metavar="CORPUS")]


@app.command()
def extend(
    corpus: Corpus,
    inputs: Annotated[list[str], typer.Argument(help="Files, folders, globs; NAME=PATH names a source.")],
    recipe: Annotated[str, typer.Option(help="A shipped recipe's name, or a .toml file.")] = "zh-en-general",
    workers: Annotated[int, typer.Option(min=1, help="Processes on this machine.")] = os.cpu_count() or 1,
    runner: Annotated[str, typer.Option(help="embedded, or any Beam runner's name.")] = "embedded",
    tokenizer: Annotated[
        str | None, typer.Option(help="For a new corpus; without it the first run trains one, for all.")
    ] = None,
    set_: Settings = None,
    file: Annotated[list[str] | None, typer.Option(help="ID=PATH: the model or list of one of the scores.")] = None,
    decontaminate: Annotated[
        list[str] | None, typer.Option(help="An evaluation set to keep out: FILE, or FILE=FIELD,FIELD.")
    ] = None,
    opt_outs: Annotated[list[str] | None, typer.Option(help="A list of domains that have opted out.")] = None,
    settle: Annotated[float, typer.Option(min=0, help="Leave files that changed within so many seconds.")] = 0,
) -> None:
    """Take the inputs that no run of the corpus has taken, and publish a version with what they hold."""
    from flows.server import own_server

    settings.apply()
    with own_server():  # it starts while everything below is imported
        from flows.choices import chosen_recipes

        chosen, _, notices = chosen_recipes(recipe, set_ or [], [], file or [], decontaminate or [], opt_outs or [])
        from flows.extend import How, extended, held

        if tokenizer is not None and not Path(tokenizer).is_file():
            raise FileNotFoundError(f"There is no tokenizer file {tokenizer}. Give the path of an existing one.")
        own = str(Path(tokenizer).absolute()) if tokenizer else None
        how = How(chosen, (), notices, workers, runner, own, settle)
        with held(corpus):
            done = extended(corpus, inputs, how, _say)
    for told in done.notices:
        errors.print(f"notice: {escape(told)}", soft_wrap=True, highlight=False)
    if not done.runs:
        console.print("Nothing is new.")
    for folder in done.empty:
        console.print(f"{folder}: nothing of it was kept; `winnow funnel {escape(str(corpus / folder))}` says why.",
                      soft_wrap=True, highlight=False)  # fmt: skip
    show(corpus)


def _say(told: str) -> None:
    console.print(escape(told), soft_wrap=True, highlight=False)


@app.command()
def show(corpus: Corpus) -> None:
    """The corpus run by run: what each took and what it gave, and the newest version."""
    from pipelines.corpus.ledger import opened
    from tokenization.manifest import Manifest
    from tokenization.versions import history, latest

    ledger = opened(corpus)
    table = Table("run", "state", "inputs", "bytes", "documents", "tokens", title=f"{corpus}, by {ledger.recipe}")
    for column in table.columns[2:]:
        column.justify = "right"
    for run in ledger.runs:
        path = latest(corpus / run.folder) if run.state == "joined" else None
        totals = Manifest.read(path).totals if path else None
        counts = (f"{totals.documents:,}", f"{totals.tokens:,}") if totals else ("", "")
        size = sum(one.bytes for one in run.inputs)
        table.add_row(run.folder, run.state, f"{len(run.inputs):,}", f"{size:,}", *counts)
    console.print(table)
    versions = history(corpus)
    if not versions:
        console.print("There is no version yet.")
        return
    now = versions[-1].manifest
    console.print(f"version {now.version}: {now.totals.documents:,} documents, {now.totals.tokens:,} tokens, "
                  f"{len(now.shards):,} shards, {len(now.obeys):,} requests obeyed\n"
                  f"manifest: {escape(str(corpus / 'manifest.json'))}", soft_wrap=True, highlight=False)  # fmt: skip


@app.command()
def remove(
    corpus: Corpus,
    form: Annotated[
        list[Path] | None, typer.Option("--requests", help="A removal request (.toml, .json), or a folder of them.")
    ] = None,
    url: Annotated[list[str] | None, typer.Option(help="A page's address.")] = None,
    domain: Annotated[list[str] | None, typer.Option(help="A domain, with everything below it.")] = None,
    doc: Annotated[list[str] | None, typer.Option(help="A doc_id.")] = None,
    reason: Annotated[str | None, typer.Option(help="Why; the register keeps it.")] = None,
    near: Annotated[float | None, typer.Option(help="Take what resembles these at this index or more too.")] = None,
    date: Annotated[str | None, typer.Option(help="Of the request, YYYY-MM-DD; without it, today.")] = None,
) -> None:
    """Take documents out of every run, keep them out of later ones, publish a version; alone: what is left to do."""
    settings.apply()
    from flows.extend import held
    from pipelines.corpus.forms import read_forms
    from pipelines.corpus.takedown import obey_register, remember, take_out
    from pipelines.removal.request import Request

    asked = [(form_, *read_forms(form_)) for form_ in form or []]
    refused = [f"{where}: {told}" for where, _, faults in asked for told in faults]
    targets, day = targets_of(url or [], domain or [], doc or [], []), day_of(date)
    with held(corpus):
        answers = obey_register(corpus)
        for _, filed, _ in asked:
            for one in filed:
                given = one.form.date.isoformat() if one.form.date else day
                remember(corpus, one, given)
                answers.append(take_out(corpus, one.request, given))
        if targets:
            answers.append(take_out(corpus, Request.of(targets, reason or "", near), day))
    for answer in answers:
        version = f"version {answer.version}" if answer.version else "no version yet"
        told = f"{answer.documents:,} documents found, {answer.tokens:,} tokens taken out; {version}"
        _say(f"request {answer.request}: {told if answer.new else f'obeyed already; {version}'}")
        for doc_id in answer.elsewhere:
            _say(f"  {doc_id} repeats a text of an earlier run: ask for that one too, or with near.")
    if not answers:
        console.print("Nothing is left to do.")
    for told in refused:
        errors.print(f"refused: {escape(told)}", soft_wrap=True, highlight=False)
    if refused:
        raise typer.Exit(1)
