"""What one page says of its own use: robots directives, TDM reservation, usage preference, licences.

Sources: robots meta and X-Robots-Tag as search engines document them, with the `noai`/`noimageai` tokens introduced by
DeviantArt; TDMRep, https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/; Content-Usage,
draft-ietf-aipref-attach-05. It runs in the sandbox on hostile pages: every value is cut at 500 characters, after
which only what refuses learning is kept, so that no filling hides it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from filters.rights.directives import REFUSING, scoped
from filters.rights.licences import page_licences

if TYPE_CHECKING:  # a sandbox reads pages' rights, and would wait for Arrow longer than for its parser
    from lxml import html as lxml_html

LONGEST = 500
MOST_REFUSALS = 100  # kept past the cut, each to one crawler; more are taken to be to all
LONGEST_NAME = 60
NO_TRAINING = re.compile(r"(?:^|,)\s*train-ai\s*=\s*n\s*(?:[;,]|$)")
READ = frozenset(("robots", "tdm-reservation", "tdm-policy"))
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
    of: dict[str, list[str]] = {}
    for name, value in headers:
        of.setdefault(name, []).append(value.strip())
    tags = [line for value in of.get("x-robots-tag", []) for line in value.lower().split(";")]
    return HeaderRights(
        _directives("; ".join(line.strip() for line in tags), "; ", tags),
        _reservation(of.get("tdm-reservation", [])),
        _short(next(filter(None, of.get("tdm-policy", [])), None)),
        _usage(", ".join(of.get("content-usage", []))),
    )


def page_rights(tree: lxml_html.HtmlElement) -> dict[str, Any]:
    """robots, tdm_reservation, tdm_policy, license (the first one's URL) and license_hits of a parsed page."""
    metas: dict[str, list[str]] = {}
    for meta in tree.iter("meta"):
        name = (meta.get("name") or "").strip().lower()
        if name and len(name) <= LONGEST_NAME and (len(metas) < 1000 or name in READ):
            metas.setdefault(name, []).append(meta.get("content") or "")
    hits = page_licences(tree)
    return {
        "robots": _directives(",".join(robots := _robots(metas)), ",", robots),
        "tdm_reservation": _reservation(metas.get("tdm-reservation", [])),
        "tdm_policy": _short(next(iter(metas.get("tdm-policy", [])), None)),
        "license": next((hit["url"] for hit in hits if hit["url"] and hit["how"] in LINKED), None),
        "license_hits": hits,
    }


def _robots(metas: dict[str, list[str]]) -> list[str]:
    """Directives in lower case, those for one crawler as `name:directive`."""
    found = []
    for name, contents in metas.items():
        whole = [_directives(content.strip().lower(), ",", content.split(",")) for content in contents]
        said = [d.strip() for content in whole if content for d in content.split(",")]
        said = [d for d in said if d]
        if name == "robots":
            found += said
        elif said and all(d.partition(":")[0].strip() in DIRECTIVES for d in said):
            found += [f"{name}:{d}" for d in said]
    return found


def _directives(whole: str, mark: str, lines: Iterable[str]) -> str | None:
    """`whole`, or if it is too long as much as ends with a directive, and every refusal in its `lines`."""
    if len(whole) <= LONGEST:
        return whole or None
    end = max(whole.rfind(",", 0, LONGEST), whole.rfind(";", 0, LONGEST), 0)
    told = {(crawler[:LONGEST_NAME], word) for line in lines for crawler, word in scoped(line) if word in REFUSING}
    if len(told) > MOST_REFUSALS:
        told = {("", word) for _, word in told}
    refusals = [f"{crawler}:{word}" if crawler else word for crawler, word in sorted(told)]
    return mark.join(filter(None, [whole[:end].rstrip(",; "), *refusals])) or None


def _reservation(values: Sequence[str]) -> str | None:
    """Of several values that are stated a 1 counts, then a 0; what else is stated stands as it is."""
    said = [part.strip() for value in values for part in value[: 20 * LONGEST].split(",")]
    return next((known for known in ("1", "0") if known in said), None) or _short(next(filter(None, said), None))


def _usage(whole: str) -> str | None:
    """A Content-Usage field; of one that is too long to be kept the refusal alone."""
    if len(whole) <= LONGEST:
        return whole or None
    return "train-ai=n" if NO_TRAINING.search(whole) else whole[: max(whole.rfind(",", 0, LONGEST), 0)] or None


def _short(value: str | None) -> str | None:
    return value.strip()[:LONGEST] or None if value else None
