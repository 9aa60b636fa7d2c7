"""`winnow diversity`: whose share of the corpus each stage and each rule changed."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.markup import escape

from flows.commands.terminal import RunFolder, console

SHOW = "groups, evenness, rules, mentions, mention-rules"


def diversity(
    run: RunFolder,
    by: Annotated[
        list[str] | None, typer.Option(help="lang, domain, tld, year, or a column of signals/; again for more.")
    ] = None,
    alert: Annotated[float, typer.Option(min=0.0, help="Relative change of a share that is alarmed.")] = 0.1,
    mentions: Annotated[
        bool, typer.Option("--mentions", help="Read all texts, and tell whom they mention by identity terms.")
    ] = False,
    most: Annotated[int, typer.Option(min=1, max=1000, help="Groups and rules that the tables show.")] = 12,
    format: Annotated[
        str, typer.Option(help="table shows all; csv, json (piped also arrow, parquet) write one, groups by default.")
    ] = "table",
    show: Annotated[str, typer.Option(help=f"Which table, when --format is not table: {SHOW}.")] = "groups",
) -> None:
    """Whose share of the corpus each stage and each rule changed: by language, domain, year, a signal, or mention."""
    from stats.diversity import BY, prepare, spread, wide
    from stats.diversity_rules import rule_changes
    from stats.run import open_run
    from stats.show import table, write

    kinds = tuple(dict.fromkeys(by or BY))
    mentions = mentions or show.startswith("mention")
    with open_run(run) as opened:
        prepare(opened, kinds)
        found = spread(opened, kinds, alert)
        tables = {"groups": found.groups, "evenness": found.evenness, "rules": rule_changes(opened, kinds, alert)}
        if mentions:
            from stats.mentions import find_mentions  # it loads kernels

            mentioned = find_mentions(opened, alert)
            tables |= {"mentions": mentioned.groups, "mention-rules": mentioned.rules}
    if format != "table":
        if show not in tables:
            raise ValueError(f"--show {show}: there are {SHOW}.")
        write(tables[show], format, console)
        return
    console.print(*(table(wide(found.groups, kind, most), f"Shares by {kind}") for kind in kinds), sep="\n")
    console.print(table(found.evenness, "How even: effective number of groups, and the largest ones' share"))
    columns = ["by", "group", "rule", "reads", "came", "dropped", "dropped_share", "dropped_of_all", "change", "alert"]
    console.print(table(tables["rules"].select(columns).slice(0, most), f"Rules, the first {most}"))
    if mentions:
        some = [
            "lang",
            "axis",
            "group",
            "documents, documents",
            "documents, kept",
            "pass",
            "others_pass",
            "few",
            "alert",
        ]
        console.print(table(tables["mentions"].select(some), "Documents that mention a group"))
        columns[6:] = ["dropped_share", "times", "change", "drops_more", "alert"]
        console.print(
            table(tables["mention-rules"].select(columns).slice(0, most), f"Rules by mention, the first {most}")
        )
    alarms = sum(tables[name]["alert"].to_pylist().count(True) for name in ("groups", "rules"))
    if alarms:
        told = (
            f"{alarms:,} shares changed by more than {alert:.0%}, not by chance: --format csv --show groups, or rules."
        )
        console.print(escape(told), soft_wrap=True, highlight=False)
