"""Vega-Lite charts as static SVG: drawn once, here, so that the page needs no script.

Colours are the page's own custom properties, so one drawing serves light, dark and print; labels are numbers, so it
serves both languages. vl-convert carries Vega and its own JavaScript engine and asks nobody for anything.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from stats.report.rules import Bar

WIDTH, HEIGHT = 320, 96
CONFIG: dict[str, Any] = {
    "background": None,
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": "var(--soft)", "gridColor": "var(--line)", "domainColor": "var(--line)",
        "tickColor": "var(--line)", "labelFontSize": 11, "tickCount": 4, "title": None, "labelOverlap": True,
        "tickSize": 3,
    },
}  # fmt: skip
UNSEEN = re.compile(r'<text [^>]*opacity="0"[^>]*>[^<]*</text>|<path [^>]*d=""[^>]*/>')
EMPTY = re.compile(r"<g[^>]*>\s*</g>")


def histogram(bars: Sequence[Bar], lines: Mapping[str, float], label: str, logarithmic: bool = False) -> Markup:
    """Documents by a measurement, those that fail in another colour, with a line at each bound; `label` is spoken."""
    rows = [
        {"low": bar.low, "high": bar.high, "from": start, "to": start + n, "side": side}
        for bar in bars
        for side, start, n in (("pass", 0, bar.passing), ("fail", bar.passing, bar.failing))
        if n
    ]
    low, high = bars[0].low, bars[-1].high
    marks = [{"at": min(max(at, low), high), "name": name} for name, at in lines.items()]
    spec = {
        "width": WIDTH, "height": HEIGHT, "padding": {"left": 2, "right": 8, "top": 14, "bottom": 2},
        "config": CONFIG, "layer": [_bars(rows, low, high, logarithmic), *_lines(marks)],
    }  # fmt: skip
    return svg(spec, label)


def _bars(rows: list[dict[str, Any]], low: float, high: float, logarithmic: bool) -> dict[str, Any]:
    scale = {"domain": [low, high], "nice": False, **({"type": "log"} if logarithmic else {"zero": False})}
    x = {"field": "low", "type": "quantitative", "scale": scale}
    return {
        "data": {"values": rows},
        "mark": {"type": "rect", "aria": False, "stroke": "var(--page)", "strokeWidth": 0.5},
        "encoding": {
            "x": {**x, "axis": {"grid": False, "format": "~s" if high >= 10_000 else "~r"}},
            "x2": {"field": "high"},
            "y": {
                "field": "from", "type": "quantitative", "scale": {"type": "sqrt"},
                "axis": {"format": "~s", "tickCount": 3},
            },
            "y2": {"field": "to"},
            "color": {
                "field": "side", "type": "nominal", "legend": None,
                "scale": {"domain": ["pass", "fail"], "range": ["var(--keep)", "var(--drop)"]},
            },
        },
    }  # fmt: skip


def _lines(marks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    x = {"field": "at", "type": "quantitative"}
    rule = {"mark": {"type": "rule", "color": "var(--mark)", "strokeWidth": 2, "aria": False}, "encoding": {"x": x}}
    name = {
        "mark": {"type": "text", "color": "var(--mark)", "y": -7, "fontSize": 11, "aria": False},
        "encoding": {"x": x, "text": {"field": "name"}},
    }
    return [{"data": {"values": marks}, **rule}, {"data": {"values": marks}, **name}]


def svg(spec: Mapping[str, Any], label: str) -> Markup:
    """A chart as an SVG element that scales with its column; everything in it is ours but numbers."""
    import vl_convert

    drawn = vl_convert.vegalite_to_svg({"$schema": "https://vega.github.io/schema/vega-lite/v6.json", **spec})
    drawn = UNSEEN.sub("", drawn)
    drawn = EMPTY.sub("", EMPTY.sub("", drawn))
    drawn = re.sub(r' (?:aria|role|class|pointer-events|xmlns:xlink|version)[a-z-]*="[^"]*"', "", drawn)
    return Markup('<svg role="img" aria-label="{}"').format(label) + Markup(drawn.removeprefix("<svg"))
