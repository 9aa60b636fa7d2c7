"""The register: what went does not come back, in the same run, in another, or under another address."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import run as runs
from pipelines.options import beam_options
from pipelines.removal.erase import erase
from pipelines.removal.register import add, entries, entry_of, read_entry
from pipelines.removal.remove import NothingFoundError, obey, remove
from pipelines.removal.request import Request, doc_target, domain_target, url_target
from pipelines.schemas import REMOVALS
from pipelines.tokenize import tokenize
from stats.papers.facts import Facts
from stats.papers.sheet import read_sheet
from stats.papers.write import SHEET, TECH, Choice, Papers
from stats.run import open_run
from stats.trace import trace_token
from stats.verify import verify
from tests.pipelines.removal_runs import RECIPE, digest, make_run, pages, shards_of, text_of, write_crawl
from tokenization.load import load
from tokenization.manifest import Manifest
from tokenization.versions import history, latest, superseded

DAY = "2026-11-25"
GONE = [domain_target("owner.example.net"), url_target("https://www.site3.example/page/33"),
        url_target("https://www.site8.example/page/8"), url_target("https://close.example.org/near-8")]  # fmt: skip


@pytest.fixture
def run(removal_run: Path, tmp_path: Path) -> Path:
    shutil.copy(removal_run.parent / "crawl.warc.gz", tmp_path / "crawl.warc.gz")
    return shutil.copytree(removal_run, tmp_path / "run")


def faults(run: Path) -> list[str]:
    with open_run(run) as opened:
        return [str(problem) for problem in verify(opened)]


def fates(run: Path) -> dict[str, str]:
    with open_run(run) as opened:
        return {str(url): str(fate) for url, fate in opened.rows("SELECT url, fate FROM fates")}


def tokens(run: Path) -> dict[str, str]:
    return {path.name: digest(path) for path in (run / "tokens").iterdir()}


def carried_on(run: Path, crawl: Path, register: Path | None = None) -> Path:
    """The same run once more, as if its crawl lay where it did."""
    described = (run / "run.json").read_text()
    (run / "run.json").write_text(described.replace(str(crawl), str(run.parent / "crawl.warc.gz")))
    return make_run(run, run.parent / "crawl.warc.gz", register)


def test_the_same_run_obeys_and_makes_no_shard_again(run: Path, removal_run: Path) -> None:
    made = remove(run / "manifest.json", Request.of(GONE, "asked"), DAY)
    before, told = tokens(run), fates(run)
    carried_on(run, removal_run.parent / "crawl.warc.gz")
    assert tokens(run) == before
    assert [version.path.name for version in history(run)] == ["manifest.json", "manifest.0002.json"]
    assert fates(run) == told
    names = made.documents["doc_id"].to_pylist()
    assert len(names) == 5
    for dataset, fate in (("decisions", {f"removed:{made.request.id}"}), ("kept", set())):
        rows = pa.concat_tables([pq.read_table(path) for path in (run / dataset).iterdir()])
        mine = rows.filter(pa.compute.is_in(rows["doc_id"], pa.array(names)))
        assert (set(mine["fate"].to_pylist()) if dataset == "decisions" else set(mine["doc_id"].to_pylist())) == fate
    assert faults(run) == []
    again = remove(run / "manifest.json", Request.of([url_target("https://www.site5.example/page/5")], "more"), DAY)
    assert again.version.manifest.version == 3
    carried_on(run, removal_run.parent / "crawl.warc.gz")
    assert len(history(run)) == 3
    assert faults(run) == []


def test_shards_made_anew_are_a_version_and_spare_the_others(
    run: Path, removal_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remove(run / "manifest.json", Request.of(GONE, "asked"), DAY)
    carried_on(run, removal_run.parent / "crawl.warc.gz")
    before = tokens(run)
    indices = list(range(len(list((run / "kept").iterdir()))))
    other = RECIPE.model_copy(update={"tokens": RECIPE.tokens.model_copy(update={"vocab_size": 300})})

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched, pytest.raises(OSError, match="No space left"):
        patched.setattr(Manifest, "write", full)
        tokenize(str(run), indices, other, None, None, beam_options(1))
    assert len(history(run)) == 2
    counts = tokenize(
        str(run), indices, other, None, None, beam_options(1)
    )  # not the version before, for a finished one
    newest = history(run)[-1].manifest
    assert (newest.version, newest.removal, newest.tokenizer.file) == (3, None, "tokenizer.v3.json")
    assert newest.parent == history(run)[1].sha256
    assert counts["shards"] == len(newest.shards)
    assert {name: one for name, one in tokens(run).items() if name in before} == before
    for version in history(run):
        assert version.manifest.problems(run) == []
    assert tokenize(str(run), indices, other, None, None, beam_options(1)) == counts
    assert len(history(run)) == 3


@pytest.fixture(scope="module")
def register(removal_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What was asked of the first run."""
    folder = tmp_path_factory.mktemp("register")
    run = shutil.copytree(removal_run, folder / "run")
    for request in (Request.of(GONE, "asked"), Request.of([url_target("https://www.site6.example/page/66")], "x", 0.6)):
        remove(run / "manifest.json", request, DAY, folder / "register")
    return folder / "register"


