"""An ablation of a small run: who is in which corpus, what is held out of all of them, and that it goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from flows.ablate import AblateOptions, ablate
from pipelines.ablation import manifest_of
from pipelines.held_out import held_out_rows
from pipelines.removal.remove import remove
from pipelines.removal.request import Request, doc_target
from recipes.model import Recipe
from recipes.steps import Rule
from stats.passing import held_out, passing
from stats.run import Run, open_run
from tokenization.load import load
from tokenization.manifest import Manifest
from training import loop

pytestmark = pytest.mark.slow
SMALL = {"tokens": 2048, "seeds": 2, "points": 2, "vocab": 300, "width": 16, "layers": 1, "heads": 1, "context": 32,
         "batch": 8, "device": "cpu"}  # fmt: skip


@dataclass
class Case:
    """A finished ablation, its run, and what it said."""

    run: Path
    out: Path
    said: list[str]


def recipes_of(run: Run) -> dict[str, Recipe]:
    """The run's recipe, and one for the half of its documents that has the longer words."""
    rule = Rule(id="tiny.long.v1", signal="mean_word_length", min=median(run), evidence="A")
    return {
        "own": run.recipe,
        "strict": run.recipe.model_copy(update={"name": "strict", "steps": (rule, *run.recipe.steps)}),
    }


def median(run: Run) -> float:
    return float(run.rows("SELECT median(mean_word_length) FROM signals")[0][0])


def options(run: Path, out: Path, **more: Any) -> AblateOptions:
    return AblateOptions.model_validate({"run": str(run), "out": str(out), **SMALL, **more})


