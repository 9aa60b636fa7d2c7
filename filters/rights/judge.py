"""The evidence of a batch of documents put together: one row of RIGHTS each, and the rights' columns of signals/.

Every form is told with what it says, who says it and where in the crawl that stands; none is left out because
another was found first. TDMRep has an order of its own (meta, then header, then file: section 4.4) and usage
preferences another (a no wins: draft-ietf-aipref-vocab-08 section 5.1). A column is null where nothing was said:
the site's file is not in the crawl, or the page states nothing. Null is not a permission; a rule passes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import re2

from filters.rights import directives
from filters.rights.domains import OptOutLists
from filters.rights.schema import EVIDENCE, RIGHTS
from filters.rights.sites import Found, Site
from filters.rights.spdx import Licence, expression, named, one_of
from filters.rights.tdm import reservation
from filters.rights.usage import preference
from filters.urls import hosts
from recipes.rights import Rights

SPDX_TAG = "SPDX-License-Identifier:"
TAGS = re2.compile(r"SPDX-License-Identifier:[ \t]*([A-Za-z0-9.+() -]{1,200})")
MOST_TAGS = 20
PAGE = ("url", "crawled", "source", "offset", "robots", "x_robots_tag", "tdm_reservation", "tdm_policy", "tdm_from",
        "content_usage_header", "license", "license_hits", "extractor")  # fmt: skip
SAYS = {"robots", "x_robots_tag", "tdm_reservation", "content_usage_header", "license", "license_hits"}
SiteOf = Callable[[str, str], Site | None]  # (site, scheme)


def judge(
    batch: pa.RecordBatch, rights: Rights, lists: OptOutLists | None = None, site_of: SiteOf | None = None
) -> pa.RecordBatch:
    """RIGHTS of a batch of DOCUMENTS, row for row. `site_of` gives the policies of (site, scheme); without it, and
    without `lists`, only what pages and their headers say is known."""
    agents = frozenset(agent.lower() for agent in rights.agents)
    sites, schemes, paths, names = _addresses(batch["url"])
    tags = _spdx_tags(batch)
    pages = _pages(batch, tags)
    rows = [_row([], [], rights, lists)]  # as most pages are
    place = np.zeros(len(batch), np.int64)
    for i in range(len(batch)):
        found: list[Found] = []
        if lists is not None and lists.where and (entry := lists.of(names[i])) is not None:
            found.append({"form": "domain-list", "via": entry[1], "reserved": True, "says": entry[0], "line": entry[2]})
        name, page = sites[i], pages.get(i)
        site = site_of(name, schemes[i]) if site_of is not None and name else None
        from_site = site.evidence(paths[i]) if site else []
        of_page = [] if page is None else [
            {**entry, "source": page["source"], "offset": page["offset"], "fetched": page["crawled"]}
            for entry in _page_evidence(page, agents)
        ]  # fmt: skip
        found += _in_order([*of_page, *from_site])
        hits = [] if page is None else _licences(page, tags.get(i, ()))
        if found or hits:
            place[i] = len(rows)
            rows.append(_row(found, hits, rights, lists))
    told = pa.RecordBatch.from_pylist(rows, schema=pa.schema(list(RIGHTS)[2:])).take(pa.array(place))
    columns = [batch["doc_id"], pa.array(sites, pa.string()), *told.columns]
    return pa.RecordBatch.from_arrays(columns, schema=RIGHTS)


def _addresses(urls: pa.StringArray) -> tuple[list[str | None], list[str], list[str], list[str | None]]:
    """(site, scheme, URL with a plain authority, host) of each URL."""
    names = hosts(urls).to_pylist()
    shape = pc.extract_regex(
        pc.fill_null(urls, ""),
        r"^[\x00-\x20]*(?P<scheme>[A-Za-z]+):[/\\]{2}(?P<authority>[^/\\?#]*)(?P<path>(?s:.*))$",
    ).to_pylist()
    sites, schemes, paths = [], [], []
    for name, parts in zip(names, shape, strict=True):
        site, scheme, path = site_of_parts(name, parts)
        sites.append(site)
        schemes.append(scheme)
        paths.append(path)
    return sites, schemes, paths, names


def addresses(urls: pa.StringArray) -> list[tuple[str | None, str]]:
    """(site, scheme) of each URL; site is None where there is no host."""
    sites, schemes, _, _ = _addresses(urls)
    return list(zip(sites, schemes, strict=True))


def site_of_parts(host: str | None, parts: dict[str, str] | None) -> tuple[str | None, str, str]:
    """(host or host:port, scheme, URL) from what the URL's regular expression found."""
    if host is None or parts is None:
        return None, "", ""
    scheme = parts["scheme"].lower()
    _, mark, port = parts["authority"].rpartition("@")[2].rpartition("]")[2].rpartition(":")
    own = {"http": "80", "https": "443"}.get(scheme)
    site = f"{host}:{int(port)}" if mark and port.isdigit() and port != own else host
    path = parts["path"].replace("\\", "/")
    return site, scheme, f"http://site{path if path.startswith(('/', '?')) else f'/{path}'}"


