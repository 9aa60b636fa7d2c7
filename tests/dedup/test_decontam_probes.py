"""Floors on real pages: benchmark items inserted in five forms are found, pages without one are left alone."""

from __future__ import annotations

import gzip
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from dedup.decontam.index import Hits
from dedup.decontam.items import Items, load_items
from dedup.decontam.judge import judge
from dedup.decontam.needles import Needles, needles
from dedup.decontam.units import units
from recipes.decontaminate import EvaluationSet, recommended


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


@pytest.fixture(scope="module")
def items(shared_data: Path) -> Items:
    file = str(shared_data / "benchmarks.jsonl.gz")
    return load_items([EvaluationSet(file=file, fields=("question",), id=("benchmark", "idx"))])


@pytest.fixture(scope="module")
def modes(items: Items) -> list[Needles]:
    return [needles(mode, items) for mode in recommended().modes]


def found(modes: list[Needles], texts: list[str]) -> dict[int, set[int]]:
    """By text, the items that any mode finds in it."""
    hits = [one.find(pa.array(texts, pa.large_string())) for one in modes]
    out: dict[int, set[int]] = {}
    for doc in np.unique(np.concatenate([of.doc for of in hits])).tolist():
        mine = [Hits(*(column[of.doc == doc] for column in of)) for of in hits]
        named = {row.item for row in judge(texts[doc], modes, mine)} - {-1}
        if named:
            out[doc] = named
    return out


def test_inserted_items_are_found_and_clean_pages_are_not(
    shared_data: Path, items: Items, modes: list[Needles]
) -> None:
    probes = rows(shared_data / "decontam_probes.jsonl.gz")
    hits = found(modes, [probe["text"] for probe in probes])
    right: dict[str, list[bool]] = {}
    for number, probe in enumerate(probes):
        if probe["contaminated"]:
            name = f"benchmarks:{probe['benchmark']}/{probe['item_idx']}"
            good = name in {items.names[item] for item in hits.get(number, ())}
        else:
            good = number not in hits
        right.setdefault(probe["mode"], []).append(good)
    shares = {kind: sum(of) / len(of) for kind, of in right.items()}
    for kind in ("verbatim", "verbatim+answer", "case_ws", "punct_stripped"):
        assert shares[kind] >= 0.99, shares
    assert shares["light_edit"] >= 0.9, shares
    assert min(shares["clean"], shares["shared_topic_clean"]) >= 0.99, shares


def test_every_item_that_is_long_enough_is_found_in_every_form(items: Items, modes: list[Needles]) -> None:
    counts = np.diff(units(items.text).first)
    chinese = np.array(["cmmlu/" in name for name in items.names])
    long = np.flatnonzero(counts >= np.where(chinese, 12, 8))[::23].tolist()
    texts = [items.text[j].as_py() for j in long]
    forms = (
        str,
        str.upper,
        lambda t: re.sub(r"[.,!?;:'\"，。！？；：、（）“”]", "", t),
        lambda t: "\n".join(t.split(" ")),
    )
    for form in forms:
        pages = [f"{'前文 before ' * 99}\n{form(text)}\n{'后文 after ' * 99}" for text in texts]
        hits = found(modes, pages)
        assert len(hits) >= 0.99 * len(texts)
        assert len(texts) > 350


def test_pages_that_nobody_touched_are_left_alone(shared_data: Path, modes: list[Needles]) -> None:
    texts = [row.get("text") or "" for row in rows(shared_data / "bulk_real" / "gold_text.jsonl.gz")]
    assert len(found(modes, texts)) < 0.01 * len(texts)
