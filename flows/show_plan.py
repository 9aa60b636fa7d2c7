"""`winnow plan` for the terminal: strings in, tables out, in English or Chinese.

Options are parsed here so that the command line only passes them on; every fault is one sentence that names the
option. All figures come from `stats.plan` and are shown with formula and source.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from recipes.load import load
from recipes.mixture import SIZE, Mixture, bytes_of
from recipes.model import Recipe
from recipes.shares import Missing, Said, shares
from stats.ask import Ask, Hardware
from stats.corpora import parse_count, read_offer
from stats.figures import Figure, Unit
from stats.plan import Plan, plan
from stats.scaling import Shape
from stats.show import safe

SECTIONS = {
    "tokens": Said("Tokens", "词元"), "compute": Said("Compute", "算力"), "corpus": Said("Corpora", "语料"),
    "storage": Said("Storage", "存储"), "memory": Said("Training memory", "训练显存"),
}  # fmt: skip
COLUMNS = (Said("figure", "项目"), Said("value", "数值"), Said("formula", "公式"), Said("source", "出处"))
ROWS = (Said("source", "来源"), Said("share", "份额"), Said("wanted", "所需词元"), Said("available", "现有词元"),
        Said("epochs", "遍数"))  # fmt: skip
UNITS: dict[Unit, Said] = {
    "tokens": Said("tokens", "词元"), "per_parameter": Said("a parameter", "每参数"), "flop": Said("FLOP", "FLOP"),
    "bytes": Said("B", "B"), "count": Said("", ""), "epochs": Said("epochs", "遍"), "hours": Said("h", "小时"),
    "parameters": Said("parameters", "参数"), "days": Said("days", "天"), "ratio": Said("", ""),
}  # fmt: skip


def show_plan(
    parameters: str,
    *,
    recipe: str | None = None,
    variant: str | None = None,
    runs: Sequence[str] = (),
    tokens: str | None = None,
    missing: Missing = "refuse",
    precision: str = "bf16",
    shape: str | None = None,
    context: int = 2048,
    micro_batch: int = 1,
    peak: str | None = None,
    mfu: float = 0.4,
    memory: str = "80 GB",
    devices: int | None = None,
    zh: bool = False,
) -> RenderableType:
    """The whole answer to `winnow plan`.

    `parameters` and `tokens` as "7B", "1.4T", "70e9", "70亿"; `runs` as `read_offer` takes them; `shape` as
    "LAYERSxWIDTHxHEADS"; `peak` in FLOP/s of one device, "989e12"; `memory` as "80 GB". ValueError or
    FileNotFoundError in one sentence.
    """
    hardware = Hardware(mfu=mfu, memory=_bytes(memory), devices=devices)
    if peak is not None:
        hardware = replace(hardware, peak=parse_count(peak, "--peak"), name=Said("given", "用户给定"))
    ask = Ask(
        parameters=parse_count(parameters, "parameters"),
        tokens=None if tokens is None else parse_count(tokens, "--tokens"),
        recipe=_recipe(recipe, variant),
        offer=read_offer(runs) if runs else None,
        hardware=hardware,
        shape=None if shape is None else _shape(shape),
        context=context,
        micro_batch=micro_batch,
        precision=precision,
        missing=missing,
    )
    return rendered(plan(ask), zh)


def rendered(made: Plan, zh: bool = False) -> RenderableType:
    """A plan as tables: sections of figures, the sources, and what to heed."""
    parts: list[RenderableType] = []
    for key, figures in made.sections.items():
        if figures:
            parts.append(_figures(SECTIONS[key], figures, zh))
        if key == "corpus" and made.rows:
            parts.append(_sources(made, zh))
    heed = "请注意：" if zh else "Heed: "
    parts.extend(Text(heed + safe(_in(said, zh)), style="yellow") for said in made.warnings)
    return Group(*parts)


def mixture_table(mixture: Mixture, zh: bool = False) -> RenderableType:
    """A recipe's mixture as published: for each source the raw weight, the share it comes to, and its evidence."""
    known = shares(mixture).of if mixture.rows and _has_shares(mixture) else {}
    names = (Said("source", "来源"), Said("published", "原始权重"), Said("share", "份额"), Said("tokens", "词元"),
             Said("evidence", "依据"), Said("note", "备注"))  # fmt: skip
    table = Table(*(_in(name, zh) for name in names), title=_in(Said("Mixture", "数据配比"), zh))
    for row in mixture.rows:
        share = f"{known[row.name]:.2%}" if row.name in known else ""
        weight = "" if row.weight is None else f"{row.weight:g}"
        held = "" if row.tokens is None else _shown(row.tokens, "tokens", zh)
        cells = (row.name, weight, share, held, row.evidence, row.default_off or row.note)
        table.add_row(*(Text(safe(cell)) for cell in cells))
    for band in mixture.rehydrate:
        size = f"{band.min:,}+" if band.max is None else f"{band.min:,}-{band.max:,}"
        table.add_row(size, "", f"x{band.copies:g}", "", band.evidence, _in(Said("by cluster", "按重复簇"), zh))
    return Group(table, *(Text(safe(line)) for line in (mixture.note, mixture.source) if line))


