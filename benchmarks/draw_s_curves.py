"""The curves of docs/banding.md: how likely a pair is found, by its Jaccard, for the bandings in use.

python benchmarks/draw_s_curves.py [OUT.svg]     (default: docs/img/s-curves.svg)

Written as SVG by hand, so that it needs nothing and a change of a banding is a change of one line in the picture.
"""

from __future__ import annotations

import sys
from pathlib import Path

from dedup.bands import PRESETS, Banding, candidate_probability

OUT = Path(__file__).resolve().parents[1] / "docs" / "img" / "s-curves.svg"
LEFT, TOP, WIDTH, HEIGHT = 60, 24, 520, 320
SHOWN = {
    "mh-gpt3": ("10×1 (GPT-3, candidates)", "#8c564b"),
    "mh-fineweb": ("14×8 (FineWeb)", "#1f77b4"),
    "mh-rpv2-0.7": ("14×9 (RedPajama-V2 0.7)", "#17becf"),
    "mh-thestack": ("25×10 (The Stack)", "#7f7f7f"),
    "mh-dclm": ("93×15 (DCLM's MinHash)", "#2ca02c"),
    "mh-refinedweb": ("450×20 (RefinedWeb)", "#d62728"),
    "mh-rpv2-0.8": ("9×13 (RedPajama-V2 0.8)", "#9467bd"),
    "mh-rpv2-0.9": ("5×25 (RedPajama-V2 0.9)", "#ff7f0e"),
    "mh-rpv2-1.0": ("1×128 (RedPajama-V2 1.0)", "#000000"),
}


def x(jaccard: float) -> float:
    """Where a Jaccard lies."""
    return LEFT + WIDTH * jaccard


def y(probability: float) -> float:
    """Where a probability lies."""
    return TOP + HEIGHT * (1 - probability)


def curve(banding: Banding, colour: str) -> str:
    """One banding's curve."""
    at = [k / 160 for k in range(161)]
    points = " ".join(f"{x(s):.1f},{y(candidate_probability(s, banding.bands, banding.rows)):.1f}" for s in at)
    return f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.8"/>'


def grid() -> list[str]:
    """Lines and numbers every 0.1 and 0.25."""
    parts = []
    for k in range(11):
        parts.append(f'<line x1="{x(k / 10)}" y1="{TOP}" x2="{x(k / 10)}" y2="{TOP + HEIGHT}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{x(k / 10)}" y="{TOP + HEIGHT + 16}" text-anchor="middle">{k / 10:.1f}</text>')
    for k in range(5):
        parts.append(f'<line x1="{LEFT}" y1="{y(k / 4)}" x2="{LEFT + WIDTH}" y2="{y(k / 4)}" stroke="#e4e4e4"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(k / 4) + 4}" text-anchor="end">{k / 4:.2f}</text>')
    parts.append(f'<text x="{x(0.5)}" y="{TOP + HEIGHT + 36}" text-anchor="middle">Jaccard of the pair, s</text>')
    middle = f"{LEFT - 44},{y(0.5)}"
    at = middle.replace(",", '" y="')
    parts.append(f'<text x="{at}" text-anchor="middle" transform="rotate(-90 {middle})">found, 1 − (1 − sʳ)ᵇ</text>')
    return parts


def main(out: Path) -> None:
    """Write the picture."""
    parts = grid()
    for k, (name, (label, colour)) in enumerate(SHOWN.items()):
        parts.append(curve(PRESETS[name], colour))
        at, right = TOP + 12 + 20 * k, LEFT + WIDTH + 16
        parts.append(f'<line x1="{right}" y1="{at}" x2="{right + 24}" y2="{at}" stroke="{colour}" stroke-width="3"/>')
        parts.append(f'<text x="{right + 30}" y="{at + 4}">{label}, {PRESETS[name].midpoint:.3f}</text>')
    size = f"{LEFT + WIDTH + 270} {TOP + HEIGHT + 48}"
    style = "font-family:system-ui,sans-serif;font-size:12px;fill:#333"
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {size}" role="img" style="{style}">'
    title = "<title>Share of pairs found, by Jaccard, for nine bandings; beside each, where half are found</title>"
    back = '<rect width="100%" height="100%" fill="#fff"/>'
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text("\n".join([head, title, back, *parts, "</svg>"]) + "\n", "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else OUT)
