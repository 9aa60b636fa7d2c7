"""Extraction: a bad page costs one page."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from pathlib import Path

import pytest
import trafilatura
from trafilatura import core

from filters.extract import Extracted, Failure, Sandbox, SandboxPool, make_extractor
from filters.extract.frames import HEADER
from recipes.model import Extract

PAGE = """<html lang="de"><head><title>Ein Titel</title><meta name="author" content="A. B.">
<meta name="robots" content="NoAI, noindex"><meta property="article:published_time" content="2021-02-03T10:00">
</head><body><nav>Home</nav><article><h1>Ein Titel</h1><p>{}</p></article>
<a rel="license" href="https://creativecommons.org/licenses/by/4.0/">CC</a></body></html>""".format(
    "Das ist ein Satz, der lang genug ist, um als Text zu gelten. " * 8
)


@pytest.fixture
def hostile(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox[int]]:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    with Sandbox[int](Extract(timeout_s=1, max_bytes=1000), factory="hostile:make") as sandbox:
        assert sandbox.extract("warm up") == Extracted("warm up")
        yield sandbox


@pytest.mark.parametrize(
    ("page", "reason"),
    [
        ("hang", "timeout"),
        ("die", "crash"),
        ("eat", "memory"),
        ("fail", "crash"),
        ("x" * 1001, "too_large"),
        (" ", "empty"),
    ],
)
def test_a_bad_page_costs_one_page(hostile: Sandbox[int], page: str, reason: str) -> None:
    results = dict(hostile.extract_many([(0, "before"), (1, page), (2, "after")]))
    assert isinstance(results[1], Failure)
    assert results[1].reason == f"extract.{reason}"
    assert "secret" not in results[1].detail
    assert results[0] == Extracted("before")
    assert results[2] == Extracted("after")


def test_a_child_killed_between_pages_is_replaced(hostile: Sandbox[int]) -> None:
    assert hostile.child is not None
    hostile.child.kill()
    hostile.child.wait()
    assert hostile.extract("again") == Extracted("again")


def test_a_pool_gives_each_reader_its_results_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two readers share two sandboxes; a page that hangs or dies costs its own reader that page and no other."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    pool = SandboxPool[int](Extract(timeout_s=1, max_bytes=1000), 2, factory="hostile:make")
    pages = {7: "hang", 20: "die", 33: "fail", 40: "x" * 1001}

    def read(reader: int) -> list[tuple[int, Extracted | Failure]]:
        return list(pool.extract_many((i, pages.get(i, f"reader {reader} page {i}")) for i in range(60)))

    with ThreadPoolExecutor(2) as readers:
        for reader, results in enumerate(readers.map(read, range(2))):
            assert [i for i, _ in results] == list(range(60))
            for i, result in results:
                if i in pages:
                    assert isinstance(result, Failure)
                else:
                    assert result == Extracted(f"reader {reader} page {i}")
    pool.close()
    assert all(sandbox.child is None for sandbox in pool.sandboxes)


def test_closing_a_pool_is_no_fault_of_its_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page in hand when the pool is closed gets an exception and not a reason: nothing wrong may be committed."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    pool = SandboxPool[int](Extract(timeout_s=20), 1, factory="hostile:make")
    assert dict(pool.extract_many([(0, "warm up")])) == {0: Extracted("warm up")}
    threading.Timer(0.5, pool.close).start()
    with pytest.raises((RuntimeError, CancelledError)):
        list(pool.extract_many([(1, "hang"), (2, "after")]))


def test_a_child_is_renewed_in_good_time(hostile: Sandbox[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """So its memory is bounded by a number of pages and not by the corpus; no page is lost to it."""
    monkeypatch.setattr("filters.extract.sandbox.RENEW_AFTER", 3)
    children = []
    for i in range(7):
        assert hostile.extract(f"page {i}") == Extracted(f"page {i}")
        assert hostile.child is not None
        children.append(hostile.child.pid)
    assert len(set(children)) == 3  # one page was answered by the fixture


@pytest.mark.parametrize("extractor", ["trafilatura", "resiliparse"])
def test_metadata_and_rights(extractor: str) -> None:
    found = make_extractor(Extract.model_validate({"extractor": extractor})).extract(PAGE)
    assert "lang genug" in found.text
    assert (found.title, found.author, found.date, found.html_lang) == ("Ein Titel", "A. B.", "2021-02-03", "de")
    assert found.robots == "noai,noindex"
    assert found.license == "https://creativecommons.org/licenses/by/4.0/"


def test_text_is_trafilaturas_own_and_its_loader_is_put_back() -> None:
    """Metadata is read from the tree that `trafilatura.extract` parses by itself, which then is as it was."""
    load = core.load_html
    for page in (PAGE, PAGE.replace("<title>", "<TITLE>").replace("<p>", "<P><SELECT><option>x</SELECT>"), "", "<p>x"):
        text = trafilatura.extract(page, include_comments=False) or ""
        assert make_extractor(Extract()).extract(page).text == text
    assert core.load_html is load


def test_caches_are_reset_on_the_way() -> None:
    extractor = make_extractor(Extract())
    texts = {extractor.extract(PAGE).text for _ in range(501)}
    assert len(texts) == 1


def test_nesting_a_million_deep_ends() -> None:
    with Sandbox[int](Extract(timeout_s=30)) as sandbox:
        assert isinstance(sandbox.extract("<div>" * 1_000_000 + "deep"), Failure | Extracted)
        assert isinstance(sandbox.extract(PAGE), Extracted)


def test_a_page_whose_child_is_killed_from_outside_is_extracted_all_the_same(hostile: Sandbox[int]) -> None:
    """As by the kernel when memory is short: the page is not at fault, and its text is what it would have been."""
    first = hostile.child
    assert first is not None
    threading.Timer(0.3, first.kill).start()
    assert hostile.extract("slow") == Extracted("slow")
    assert hostile.child is not first


def test_a_stopped_child_is_replaced_and_its_page_tried_again(hostile: Sandbox[int]) -> None:
    first = hostile.child
    assert first is not None
    first.send_signal(signal.SIGSTOP)
    assert hostile.extract("after") == Extracted("after")
    assert hostile.child is not first
    assert first.poll() is not None


def test_a_page_that_loops_is_not_tried_twice(hostile: Sandbox[int], monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[bytes] = []
    answered = hostile._answered
    monkeypatch.setattr(hostile, "_answered", lambda data: tries.append(data) or answered(data))
    result = hostile.extract("hang")
    assert isinstance(result, Failure)
    assert result.reason == "extract.timeout"
    assert tries == [b"hang"]


def test_a_child_without_parent_ends_though_its_page_loops(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parent was killed, so nobody stops the page: the child's own alarm does."""
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    code = "import sys, filters.extract.worker as w; w.SPARE = 0.2; w.main(sys.argv[1:])"
    options = Extract(timeout_s=0.5).model_dump_json()
    command = [sys.executable, "-c", code, options, str(3 << 30), "hostile:make"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdin is not None
        child.stdin.write(HEADER.pack(4) + b"hang")
        child.stdin.flush()
        assert child.wait(timeout=30) == -signal.SIGALRM
