"""A corpus of many runs: inputs taken once, one manifest over all, removals obeyed by all, and no kill that matters."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import pyarrow as pa
import pytest

from pipelines.corpus import publish as publishing
from pipelines.corpus import takedown as takedowns
from pipelines.corpus.extend import begin, finish
from pipelines.corpus.forms import Filed, Form, read_forms
from pipelines.corpus.inputs import find, sift
from pipelines.corpus.ledger import CorpusRun, Taken, load, opened, save
from pipelines.corpus.publish import newest, publish, same, united
from pipelines.corpus.takedown import obey_register, remember, take_out, unobeyed
from pipelines.removal.request import Request
from stats.verify_corpus import corpus_of, verify_corpus
from tests.pipelines.corpus_runs import extend
from tests.pipelines.removal_runs import RECIPE, digest, make_run, pages, shards_of, text_of, write_crawl
from tokenization.manifest import Manifest, file_sha256
from tokenization.versions import history, superseded

DAY = "2026-11-30"
COPY = "https://copy.example.org/of-20"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two days in one corpus: leave it as it is. The second day repeats a page of the first, and brings new ones."""
    home = tmp_path_factory.mktemp("corpus")
    first, new = pages(60), [(f"https://new.example/{n}", text_of(f"new {n}")) for n in range(20)]
    (home / "inbox").mkdir()
    write_crawl(home / "inbox" / "day-1.warc.gz", first)
    assert extend(home / "corpus", home / "inbox").work is not None
    write_crawl(home / "inbox" / "day-2.warc.gz", [*new, (COPY, first[20][1])])
    assert extend(home / "corpus", home / "inbox").work is not None
    return home


@pytest.fixture
def corpus(made: Path, tmp_path: Path) -> Path:
    """A copy of the two days, to do things to."""
    shutil.copytree(made / "corpus", tmp_path / "corpus", symlinks=True)
    return tmp_path / "corpus"


def ids(corpus: Path, manifest: Manifest) -> list[str]:
    names: list[str] = shards_of(corpus, [shard.path for shard in manifest.shards])["doc_id"].to_pylist()
    return names


def test_the_second_day_takes_only_what_is_new(made: Path) -> None:
    corpus = made / "corpus"
    first, second = opened(corpus).runs
    assert [one.source for one in first.inputs] == ["day-1.warc.gz"]
    assert [one.source for one in second.inputs] == ["day-2.warc.gz"]
    one, two = (Manifest.read(corpus / run.folder / "manifest.json") for run in (first, second))
    whole = Manifest.read(corpus / "manifest.json")
    assert two.totals.documents == 20  # the copy is a duplicate of what the index has
    assert whole.totals.documents == one.totals.documents + 20
    assert whole.tokenizer.sha256 == one.tokenizer.sha256 == two.tokenizer.sha256
    assert whole.sources == {**one.sources, **two.sources}
    assert len(ids(corpus, whole)) == len(set(ids(corpus, whole))) == whole.totals.documents
    assert not whole.problems(corpus)
    assert not verify_corpus(corpus)
    assert corpus_of(str(corpus)) == corpus_of(str(corpus / "manifest-0001.json")) == corpus
    assert corpus_of(str(corpus / "runs/0001")) is None


def test_versions_follow_one_another_and_more_documents_supersede_nothing(made: Path) -> None:
    corpus = made / "corpus"
    found = history(corpus)
    assert [version.path.name for version in found] == ["manifest-0001.json", "manifest-0002.json"]
    assert found[1].manifest.parent == found[0].sha256
    assert file_sha256(corpus / "manifest.json") == found[1].sha256
    assert superseded(corpus / "manifest-0001.json") is None
    assert superseded(corpus / "manifest.json") is None


def test_nothing_new_changes_no_byte(corpus: Path, made: Path) -> None:
    before = {path: digest(path) for path in corpus.rglob("*") if path.is_file() and "log" not in path.parts}
    assert extend(corpus, made / "inbox").work is None
    assert publish(corpus) is None
    assert before == {path: digest(path) for path in before}


