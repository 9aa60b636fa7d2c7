"""Taking documents out: only their shards change, every version holds, and a kill leaves the old version or the new."""

from __future__ import annotations

import itertools
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipelines import run as pipelines_run
from pipelines.removal.register import Entry, add
from pipelines.removal.remove import NothingFoundError, Outcome, obey, remove
from pipelines.removal.request import Request, doc_target, domain_target, read_list, url_target
from stats.explain import explain
from stats.funnel import funnel
from stats.run import open_run
from stats.verify import verify
from stats.versions import versions
from tests.pipelines.removal_runs import digest, shards_of
from tokenization.manifest import Manifest
from tokenization.versions import half_done, history, requests, superseded

REPO = Path(__file__).resolve().parents[2]
OWNER = Request.of([domain_target("Owner.example.net")], "the owner asked")
SITE = Request.of([url_target(f"https://www.site4.example/page/{10 * n + 4}") for n in range(12)], "twelve pages")
DAY = "2026-11-25"


@pytest.fixture
def run(removal_run: Path, tmp_path: Path) -> Path:
    return shutil.copytree(removal_run, tmp_path / "run")


def faults(run: Path) -> list[str]:
    with open_run(run) as opened:
        return [str(problem) for problem in verify(opened)]


def asked(run: Path, query: str) -> list[tuple[object, ...]]:
    with open_run(run) as opened:
        return opened.rows(query)


def out(run: Path, request: Request = OWNER, **more: object) -> Outcome:
    return remove(run / "manifest.json", request, DAY, **more)  # type: ignore[arg-type]


def files_of(run: Path) -> dict[str, str]:
    return {str(p.relative_to(run)): digest(p) for p in run.rglob("*") if p.is_file() and p.name != ".lock"}


def runs_of_tokens(run: Path, names: list[str], doc_ids: list[str]) -> list[list[int]]:
    """The ids of documents, end-of-text apart."""
    table = shards_of(run, names)
    ids = table.filter(pa.compute.is_in(table["doc_id"], pa.array(doc_ids)))["tokens"].to_pylist()
    return [one[:-1] for one in ids]


def test_only_shards_that_hold_the_documents_are_written_again(run: Path) -> None:
    before, old = files_of(run), Manifest.read(run / "manifest.json")
    made = out(run)
    new = made.version.manifest
    urls = made.documents["url"].to_pylist()
    assert urls == ["https://a.sub.owner.example.net/one", "http://owner.example.net:80/two/"]
    assert set(made.documents["kind"].to_pylist()) == {"domain"}
    after = files_of(run)
    assert {name: after[name] for name in before} == before  # nothing that was there was touched
    names = sorted(set(after) - set(before))
    shards = [f"tokens/shard-{number:05d}.v2.arrow" for number in made.shards]
    assert names == ["manifest.0002.json", f"removals/request-{OWNER.id}.parquet", *shards]
    same = [a.path == b.path for a, b in zip(old.shards, new.shards, strict=True)]
    assert same.count(False) == len(made.shards) <= 2
    assert len(same) >= 50
    assert (new.version, new.parent, new.obeys) == (2, history(run)[0].sha256, (OWNER.id,))
    assert faults(run) == []


def test_the_tokens_are_gone_and_the_sums_are_right(run: Path) -> None:
    old = Manifest.read(run / "manifest.json")
    made = out(run, SITE)
    new, gone = made.version.manifest, made.documents["doc_id"].to_pylist()
    assert len(gone) == 12
    kept = {row[0]: row[1:] for row in asked(run, "SELECT doc_id, lang, strlen(text) FROM kept")}
    lost = runs_of_tokens(run, [s.path for s in old.shards], gone)
    assert len(lost) == 12
    assert new.labels == ("language", "source")
    left = shards_of(run, [s.path for s in new.shards])
    assert Counter(left["language"].to_pylist()) == {k: c.documents for k, c in new.languages.items()}
    assert Counter(left["source"].to_pylist()) == {k: c.documents for k, c in new.sources.items()}
    for shard in new.shards:
        held = shards_of(run, [shard.path])["tokens"].to_pylist()
        stream = " ".join(map(str, itertools.chain.from_iterable(held))).join("  ")
        assert not any(" ".join(map(str, ids)).join("  ") in stream for ids in lost)
    by = Counter(str(kept[name][0]) for name in gone)
    assert {k: c.documents for k, c in old.languages.items()} == Counter(
        {k: c.documents for k, c in new.languages.items()}
    ) + by
    assert old.totals.tokens - new.totals.tokens == sum(len(ids) + 1 for ids in lost) == new.removal.tokens  # type: ignore[union-attr]
    assert old.totals.text_bytes - new.totals.text_bytes == sum(int(str(kept[name][1])) for name in gone)
    assert faults(run) == []


