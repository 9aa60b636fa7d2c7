"""`winnow papers` and `winnow sheet`: the papers of a run, and the reviewers' sheet read back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from flows.commands.terminal import console

NAMES = "datacard, datasheet, croissant, spdx, eu, domains, ledger, prov, diversity, tc260"
KEYWORDS = "A keyword library: an entry a line, or category, tab and entry; category a risk such as A.1.f."


def papers(
    run: Annotated[str | None, typer.Argument(help="A folder made by `winnow run`.", metavar="RUN")] = None,
    facts: Annotated[str | None, typer.Option(help="FACTS.toml: what the run cannot know.")] = None,
    out: Annotated[str | None, typer.Option(help="Where to write; RUN/papers without it.")] = None,
    only: Annotated[list[str] | None, typer.Option(help=f"Only this one, again for more: {NAMES}.")] = None,
    seed: Annotated[int, typer.Option(help="Of the two random samples.")] = 0,
    items: Annotated[int, typer.Option(min=4000, help="Items for people to judge, or all there are.")] = 4000,
    keywords: Annotated[str | None, typer.Option(help=KEYWORDS)] = None,
    by: Annotated[
        list[str] | None, typer.Option(help="Groups of diversity.parquet, as `winnow diversity --by`.")
    ] = None,
    alert: Annotated[float, typer.Option(min=0.0, help="Relative change of a share that is told.")] = 0.1,
    mentions: Annotated[
        bool, typer.Option(help="Read all texts for mentions of groups of people, for the data card.")
    ] = True,
    facts_template: Annotated[
        bool, typer.Option("--facts-template", help="Print a FACTS.toml to fill in, and do nothing else.")
    ] = False,
) -> None:
    """Write a run's papers: data cards, datasheet, Croissant, SPDX, EU summary, PROV, ledgers, TC260 samples."""
    from stats.papers.facts import read_facts, template

    if facts_template:
        print(template(), end="")
        return
    if run is None:
        raise ValueError("Name a run: winnow papers RUN. `winnow papers --facts-template` needs none.")
    from stats.diversity import BY
    from stats.papers.write import FOLDER, PAPERS, Choice, Papers
    from stats.run import open_run

    if "://" in run and out is None:
        raise ValueError(f"{run} lies on a store: name a folder of this machine for its papers with --out.")
    stated = read_facts(facts)
    choice = Choice(tuple(only or PAPERS), tuple(dict.fromkeys(by or BY)), alert, mentions, seed, items, keywords)
    with open_run(run) as opened:
        written = Papers(opened, stated, Path(out) if out else opened.path / FOLDER, choice).write()
    for path in written:
        console.print(escape(str(path)), soft_wrap=True, highlight=False)


def sheet(
    path: Annotated[str, typer.Argument(help="tc260_manual_sample.jsonl with its verdicts.", metavar="SHEET.jsonl")],
    keywords: Annotated[str | None, typer.Option(help=KEYWORDS)] = None,
    sample: Annotated[
        str | None, typer.Option(help="The technical sample; tc260_tech_sample.parquet beside the sheet without it.")
    ] = None,
    en: Annotated[bool, typer.Option("--en", help="Print the English report. 默认输出中文。")] = False,
) -> None:
    """Read the reviewers' sheet back, run a keyword library over the technical sample, and write the report anew."""
    from stats.papers.assessment import report
    from stats.papers.sheet import check_keywords, read_sheet
    from stats.papers.write import TECH, write_report

    manual = read_sheet(path)
    folder = Path(path).parent
    technical = check_keywords(sample or folder / TECH, keywords) if keywords else None
    written = list(write_report(folder, manual, technical))
    print(report(manual, technical, zh=not en).markdown(), end="")
    for one in written:
        console.print(escape(str(one)), soft_wrap=True, highlight=False)
