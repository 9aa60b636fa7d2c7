"""The questions to a run: funnel, sql, what-if, compare, explain, verify."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from flows.commands.terminal import RunFolder, Settings, console, errors

if TYPE_CHECKING:
    import pyarrow as pa

ONE_TABLE = "table shows all; csv, json (piped also arrow, parquet) write one, {} unless --show names another."
WHAT_IF = {"totals": "What would be kept", "fates": "By fate", "languages": "By language", "personal": "Personal data"}
MATRICES = (("Share of documents decided alike", "alike"), ("Jaccard index of the sets that pass", "jaccard"))
PAIRS = 20


def funnel(run: RunFolder) -> None:
    """What went where: the run's funnel, and where its report and manifest are."""
    from pipelines.mirror import copy_of

    told_funnel(copy_of(run), run)


def told_funnel(folder: str, named: str) -> None:
    """Print the funnel of the run in `folder`, which a person knows as `named`."""
    from stats.funnel import funnel as count
    from stats.run import open_run
    from stats.show import table
    from tokenization.versions import latest

    with open_run(folder) as opened:
        console.print(table(count(opened), title=f"Funnel of {named}"))
    for path in (latest(Path(folder)), Path(folder) / "report.html"):
        if path is not None and path.exists():
            where = f"{named.rstrip('/')}/{path.name}"
            console.print(f"{path.name.partition('.')[0]}: {escape(where)}", soft_wrap=True)


def sql(
    run: RunFolder,
    query: Annotated[str, typer.Argument(help="SQL over documents, rejects, signals, decisions, fates...")],
    format: Annotated[str, typer.Option(help="table, csv, json; piped also arrow, parquet.")] = "table",
) -> None:
    """Ask DuckDB about a run: read-only, and nothing outside the run can be read."""
    from stats.run import open_run
    from stats.show import write
    from stats.sql import query as ask

    with open_run(run) as opened:
        write(ask(opened, query), format, console)


def what_if(
    run: RunFolder,
    recipe: Annotated[str | None, typer.Option(help="Another recipe's rules; without it, the run's own.")] = None,
    set_: Settings = None,
    save: Annotated[
        str | None, typer.Option(help="Write the changed recipe here, as a .toml that extends the shipped one.")
    ] = None,
    format: Annotated[str, typer.Option(help=ONE_TABLE.format("fates"))] = "table",
    show: Annotated[
        str, typer.Option(help="Which table, when --format is not table: fates, languages, totals, personal.")
    ] = "fates",
) -> None:
    """What would be kept under other thresholds, from the run's measurements, without running again."""
    from filters.thresholds import set_thresholds
    from recipes.load import load
    from recipes.save import save_changes
    from stats.gather import gather
    from stats.personal import personal
    from stats.run import open_run
    from stats.show import table, write
    from stats.what_if import what_if as ask

    if recipe is None and not set_:
        raise ValueError("Nothing would change: give --set RULE=VALUE, or --recipe NAME.")
    with open_run(run) as opened:
        gather(opened)
        wanted = set_thresholds(load(recipe) if recipe else opened.recipe, set_ or [])
        answer = ask(opened, wanted)
        tables = {"totals": answer.totals, "fates": answer.fates, "languages": answer.languages}
        if show == "personal" or wanted.scrub.policy != opened.recipe.scrub.policy:
            tables["personal"] = personal(opened, wanted)
    _tell(answer.notices)
    if format != "table":
        write(_one(tables, show), format, console)
    else:
        console.print(*(table(tables[name], title) for name, title in WHAT_IF.items() if name in tables), sep="\n")
        for title, pages in (("would come in", answer.comes_in), ("would go out", answer.goes_out)):
            for page in pages:
                console.print(f"{title}: {escape(page)}", soft_wrap=True)
    if save is not None:
        save_changes(wanted, save)
        console.print(f"recipe: {escape(save)}", soft_wrap=True)


