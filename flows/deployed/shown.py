"""What a run leaves for people in the server's user interface: the funnel as a table, and where report and data are."""

from __future__ import annotations

from pathlib import Path

from prefect.artifacts import create_link_artifact, create_markdown_artifact

from pipelines.corpus.takedown import Answer
from stats.funnel import funnel
from stats.run import open_run
from stats.show import safe
from tokenization.versions import Version


def show_run(run: Path) -> None:
    """The funnel of a run as a Markdown table, and a link to its report."""
    with open_run(str(run)) as opened:
        rows = funnel(opened).to_pylist()
    lines = ["| stage | fate | documents | share | tokens |", "|---|---|---:|---:|---:|"]
    for row in rows:
        share = "" if row["share"] is None else f"{row['share']:.1%}"
        tokens = "" if row["tokens"] is None else f"{row['tokens']:,}"
        lines.append(f"| {row['stage']} | {_cell(row['fate'])} | {row['documents']:,} | {share} | {tokens} |")
    create_markdown_artifact(key="winnow-funnel", markdown="\n".join(lines), description=f"Funnel of {run}")
    report = run / "report.html"
    if report.is_file():
        create_link_artifact(key="winnow-report", link=report.absolute().as_uri(), link_text=str(report),
                             description="The report of this run, on the worker's machine")  # fmt: skip


def show_corpus(corpus: Path, version: Version | None) -> None:
    """The newest version of a corpus in a few lines."""
    if version is None:
        return
    made = version.manifest
    lines = [f"**Version {made.version}** of `{corpus}`", "", "| source | documents | tokens |", "|---|---:|---:|"]
    lines += [f"| {_cell(name)} | {of.documents:,} | {of.tokens:,} |" for name, of in made.sources.items()][-50:]
    lines += [f"| all | {made.totals.documents:,} | {made.totals.tokens:,} |", "", f"`{version.path}`"]
    create_markdown_artifact(key="winnow-corpus", markdown="\n".join(lines), description=f"Corpus {corpus}")


def show_answers(answers: list[Answer], refused: list[str]) -> None:
    """What became of removal requests, by their ids, and which forms were refused."""
    lines = ["| request | documents | tokens | version | repeats an earlier text |", "|---|---:|---:|---:|---|"]
    for one in answers:
        others = ", ".join(one.elsewhere[:20])
        lines.append(f"| {one.request} | {one.documents:,} | {one.tokens:,} | {one.version or ''} | {others} |")
    lines += ["", *(f"- refused: {_cell(told.partition(':')[0])}" for told in refused)]
    create_markdown_artifact(key="winnow-takedown", markdown="\n".join(lines), description="Removal requests")


def _cell(text: str) -> str:
    """A name that cannot break the table; it may come from a crawl."""
    return safe(text).replace("|", "\\|").replace("`", "'").replace("<", "&lt;").replace("\n", " ")
