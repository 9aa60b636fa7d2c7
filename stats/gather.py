"""Many small parts of signals/ and decisions/ as a few large files, so that a question need not open thousands.

A part is small, for fault tolerance; a footer of two hundred columns takes longer to read than its five hundred rows.
`gather` copies measurements, fates and token counts into gathered/, about 60,000 documents a file, and notes in
gathered/index.json which files it read (name, size, time of change; of a removal its sha256). A question uses it as
long as that is still so, and else asks the parts: nothing depends on it but time. Traded away: the measurements lie on
the disk twice.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pyarrow.parquet as pq

from stats.run import Run
from stats.shards import shard_files
from tokenization.manifest import file_sha256

FOLDER, INDEX = "gathered", "index.json"
DOCUMENTS = 60_000
FEW = 64  # parts that a question opens as fast


def state(run: Run, parts: Sequence[str]) -> list[list[object]]:
    """What the gathered files depend on: every part's and shard's name, size and time of change, and the requests that
    this opening of the run knows. A request may take out only documents of no shard, and then nothing else changes."""
    files = [run.path / name / part for name in ("signals", "decisions") for part in parts]
    files += [Path(path) for path in shard_files(run.path)]
    told: list[list[object]] = [[str(f.relative_to(run.path)), f.stat().st_size, f.stat().st_mtime_ns] for f in files]
    return told + [[str(f.relative_to(run.path)), file_sha256(f)] for f in run.requests]


def gathered(run: Run, parts: Sequence[str]) -> list[Path]:
    """The gathered files, if they are those of these parts as they are now; else none."""
    index = run.path / FOLDER / INDEX
    if not index.is_file():
        return []
    try:
        told = json.loads(index.read_bytes())
        if told["state"] != state(run, parts):
            return []
        files = [run.path / FOLDER / name for name in told["files"]]
    except (ValueError, KeyError, TypeError, OSError):  # damaged, or a part is being replaced: the parts are asked
        return []
    return files if all(file.is_file() for file in files) else []


def gather(run: Run) -> int:
    """Write gathered/ for a run of more than a few parts, unless it is there; returns how many files it has."""
    from stats.rows import decided_parts

    parts = decided_parts(run)
    if len(parts) <= FEW:
        return 0
    if files := gathered(run, parts):
        return len(files)
    before = state(run, parts)
    for stray in run.path.glob(f".{FOLDER}-*"):  # of a process that died, or of one that then leaves it to this one
        shutil.rmtree(stray, ignore_errors=True)
    try:
        making = Path(tempfile.mkdtemp(prefix=f".{FOLDER}-", dir=run.path))
    except OSError:  # a folder that may only be read: the parts are asked, which takes longer
        return 0
    try:
        names = _write(run, parts, making)
        (making / INDEX).write_text(json.dumps({"state": before, "files": names}))
        shutil.rmtree(run.path / FOLDER, ignore_errors=True)
        making.replace(run.path / FOLDER)
    except OSError:  # a full disk, or another process was faster
        shutil.rmtree(making, ignore_errors=True)
        return len(gathered(run, parts))
    return len(names)


def _write(run: Run, parts: Sequence[str], folder: Path) -> list[str]:
    from stats.rows import beside

    run.rows("CREATE OR REPLACE TEMP TABLE counted AS SELECT doc_id AS shard_id, n_tokens FROM tokens")
    columns = [name for name, *_ in run.rows("DESCRIBE signals")]
    names = []
    for number, (first, group) in enumerate(_groups(run, parts)):
        table = run.table(beside(run, columns, group, first, "counted"))
        names.append(f"{number:05d}.parquet")
        pq.write_table(table, folder / names[-1], compression="zstd", compression_level=1, row_group_size=DOCUMENTS)
    return names


def _groups(run: Run, parts: Sequence[str]) -> list[tuple[int, list[str]]]:
    """(number of its first part, parts) of each file."""
    groups: list[tuple[int, list[str]]] = []
    held = DOCUMENTS
    for number, part in enumerate(parts):
        rows = pq.read_metadata(run.path / "decisions" / part).num_rows
        if not groups or held + rows > DOCUMENTS:
            groups.append((number, []))
            held = 0
        groups[-1][1].append(part)
        held += rows
    return groups