def compare(
    run: RunFolder,
    recipes: Annotated[
        str | None, typer.Option(help="a,b,c: names or .toml files; without it, all that the run was measured for.")
    ] = None,
    rules: Annotated[str | None, typer.Option(help="Instead, how this recipe's rules overlap.", metavar="NAME")] = None,
    format: Annotated[str, typer.Option(help=ONE_TABLE.format("recipes"))] = "table",
    show: Annotated[
        str | None, typer.Option(help="Which table, when --format is not table: recipes, languages, pairs, rules.")
    ] = None,
) -> None:
    """The same documents under many recipes: what each keeps, how far they agree; or how one recipe's rules overlap."""
    from flows.choices import compared
    from stats.compare import compare as ask
    from stats.compare import matrix
    from stats.gather import gather
    from stats.overlap import overlap
    from stats.run import open_run
    from stats.show import table, write

    with open_run(run) as opened:
        gather(opened)
        if rules is not None:
            chosen, notices = compared(opened.described, opened.recipe, rules)
            found = overlap(opened, next(iter(chosen.values())))
            notices += found.notices
            tables = {"rules": found.rules, "pairs": found.pairs}
            shown = [("Rules", found.rules), (f"Pairs, the first {PAIRS}", found.pairs.slice(0, PAIRS))]
        else:
            chosen, notices = compared(opened.described, opened.recipe, recipes)
            answer = ask(opened, chosen)
            tables = {"recipes": answer.recipes, "languages": answer.languages, "pairs": answer.pairs}
            shown = [("Recipes", answer.recipes), ("By language", answer.languages)]
            shown += [(title, matrix(answer, measure)) for title, measure in MATRICES]
            notices += answer.notices
    _tell(notices)
    if format != "table":
        write(_one(tables, show or next(iter(tables))), format, console)
    else:
        console.print(*(table(rows, title) for title, rows in shown), sep="\n")


def _tell(notices: list[str]) -> None:
    for notice in notices:
        errors.print(f"notice: {escape(notice)}", soft_wrap=True, highlight=False)


def _one(tables: dict[str, pa.Table], name: str) -> pa.Table:
    if name not in tables:
        raise ValueError(f"--show {name}: there are {', '.join(tables)}.")
    return tables[name]


def contamination(
    run: RunFolder,
    json: Annotated[bool, typer.Option("--json", help="One JSON object with all tables.")] = False,
    findings: Annotated[int, typer.Option(min=0, help="Items and findings that the tables show.")] = PAIRS,
) -> None:
    """What was found of evaluation sets: by set and mode, by item, which documents and where."""
    from stats.contamination import contamination as find
    from stats.run import open_run
    from stats.show import json_lines, table

    with open_run(run) as opened:
        tables = find(opened).tables()
    if json:
        parts = (f'"{name}": [{", ".join(map(str.strip, json_lines(rows)))}]' for name, rows in tables.items())
        print(f"{{{', '.join(parts)}}}")
        return
    shown = {name: rows if name in ("totals", "sets") else rows.slice(0, findings) for name, rows in tables.items()}
    shown["documents"] = shown["documents"].select(["url", "item", "mode", "start", "end", "fate"])
    console.print(*(table(rows, f"{name} ({tables[name].num_rows:,})") for name, rows in shown.items()), sep="\n")


def explain(
    run: RunFolder,
    page: Annotated[str, typer.Argument(help="A URL or a doc_id.", metavar="URL|DOC_ID")],
) -> None:
    """What became of one page, and why."""
    from stats.explain import explain as find
    from stats.run import open_run

    with open_run(run) as opened:
        for explanation in find(opened, page):
            console.print(escape(explanation.text()), soft_wrap=True)


def verify(run: RunFolder) -> None:
    """Prove that every record has one fate, that the counts add up, and that every hash holds."""
    from stats.run import open_run
    from stats.verify import verify as prove
    from stats.verify_corpus import corpus_of, verify_corpus

    if (corpus := corpus_of(run)) is not None:
        problems = verify_corpus(corpus)
    else:
        with open_run(run) as opened:
            problems = list(prove(opened))
    for problem in problems:
        console.print(escape(str(problem)), soft_wrap=True)
    if problems:
        raise typer.Exit(1)
    console.print(f"{run}: every record has one fate, the counts add up, and every hash holds.", soft_wrap=True)
