"""The plan: inputs to parts, the same for the same bytes whoever runs it and with however many workers.

Named inputs are expanded in order; each file is told by its ending, and by its first bytes where the ending
says nothing; then it is cut. WARC is cut at record starts, which costs one scan of the file and gives the
number of records to come; JSONL at line starts if it is not compressed; Parquet at row groups; HTML folders
by files.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from typing import IO

from apache_beam.io.filesystems import FileSystems

from pipelines.footer import UNREADABLE, open_parquet
from pipelines.parts import fingerprint
from pipelines.sources.names import is_file, leads_away, portable, source_of
from pipelines.sources.part import Part
from pipelines.sources.resync import starts_member
from pipelines.sources.storage import CHUNK, digest, open_raw, size_of
from pipelines.sources.warc import raw_records

SMALLEST, LARGEST, PIECES = 1 << 20, 16 << 20, 32
NAMED = re.compile(r"([A-Za-z0-9._-]+)=(.+)", re.DOTALL)
ENDINGS = (
    (("html", "htm", "xhtml"), "html"),
    (("jsonl", "json", "ndjson", "jsonl.gz", "json.gz", "jsonl.zst", "json.zst", "ndjson.gz"), "jsonl"),
    (("parquet",), "parquet"),
    (("arc", "arc.gz"), "arc"),
    (("warc", "warc.gz", "warc.lz4", "warc.zst", "wet", "wet.gz", "warc.gz.open", "warc.txt"), "warc"),
)


def plan(inputs: Sequence[str], part_bytes: int | None = None, follow_links: bool = False) -> list[Part]:
    """Parts of all inputs, numbered in order; FileNotFoundError or ValueError with the remedy.

    Without `part_bytes` a file is cut into about 32 parts of 1 to 16 MiB: enough to share out evenly, and
    depending on that file alone, so that another input beside it changes nothing. `follow_links`: files that a folder
    or a pattern finds are read also where they are links out of it.
    """
    files: dict[str, str] = {}
    away: set[str] = set()
    for named in inputs:
        for source, path, is_away in expand(named):
            away |= {source} if is_away and not follow_links else set()
            if files.setdefault(source, path) != path:
                raise ValueError(
                    f"{files[source]} and {path} would both be the source {source!r}. "
                    "Name their common parent folder, or give one of them as NAME=PATH."
                )
    cuts = [cut for source, path in files.items()
            for cut in (_unread(source, path) if source in away else _cut(source, path, part_bytes))]  # fmt: skip
    return [
        Part(i, kind, source, portable(path), start, end, records, mark, tuple(map(portable, names)))
        for i, (kind, source, path, start, end, records, mark, names) in enumerate(
            _group_html(cuts, part_bytes or SMALLEST)
        )
    ]


def expand(named: str) -> Iterator[tuple[str, str, bool]]:
    """(source, path, whether it is a link out of the folder) of every file that `named` (a file, folder, glob, or
    NAME=one of these) stands for."""
    prefix, spec = "", named
    match = NAMED.fullmatch(named)
    if match and not _exists(named):
        prefix, spec = match.group(1), match.group(2)
    is_glob = any(c in spec for c in "*?[") and not _exists(spec)
    if is_glob:
        root = spec[: min(spec.index(c) for c in "*?[" if c in spec)].rpartition("/")[0]
        paths = _match(spec)
    elif _exists(spec) and not _is_folder(spec):
        root, paths = spec.rpartition("/")[0], [spec]
    else:
        root, paths = spec.rstrip("/"), _match(f"{spec.rstrip('/')}/**")
    # A folder may hold anything; only a file that was named outright must be of a known kind.
    known = [p for p in paths if is_file(p) and (leads_away(p, root) or kind_of(p))] if paths != [spec] else paths
    if not known:
        raise FileNotFoundError(f"{spec}: there is no such input. Name a WARC, ARC, WET, JSONL, Parquet or HTML file, "
                                "a folder of them, or a glob that matches some.")  # fmt: skip
    for path in sorted(known):
        relative = path[len(root) :].lstrip("/") if root and path.startswith(root) else path
        source = "/".join(filter(None, (prefix, relative if paths != [spec] or not prefix else "")))
        yield source_of(source), path, paths != [spec] and leads_away(path, root)


def _match(pattern: str) -> list[str]:
    return [m.path for result in FileSystems.match([pattern]) for m in result.metadata_list]


def _exists(path: str) -> bool:
    return bool(FileSystems.exists(path))


def _is_folder(path: str) -> bool:
    if "://" not in path:
        from pathlib import Path

        return Path(path).is_dir()
    return not _match(path)


def kind_of(path: str) -> str | None:
    """What reader a file is for, by its ending, else by its first bytes; None if nothing is recognised."""
    name = PurePosixPath(path).name.lower()
    for endings, kind in ENDINGS:
        if name.endswith(tuple(f".{e}" for e in endings)):
            return kind
    with open_raw(path) as stream:
        head = stream.read(8)
    if head.startswith((b"WARC/", b"\x1f\x8b")):
        return "warc"
    return "parquet" if head.startswith(b"PAR1") else None


Cut = tuple[str, str, str, int, int, int, str, tuple[str, ...]]


def _cut(source: str, path: str, wanted: int | None) -> Iterator[Cut]:
    kind = kind_of(path)
    part_bytes = wanted or min(max(size_of(path) // PIECES, SMALLEST), LARGEST)
    if kind is None:
        raise ValueError(f"{path} is of no kind that Winnow reads: WARC, ARC, WET, JSONL, Parquet, HTML.")
    if kind == "warc":
        yield from _cut_warc(source, path, part_bytes)
    elif kind == "jsonl" and path.endswith(("json", "jsonl")):
        yield from _cut_lines(source, path, part_bytes)
    elif kind == "parquet":
        yield from _cut_row_groups(source, path)
    else:
        size = size_of(path)
        end = -1 if kind == "jsonl" else size  # the length of a compressed stream is not known
        yield kind, source, path, 0, end, -1 if kind != "html" else 1, digest(path, 0, size), ()


def _cut_warc(source: str, path: str, part_bytes: int) -> Iterator[Cut]:
    size, start, count = size_of(path), 0, 0
    with open_raw(path) as stream, open_raw(path) as probe:
        for item in raw_records(stream, 0, size, bodies=False):
            if item.offset - start >= part_bytes and count and _is_start(probe, item.offset, size):
                yield "warc", source, path, start, item.offset, count, digest(path, start, item.offset), ()
                start, count = item.offset, 0
            count += 1
    yield "warc", source, path, start, size, count, digest(path, start, size), ()


def _is_start(probe: IO[bytes], offset: int, size: int) -> bool:
    """Whether a part may begin here: at a gzip member, or anywhere in a file that is not gzip."""
    probe.seek(0)
    return offset < size and (probe.read(2) != b"\x1f\x8b" or starts_member(probe, offset))


def _cut_lines(source: str, path: str, part_bytes: int) -> Iterator[Cut]:
    size, start = size_of(path), 0
    with open_raw(path) as stream:
        while start < size:
            stream.seek(min(start + part_bytes, size))
            while (piece := stream.readline(CHUNK)) and not piece.endswith(b"\n"):
                pass  # a line may be longer than memory
            end = stream.tell()
            yield "jsonl", source, path, start, end, -1, digest(path, start, end), ()
            start = end


def _cut_row_groups(source: str, path: str) -> Iterator[Cut]:
    try:
        with open_raw(path) as stream:
            metadata = open_parquet(stream).metadata
            rows = [metadata.row_group(i).num_rows for i in range(metadata.num_row_groups)]
    except UNREADABLE:
        rows = [1]  # read() will say what is wrong with it, as one reject
    mark = digest(path, 0, size_of(path))
    for i, count in enumerate(rows):
        yield "parquet", source, path, i, i + 1, count, fingerprint(mark, i), ()


def _group_html(cuts: list[Cut], part_bytes: int) -> Iterator[Cut]:
    """Put neighbouring HTML files of one folder into common parts of about `part_bytes`."""
    group: list[Cut] = []
    for cut in cuts:
        fits = group and cut[0] == "html" and _folder(cut) == _folder(group[0])
        if group and (not fits or sum(c[4] for c in group) >= part_bytes):
            yield _merged(group)
            group = []
        if cut[0] == "html":
            group.append(cut)
        else:
            yield cut
    if group:
        yield _merged(group)


def _folder(cut: Cut) -> tuple[str, str]:
    """The source and the path that an HTML file shares with its neighbours; a file under a NAME has its own."""
    (source, _, name), (path, _, file) = cut[1].rpartition("/"), cut[2].rpartition("/")
    return source if name == source_of(file) else cut[1], path


def _merged(group: list[Cut]) -> Cut:
    source, path = _folder(group[0])
    names = tuple(c[2].rpartition("/")[2] for c in group)
    mark = fingerprint([c[6] for c in group], tuple(map(source_of, names)))
    return "html", source, path, 0, len(group), len(group), mark, names


def _unread(source: str, path: str) -> Iterator[Cut]:
    """A link out of the folder: a part whose reader refuses it."""
    yield "outside", source, path, 0, 0, 1, fingerprint("outside", source), ()