def test_equal_work_makes_equal_bytes(made: Path, tmp_path: Path) -> None:
    for name in ("day-1.warc.gz", "day-2.warc.gz"):
        (tmp_path / "elsewhere").mkdir(exist_ok=True)
        shutil.copy(made / "inbox" / name, tmp_path / "elsewhere")
        extend(tmp_path / "again", tmp_path / "elsewhere")
    for name in ("manifest.json", "manifest-0001.json", "corpus.json"):
        assert (tmp_path / "again" / name).read_bytes() == (made / "corpus" / name).read_bytes()


def test_a_file_is_taken_once_by_name_and_by_content(made: Path, corpus: Path, tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    shutil.copytree(made / "inbox", inbox)
    shutil.copy(inbox / "day-1.warc.gz", inbox / "copy.warc.gz")
    write_crawl(inbox / "day-2.warc.gz", [("https://x.example/", text_of("x"))])
    (inbox / "half.warc.gz.part").write_bytes(b"\x1f\x8b")
    write_crawl(inbox / "fresh.warc.gz", [("https://y.example/", text_of("y"))])
    os.utime(inbox / "copy.warc.gz", (1e9, 1e9))
    os.utime(inbox / "day-2.warc.gz", (1e9, 1e9))
    found, young = find(corpus, [str(inbox)], settle=3600)
    sifted = sift(found, opened(corpus).taken(), young)
    assert (sifted.new, sifted.changed, sifted.copies) == ([], ["day-2.warc.gz"], ["copy.warc.gz"])
    assert "fresh.warc.gz" in sifted.young
    assert len(sifted.notices()) == 2 + len(sifted.young)
    again = find(corpus, [str(inbox)], settle=0)[0]  # from the noted hashes, and without them
    (corpus / "log" / "inputs.json").write_text("[1]")
    assert find(corpus, [str(inbox)], settle=0)[0] == again
    (inbox / "empty").mkdir()
    assert find(corpus, [str(inbox / "empty")], settle=0) == ([], [])
    for wrong, told in ((str(tmp_path / "nowhere"), "no such input"), ("s3://bucket/x", "of this machine")):
        with pytest.raises((ValueError, FileNotFoundError), match=told):
            find(corpus, [wrong], settle=0)
    other = tmp_path / "other"
    other.mkdir()
    write_crawl(other / "fresh.warc.gz", [("https://z.example/", text_of("z"))])
    with pytest.raises(ValueError, match="would both be the source"):
        find(corpus, [str(inbox), str(other)], settle=0)


def test_a_killed_extension_goes_on_with_the_files_it_took(corpus: Path, tmp_path: Path) -> None:
    day = write_crawl(tmp_path / "day-3.warc.gz", [(f"https://three.example/{n}", text_of(f"3 {n}")) for n in range(5)])
    begun = begin(corpus, [str(day)], RECIPE).work  # killed here
    late = write_crawl(tmp_path / "day-4.warc.gz", [("https://four.example/", text_of("four"))])
    before = newest(corpus)
    assert before is not None
    again = begin(corpus, [str(day), str(late)], RECIPE).work
    assert begun is not None
    assert again is not None
    assert (again.out, again.carried_on) == (begun.out, True)
    assert not verify_corpus(corpus)  # what was published stands
    with pytest.raises(ValueError, match="not finished"):
        finish(corpus, again)
    make_run(
        Path(again.out), Path(again.inputs), Path(again.register), against=again.against, tokenizer=again.tokenizer
    )
    save(corpus, opened(corpus).with_run(again.run.model_copy(update={"state": "joined"})))  # and killed here
    assert verify_corpus(corpus)[0].sentence.startswith(f"{corpus / 'manifest.json'} does not say")
    version = publish(corpus)
    assert version is not None
    assert version.manifest.totals.documents == before.manifest.totals.documents + 5
    assert extend(corpus, day, late).work is not None
    assert [run.state for run in opened(corpus).runs] == ["joined"] * 4


def test_inputs_that_are_gone_are_told(corpus: Path, tmp_path: Path) -> None:
    day = write_crawl(tmp_path / "day-3.warc.gz", [("https://three.example/", text_of("three"))])
    assert begin(corpus, [str(day)], RECIPE).work is not None
    day.unlink()
    with pytest.raises(FileNotFoundError, match="Put it back"):
        begin(corpus, [str(tmp_path)], RECIPE)


def test_a_version_that_was_never_published_is_written_over(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request = Request.of([("url", COPY)], "asked")
    real = publishing.put
    monkeypatch.setattr(
        publishing, "put", lambda path, data: real(path, data) if path.name != "manifest.json" else _die()
    )
    with pytest.raises(KeyboardInterrupt):
        take_out(corpus, request, DAY)
    monkeypatch.undo()
    now = newest(corpus)
    assert now is not None
    assert (now.manifest.version, (corpus / "manifest-0003.json").is_file()) == (2, True)
    assert [answer.version for answer in obey_register(corpus)] == [3]
    assert not verify_corpus(corpus)


def _die() -> None:
    raise KeyboardInterrupt


def test_a_crawl_of_nothing_new_makes_no_version(corpus: Path, tmp_path: Path) -> None:
    extend(corpus, write_crawl(tmp_path / "again.warc.gz", [("https://other.example/", text_of(20))]))
    now = newest(corpus)
    assert now is not None
    assert opened(corpus).runs[-1].state == "empty"
    assert now.manifest.version == 2
    assert not verify_corpus(corpus)


def test_what_is_taken_out_stays_out(corpus: Path, tmp_path: Path) -> None:
    """The copy on day 2 is asked for; its text on day 1 goes with it; neither comes back on day 3, nor a new copy."""
    before = newest(corpus)
    assert before is not None
    answer = take_out(corpus, Request.of([("url", COPY), ("domain", "never.example.com")], "asked"), DAY)
    now = newest(corpus)
    assert now is not None
    assert (answer.documents, answer.new, answer.version) == (2, True, 3)
    assert now.manifest.removal is not None
    assert (now.manifest.removal.request, now.manifest.removal.documents) == (answer.request, 1)
    lost = set(ids(corpus, before.manifest)) - set(ids(corpus, now.manifest))
    assert len(lost) == 1
    assert superseded(corpus / "manifest-0002.json") is not None
    again = take_out(corpus, Request.of([("url", COPY), ("domain", "never.example.com")], "asked"), DAY)
    assert (again.new, again.version) == (False, 3)
    day = [(COPY, text_of(20)), ("https://third.example.org/", text_of(20)),
           ("https://a.never.example.com/", text_of("unseen")), ("https://fine.example.org/", text_of("fine"))]  # fmt: skip
    extend(corpus, write_crawl(tmp_path / "day-3.warc.gz", day))
    last = newest(corpus)
    assert last is not None
    assert last.manifest.totals.documents == now.manifest.totals.documents + 1
    assert answer.request in last.manifest.obeys
    assert not verify_corpus(corpus)


def test_a_takedown_cut_off_between_runs_is_told_and_finished(corpus: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    request, calls, real = Request.of([("domain", "site3.example")], "asked"), [], takedowns.remove

    def once(*given: object, **more: object) -> object:
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **more)

    monkeypatch.setattr(takedowns, "remove", once)
    with pytest.raises(KeyboardInterrupt):
        take_out(corpus, request, DAY)
    assert request.id in (superseded(corpus / "manifest.json") or "")
    assert any(request.id in problem.sentence for problem in verify_corpus(corpus))
    assert [answer.documents for answer in obey_register(corpus)] == [6]
    assert superseded(corpus / "manifest.json") is None
    assert not verify_corpus(corpus)


def test_a_request_before_the_first_crawl_is_remembered(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    answer = take_out(corpus, Request.of([("domain", "owner.example.net")], "asked"), DAY)
    assert (answer.version, answer.documents) == (None, 0)
    extend(corpus, write_crawl(tmp_path / "day.warc.gz", pages(10)))
    now = newest(corpus)
    assert now is not None
    assert now.manifest.obeys == (answer.request,)
    assert not take_out(corpus, Request.of([("domain", "owner.example.net")], "asked"), DAY).new


def test_forms_are_strict_and_one_that_is_wrong_stops_no_other(tmp_path: Path, corpus: Path) -> None:
    (tmp_path / "forms").mkdir()
    for name, text in (
        ("a.toml", f'reason = "asked"\nreference = "letter 7"\nurls = ["{COPY}"]\nnear = 0.9\ndate = 2026-11-25\n'),
        ("b.json", json.dumps({"reason": "asked", "documents": ["0" * 32], "date": "2026-11-26"})),
        ("c.toml", 'reason = "asked"\nurl = "https://x.example/"\n'),
        ("d.toml", 'reason = "asked"\ndomains = ["co.uk"]\n'),
        ("e.json", "{"),
        ("f.toml", 'reason = "asked"\n'),
        ("g.json", "[" * 100_000),
        ("h.toml", 'reason = "asked"\nurls = ["https://x.example/"]\nnear = 7\n'),
        (".hidden.toml", "x"),
        ("notes.txt", "x"),
    ):
        (tmp_path / "forms" / name).write_text(text)
    (tmp_path / "forms" / "i.toml").write_bytes(b"\xff")
    read, refused = read_forms(tmp_path / "forms")
    assert [one.name for one in read] == ["a.toml", "b.json"]
    assert [told[:6] for told in refused] == ["c.toml", "d.toml", "e.json", "f.toml", "g.json", "h.toml", "i.toml"]
    assert read[0].request == Request.of([("url", COPY)], "asked", 0.9)
    assert unobeyed(corpus, read) == read
    remember(corpus, read[0], DAY)
    noted = json.loads((corpus / "takedowns" / f"{read[0].request.id}.json").read_bytes())
    assert (noted["reference"], noted["form"]) == ("letter 7", "a.toml")
    with pytest.raises(FileNotFoundError, match="Give a removal request"):
        read_forms(tmp_path / "nowhere")
    lone = Form(reason="x", urls=("https://x.example/",))
    assert Filed("x", lone, lone.request()).request.targets == (("url", "https://x.example/"),)


def test_runs_that_do_not_go_together_are_refused(corpus: Path) -> None:
    file = corpus / "runs/0002/manifest.json"
    manifest = Manifest.read(file)
    for changes, told in (
        ({"tokenizer": manifest.tokenizer.model_copy(update={"sha256": "0" * 64})}, "another tokenizer"),
        ({"recipe_hash": "other"}, "another recipe_hash"),
    ):
        manifest.model_copy(update=changes).write(file)
        with pytest.raises(ValueError, match=told):
            united(corpus, opened(corpus))
        assert any(told in problem.sentence for problem in verify_corpus(corpus))
    file.unlink()
    with pytest.raises(ValueError, match="lost its manifest"):
        publish(corpus)


def test_another_recipe_and_another_folder_are_refused(corpus: Path, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="begin another corpus"):
        begin(corpus, [str(tmp_path)], RECIPE.model_copy(update={"name": "other"}))
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thing").touch()
    with pytest.raises(ValueError, match="is no corpus"):
        load(tmp_path / "full")
    with pytest.raises(FileNotFoundError, match="begins one"):
        opened(tmp_path / "nowhere")
    (corpus / "corpus.json").write_text('{"runs": 1}')
    with pytest.raises(ValueError, match="damaged"):
        opened(corpus)


def test_damage_is_told(corpus: Path) -> None:
    ledger = opened(corpus)
    twice = Taken(source="day-1.warc.gz", bytes=1, sha256="0" * 64)
    save(corpus, ledger.with_run(CorpusRun(number=3, inputs=(twice,), state="empty")))
    assert [problem.sentence for problem in verify_corpus(corpus)] == [
        f"{corpus}: the input day-1.warc.gz was taken twice. Restore corpus.json from a copy."
    ]
    save(corpus, ledger)
    shard = next((corpus / "runs/0002/tokens").iterdir())
    shard.write_bytes(shard.read_bytes()[:-1])
    assert any(shard.name in problem.sentence for problem in verify_corpus(corpus))
    (corpus / "manifest-0002.json").write_text((corpus / "manifest-0001.json").read_text())
    assert any("is not the same as" in problem.sentence for problem in verify_corpus(corpus))


def test_manifests_are_compared_by_what_they_hold(made: Path) -> None:
    one, two = (version.manifest for version in history(made / "corpus"))
    assert same(one, one.model_copy(update={"version": 9, "parent": "0" * 64}))
    assert not same(one, two)
    assert isinstance(shards_of(made / "corpus", [one.shards[0].path]), pa.Table)