def test_fates_explain_funnel_and_versions_tell_it(run: Path) -> None:
    out(run)
    assert asked(run, "SELECT fate, count(*) FROM fates WHERE fate LIKE 'removed%' GROUP BY 1") == [
        (f"removed:{OWNER.id}", 2)
    ]
    assert (
        asked(run, "SELECT count(*) FROM tokens")[0][0]
        == asked(run, "SELECT count(*) FROM fates WHERE fate = 'kept'")[0][0]
    )
    with open_run(run) as opened:
        told = explain(opened, "http://owner.example.net:80/two/")[0].text()
        rows = {row["fate"]: row["documents"] for row in funnel(opened).to_pylist()}
    assert f"fate: removed:{OWNER.id}" in told
    assert f"the owner asked ({DAY})" in told
    assert rows[OWNER.id] == 2
    first, second = versions(run).to_pylist()
    assert (first["request"], second["request"], second["removed"]) == (None, OWNER.id, 2)
    assert first["documents"] - second["documents"] == 2


def test_a_request_is_itself_however_often_it_is_made(run: Path, removal_run: Path, tmp_path: Path) -> None:
    first = out(run, register=tmp_path / "register")
    before = files_of(run)
    again = out(run, register=tmp_path / "register")
    assert again.done
    assert again.version.path == first.version.path
    assert files_of(run) == before
    other = shutil.copytree(removal_run, tmp_path / "other")
    twin = remove(other / "manifest.json", OWNER, "2027-01-01")
    assert twin.version.path.read_bytes() == first.version.path.read_bytes()
    assert out(run, SITE).version.manifest.version == 3  # the newest version is what changes, whichever was named
    assert [v.manifest.totals.documents for v in history(run)] == [383, 381, 369]
    assert faults(run) == []


