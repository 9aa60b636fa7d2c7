"""The samples for reviewers in a run's papers/, without the texts of removed documents.

A filled sheet holds people's verdicts, so rows stay, each with its verdict, and only the text goes. What a reviewer
wrote into a note is theirs and stays. Traded away: papers that were written elsewhere are not known here.
"""

from __future__ import annotations

from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tokenization.commit import put, settle, sweep, temporary_of

PAPERS = "papers"
SHEET, TECH = "tc260_manual_sample.jsonl", "tc260_tech_sample.parquet"


def blank_samples(run: Path, gone: set[str]) -> int:
    """Blank the texts of `gone` in both samples; how many rows were not blank yet.

    ValueError in a sentence if a sample cannot be read: what it holds is then not known.
    """
    folder = run / PAPERS
    sweep(folder)
    return _sheet(folder / SHEET, gone) + _tech(folder / TECH, gone)


def _sheet(path: Path, gone: set[str]) -> int:
    if not path.is_file():
        return 0
    lines, count = [], 0
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        row = _row(path, number, line)
        if str(row.get("doc_id")) in gone and row.get("text"):
            line, count = orjson.dumps(row | {"text": ""}), count + 1
        lines.append(line)
    if count:
        put(path, b"\n".join(lines))
    return count


def _row(path: Path, number: int, line: bytes) -> dict[str, object]:
    """A line of the sheet; people edit it, so a byte order mark and empty lines are no fault."""
    text = line.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        row = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{path}, line {number}: {error}. Mend it or delete the file, then erase again.") from error
    return row if isinstance(row, dict) else {}


def _tech(path: Path, gone: set[str]) -> int:
    if not path.is_file():
        return 0
    try:
        table = pq.read_table(path, partitioning=None)
        mine = pc.and_(
            pc.is_in(table["doc_id"], value_set=pa.array(list(gone), pa.string())),
            pc.greater(pc.binary_length(table["text"]), 0),
        )
    except (pa.ArrowException, OSError, KeyError) as error:
        fault = str(error).splitlines()[0]
        raise ValueError(f"{path} cannot be read ({fault}). Delete it, then erase again.") from error
    count: int = pc.sum(mine).as_py() or 0
    if count:
        place = table.schema.get_field_index("text")
        blank = pc.if_else(mine, pa.scalar("", table.schema.field(place).type), table["text"])
        temporary = temporary_of(path)
        pq.write_table(table.set_column(place, table.schema.field(place), blank), temporary, compression="zstd")
        settle(temporary, path)
    return count


def drop_report(run: Path) -> None:
    """Delete the run's report, which quotes pages, also those that are to go; `winnow report` makes it anew."""
    (run / "report.html").unlink(missing_ok=True)
