"""From a token of a shard to the bytes of the crawl it came from, and back; and to the steps that trained on it.

A manifest alone says where a token lies and what surrounds it; with the run beside it, `stats.explain` says the rest:
the page, its place in the crawl, every edit, cut and replacement on the way. A document's shard is a hash of its id, so
the way back opens one shard. The order of a training is `tokenization.plan`, which the loader itself uses.

Traded away: text is decoded from the ids around the token, so a character that a window cuts in two shows as U+FFFD.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import pyarrow as pa

from stats.explain import Explanation
from stats.explain import explain as find
from stats.run import open_run
from stats.show import harmless
from tokenization.load import load_reference
from tokenization.manifest import Manifest, file_sha256
from tokenization.plan import Layout, Plan
from tokenization.plan_files import open_plan
from tokenization.rewrite import places, read_shard
from tokenization.sequences import ORDER
from tokenization.tokenizer import Tokenizer
from tokenization.versions import files

WINDOW = 24  # tokens shown on either side


@dataclass(frozen=True)
class Place:
    """A document, or one token of it, in the shards. Counts of tokens begin at 0.

    `first`, `last`: the document's ids are [first, last) of the shard; `stream`: `first` counted over all shards.
    `at`: the token's place in the document, None for the whole document. `before`, `here`, `after`: decoded text.
    """

    shard: str
    number: int
    doc_id: str
    first: int
    last: int
    stream: int
    at: int | None = None
    token_id: int | None = None
    before: str = ""
    here: str = ""
    after: str = ""


@dataclass(frozen=True)
class Seen:
    """One time that a training came to a sequence with the token; `rank` is None where the checkpoint does not say."""

    step: int
    rank: int | None
    epoch: int
    sequence: int


@dataclass(frozen=True)
class Training:
    """A checkpoint over one manifest: after `steps` steps, which of them saw the token; `held_out` if it is apart."""

    checkpoint: str
    steps: int
    seen: list[Seen]
    held_out: bool


@dataclass(frozen=True)
class Trace:
    """A token's or document's life: its place in the shards, the page it came from, and who trained on it."""

    manifest: str
    place: Place | None
    page: Explanation | None
    training: Training | None = None
    notes: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """For JSON; nothing is escaped there but what JSON escapes."""
        return asdict(self)


def trace_token(manifest_path: Path, shard: int, token: int) -> Trace:
    """The life of the token at `token` of shard `shard`, both counted from 0; ValueError if there is none."""
    manifest = Manifest.read(manifest_path)
    if not 0 <= shard < len(manifest.shards):
        raise ValueError(f"--shard {shard}: {manifest_path} has the shards 0 to {len(manifest.shards) - 1}.")
    if not 0 <= token < manifest.shards[shard].tokens:
        raise ValueError(
            f"--token {token}: {manifest.shards[shard].path} has {manifest.shards[shard].tokens:,} tokens."
        )
    place = place_of_token(manifest_path.parent, manifest, shard, token)
    page, notes = _page(manifest_path.parent, place.doc_id)
    return Trace(str(manifest_path), place, page, notes=notes)


def place_of_token(folder: Path, manifest: Manifest, shard: int, token: int) -> Place:
    """Where a token lies: its document, its place in it, and the text around it."""
    table, ends = _read(folder, manifest, shard)
    row = int(np.searchsorted(ends, token, side="right"))
    first = int(ends[row - 1]) if row else 0
    ids = table["tokens"][row].values.to_numpy()
    at = token - first
    tokenizer = _tokenizer(folder / manifest.tokenizer.file, manifest.tokenizer.sha256)
    end = len(ids) - 1  # end-of-text is no text
    shown = (ids[max(0, at - WINDOW) : at], ids[at : min(at + 1, end)], ids[at + 1 : min(at + 1 + WINDOW, end)])
    before, here, after = (tokenizer.decode(some) if len(some) else "" for some in shown)
    return Place(
        manifest.shards[shard].path, shard, table["doc_id"][row].as_py(), first, int(ends[row]),
        _before(manifest, shard) + first, at, int(ids[at]), before, here or "(end of text)", after,
    )  # fmt: skip


@lru_cache(maxsize=2)
def _tokenizer(path: Path, _sha256: str) -> Tokenizer:
    return load_reference(path)


def place_of_document(folder: Path, manifest: Manifest, doc_id: str) -> Place | None:
    """Where a document lies; None if it is in no shard of this manifest."""
    shard = next(iter(places([doc_id], manifest)))
    table, ends = _read(folder, manifest, shard)
    row = pa.compute.index(table["doc_id"], doc_id).as_py()
    if row < 0:
        return None
    first = int(ends[row - 1]) if row else 0
    stream = _before(manifest, shard) + first
    return Place(manifest.shards[shard].path, shard, doc_id, first, int(ends[row]), stream)


def _read(folder: Path, manifest: Manifest, shard: int) -> tuple[pa.Table, Any]:
    """(rows, where each document ends) of a shard."""
    table = read_shard(folder / manifest.shards[shard].path)
    return table, np.cumsum(pa.compute.list_value_length(table["tokens"]).to_numpy())


def _before(manifest: Manifest, shard: int) -> int:
    return sum(one.tokens for one in manifest.shards[:shard])


def _page(folder: Path, doc_id: str) -> tuple[Explanation | None, list[str]]:
    if not (folder / "run.json").is_file():
        return None, [f"{folder} holds no run, so the page is not known: name the manifest where its run left it."]
    with open_run(folder) as run:
        return find(run, doc_id)[0], []


def trace_page(manifest_path: Path, page: str) -> list[Trace]:
    """The traces of every record with this URL or doc_id, in the crawl's order; ValueError names the nearest URL."""
    manifest = Manifest.read(manifest_path)
    with open_run(manifest_path.parent) as run:
        found = find(run, page)
    return [
        Trace(str(manifest_path), place_of_document(manifest_path.parent, manifest, one.doc_id), one) for one in found
    ]