def test_what_is_not_there_changes_nothing(run: Path) -> None:
    before = files_of(run)
    with pytest.raises(NothingFoundError, match="Nothing was written"):
        out(run, Request.of([url_target("https://nowhere.example.com/")], "x"))
    out(run, dry_run=True)
    assert files_of(run) == before
    out(run)
    with pytest.raises(NothingFoundError, match=f"removed before, by the request {OWNER.id}"):
        out(run, Request.of([url_target("http://owner.example.net/two")], "again"))


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"https://a.example.com/x\nno domain\n", r"list.txt:2: 'no domain' is no domain"),
        (b"# remark\n\nco.uk\n", r"list.txt:3: 'co.uk' is a public suffix"),
        (b"a.example.com\n\xff\n", r"list.txt:2: the line is not UTF-8"),
        (b"# nothing\n\n", r"names nothing"),
    ],
)
def test_a_list_is_read_strictly(content: bytes, told: str, tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_bytes(content)
    with pytest.raises(ValueError, match=told):
        read_list(tmp_path / "list.txt")
    (tmp_path / "list.txt").write_bytes("\ufeffhttps://a.example.com/x\r\nBücher.example.com\r\n".encode() + b"0" * 32)
    wanted = [("url", "https://a.example.com/x"), ("domain", "xn--bcher-kva.example.com"), ("doc", "0" * 32)]
    assert read_list(tmp_path / "list.txt") == wanted


def test_duplicates_of_what_goes_go_and_likenesses_are_offered(run: Path) -> None:
    clusters = dict(asked(run, "SELECT doc_id, kept_id FROM duplicates WHERE method <> 'kept'"))
    near, kept = next(
        (d, k)
        for d, k in clusters.items()
        if asked(run, f"SELECT method FROM duplicates WHERE doc_id = '{d}'") == [("minhash",)]
    )
    found = out(run, Request.of([doc_target(str(kept))], "x"), dry_run=True)
    assert dict(zip(found.documents["doc_id"].to_pylist(), found.documents["kind"].to_pylist(), strict=True)) == {
        kept: "doc",
        near: "duplicate",
    }
    assert list(found.tokens) == [kept]
    only = out(run, Request.of([doc_target(str(near))], "x"), dry_run=True)  # it was in no shard, its likeness is
    assert (only.documents["doc_id"].to_pylist(), only.near["doc_id"].to_pylist(), only.tokens) == ([near], [kept], {})
    likeness = only.near["similarity"][0].as_py()
    assert 0.8 <= likeness < 1
    below = out(run, Request.of([doc_target(str(near))], "x", near=likeness), dry_run=True)
    assert list(below.tokens) == [kept]
    above = out(run, Request.of([doc_target(str(near))], "x", near=likeness + 0.01), dry_run=True)
    assert (list(above.tokens), above.near["doc_id"].to_pylist()) == ([], [kept])
    exact, first = next((d, k) for d, k in clusters.items() if d != near)
    both = out(run, Request.of([doc_target(str(exact))], "x"))  # the very text goes with it
    assert set(both.documents["doc_id"].to_pylist()) == {exact, first}
    assert faults(run) == []


def test_a_fault_at_any_step_leaves_the_old_version_or_the_new(
    removal_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = itertools.count()
    fails_at = -1
    real: dict[str, Callable[..., object]] = {"replace": os.replace, "fsync": os.fsync}

    def stepping(name: str) -> Callable[..., object]:
        def step(*given: object) -> object:
            if next(steps) == fails_at:
                raise OSError(28, "No space left on device")
            return real[name](*given)

        return step

    for name in real:
        monkeypatch.setattr(os, name, stepping(name))
    whole = shutil.copytree(removal_run, tmp_path / "whole")
    out(whole, register=tmp_path / "register")
    total = next(steps)
    assert total >= 15
    wanted, original = files_of(whole), files_of(removal_run)
    seen, cut_off = set(), list[str]()
    for fails_at in range(total):
        steps = itertools.count()
        run = shutil.copytree(removal_run, tmp_path / str(fails_at))
        with pytest.raises(OSError, match="No space left"):
            out(run, register=tmp_path / f"register {fails_at}")
        seen.add(len(history(run)))
        assert {name: digest_ for name, digest_ in files_of(run).items() if name in original} == original
        if fails_at % 4 == 0 or half_done(run):
            assert len(faults(run)) == len(half_done(run))
        cut_off += [told for told in faults(run) if half_done(run)]
        if half_done(run):  # the register knows what the run does not obey yet
            assert requests(tmp_path / f"register {fails_at}") == [OWNER.id]
        if len(history(run)) == 2:
            assert requests(tmp_path / f"register {fails_at}") == [OWNER.id], "never in the run alone"
        again = out(run, register=tmp_path / f"register {fails_at}")
        assert again.version.manifest.version == 2
        assert files_of(run) == wanted
        assert digest(tmp_path / f"register {fails_at}" / f"request-{OWNER.id}.parquet") == digest(
            tmp_path / "register" / f"request-{OWNER.id}.parquet"
        )
        shutil.rmtree(run)
    assert seen == {1, 2}
    assert cut_off and all("its removal was cut off. `winnow remove" in told for told in cut_off)


def test_a_removal_that_is_cut_off_is_told_and_finished_by_the_register(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between the register and the run: trainers and `verify` say so, and another removal does not forget it."""
    register, manifest = tmp_path / "register", run / "manifest.json"
    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            out(run, register=register)
    (told,) = faults(run)
    assert f"{manifest} does not obey the request {OWNER.id} yet" in told
    assert superseded(manifest) == told.partition(": ")[2] or superseded(manifest) in told
    out(run, SITE)
    assert len(faults(run)) == 1 and "manifest.0002.json does not obey" in faults(run)[0]
    (made,) = obey(run / "manifest.0002.json", register)
    assert (made.version.manifest.version, made.request.id) == (3, OWNER.id)
    assert faults(run) == [] and superseded(run / "manifest.0003.json", register) is None


@pytest.mark.parametrize("mount_point", [True, False])
def test_a_cut_off_removal_is_told_also_while_its_register_is_not_mounted(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mount_point: bool
) -> None:
    register, away = tmp_path / "register", tmp_path / "away"
    with monkeypatch.context() as patched:
        patched.setattr(Manifest, "write", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            out(run, register=register)
    register.rename(away)
    if mount_point:  # what is left of a mounted folder: an empty one
        register.mkdir()
    out(run, SITE)
    assert half_done(run) == [(str(register), OWNER.id)]
    (told,) = faults(run)
    assert "the register " + str(register) in told and "cannot be read now" in told and "give the same" in told
    assert str(superseded(run / "manifest.0002.json")) in told
    if mount_point:
        register.rmdir()
    away.rename(register)
    assert "finishes it" in faults(run)[0] and "cannot be read" not in faults(run)[0]
    (register / f"request-{OWNER.id}.parquet").unlink()  # it was never told, or has taken it back
    assert half_done(run) == [] == faults(run)


def test_a_register_that_was_never_begun_leaves_no_note(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path, entry: Entry) -> bool:
        if folder != run / "removals":
            raise KeyboardInterrupt
        return add(folder, entry)

    with monkeypatch.context() as patched:
        patched.setattr("pipelines.removal.remove.add", killed)
        with pytest.raises(KeyboardInterrupt):
            out(run, register=tmp_path / "new" / "register")
    assert half_done(run) == [] == faults(run)


def test_two_removals_at_once_end_in_two_versions_or_one_is_told_to_wait(run: Path, tmp_path: Path) -> None:
    commands = [
        [
            sys.executable,
            "-m",
            "flows.cli",
            "remove",
            str(run / "manifest.json"),
            "--domain",
            domain,
            "--reason",
            "at once",
        ]
        for domain in ("owner.example.net", "site4.example")
    ]
    environment = {**os.environ, "PYTHONPATH": str(REPO)}
    with pipelines_run.locked(str(run)):  # whoever comes while the run is held
        done = subprocess.run(
            commands[0], cwd=REPO, env=environment, capture_output=True, text=True, timeout=120, check=False
        )
        assert done.returncode == 2 and "is being written by another process" in done.stderr + done.stdout
        assert "Traceback" not in done.stderr
    both = [subprocess.Popen(command, cwd=REPO, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            for command in commands]  # fmt: skip
    told = [(process.communicate(timeout=120)[0], process.returncode) for process in both]
    assert all(code == 0 or (code == 2 and "is being written by another process" in text) for text, code in told), told
    assert len(history(run)) == 1 + sum(code == 0 for _, code in told) > 1
    assert faults(run) == []


KILLER = """
import json, os, random, signal, sys, time
from pathlib import Path
from pipelines.removal.remove import remove
from pipelines.removal.request import Request

targets, reason, folders = json.loads(sys.argv[1]), sys.argv[2], [Path(folder) for folder in sys.argv[3:]]
request = Request.of([tuple(target) for target in targets], reason)

def begun(folder):
    child = os.fork()
    if not child:
        remove(folder / "manifest.json", request, "2026-11-25")
        os._exit(0)
    until = time.monotonic() + 60
    while not (folder / "removals").is_dir():  # the first that is written; what comes before only reads
        assert time.monotonic() < until
        time.sleep(0.0005)
    return child, time.monotonic()

remove(folders[0] / "manifest.json", request, "2026-11-25")  # so that the children find all imported
child, began = begun(folders[1])
os.waitpid(child, 0)
took = time.monotonic() - began
random.seed(5)
for number, folder in enumerate(folders[2:]):
    child, _ = begun(folder)
    time.sleep(1.5 * took * (number + random.random()) / len(folders[2:]))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
"""


def test_killed_at_any_moment_it_ends_in_the_old_version_or_the_new(removal_run: Path, tmp_path: Path) -> None:
    folders = [shutil.copytree(removal_run, tmp_path / f"run {n}") for n in range(12)]
    request = Request.of([*SITE.targets, *OWNER.targets], "killed")
    done = subprocess.run(
        [sys.executable, "-c", KILLER, json.dumps(request.targets), request.reason, *map(str, folders)],
        cwd=REPO, env={**os.environ, "PYTHONPATH": str(REPO)}, capture_output=True, text=True, timeout=200, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    wanted, original = files_of(folders[0]), files_of(removal_run)
    assert len(history(folders[0])) == 2
    ended: Counter[int] = Counter()
    for run in folders[2:]:
        ended[len(history(run))] += 1
        assert len(history(run)) in (1, 2)
        assert {name: one for name, one in files_of(run).items() if name in original} == original
        assert faults(run) == []
        out(run, request)
        assert files_of(run) == wanted  # also what the killed one had begun is gone
    assert sum(ended.values()) == 10
    assert faults(run) == []


def test_tampering_with_any_version_is_found(run: Path) -> None:
    made = out(run)
    old = Manifest.read(run / "manifest.json").shards[made.shards[0]]
    path = run / old.path
    whole = path.read_bytes()
    path.write_bytes(whole[:-20] + bytes(20))
    assert any(old.path in told for told in faults(run))
    path.write_bytes(whole)
    new = made.version.path
    content = json.loads(new.read_bytes())
    content["languages"]["zh"]["tokens"] += 1
    new.write_text(json.dumps(content))
    assert any("in languages zh" in told for told in faults(run))
    content["languages"]["zh"]["tokens"] -= 1
    content["parent"] = "0" * 64
    new.write_text(json.dumps(content))
    assert any("does not follow from" in told for told in faults(run))


def test_no_text_is_in_the_register(run: Path, tmp_path: Path) -> None:
    out(run, register=tmp_path / "register")
    rows = pq.read_table(tmp_path / "register" / f"request-{OWNER.id}.parquet").to_pylist()
    assert [(r["kind"], r["value"]) for r in rows if r["doc_id"] is None] == [("domain", "owner.example.net")]
    assert all(r["signed"] and r["text_hash"] for r in rows if r["doc_id"])
    assert not any(isinstance(value, str) and "corpus" in value for r in rows for value in r.values())
