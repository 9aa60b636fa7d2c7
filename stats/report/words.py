"""The report's numbers and names in English and Chinese, as the template asks for them.

Both languages stand in the page and a style sheet shows one; so every sentence is made here or in the template, side
by side, and no figure differs between the two.
"""

from __future__ import annotations

from datetime import timedelta

from markupsafe import Markup

from filters.catalogue import signal_docs, signal_docs_zh
from stats.papers.names import KIND_NAMES, LANGUAGES, POLICIES, STAGES

FUNNEL = {
    **STAGES, "read": ("read", "读取"), "skipped": ("no page by its type", "按类型不是网页"),
    "undecided": ("not decided yet", "尚未判定"),
}  # fmt: skip
JOBS = {
    "plan": "分块", "extract": "抽取", "rights": "权利声明", "annotate": "测量", "dedup": "去重", "cuts": "删除片段",
    "decontaminate": "去除评测集", "decide": "判定", "scrub": "个人信息处理", "tokenize": "分词", "report": "报告",
}  # fmt: skip


def say(en: object, zh: object) -> Markup:
    """Both languages; escaped, unless they are markup already.

    >>> say("a<b", "甲")
    Markup('<span class="en">a&lt;b</span><span class="zh" lang="zh-CN">甲</span>')
    """
    return Markup('<span class="en">{}</span><span class="zh" lang="zh-CN">{}</span>').format(en, zh)


def named(names: dict[str, tuple[str, str]], code: str) -> Markup:
    """A code's name in both languages; the code itself where it has none."""
    return say(*names[code]) if code in names else Markup("{}").format(code)


def language(code: str) -> Markup:
    """A language's name and code."""
    return Markup("{} <code>{}</code>").format(named(LANGUAGES, code), code) if code in LANGUAGES else named({}, code)


def signal(name: str | None) -> Markup:
    """What a signal measures; nothing for what is no signal."""
    docs = signal_docs()
    return say(docs[name], signal_docs_zh()[name]) if name in docs else Markup("")


def kind(code: str) -> Markup:
    """A kind of personal data."""
    return named(KIND_NAMES, code)


def action(code: str) -> Markup:
    """What was done with a kind."""
    return named(POLICIES, code)


def stage(code: str) -> Markup:
    """A line of the funnel."""
    return named(FUNNEL, code)


def job(code: str) -> Markup:
    """A stage of the work."""
    return say(code, JOBS.get(code, code))


def count(number: float | None) -> str:
    """Thousands apart; a dash for what is not known.

    >>> count(1234567), count(None)
    ('1,234,567', '–')
    """
    return "–" if number is None else f"{number:,.0f}"


def percent(share: float | None) -> str:
    """In percent, with more digits for less; a dash where there is nothing to divide by.

    >>> percent(0.5), percent(0.00012), percent(None)
    ('50.0%', '0.012%', '–')
    """
    if share is None:
        return "–"
    return f"{share:.1%}" if share >= 0.01 or not share else f"{share:.2g}" if share < 1e-6 else f"{share * 100:.2g}%"


def size(number: float | None) -> str:
    """Bytes in decimal units.

    >>> size(999), size(1_500_000), size(None)
    ('999 B', '1.5 MB', '–')
    """
    if number is None:
        return "–"
    for unit in ("B", "kB", "MB", "GB", "TB", "PB"):
        if number < 1000 or unit == "PB":
            break
        number /= 1000
    return f"{number:.3g} {unit}" if unit != "B" else f"{number:.0f} B"


def duration(seconds: float | None) -> str:
    """Seconds, or hours, minutes and seconds.

    >>> duration(12.34), duration(3725), duration(None)
    ('12.3 s', '1:02:05', '–')
    """
    if seconds is None:
        return "–"
    return f"{seconds:.1f} s" if seconds < 100 else str(timedelta(seconds=round(seconds)))


def energy(watt_hours: float | None) -> str:
    """Watt hours.

    >>> energy(0.01234), energy(2500), energy(None)
    ('0.0123 Wh', '2.5 kWh', '–')
    """
    if watt_hours is None:
        return "–"
    return f"{watt_hours / 1000:.3g} kWh" if watt_hours >= 1000 else f"{watt_hours:.3g} Wh"


def width(share: float | None) -> str:
    """The class of a bar's width, in whole percent; what is not nothing is seen.

    >>> width(0.421), width(0.0001), width(None)
    ('w42', 'w1', 'w0')
    """
    if not share:
        return "w0"
    return f"w{min(100, max(1, round(share * 100)))}"