@pytest.fixture(scope="module")
def later(register: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Another crawl, some months later, decided with the register."""
    known = dict(pages())
    near = text_of(66).replace(" 66 4.", " changed.").replace(" 66 7.", " changed too.")
    content = [
        ("http://deep.owner.example.net/new-page", text_of("unheard of")),  # the domain
        ("http://www.site3.example/page/33#top", text_of("rewritten since")),  # the address, otherwise spelled
        ("https://elsewhere.example.com/stolen", known["https://www.site3.example/page/33"]),  # the very text
        ("https://elsewhere.example.com/again-8", known["https://close.example.org/near-8"]),  # of a duplicate of one
        ("https://elsewhere.example.com/near-66", near),  # only near it, and the request takes what is near
        ("https://elsewhere.example.com/near-33", text_of(33).replace(" 33 4.", " changed.")),  # near, and it does not
        *[(f"https://new.example.com/{n}", text_of(f"new {n}")) for n in range(40)],
    ]
    folder = tmp_path_factory.mktemp("later")
    return make_run(folder / "run", write_crawl(folder / "later.warc.gz", content), register)


def test_a_later_run_obeys_the_register(later: Path, register: Path) -> None:
    first, second = (entry.id for entry in sorted(entries(register), key=lambda e: e.request.reason))
    found = {url: fate for url, fate in fates(later).items() if fate.startswith("removed:")}
    assert found == {
        "http://deep.owner.example.net/new-page": f"removed:{first}",
        "http://www.site3.example/page/33#top": f"removed:{first}",
        "https://elsewhere.example.com/stolen": f"removed:{first}",
        "https://elsewhere.example.com/again-8": f"removed:{first}",
        "https://elsewhere.example.com/near-66": f"removed:{second}",
    }
    assert fates(later)["https://elsewhere.example.com/near-33"] == "kept"
    assert faults(later) == []
    made = Manifest.read(later / "manifest.json")
    assert (made.version, made.totals.documents, made.obeys) == (1, 41, tuple(sorted((first, second))))
    assert superseded(later / "manifest.json", register) is None


def test_an_older_run_is_made_to_obey(later: Path, register: Path, tmp_path: Path) -> None:
    run = shutil.copytree(later, tmp_path / "run")
    more = shutil.copytree(register, tmp_path / "register")
    asked = entry_of(Request.of([url_target("https://new.example.com/7")], "later"), DAY, REMOVALS.empty_table())
    nothing = entry_of(Request.of([domain_target("nowhere.example.com")], "later"), DAY, REMOVALS.empty_table())
    for entry in (asked, nothing):
        add(more, entry)
    assert "does not obey requests" in str(superseded(run / "manifest.json", more))
    made = {one.request.id: len(one.tokens) for one in obey(run / "manifest.json", more)}
    assert made == {asked.id: 1, nothing.id: 0}
    newest = latest(run)
    assert newest is not None
    assert superseded(newest, more) is None
    assert "manifest.0003.json, beside it" in str(superseded(run / "manifest.json"))
    assert obey(newest, more) == []
    assert faults(run) == []
    assert len(read_entry(more / f"request-{asked.id}.parquet").documents()) == 1  # and the register knows it now


def test_a_request_made_here_takes_what_the_register_knows_of_it(run: Path, tmp_path: Path) -> None:
    """The very text that went elsewhere under the address asked for goes here, where it has another address."""
    mirror, asked = "https://mirror.example.org/copy-of-7", Request.of([url_target("https://gone.example.com/7")], "x")
    with open_run(run) as opened:
        ((hashed,),) = opened.rows("SELECT text_hash FROM documents WHERE url = ?", mirror)
    went = {**dict.fromkeys(REMOVALS.names), "request": asked.id, "date": DAY, "reason": "x", "kind": "url",
            "value": "https://gone.example.com/7", "doc_id": "0" * 32, "text_hash": hashed}  # fmt: skip
    add(tmp_path / "register", entry_of(asked, DAY, pa.Table.from_pylist([went], REMOVALS)))
    with pytest.raises(NothingFoundError):
        remove(run / "manifest.json", asked, DAY, tmp_path / "another")
    made = remove(run / "manifest.json", asked, DAY, tmp_path / "register")
    assert mirror in made.documents["url"].to_pylist() and made.version.manifest.obeys == (asked.id,)
    unknown = Request.of([url_target("https://nowhere.example.com/")], "x")
    add(tmp_path / "register", entry_of(unknown, DAY, REMOVALS.empty_table()))
    with pytest.raises(NothingFoundError):  # a command that finds nothing still says so
        remove(run / "manifest.json", unknown, DAY, tmp_path / "register")
    assert faults(run) == []


def test_without_the_register_nothing_comes_back(later: Path, register: Path, tmp_path: Path) -> None:
    crawl = Path(shutil.copy(later.parent / "later.warc.gz", tmp_path / "later.warc.gz"))
    run = shutil.copytree(later, tmp_path / "run")
    (run / "run.json").write_text((run / "run.json").read_text().replace(str(later.parent), str(tmp_path)))
    before, told = tokens(run), fates(run)
    make_run(run, crawl)
    assert fates(run) == told and sum(fate.startswith("removed:") for fate in told.values()) == 5
    assert tokens(run) == before and len(history(run)) == 1
    assert set(Manifest.read(run / "manifest.json").obeys) == {entry.id for entry in entries(register)}
    (run / "manifest.json").unlink()  # as after a kill between withdrawing it and writing it again
    make_run(run, crawl)
    assert fates(run) == told and tokens(run) == before
    make_run(run, crawl, register)
    assert fates(run) == told and len(history(run)) == 1
    assert faults(run) == []
    done = erase(run / "manifest.json")
    assert done.documents == 5
    assert faults(run) == []


def test_a_run_without_a_folder_of_removals_is_erased(later: Path, tmp_path: Path) -> None:
    run = shutil.copytree(later, tmp_path / "run")
    shutil.rmtree(run / "removals")  # as a run has none that obeyed a register before it was copied there
    assert erase(run / "manifest.json").documents == 5
    assert faults(run) == []


def test_requests_that_mean_nothing_here_are_noted_without_a_shard(
    run: Path, removal_run: Path, tmp_path: Path
) -> None:
    nothing = entry_of(Request.of([domain_target("nowhere.example.com")], "x"), DAY, REMOVALS.empty_table())
    add(tmp_path / "register", nothing)
    before = tokens(run)
    carried_on(run, removal_run.parent / "crawl.warc.gz", tmp_path / "register")
    newest = history(run)[-1].manifest
    assert (newest.version, newest.removal, newest.obeys) == (2, None, (nothing.id,))
    assert tokens(run) == before
    carried_on(run, removal_run.parent / "crawl.warc.gz", tmp_path / "register")
    assert len(history(run)) == 2
    assert faults(run) == []


def test_adding_twice_adds_once_and_rows_of_two_runs_are_joined(tmp_path: Path) -> None:
    request = Request.of([doc_target("0" * 32)], "x")
    row = {
        **dict.fromkeys(REMOVALS.names),
        "request": request.id,
        "date": DAY,
        "reason": "x",
        "kind": "doc",
        "value": "0" * 32,
    }
    one, two = (
        entry_of(request, DAY, pa.Table.from_pylist([{**row, "doc_id": name * 32}], REMOVALS)) for name in ("0", "1")
    )
    assert add(tmp_path / "r", one)
    before = digest(tmp_path / "r" / f"request-{request.id}.parquet")
    assert not add(tmp_path / "r", one)
    assert digest(tmp_path / "r" / f"request-{request.id}.parquet") == before
    assert add(tmp_path / "r", two)
    (both,) = entries(tmp_path / "r")
    assert both.documents()["doc_id"].to_pylist() == ["0" * 32, "1" * 32]
    (tmp_path / "r" / "thesis.tex").write_text("precious")
    with pytest.raises(ValueError, match="it is no register"):
        add(tmp_path / "r", one)
    (tmp_path / "r" / "thesis.tex").unlink()
    shutil.copy(tmp_path / "r" / f"request-{request.id}.parquet", tmp_path / "r" / f"request-{'a' * 16}.parquet")
    with pytest.raises(ValueError, match="was changed since"):
        entries(tmp_path / "r")


def texts_in(run: Path) -> str:
    """Every text that the run's files hold, decoded shards with them."""
    found = []
    for path in run.rglob("*.parquet"):
        table = pq.read_table(path)
        found += [
            str(v)
            for f in table.schema
            if pa.types.is_large_string(f.type) or f.name in ("title", "author")
            for v in table[f.name].to_pylist()
        ]
    tokenizer = load(run / "tokenizer.json")
    table = shards_of(run, [f"tokens/{path.name}" for path in sorted((run / "tokens").iterdir())])
    return "\n".join(
        [*found, *(tokenizer.decode(np.array(ids[:-1], np.uint32)) for ids in table["tokens"].to_pylist())]
    )


def test_erasing_leaves_no_text(run: Path, removal_run: Path) -> None:
    with pytest.raises(ValueError, match="Nothing was removed"):
        erase(run / "manifest.json")
    remove(run / "manifest.json", Request.of(GONE, "asked"), DAY)
    marks = ("owner one 4.", "owner two 9.", " 33 4.", " 8 11.")
    assert all(texts_in(run).count(mark) >= 3 for mark in marks)  # documents/, kept/, the shard before
    done = erase(run / "manifest.json")
    assert (len(done.shards), done.documents, done.kept) == (4, 5, 4)
    left = texts_in(run)
    assert not any(mark in left for mark in marks)
    assert "other three 4." in left
    assert faults(run) == []
    assert erase(run / "manifest.json").documents == 0
    before = tokens(run)
    carried_on(run, removal_run.parent / "crawl.warc.gz")
    assert tokens(run) == before
    assert faults(run) == []
    assert not any(mark in texts_in(run) for mark in marks)


def test_samples_lose_the_text_and_keep_the_verdicts(run: Path) -> None:
    with open_run(run) as opened:
        Papers(opened, Facts(), run / "papers", Choice(only=("tc260",))).write()
    sheet = run / "papers" / SHEET
    first, *rows = [json.loads(line) for line in sheet.read_text().splitlines()]
    judged = [row | {"verdict": "pass", "reviewer": "R"} for row in rows]
    sheet.write_text("\n".join(json.dumps(row) for row in (first, *judged)) + "\n")
    drawn = pq.read_table(run / "papers" / TECH)
    asked = [doc_target(name) for name in drawn["doc_id"].to_pylist()[:3]]
    gone = set(remove(run / "manifest.json", Request.of(asked, "x"), DAY).documents["doc_id"].to_pylist())
    done = erase(run / "manifest.json")
    after = [json.loads(line) for line in sheet.read_text().splitlines()][1:]
    assert after == [row | {"text": "" if row["doc_id"] in gone else row["text"]} for row in judged]
    left = pq.read_table(run / "papers" / TECH)
    assert left.schema.metadata == drawn.schema.metadata
    texts = dict(zip(left["doc_id"].to_pylist(), left["text"].to_pylist(), strict=True))
    assert {name for name, text in texts.items() if not text} == gone & texts.keys()
    blank = sum(not row["text"] for row in after) + len(gone & texts.keys())
    assert done.samples == blank >= 6
    assert read_sheet(sheet).whole.reviewed == len(rows)
    sheet.write_text("no sheet")
    with pytest.raises(ValueError, match=r"line 1.*Mend it or delete the file, then erase again"):
        erase(run / "manifest.json")


def test_an_erasure_that_is_cut_off_is_told_with_its_remedy(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    remove(run / "manifest.json", Request.of(GONE, "asked"), DAY)

    def cut(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(runs, "save", cut)
        with pytest.raises(KeyboardInterrupt):
            erase(run / "manifest.json")
    (told,) = faults(run)
    assert "cut off" in told and f"`winnow erase {run / 'manifest.0002.json'}` again" in told
    erase(run / "manifest.json")
    assert faults(run) == []


def test_tracing_an_erased_version_names_the_newest(run: Path) -> None:
    made = remove(run / "manifest.json", Request.of(GONE, "asked"), DAY)
    erase(run / "manifest.json")
    with pytest.raises(ValueError, match=r"was erased on purpose.*manifest\.0002\.json"):
        trace_token(run / "manifest.json", made.shards[0], 0)
    assert trace_token(run / "manifest.0002.json", made.shards[0], 0).place


def test_a_shard_that_a_removal_emptied_still_counts(run: Path, removal_run: Path) -> None:
    manifest = Manifest.read(run / "manifest.json")
    smallest = min((shard for shard in manifest.shards if shard.documents), key=lambda shard: shard.documents)
    names = shards_of(run, [smallest.path])["doc_id"].to_pylist()
    remove(run / "manifest.json", Request.of([doc_target(name) for name in names], "x"), DAY)
    assert min(shard.documents for shard in history(run)[-1].manifest.shards) == 0
    assert faults(run) == []
    carried_on(run, removal_run.parent / "crawl.warc.gz")
    assert faults(run) == []
