"""Lists of domains that have opted out: one domain or host a line, sub-domains included, `#` begins a comment.

Read strictly, since a line that is silently passed over is an opt-out that is silently ignored: any line that is no
host is refused with its file and number. A whole registry (`com`, `co.uk`) is refused too.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import pyarrow as pa
from publicsuffixlist import PublicSuffixList

from filters.urls import ascii_name, hosts


class OptOutLists:
    """Domains of all lists, each with the file and line that it stands in."""

    def __init__(self, files: Sequence[str]) -> None:
        self.where: dict[str, tuple[str, int]] = {}
        digest = hashlib.sha256()
        for file in files:
            if not Path(file).is_file():
                raise FileNotFoundError(f"There is no opt-out list {file}. Give the path of an existing file.")
            data = Path(file).read_bytes()
            digest.update(hashlib.sha256(data).digest())
            for number, domain in _domains(file, data):
                self.where.setdefault(domain, (file, number))
        self.digest = digest.hexdigest() if files else ""

    def of(self, host: str | None) -> tuple[str, str, int] | None:
        """(listed domain, file's name, line) of the list entry that a host falls under; None if there is none."""
        labels = (host or "").split(".")
        for start in range(len(labels)):
            domain = ".".join(labels[start:])
            if domain in self.where:
                file, line = self.where[domain]
                return domain, Path(file).name, line
        return None


def _domains(file: str, data: bytes) -> Iterator[tuple[int, str]]:
    try:
        lines = data.decode("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is no UTF-8 text: {error.reason} at byte {error.start}.") from error
    stated = [(n, line.partition("#")[0].strip()) for n, line in enumerate(lines, 1)]
    stated = [(n, text) for n, text in stated if text]
    names = [ascii_name(text.lower().rstrip(".")) for _, text in stated]
    found = hosts(pa.array([f"http://{name or ''}/" for name in names], pa.string())).to_pylist()
    suffixes = PublicSuffixList(only_icann=True)
    for (number, text), name, host in zip(stated, names, found, strict=True):
        if host is None or host != name:
            raise ValueError(f"{file}:{number}: {text[:80]!r} is no domain. Write one domain or host a line, without "
                             "scheme, path, port or '*': its sub-domains are meant with it.")  # fmt: skip
        if suffixes.privatesuffix(host) is None and not host.startswith("["):
            raise ValueError(f"{file}:{number}: {text[:80]!r} is a whole registry. Name the domains under it.")
        yield number, host
