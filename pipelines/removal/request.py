"""What is asked to be removed: addresses, domains and documents, why, and how near a text must come to go with them.

A request's id is a hash of what it asks, so asking again is the same request, wherever and whenever. Addresses are
compared in a normal form without scheme, user, port, fragment and last slashes (`pipelines.removal.address`); a domain
stands for itself and everything below it, and is refused if nobody can own it (a public suffix).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from filters.urls import hosts, icann_domain

URL, DOMAIN, DOC = "url", "domain", "doc"
DOC_ID = re.compile(r"[0-9a-f]{32}")
Target = tuple[str, str]


@dataclass(frozen=True)
class Request:
    """`targets`: (url | domain | doc, value), sorted and distinct; `near`: 0 to 1, None to take no others."""

    targets: tuple[Target, ...]
    reason: str
    near: float | None = None

    @staticmethod
    def of(targets: Iterable[Target], reason: str, near: float | None = None) -> Request:
        """A request; ValueError in a sentence if it asks nothing or gives no reason."""
        asked = tuple(sorted(set(targets)))
        if not asked:
            raise ValueError("Nothing is asked to be removed: give --url, --domain, --doc or --list.")
        if not reason.strip():
            raise ValueError("Give a --reason: the register keeps it, and who reads it later needs it.")
        if near is not None and not 0 < near <= 1:
            raise ValueError(f"--near {near} must be above 0 and at most 1.")
        return Request(asked, reason.strip(), near)

    @property
    def id(self) -> str:
        """16 hex digits of the sha256 of what is asked, why, and how near."""
        content = json.dumps([self.targets, self.reason, self.near], ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    def values(self, kind: str) -> list[str]:
        """What is asked of one kind."""
        return [value for found, value in self.targets if found == kind]


def url_target(value: str) -> Target:
    """An address; ValueError if it is none."""
    text = value.strip()
    if not text or any(character.isspace() for character in text):
        raise ValueError(f"{value!r} is no URL.")
    return URL, text


def doc_target(value: str) -> Target:
    """A doc_id; ValueError if it is none."""
    text = value.strip().lower()
    if not DOC_ID.fullmatch(text):
        raise ValueError(f"{value!r} is no doc_id: it has 32 hexadecimal digits.")
    return DOC, text


def domain_target(value: str) -> Target:
    """A domain, in lower case and punycode; ValueError if it is none, or a public suffix."""
    text = value.strip().rstrip(".")
    name = None if not text or re.search(r"[\s/:@?#\\]", text) else hosts(pa.array([f"http://{text}/"]))[0].as_py()
    if name is None or "." not in name:
        raise ValueError(f"{value!r} is no domain, such as example.com.")
    if icann_domain(f"x.{name}") == f"x.{name}":
        raise ValueError(f"{value!r} is a public suffix: everything below it would go. Name a domain below it.")
    return DOMAIN, name


def any_target(value: str) -> Target:
    """What a line of a list stands for: a doc_id, an address (it has "://"), or else a domain."""
    if DOC_ID.fullmatch(value.lower()):
        return doc_target(value)
    return url_target(value) if "://" in value else domain_target(value)


def read_list(path: str | Path) -> list[Target]:
    """Targets of a file, one a line; empty lines and lines that begin with # are passed over.

    ValueError names file and line of what is neither a URL, a domain nor a doc_id, and of bytes that are not UTF-8.
    """
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no list {path}. Give a file with one URL, domain or doc_id a line.")
    targets = []
    for number, raw in enumerate(file.read_bytes().split(b"\n"), 1):
        try:
            line = (raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw).decode().strip()
            if line and not line.startswith("#"):
                targets.append(any_target(line))
        except UnicodeDecodeError as error:
            raise ValueError(f"{path}:{number}: the line is not UTF-8.") from error
        except ValueError as error:
            raise ValueError(f"{path}:{number}: {error}") from error
    if not targets:
        raise ValueError(f"{path} names nothing: it has no line that is neither empty nor a remark.")
    return targets
