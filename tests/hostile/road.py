"""The reader and the extract job in a process of their own, which says what came out, how many CPU seconds it
took, and how much memory it held at most.

Run as `python -m tests.hostile.road`; it reads a JSON list of inputs a line, and answers a line. One process serves all
cases, since it takes seconds to import; its high-water mark, and its sandbox's, is reset before each. A limit on address
space makes what is out of bounds an error, and not the end of the machine.
"""

from __future__ import annotations

import json
import resource
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.extract import extract_part, sandboxes
from pipelines.parts import part_path
from pipelines.sources import plan
from recipes.model import Extract

CHOICES = Extract(timeout_s=10)
ADDRESS_SPACE = 8 << 30


def high_water(pid: str) -> int:
    """Most MiB that a process held since the mark was reset."""
    status = Path("/proc", pid, "status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) >> 10


def reset(pid: str) -> None:
    """Begin the high-water mark anew."""
    with suppress(OSError):
        Path("/proc", pid, "clear_refs").write_text("5")


def curated(inputs: list[str], out: str) -> dict[str, Any]:
    """Every part of the inputs through the job; rows as they lie on disk afterwards."""
    parts = plan(inputs)
    counts = [extract_part(part, out, CHOICES) for part in parts]
    tables = {}
    for name in ("documents", "rejects"):
        tables[name] = pa.concat_tables([pq.read_table(part_path(out, name, part.index)) for part in parts])
    documents = [
        {**{key: row[key] for key in ("doc_id", "url", "source", "title", "charset")}, "text": row["text"][:2000]}
        for row in tables["documents"].to_pylist()
    ]
    return {
        "records": sum(count["records"] for count in counts),
        "skipped": sum(n for count in counts for key, n in count.items() if key.startswith("skipped.")),
        "documents": documents,
        "rejects": tables["rejects"].to_pylist(),
    }


def main() -> None:
    """Serve until the input ends."""
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    pool = sandboxes(CHOICES, 0)
    for line in sys.stdin:
        child = pool.sandboxes[0].child
        pids = ["self", *([str(child.pid)] if child is not None and child.poll() is None else [])]
        for pid in pids:
            reset(pid)
        began = time.process_time()
        with tempfile.TemporaryDirectory() as out:
            answer = curated(json.loads(line), out)
        took = time.process_time() - began
        alive = [pid for pid in pids if Path("/proc", pid).exists()]
        answer |= {"seconds": took, "megabytes": [high_water(pid) for pid in alive]}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