def address(url: str) -> tuple[str | None, str, str]:
    """(site, scheme, URL with a plain authority) of one URL.

    >>> address("HTTPS://me@Example.org:8443/a?b")
    ('example.org:8443', 'https', 'http://site/a?b')
    """
    sites, schemes, paths, _ = _addresses(pa.array([url], pa.string()))
    return sites[0], schemes[0], paths[0]


def _pages(batch: pa.RecordBatch, tagged: Iterable[int]) -> dict[int, dict[str, Any]]:
    """What is read here of the pages that say anything, by row; a column that the batch lacks is null."""
    known = [name for name in PAGE if name in batch.schema.names]
    says = np.zeros(len(batch), np.bool_)
    says[list(tagged)] = True
    for name in SAYS & {*known}:
        says |= batch[name].is_valid().to_numpy(zero_copy_only=False)
    rows = np.flatnonzero(says)
    told = batch.select(known).take(pa.array(rows)).to_pylist()
    return {int(i): {**dict.fromkeys(PAGE), **row} for i, row in zip(rows, told, strict=True)}


def _page_evidence(row: dict[str, Any], agents: frozenset[str]) -> list[Found]:
    """What the page and its headers say."""
    found: list[Found] = []
    robots, tag = row["robots"], row["x_robots_tag"]
    if robots or tag:
        for form, look in (("noai", directives.refusal), ("noindex", directives.index_refusal)):
            if (said := look(robots, tag, agents)) is not None:
                found.append({"form": form, "via": {"robots": "meta"}.get(said[0], "header"), "reserved": True,
                              "says": f"{said[0]}:{said[1]}",
                              "agent": said[1].partition(": ")[0] if ": " in said[1] else None})  # fmt: skip
    if (reserved := reservation(row["tdm_reservation"])) is not None:
        found.append({"form": "tdm", "via": row["tdm_from"] or "header", "reserved": reserved,
                      "says": f"tdm-reservation:{int(reserved)}", "policy": row["tdm_policy"]})  # fmt: skip
    if row["content_usage_header"] and (said_usage := preference(row["content_usage_header"])) is not None:
        found.append({"form": "content-usage", "via": "header", "reserved": said_usage == "n", "value": said_usage,
                      "says": f"Content-Usage: {row['content_usage_header']}"})  # fmt: skip
    return found


def _in_order(found: list[Found]) -> list[Found]:
    """What reserves first; a tdmrep.json that the page or its headers override is evidence still, and reserves not."""
    overridden = any(one["form"] == "tdm" and one["via"] != "tdmrep.json" for one in found)
    if overridden:
        found = [{**one, "reserved": False, "says": f"{one['says']}, overridden by the page"}
                 if one["form"] == "tdm" and one["via"] == "tdmrep.json" else one for one in found]  # fmt: skip
    return sorted(found, key=lambda one: not one["reserved"])


def _spdx_tags(batch: pa.RecordBatch) -> dict[int, list[str]]:
    """The SPDX-License-Identifier lines in the texts, by row."""
    if "text" not in batch.schema.names:
        return {}
    rows = pc.indices_nonzero(pc.fill_null(pc.match_substring(batch["text"], SPDX_TAG), False)).to_pylist()
    return {i: TAGS.findall(batch["text"][i].as_py())[:MOST_TAGS] for i in rows}


