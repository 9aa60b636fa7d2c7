"""run.json: what a run is made from, and how far it has come.

It holds the resolved recipe, the plan of parts with the digest of each part's bytes, versions, seeds and the
state of each stage; no clock time and no worker count, so that equal work gives an equal file. Timings and
worker counts are in `log/`. A folder belongs to one run: other inputs or another recipe are refused.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from apache_beam.io.filesystems import FileSystems

from filters.segmenters import segmenter_versions
from pipelines.code import code_version, library_versions
from pipelines.lock import BusyError, locked
from pipelines.parts import make_dirs, replace
from recipes.model import Recipe

NAME = "run.json"
__all__ = ["BusyError", "begin", "drop_strays", "finish_stage", "load", "locked", "log_event", "path_of", "save"]


def path_of(run: str) -> str:
    """Where the run's own description lives."""
    return FileSystems.join(run, NAME)


def load(run: str) -> dict[str, Any]:
    """Read run.json; FileNotFoundError with the remedy if the folder holds no run."""
    if not FileSystems.exists(path_of(run)):
        raise FileNotFoundError(f"{run} holds no run: there is no {NAME} in it. Name a folder made by `winnow run`.")
    with FileSystems.open(path_of(run), mime_type="application/octet-stream") as stream:
        try:
            described: dict[str, Any] = json.loads(stream.read())
        except (ValueError, RecursionError) as error:
            raise ValueError(
                f"{path_of(run)} is damaged ({error}); move it away and run again into the same folder."
            ) from error
    return described


def save(run: str, described: Mapping[str, Any]) -> None:
    """Write run.json whole: a temporary file, then a rename."""
    make_dirs(run)
    temporary = path_of(run) + ".tmp"
    with FileSystems.create(temporary, mime_type="application/octet-stream") as sink:
        text = json.dumps(described, indent=1, sort_keys=True, ensure_ascii=False)
        sink.write(text.encode("utf-8", "backslashreplace") + b"\n")  # an input's name need not be text
    replace(temporary, path_of(run))


def begin(
    run: str,
    inputs: Sequence[str],
    recipe: Recipe,
    tokenizer: str | None,
    part_bytes: int | None = None,
    others: Sequence[Recipe] = (),
    notices: Sequence[str] = (),
    against: str | None = None,
) -> dict[str, Any]:
    """Open `run` for these inputs and this recipe: a new folder, or the same run carried on.

    `others` are recipes whose measurements are taken too; they may change from one call to the next. `notices`
    are what a person was told before: what is not published, or had no file and was left out. Raises ValueError
    when the folder holds another run or other files: two corpora must never mix.
    """
    wanted = {
        "inputs": list(inputs),
        "recipe": json.loads(recipe.model_dump_json(exclude_none=True)),
        "tokenizer": tokenizer,
        "part_bytes": part_bytes,
        "against": against,
    }
    if FileSystems.exists(path_of(run)):
        described = load(run)
        for key, value in wanted.items():
            if described.get(key) != value:
                raise ValueError(
                    f"{run} holds another run: its {key} differ{'' if key == 'inputs' else 's'} from what was asked. "
                    "Choose another --out, or delete that folder."
                )
    else:
        if (
            "://" not in run
            and Path(run).is_dir()
            and any(p.name not in (".lock", "log", ".copied.json") for p in Path(run).iterdir())
        ):
            raise ValueError(f"{run} is not empty and holds no run. Choose another --out, or empty that folder.")
        described = {**wanted, "parts": [], "stages": {}}
    drop_temporaries(run)
    described["versions"] = {"winnow": code_version(), **library_versions()}
    described["segmenters"] = segmenter_versions()
    described["measured_for"] = [other.name for other in others]
    described["notices"] = list(notices)
    described["seeds"] = {
        "minhash": recipe.dedup.minhash.seed if recipe.dedup.minhash else None,
        "shuffle": recipe.tokens.seed,
    }
    save(run, described)
    return described


def drop_temporaries(run: str) -> None:
    """Delete parts that a killed process has left half written. The caller holds the run's lock."""
    if "://" not in run:  # an object store shows no object before it is whole
        for path in Path(run).rglob(".tmp-*"):
            if path.suffix in (".parquet", ".arrow"):
                path.unlink(missing_ok=True)


def drop_strays(run: str, parts: int) -> None:
    """Delete parts beyond the plan's last: they come from an input that has shrunk since."""
    found = FileSystems.match([f"{run}/*/part-*.parquet"])[0].metadata_list
    strays = [m.path for m in found if int(m.path.rpartition("part-")[2].removesuffix(".parquet")) >= parts]
    if strays:
        FileSystems.delete(strays)


def finish_stage(run: str, stage: str, counts: Mapping[str, int]) -> None:
    """Record that a stage is done, with what it counted."""
    described = load(run)
    described["stages"][stage] = {"state": "done", "counts": dict(sorted(counts.items()))}
    save(run, described)


def log_event(run: str, event: Mapping[str, Any]) -> None:
    """Add a line to log/events.jsonl: timings, which are no part of the result."""
    if "://" not in run:
        make_dirs(f"{run}/log")
        with Path(run, "log", "events.jsonl").open("a") as stream:
            stream.write(json.dumps(dict(event)) + "\n")
