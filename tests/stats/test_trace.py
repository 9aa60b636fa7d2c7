"""Lineage: a token to the bytes of the crawl and back, and the steps of a training as the loader itself deals them."""

from __future__ import annotations

import json
import random
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
import torch

from filters.annotate import final_text
from filters.pii import scrub
from pipelines.refetch import refetch
from pipelines.removal.remove import remove
from pipelines.removal.request import Request, domain_target
from pipelines.sources import Record
from stats.run import open_run
from stats.trace import Place, Trace, place_of_document, place_of_token, text_of, trace_page, trace_token, training_of
from tests.pipelines.removal_runs import RECIPE, shards_of, write_crawl
from tokenization.load import load
from tokenization.manifest import Manifest, file_sha256
from tokenization.plan import Layout
from tokenization.sequences import ORDER
from training.data import Sequences


@pytest.fixture
def run(removal_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(removal_run, tmp_path / "run")


def payload(run: Path, doc_id: str, source: str, offset: int, length: int | None) -> str:
    parts = json.loads((run / "run.json").read_bytes())["parts"]
    item = refetch(parts, doc_id, source, offset, length)
    assert isinstance(item, Record)
    return item.payload.decode()


def test_random_tokens_lead_to_the_bytes_of_the_crawl(removal_run: Path) -> None:
    manifest = Manifest.read(removal_run / "manifest.json")
    tokenizer = load(removal_run / manifest.tokenizer.file)
    rng = random.Random(11)
    chosen = [(s, rng.randrange(manifest.shards[s].tokens)) for s in (rng.randrange(50) for _ in range(50))]
    as_it_was = 0
    with open_run(removal_run) as opened:
        langs = dict(opened.rows("SELECT doc_id, lang FROM signals"))
    for shard, token in chosen:
        found = trace_token(removal_run / "manifest.json", shard, token)
        place, page = found.place, found.page
        assert place is not None
        assert page is not None
        ids = shards_of(removal_run, [manifest.shards[shard].path])["tokens"].to_pylist()
        assert [one for doc in ids for one in doc][token] == place.token_id
        raw = payload(removal_run, page.doc_id, page.source, page.offset, page.length)
        # The page's text, edited and scrubbed again, is what the ids of the document decode to.
        edited = final_text(pa.array([raw], pa.large_string()), pa.array([langs[place.doc_id]]), RECIPE)
        again = scrub(edited, RECIPE.scrub.policy)
        row = shards_of(removal_run, [manifest.shards[shard].path])
        whole = row.filter(pa.compute.field("doc_id") == place.doc_id)["tokens"][0].as_py()
        assert tokenizer.decode(np.array(whole[:-1], np.uint32)) == again.text[0].as_py()
        assert page.edits["tiny.lines.v1"] == len(raw) - len(edited[0].as_py())
        line = (place.before + place.here).split("\n")[-1].strip("\N{REPLACEMENT CHARACTER} ")
        as_it_was += line in raw or place.here == "(end of text)"
    assert as_it_was >= 45  # where personal data was replaced near the token, the surroundings differ from the page


def test_a_page_leads_to_its_tokens(removal_run: Path) -> None:
    (found,) = trace_page(removal_run / "manifest.json", "https://www.site5.example/page/45")
    assert found.place is not None
    assert found.page is not None
    manifest = Manifest.read(removal_run / "manifest.json")
    stream = [i for doc in shards_of(removal_run, [s.path for s in manifest.shards])["tokens"].to_pylist() for i in doc]
    mine = stream[found.place.stream : found.place.stream + found.place.last - found.place.first]
    decoded = load(removal_run / "tokenizer.json").decode(np.array(mine[:-1], np.uint32))
    assert " 45 3." in decoded
    assert mine[-1] == manifest.tokenizer.end_of_text
    (gone,) = trace_page(removal_run / "manifest.json", "https://short.example.org/")
    assert gone.place is None
    assert "in no shard of" in text_of(gone)
    assert "filtered:tiny.words.v1" in text_of(gone)


def test_later_versions_are_traced_and_removed_pages_told(run: Path) -> None:
    made = remove(run / "manifest.json", Request.of([domain_target("owner.example.net")], "asked"), "2026-11-25")
    (before, after) = (
        trace_page(path, "http://owner.example.net:80/two/")[0] for path in (run / "manifest.json", made.version.path)
    )
    assert before.place is not None
    assert after.place is None
    assert f"removed:{made.request.id}" in text_of(after)
    number = made.shards[0]
    place = trace_token(made.version.path, number, 0).place
    assert place is not None
    assert place.shard == f"tokens/shard-{number:05d}.v2.arrow"
    with pytest.raises(ValueError, match="has the shards 0 to"):
        trace_token(made.version.path, 999, 0)
    with pytest.raises(ValueError, match="tokens"):
        trace_token(made.version.path, 0, 10**9)


LAYOUTS = [
    {},
    {"window": 3000},
    {"packing": "best-fit"},
    {"mix": "language:zh=0.3"},
    {"mix": "language:zh=0.6", "packing": "best-fit", "window": 1000},
]


@pytest.mark.parametrize("more", LAYOUTS)
def test_the_steps_are_those_of_the_loader(more: dict[str, object], removal_run: Path, tmp_path: Path) -> None:
    """What the loader deals, row by row and with its documents, is what a trace tells of a token and of a document."""
    path = removal_run / "manifest.json"
    manifest = Manifest.read(path)
    steps, teams = 120, [[0, 1], [3, 2], [100, 4]]
    layout = Layout(**{"context": 100, "seed": 5, "held_out": 40, **more})  # type: ignore[arg-type]
    options = {"batch": 24, **layout.as_dict()}
    state = {"order": ORDER, "manifest": file_sha256(path), "options": options, "step": steps, "teams": teams}
    torch.save(state, tmp_path / "checkpoint.pt")
    data = Sequences(manifest, removal_run, layout, tmp_path / "cache")
    assert steps * 24 > 1.2 * data.count  # more than one epoch
    dealt: dict[int, list[tuple[int, int | None, int]]] = {}
    for step in range(steps):
        ranks = next(n for start, n in reversed(teams) if start <= step)
        for row, number in enumerate(data.plan.numbers_at(np.arange(step * 24, step * 24 + 24)).tolist()):
            dealt.setdefault(number, []).append((step, row % ranks, number))
    holders: dict[int, set[int]] = {}
    for number in [*dealt, *data.plan.held_out.tolist()]:
        for first, length in data.plan.segments(number):
            for token in range(first, first + length):
                holders.setdefault(token, set()).add(number)
    starts = np.cumsum([0, *(shard.tokens for shard in manifest.shards)])
    rng = random.Random(3)
    for token in [*(rng.randrange(manifest.totals.tokens) for _ in range(25)), 0, 100, manifest.totals.tokens - 1]:
        shard = int(np.searchsorted(starts, token, side="right")) - 1
        place = place_of_token(removal_run, manifest, shard, token - int(starts[shard]))
        found = training_of(path, tmp_path, place)
        numbers = holders.get(token, set())
        assert sorted((one.step, one.rank, one.sequence) for one in found.seen) == sorted(
            seen for number in numbers for seen in dealt.get(number, [])
        )
        assert found.held_out == bool(numbers & set(data.plan.held_out.tolist()))
        assert all(place.doc_id in data.doc_ids(number) for number in numbers)
    doc = place_of_document(removal_run, manifest, place.doc_id)
    assert doc is not None
    tokens = range(doc.stream, doc.stream + doc.last - doc.first)
    wanted = {step for t in tokens for n in holders.get(t, ()) for step, *_ in dealt.get(n, ())}
    assert {one.step for one in training_of(path, tmp_path, doc).seen} == wanted


def test_a_checkpoint_of_another_manifest_is_refused(run: Path, tmp_path: Path) -> None:
    place = place_of_token(run, Manifest.read(run / "manifest.json"), 0, 5)
    options = {"batch": 8, **Layout(context=64, seed=0).as_dict()}
    state = {"order": ORDER, "manifest": file_sha256(run / "manifest.json"), "options": options, "step": 3}
    torch.save({**state, "order": 1}, tmp_path / "checkpoint.pt")
    with pytest.raises(ValueError, match="orders data another way"):
        training_of(run / "manifest.json", tmp_path, place)
    torch.save(state, tmp_path / "checkpoint.pt")
    assert all(
        one.rank is None for one in training_of(run / "manifest.json", tmp_path, place).seen
    )  # a checkpoint that does not say
    made = remove(run / "manifest.json", Request.of([domain_target("owner.example.net")], "asked"), "2026-11-25")
    with pytest.raises(ValueError, match=r"but on .*manifest.json: trace that one"):
        training_of(made.version.path, tmp_path, place)
    (tmp_path / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(ValueError, match="is damaged"):
        training_of(run / "manifest.json", tmp_path, place)
    with pytest.raises(FileNotFoundError, match="no checkpoint"):
        training_of(run / "manifest.json", tmp_path / "none", place)


def test_what_a_page_says_does_not_steer_the_terminal(removal_run: Path) -> None:
    place = Place("tokens/x.arrow", 0, "0" * 32, 0, 9, 0, 3, 7, "a\x1b[31m\u202e", "\x07", "b\r\n")
    assert not any((ord(c) < 32 and c != "\n") or c == "\u202e" for c in text_of(Trace("m", place, None)))


def test_a_record_is_found_wherever_it_lies_and_change_is_told(removal_run: Path, tmp_path: Path) -> None:
    parts = json.loads((removal_run / "run.json").read_bytes())["parts"]
    (found,) = trace_page(removal_run / "manifest.json", "https://www.site5.example/page/45")
    assert found.page is not None
    page = found.page
    for length in (page.length, None):  # alone, and by reading its part
        assert " 45 3." in payload(removal_run, page.doc_id, page.source, page.offset, length)
    other = write_crawl(tmp_path / "other.warc.gz", [("https://x.example/", "text of another crawl.")])
    moved = [{**part, "path": str(other)} for part in parts]
    with pytest.raises(ValueError, match="the crawl was changed since"):
        refetch(moved, page.doc_id, page.source, page.offset, page.length)
    with pytest.raises(FileNotFoundError, match="is not there any more"):
        refetch([{**part, "path": str(tmp_path / "gone")} for part in parts], page.doc_id, page.source, page.offset, 1)