def training_of(manifest_path: Path, checkpoint: Path, place: Place) -> Training:
    """Which steps of the training in a checkpoint's folder saw the token, or any of the document's tokens.

    Only steps that are in the checkpoint's weights count. ValueError if it was trained on another manifest.
    """
    state = _checkpoint(checkpoint)
    if state["manifest"] != file_sha256(manifest_path):
        other = next((f for f in files(manifest_path.parent) if file_sha256(f) == state["manifest"]), None)
        named = f"on {other}: trace that one" if other else "on a manifest that is not beside this one"
        raise ValueError(f"{checkpoint} was not trained on {manifest_path}, but {named}.")
    if state.get("order") != ORDER:
        raise ValueError(f"{checkpoint} was made by a version of Winnow that orders data another way, so its steps are "
                         "not known here.")  # fmt: skip
    options, steps = state["options"], int(state["step"])
    plan = _plan(manifest_path, Layout.of(options), checkpoint)
    first = place.stream + (place.at or 0)
    last = first + 1 if place.at is not None else place.stream + place.last - place.first
    numbers = plan.sequences_with(first, last)
    seen = []
    for spot, number in plan.places_of(numbers, steps * options["batch"]):
        step, within = divmod(spot, options["batch"])
        ranks = next((n for start, n in reversed(state.get("teams", [])) if start <= step), None)
        seen.append(Seen(step, within % ranks if ranks else None, plan.epoch_of(spot), number))
    return Training(str(checkpoint), steps, seen, bool(np.isin(numbers, plan.held_out).any()))


def _plan(manifest_path: Path, layout: Layout, checkpoint: Path) -> Plan:
    """The plan that the training followed: its own files, where they are left, else made again for this once."""
    manifest = Manifest.read(manifest_path)
    own = (checkpoint if checkpoint.is_dir() else checkpoint.parent) / "cache"

    def path_of(number: int) -> Path:
        return manifest_path.parent / manifest.shards[number].path

    if own.is_dir() or not layout.indexed:
        return open_plan(manifest, layout, path_of, own)
    with TemporaryDirectory() as made:
        return open_plan(manifest, layout, path_of, Path(made))


def _checkpoint(folder: Path) -> dict[str, Any]:
    path = folder / "checkpoint.pt" if folder.is_dir() else folder
    if not path.is_file():
        raise FileNotFoundError(f"There is no checkpoint {path}. Give the --out of a training.")
    try:
        import torch
    except ModuleNotFoundError as error:
        raise ValueError(f"{error}: reading a checkpoint needs PyTorch: pip install 'winnow-corpus[train]'.") from error
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
    except Exception as error:  # the library raises many kinds for a bad file
        raise ValueError(f"{path} is damaged ({type(error).__name__}). Name another checkpoint.") from error
    return state


def text_of(trace: Trace) -> str:
    """Lines for the terminal, harmless whatever the page holds."""
    lines = []
    if (place := trace.place) is not None:
        lines.append(f"{place.shard} (number {place.number}), tokens {place.first:,} to {place.last - 1:,} of it")
        if place.at is not None:
            lines.append(f"  token: {place.first + place.at:,}, the document's {place.at:,}, id {place.token_id}")
            around = (f"…{place.before}", f"[{place.here}]", f"{place.after}…")
            lines.append(f"  text: {harmless(''.join(around).replace(chr(10), '⏎'))}")
    else:
        lines.append(f"in no shard of {harmless(trace.manifest)}")
    if trace.page is not None:
        lines.append(trace.page.text())
    if (training := trace.training) is not None:
        lines += _training_lines(training)
    return "\n".join([*lines, *(harmless(note) for note in trace.notes)])


MOST_SEEN = 20


def _training_lines(training: Training) -> list[str]:
    held = ", and it is among what was held out" if training.held_out else ""
    count = len({one.step for one in training.seen})
    lines = [f"  trained on: {count:,} of {training.steps:,} steps in {harmless(training.checkpoint)}{held}"]
    for one in training.seen[:MOST_SEEN]:
        rank = "a rank that is not recorded" if one.rank is None else f"rank {one.rank}"
        lines.append(f"    step {one.step:,} on {rank}: sequence {one.sequence:,} of epoch {one.epoch}")
    if len(training.seen) > MOST_SEEN:
        lines.append(f"    and {len(training.seen) - MOST_SEEN:,} more; --json tells all")
    return lines
