"""What one page says of its own use: robots directives, TDM reservation, usage preference, licences.

Sources: robots meta and X-Robots-Tag as search engines document them, with the `noai`/`noimageai` tokens introduced by
DeviantArt; TDMRep, https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/; Content-Usage,
draft-ietf-aipref-attach-05. It runs in the sandbox on hostile pages: every value is cut at 500 characters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filters.rights.licences import page_licences

if TYPE_CHECKING:  # a sandbox reads pages' rights, and would wait for Arrow longer than for its parser
    from lxml import html as lxml_html

LONGEST = 500
LINKED = ("rel-license", "link", "cc-link")
# What a robots meta can say. A meta of another name counts as one for that crawler if it says nothing but these.
DIRECTIVES = frozenset(
    ("all", "index", "noindex", "follow", "nofollow", "none", "noai", "noimageai", "noml", "noarchive", "nocache",
     "nosnippet", "notranslate", "noimageindex", "noodp", "noydir", "max-snippet", "max-image-preview",
     "max-video-preview", "unavailable_after", "indexifembedded")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class HeaderRights:
    """Rights that HTTP headers state; None where a header is absent."""

    x_robots_tag: str | None
    tdm_reservation: str | None
    tdm_policy: str | None
    content_usage: str | None


def header_rights(headers: Sequence[tuple[str, str]]) -> HeaderRights:
    """Read the rights headers (names in lower case). Lines of X-Robots-Tag are joined by `; `, since a crawler's name
    counts to the end of its line; those of Content-Usage by `, `, as RFC 9651 4.2 joins a field's lines."""
    tags = [value.strip().lower() for name, value in headers if name == "x-robots-tag"]
    usage = [value.strip() for name, value in headers if name == "content-usage"]
    named = dict(headers)
    return HeaderRights(
        "; ".join(tags)[:LONGEST] or None,
        _short(named.get("tdm-reservation")),
        _short(named.get("tdm-policy")),
        ", ".join(usage)[:LONGEST] or None,
    )


def page_rights(tree: lxml_html.HtmlElement) -> dict[str, Any]:
    """robots, tdm_reservation, tdm_policy, license (the first one's URL) and license_hits of a parsed page."""
    metas: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        name = (meta.get("name") or "").strip().lower()
        if name and len(name) <= 60 and len(metas) < 1000:
            metas.setdefault(name, []).append((meta.get("content") or "")[:LONGEST])
    hits = page_licences(tree)
    return {
        "robots": _short(",".join(_robots(metas))),
        "tdm_reservation": _short(next(iter(metas.get("tdm-reservation", [])), None)),
        "tdm_policy": _short(next(iter(metas.get("tdm-policy", [])), None)),
        "license": next((hit["url"] for hit in hits if hit["url"] and hit["how"] in LINKED), None),
        "license_hits": hits,
    }


def _robots(metas: dict[str, list[str]]) -> list[str]:
    """Directives in lower case, those for one crawler as `name:directive`."""
    found = []
    for name, contents in metas.items():
        said = [d.strip().lower() for content in contents for d in content.split(",")]
        said = [d for d in said if d]
        if name == "robots":
            found += said
        elif said and all(d.partition(":")[0].strip() in DIRECTIVES for d in said):
            found += [f"{name}:{d}" for d in said]
    return found


def _short(value: str | None) -> str | None:
    return value.strip()[:LONGEST] or None if value else None
