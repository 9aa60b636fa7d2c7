"""report.html: the figures of a run put into the template, one file that asks nobody for anything.

The page has no script at all: language and colours are switched by radio buttons and the style sheet. Its policy
allows one style sheet, by its hash, and nothing else, so that whatever a crawled string might smuggle past the
escaping would still neither run nor load.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from stats.report import charts, cost, words
from stats.report.collect import Report, collect
from stats.report.groups import Lengths
from stats.report.rules import Bar, RuleView
from stats.report.strings import visible
from stats.run import Run

NAME = "report.html"
Lang = Literal["en", "zh"]
SECTIONS = (
    ("funnel", "Funnel", "漏斗"), ("rules", "Rules", "规则"), ("languages", "Languages", "语言"),
    ("domains", "Domains", "域名"), ("duplicates", "Duplicates", "重复"),
    ("personal", "Personal data", "个人信息"), ("tokens", "Tokens and shards", "词元与分片"),
    ("cost", "Cost", "成本"), ("card", "Card", "数据卡"),
)  # fmt: skip
MOST_CHARTS = 150


def write_report(run: Run, lang: Lang = "en", out: Path | None = None) -> Path:
    """Write the report, whole or not at all; returns its path. ValueError in a sentence if a file cannot be read.

    `lang` is the language that it opens in; the other is a click away.
    """
    path = out or run.path / NAME
    if not path.parent.is_dir():
        raise FileNotFoundError(f"--out {path}: there is no folder {path.parent}. Make it, or choose another place.")
    temporary = path.with_name(f".tmp-{path.name}")
    temporary.write_bytes(page(collect(run), lang).encode())
    temporary.replace(path)
    return path


def page(report: Report, lang: Lang = "en") -> str:
    """The report as HTML."""
    style = stylesheet()
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    charted = [rule for rule in report.rules if rule.failing or rule.first][:MOST_CHARTS]
    return environment().get_template("report.html.j2").render(
        r=report, zh=lang == "zh", css=Markup(style), sections=SECTIONS, cost=cost,
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        shown_rules=charted, idle_rules=[rule for rule in report.rules if rule not in charted],
        notices=_notices(report), card=_card(report), lists=_lists(report),
    )  # fmt: skip


@cache
def environment() -> Environment:
    """Templates with everything escaped that is not markup of ours; an unknown name is an error."""
    made = Environment(loader=PackageLoader("stats", "report"), autoescape=True, undefined=StrictUndefined,
                       trim_blocks=True, lstrip_blocks=True)  # fmt: skip
    made.globals["say"] = words.say
    for name in (
        "count",
        "percent",
        "size",
        "duration",
        "energy",
        "width",
        "language",
        "kind",
        "action",
        "stage",
        "job",
        "signal",
    ):
        made.filters[name] = getattr(words, name)
    made.filters |= {"visible": visible, "lines": _lines, "chart": _chart, "length_chart": _length_chart}
    return made


@cache
def stylesheet() -> str:
    """The style sheet, with the widths of bars: a style in an attribute would need a policy that allows any."""
    css = (Path(__file__).parent / "report.css").read_text("utf-8")
    return css + "".join(f".w{n}{{--w:{n}%}}.g{n}{{flex:{n or 0.5}}}\n" for n in range(101))


def _lines(text: str) -> Markup:
    """Crawled text whose line ends stay."""
    return Markup("\n").join(visible(line) for line in text.split("\n"))


def _chart(rule: RuleView) -> Markup:
    return charts.histogram(rule.bars, rule.lines, f"{rule.step.id}: {rule.failing:,} / {rule.asked:,}")


def _length_chart(lengths: Lengths) -> Markup:
    bars = [Bar(10**bar.low, 10**bar.high, bar.passing, 0) for bar in lengths.bars]
    return charts.histogram(bars, {}, "tokens a document", logarithmic=True)


def _notices(report: Report) -> list[Markup]:
    recipe = report.run.recipe
    if not recipe.notice:
        return []
    return [words.say(recipe.notice, recipe.notice_zh or recipe.notice)]


def _card(report: Report) -> list[tuple[str, str, Any]]:
    """(English, Chinese, value) of what identifies the data."""
    run, recipe = report.run, report.run.recipe
    rows: list[tuple[str, str, Any]] = [
        ("recipe", "配方", recipe.name),
        ("fidelity to its source", "与原文的还原度", recipe.fidelity),
        ("steps", "步骤数", len(recipe.steps)),
        ("inputs", "输入", Markup("<br>").join(visible(one) for one in run.described.get("inputs", [])[:20])),
        ("seeds", "随机种子", ", ".join(f"{name} {seed}" for name, seed in run.described.get("seeds", {}).items())),
        ("code", "代码", str(run.described.get("versions", {}).get("winnow", "–"))),
    ]
    if report.shards:
        manifest = report.shards.manifest
        rows += [
            ("manifest", "清单", f"{report.shards.file}, {manifest.schema_version}"),
            ("recipe, hash", "配方摘要", manifest.recipe_hash),
            ("tokenizer, sha256", "分词器 sha256", manifest.tokenizer.sha256),
        ]
    return [(en, zh, value if isinstance(value, Markup) else visible(value)) for en, zh, value in rows]


def _lists(report: Report) -> list[tuple[str, str, list[Markup]]]:
    """What the recipe rests on, assumes and leaves out."""
    r = report.run.recipe
    told = tuple(report.run.described.get("notices", ())[:30])
    made: tuple[tuple[str, str, Sequence[str], Sequence[str]], ...] = (
        ("Sources", "依据", r.sources, r.sources),
        ("Assumed", "假设", r.assumptions, r.assumptions_zh),
        ("Published and not done", "原文有而未做", r.not_done, r.not_done_zh),
        ("Told before the run", "运行前提示", told, told),
    )
    return [
        (en, zh, [words.say(visible(one), visible(other)) for one, other in
                  (zip(items, chinese, strict=True) if len(chinese) == len(items) else zip(items, items, strict=True))])
        for en, zh, items, chinese in made if items
    ]  # fmt: skip
