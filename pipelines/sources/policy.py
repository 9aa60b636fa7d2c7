"""Policy files among the records of a crawl: told by their URL's path, and taken aside whatever was answered.

They are responses like others, mostly text/plain or JSON, and no page; RFC 9309 2.5 asks for at least the first
500 KiB of a robots.txt to be read, and that is what is kept of each. A body that cannot be decoded leaves the record
its own reject, so that a site is not taken to have said nothing.
"""

from __future__ import annotations

import re2

from filters.rights.robots import MOST_BYTES
from filters.rights.sites import POLICY_PATHS
from pipelines.sources.http import taken_apart, undo_codings
from pipelines.sources.part import PolicyFile, Reject

PATH = re2.compile(r"(?i)^https?://[^/?#\\]+(/[^?#]*)$")
REASON, DETAIL = "rights.policy_file", "Read as the site's policy, not as a text; it is in policies/."


def policy_path(url: str | None) -> str | None:
    """The path of a policy file's URL, None for any other URL."""
    if url is None or not url.endswith(POLICY_PATHS):
        return None
    found = PATH.match(url)
    return found.group(1) if found and found.group(1) in POLICY_PATHS else None


def policy_file(place: Reject, path: str, fetched: str | None, raw: bytes) -> PolicyFile:
    """The policy in an HTTP response at `place` (whose reason does not matter); Refused if it is no response."""
    status, headers, body = taken_apart(raw)
    body = undo_codings(dict(headers), body) if status // 100 == 2 else b""
    where = (place.doc_id, place.source, place.offset, place.length, place.url, REASON, DETAIL)
    return PolicyFile(*where, path, status, fetched, body[:MOST_BYTES], len(body) > MOST_BYTES)
