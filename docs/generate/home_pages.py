"""The README and its companions as pages of the site: the same text, with links that hold there.

They stay where a visitor of the repository looks for them, and are not written twice. Traded away: a link from one of
them to a file that is no page (a licence, a script) is shown as its name alone.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

PAGES = {
    "README.md": "index.md",
    "README.zh-CN.md": "index.zh-CN.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/RESULTS.md": "results.md",
}
LINK = re.compile(r"\[([^\]]+)\]\((?!https?:|#)([^)#]+)(#[^)]*)?\)")


def home_pages(root: Path) -> dict[str, str]:
    """Path under docs/ and text of each page of PAGES."""
    return {page: with_links((root / file).read_text("utf-8"), file) for file, page in PAGES.items()}


def with_links(text: str, file: str) -> str:
    """Links of `file`, which is a path from the repository's root, as they must be in docs/."""

    def moved(found: re.Match[str]) -> str:
        shown, target, part = found.group(1), found.group(2), found.group(3) or ""
        whole = _normal(PurePosixPath(file).parent / target)
        page = PAGES.get(whole) or (whole.removeprefix("docs/") if whole.startswith("docs/") else None)
        return f"[{shown}]({page}{part})" if page else shown

    return LINK.sub(moved, text)


def _normal(path: PurePosixPath) -> str:
    """A path without `..`.

    >>> _normal(PurePosixPath("benchmarks/../docs/run.md"))
    'docs/run.md'
    """
    parts: list[str] = []
    for part in path.parts:
        parts = parts[:-1] if part == ".." else [*parts, part]
    return "/".join(parts)