def _has_shares(mixture: Mixture) -> bool:
    by_tokens = all(row.tokens for row in mixture.rows)
    return mixture.by == "weight" or by_tokens or all(row.bytes for row in mixture.rows)


def _figures(title: Said, figures: list[Figure], zh: bool) -> Table:
    table = Table(*(_in(name, zh) for name in COLUMNS), title=_in(title, zh), title_justify="left")
    table.columns[1].justify, table.columns[1].no_wrap = "right", True
    for one in figures:
        cells = (_in(one.label, zh), _shown(one.value, one.unit, zh), one.formula, _in(one.source, zh))
        table.add_row(*(Text(safe(cell)) for cell in cells))
    return table


def _sources(made: Plan, zh: bool) -> Table:
    title = Said("Sources: share x budget, over what there is", "来源：份额 x 预算 ÷ 现有词元")
    table = Table(*(_in(name, zh) for name in ROWS), title=_in(title, zh), title_justify="left")
    for row in made.rows:
        there = "?" if row.available is None else _shown(row.available, "tokens", zh)
        passes = "?" if row.epochs is None else f"{row.epochs:,.2f}"
        style = "yellow" if row.epochs is not None and row.epochs > made.limit else ""
        cells = (row.name, f"{row.share:.2%}", _shown(row.wanted, "tokens", zh), there, passes)
        table.add_row(*(Text(safe(cell)) for cell in cells), style=style)
    return table


def _in(said: Said, zh: bool) -> str:
    return said.zh if zh else said.en


def _shown(value: float, unit: Unit, zh: bool) -> str:
    """A value for people: 1.4 T tokens, 5.88e23 FLOP, 980 GB.

    >>> _shown(1.4e12, "tokens", False), _shown(5.88e23, "flop", False), _shown(1.12e12, "bytes", False)
    ('1.4 T tokens', '5.88e23 FLOP', '1.12 TB')
    """
    name = _in(UNITS[unit], zh)
    if unit == "flop":
        return f"{value:.3g} {name}".replace("e+", "e")
    if unit in ("tokens", "parameters", "bytes"):
        steps = ((1e12, "T"), (1e9, "G" if unit == "bytes" else "B"), (1e6, "M"), (1e3, "k"))
        for size, letter in steps:
            if value >= size:
                return f"{value / size:,.4g} {letter}{'' if unit == 'bytes' else ' '}{name}"
        return f"{value:,.0f} {name}"
    return (f"{value:,.2f} {name}" if value < 1000 and unit != "count" else f"{value:,.0f} {name}").strip()


def _recipe(name: str | None, variant: str | None) -> Recipe | None:
    if name is None:
        if variant is not None:
            raise ValueError("--variant names a column of a recipe's mixture; give --recipe too.")
        return None
    recipe = load(name)
    if variant is None:
        return recipe
    if recipe.mixture is None:
        raise ValueError(f"{name} has no [mixture], so there is no variant {variant!r}.")
    return recipe.model_copy(update={"mixture": recipe.mixture.as_variant(variant)})


def _shape(text: str) -> Shape:
    parts = text.split("x")
    if len(parts) != 3 or not all(part.isascii() and part.isdigit() and 0 < int(part) <= 10**6 for part in parts):
        raise ValueError(f"--shape {text!r} is no shape; write LAYERSxWIDTHxHEADS, such as 32x4096x32.")
    return Shape(*(int(part) for part in parts))


def _bytes(text: str) -> int:
    if not SIZE.fullmatch(text):
        raise ValueError(f'--memory {text!r} is no size; write it as "80 GB".')
    return bytes_of(text)