@pytest.fixture(scope="module")
def case(removal_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Case:
    folder = tmp_path_factory.mktemp("ablate")
    run = shutil.copytree(removal_run, folder / "run")
    text = "corpus shard token model page crawl letter river stone. " * 30
    (folder / "mine.jsonl").write_text("\n".join(json.dumps({"text": f"{i} {text}"}) for i in range(3)))
    (folder / "other.txt").write_text("今天天气。" * 40)
    said: list[str] = []
    with open_run(run) as opened:
        given = (str(folder / "mine.jsonl"), str(folder / "other.txt"))
        ablate(opened, recipes_of(opened), options(run, folder / "out", held_out=given), said.append)
    return Case(run, folder / "out", said)


def corpus(case: Case, name: str) -> dict[str, str]:
    """doc_id to text, decoded, of a corpus's shards."""
    path = manifest_of(case.out / "corpora", name)
    manifest = Manifest.read(path)
    assert not manifest.problems(path.parent)
    tokenizer = load(path.parent / manifest.tokenizer.file)
    found: dict[str, str] = {}
    for shard in manifest.shards:
        rows = pa.ipc.open_file(str(path.parent / shard.path)).read_all()
        for doc_id, ids in zip(rows["doc_id"].to_pylist(), rows["tokens"].to_pylist(), strict=True):
            assert ids[-1] == manifest.tokenizer.end_of_text
            found[doc_id] = tokenizer.decode(ids[:-1])
    assert len(found) == manifest.totals.documents
    return found


def rows_of(run: Path, query: str) -> list[tuple[Any, ...]]:
    with open_run(run) as opened:
        return opened.rows(query)


def test_corpora_are_what_each_keeps_without_what_is_held_out(case: Case) -> None:
    rows = held_out_rows(case.out / "corpora")
    mine = {
        doc_id for doc_id, given in zip(rows["doc_id"].to_pylist(), rows["given"].to_pylist(), strict=True) if not given
    }
    extracted = dict(rows_of(case.run, "SELECT doc_id, text FROM documents"))
    kept = dict(rows_of(case.run, "SELECT doc_id, text FROM kept"))
    words = dict(rows_of(case.run, "SELECT doc_id, mean_word_length FROM signals"))
    clusters = dict(rows_of(case.run, "SELECT doc_id, cluster_id FROM duplicates"))
    near = {clusters[doc_id] for doc_id in mine & clusters.keys()}
    without = mine | {doc_id for doc_id, cluster in clusters.items() if cluster in near}
    with open_run(case.run) as opened:
        least = median(opened)
    assert mine
    assert mine <= {doc_id for doc_id in kept if words[doc_id] >= least}
    assert corpus(case, "raw") == {doc_id: text for doc_id, text in extracted.items() if doc_id not in without}
    assert corpus(case, "own") == {doc_id: text for doc_id, text in kept.items() if doc_id not in without}
    long = {doc_id: text for doc_id, text in kept.items() if words[doc_id] >= least and doc_id not in without}
    assert corpus(case, "strict") == long
    assert 0 < len(long) < len(kept) - len(mine)
    tokenizers = {
        Manifest.read(manifest_of(case.out / "corpora", name)).tokenizer.sha256 for name in ("raw", "own", "strict")
    }
    assert len(tokenizers) == 1


def test_copies_of_what_is_held_out_are_nowhere(removal_run: Path) -> None:
    """With everything held out that may be, the copy of page 7 and the near copy of page 8 are not trained on."""
    with open_run(removal_run) as opened:
        found = passing(opened, {"own": opened.recipe})
        chosen, without = held_out(opened, found, 0.5, 10_000, 0)
        urls = dict(opened.rows("SELECT doc_id, url FROM documents"))
    names = [urls[doc_id] for doc_id in found.documents["doc_id"].to_pylist()]
    for page, copy in (("/page/7", "/copy-of-7"), ("/page/8", "/near-8")):
        places = [next(i for i, url in enumerate(names) if url.endswith(end)) for end in (page, copy)]
        assert without[places[0]] == without[places[1]]
    assert chosen.sum() == int(found.keeps[:, 1].sum() * 0.5)
    assert not (chosen & ~found.keeps[:, 1]).any()
    assert without.sum() >= chosen.sum()


def test_what_some_recipe_keeps_may_be_held_out_too(removal_run: Path) -> None:
    with open_run(removal_run) as opened:
        found = passing(opened, recipes_of(opened))
        every, _ = held_out(opened, found, 0.2, 10_000, 0)
        some, _ = held_out(opened, found, 0.2, 10_000, 0, "any")
    assert not (every & ~found.keeps.all(axis=1)).any()
    assert (some & ~found.keeps.all(axis=1)).any()
    assert not (some & ~found.keeps[:, 1:].any(axis=1)).any()


def test_the_report(case: Case) -> None:
    detail = pq.read_table(case.out / "losses.parquet").to_pylist()
    domains = {row["domain"] for row in detail}
    assert {"all", "file mine.jsonl", "file other.txt"} <= domains
    assert len(detail) == 3 * 2 * 2 * len(domains)
    assert {row["tokens"] for row in detail} == {1024, 2048}
    described = json.loads((case.out / "ablation.json").read_text())
    best = [row for row in described["summary"] if row["domain"] == "all" and row["tokens"] == 2048]
    assert [row["loss"] for row in best] == sorted(row["loss"] for row in best)
    more = [
        row["loss"] for tokens in (1024, 2048) for row in detail if row["tokens"] == tokens and row["domain"] == "all"
    ]
    assert sum(more[6:]) < sum(more[:6])  # more training, less loss
    assert (case.out / "ablation.png").stat().st_size > 10_000
    assert "| raw |" in (case.out / "ablation.md").read_text()
    assert len(case.said) == 1 + 12


def test_given_again_it_trains_nothing_and_says_the_same(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    before = {p: p.read_bytes() for p in case.out.glob("ablation.*")}
    asked = json.loads((case.out / "asked.json").read_text())
    lost = next((case.out / "models").glob("strict-2048-1"))
    (lost / "losses.json").unlink()
    trained: list[str] = []
    real = loop.train

    def counting(given: Any) -> Any:
        trained.append(given.out)
        return real(given)

    monkeypatch.setattr(loop, "train", counting)
    with open_run(case.run) as opened:
        given = tuple(asked["held_out"])
        ablate(opened, recipes_of(opened), options(case.run, case.out, held_out=given), lambda _: None)
        assert trained == [str(lost)]
        assert {p: p.read_bytes() for p in case.out.glob("ablation.*")} == before
        with pytest.raises(ValueError, match="holds another ablation"):
            ablate(opened, recipes_of(opened), options(case.run, case.out, seeds=3), lambda _: None)
        (case.out.parent / "mine").mkdir(exist_ok=True)
        (case.out.parent / "mine" / "x").touch()
        with pytest.raises(ValueError, match="holds something else"):
            ablate(opened, recipes_of(opened), options(case.run, case.out.parent / "mine"), lambda _: None)


def test_who_was_removed_is_in_no_corpus(removal_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(removal_run, tmp_path / "run")
    gone = Manifest.read(run / "manifest.json")
    doc_id = pa.ipc.open_file(str(run / gone.shards[0].path)).read_all()["doc_id"][0].as_py()
    remove(run / "manifest.json", Request.of([doc_target(doc_id)], "asked"), "2026-11-25")
    with open_run(run) as opened:
        assert doc_id not in passing(opened, {"own": opened.recipe}).documents["doc_id"].to_pylist()
    with open_run(removal_run) as opened:
        assert doc_id in passing(opened, {"own": opened.recipe}).documents["doc_id"].to_pylist()


@pytest.mark.parametrize(
    ("wrong", "told"), [({"width": 17}, "multiple of twice"), ({"tokens": 400 * 8}, None), ({"tokens": 1000, "batch": 64}, "less than a step")],
)  # fmt: skip
def test_options_that_cannot_work_are_refused(wrong: dict[str, int], told: str | None, tmp_path: Path) -> None:
    if told is None:
        assert options(tmp_path, tmp_path, **wrong).steps(3200) == 12
        return
    with pytest.raises(ValueError, match=told):
        options(tmp_path, tmp_path, **wrong)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [({"held_out": ("none.txt",)}, "There is no file none.txt"), ({"held_share": 0.0}, "Give texts: --held-out FILE")],
)
def test_what_cannot_be_done_is_told(removal_run: Path, wrong: dict[str, Any], told: str, tmp_path: Path) -> None:
    with open_run(removal_run) as opened:
        asked = options(removal_run, tmp_path / "out", **wrong)
        with pytest.raises((ValueError, FileNotFoundError), match=told):
            ablate(opened, {"own": opened.recipe}, asked, lambda _: None)
    assert not (tmp_path / "out" / "corpora").exists()


def test_the_command_tells_a_fault_in_a_sentence(
    removal_run: Path, tmp_path: Path, winnow: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    run = shutil.copytree(removal_run, tmp_path / "run")
    done = winnow("ablate", run, "--recipes", "fineweb", "--tokens", 100_000, "--out", tmp_path / "out")
    assert done.returncode == 2, done.stdout
    assert "has no measurement" in done.stderr
    assert "Traceback" not in done.stderr
