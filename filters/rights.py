"""What a page says about its own use: robots directives, TDM reservation, licence. Evidence, not judgement.

Sources: robots meta and X-Robots-Tag as search engines document them, with the `noai`/`noimageai` tokens
introduced by DeviantArt; TDMRep, https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240202/.
A `noindex` page asks not to be listed; that is kept apart from an opt-out of machine learning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a sandbox reads pages' rights, and would wait for Arrow longer than for its parser
    import pyarrow as pa
    from lxml import html as lxml_html

LICENCE_HOSTS = ("creativecommons.org/licenses", "creativecommons.org/publicdomain")


@dataclass(frozen=True, slots=True)
class HeaderRights:
    """Rights that HTTP headers state; None where a header is absent."""

    x_robots_tag: str | None
    tdm_reservation: str | None
    tdm_policy: str | None


def header_rights(headers: Sequence[tuple[str, str]]) -> HeaderRights:
    """Read the rights headers (names in lower case); repeated X-Robots-Tag lines are joined."""
    tags = [value.strip().lower() for name, value in headers if name == "x-robots-tag"]
    named = dict(headers)
    return HeaderRights(
        ", ".join(tags)[:500] or None, _short(named.get("tdm-reservation")), _short(named.get("tdm-policy"))
    )


def page_rights(tree: lxml_html.HtmlElement) -> dict[str, str | None]:
    """robots, tdm_reservation, tdm_policy and license of a parsed page."""
    metas: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        metas.setdefault((meta.get("name") or "").strip().lower(), []).append(meta.get("content") or "")
    robots = [d.strip().lower() for content in metas.get("robots", []) for d in content.split(",")]
    return {
        "robots": _short(",".join(filter(None, robots))),
        "tdm_reservation": _short(next(iter(metas.get("tdm-reservation", [])), None)),
        "tdm_policy": _short(next(iter(metas.get("tdm-policy", [])), None)),
        "license": _license(tree),
    }


def _license(tree: lxml_html.HtmlElement) -> str | None:
    for element in tree.iter("a", "link"):
        href, rel = element.get("href") or "", element.get("rel")
        if (rel and "license" in rel.lower().split()) or any(h in href for h in LICENCE_HOSTS):
            return _short(href)
    return None


def _short(value: str | None) -> str | None:
    return value.strip()[:500] or None if value else None


def opt_out_evidence(batch: pa.RecordBatch) -> pa.StringArray:
    """For each row of DOCUMENTS, the statement that reserves it from machine learning, null if there is none."""
    import pyarrow as pa

    rows = zip(*(batch[name].to_pylist() for name in ("robots", "x_robots_tag", "tdm_reservation")), strict=True)
    return pa.array([_evidence(*row) for row in rows], pa.string())


def _evidence(robots: str | None, tag: str | None, tdm: str | None) -> str | None:
    for source, value in (("robots", robots), ("x-robots-tag", tag)):
        words = {w.strip() for part in (value or "").split(",") for w in part.rpartition(":")[2].split()}
        for word in ("noai", "noimageai", "noml"):
            if word in words and word != "noimageai":  # images are not text
                return f"{source}:{word}"
    return "tdm-reservation:1" if (tdm or "").strip() == "1" else None


def noindex(batch: pa.RecordBatch) -> pa.BooleanArray:
    """For each row of DOCUMENTS, whether robots meta or header says `noindex` (or `none`, which implies it)."""
    import pyarrow.compute as pc

    said = pc.binary_join_element_wise(pc.fill_null(batch["robots"], ""), pc.fill_null(batch["x_robots_tag"], ""), ",")
    return pc.match_substring_regex(said, r"\b(noindex|none)\b")