def _licences(row: dict[str, Any], tags: Sequence[str]) -> list[tuple[dict[str, Any], Licence | None]]:
    hits = [(hit, named(hit["url"], hit["said"])) for hit in row["license_hits"] or ()]
    given = row["extractor"] == "given"
    if given and row["license"] and not hits:  # WET, JSONL, Parquet: the input's own column
        url, said = (row["license"], None) if "/" in row["license"] else (None, row["license"])
        hits.append(({"url": url, "said": said, "how": "given", "scope": "page", "place": None}, named(url, said)))
    for tag in dict.fromkeys(tags):  # of a text that is one file it is the file's; a page may only show such a file
        where = {"scope": "page" if given else "element", "place": "body"}
        hits.append(({"url": None, "said": tag.strip(), "how": "spdx-tag", **where}, expression(tag)))
    return hits


def _row(
    found: list[Found],
    hits: list[tuple[dict[str, Any], Licence | None]],
    rights: Rights,
    lists: OptOutLists | None,
) -> dict[str, Any]:
    """What RIGHTS says of a page besides which page it is."""
    forms: dict[str, list[Found]] = {}
    for one in found:
        forms.setdefault(one["form"], []).append(one)
    said = {form: ones[0]["reserved"] for form, ones in forms.items()}  # what reserves comes first
    licence, ambiguous = _the_one(hits)
    honoured = next((one for one in found if one["reserved"] and one["form"] in rights.honour), None)
    licences = [{**hit, **({"spdx": k.spdx, "family": k.family, "version": k.version, "jurisdiction": k.jurisdiction}
                           if k else {})} for hit, k in hits]  # fmt: skip
    evidence = [{name: one.get(name) for name in EVIDENCE.names} for one in found]
    return {
        "robots_ai": said.get("robots.txt"),
        "tdm_reserved": said.get("tdm"),
        "tdm_policy": next((one.get("policy") for one in forms.get("tdm", ()) if one["reserved"]), None),
        "ai_txt": said.get("ai.txt"),
        "content_usage": forms["content-usage"][0]["value"] if "content-usage" in forms else None,
        "content_signal": forms["content-signal"][0]["value"] if "content-signal" in forms else None,
        "noai": "noai" in forms,
        "noindex": "noindex" in forms,
        "domain_opted_out": ("domain-list" in forms) if lists is not None and lists.where else None,
        "opt_out": _in_words(honoured) if honoured else None,
        "reserved": honoured is not None,
        "license_spdx": licence.spdx if licence else None,
        "license_family": licence.family if licence else None,
        "license_ambiguous": ambiguous,
        "licenses": licences or None,
        "evidence": evidence or None,
        "evidence_hash": evidence_hash(evidence, licences),
    }


def evidence_hash(evidence: Sequence[dict[str, Any]], licences: Sequence[dict[str, Any]]) -> str | None:
    """sha256 of evidence and licences as JSON with sorted keys; what is null of a licence is left out."""
    stated = [{name: value for name, value in one.items() if value is not None} for one in licences]
    whole = orjson.dumps([evidence, stated], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(whole).hexdigest() if evidence or licences else None


def _the_one(hits: list[tuple[dict[str, Any], Licence | None]]) -> tuple[Licence | None, bool | None]:
    """The page's licence, and whether it is ambiguous. "Under a Creative Commons licence" says which only by its link,
    and that is a hit of its own."""
    telling = [(known, hit["scope"]) for hit, known in hits if known or hit["how"] != "text"]
    return one_of(telling or [(None, "page") for _ in hits])


def _in_words(one: Found) -> str:
    """A reservation in a few words: `robots:noai`, `robots.txt:gptbot: line 2: Disallow: /`."""
    if one.get("line") is None and not one.get("url"):
        return str(one["says"])
    agent = f"{one['agent']}: " if one.get("agent") else ""
    line = f"line {one['line']}: " if one.get("line") else ""
    return f"{one['via']}:{agent}{line}{one['says']}"[:300]
