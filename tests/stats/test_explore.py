"""The explorer, by real clicks: figures are what-if's, hostile text stays text, and nobody else is answered."""

from __future__ import annotations

import http.client
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from filters.rules import first_failing
from filters.thresholds import set_thresholds
from recipes.load import load
from recipes.model import Recipe
from stats.explore.engine import Engine
from stats.run import open_run
from stats.what_if import what_if
from tests.conftest import REPO
from tests.stats.browser import Watched, watched
from tests.stats.conftest import change, doc_id, make_run, set_row
from tests.stats.test_report import poisoned


@dataclass
class Served:
    """A running explorer."""

    url: str
    run: Path
    folder: Path

    @property
    def port(self) -> int:
        return int(self.url.split(":")[2].partition("/")[0])

    @property
    def path(self) -> str:
        return "/" + self.url.split("/", 3)[3]

    def ask(self, path: str, method: str = "GET", body: str | None = None, **headers: str) -> tuple[int, str]:
        """Status and body of a request with exactly these headers."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.putrequest(method, path, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": f"127.0.0.1:{self.port}", **headers}.items():
            connection.putheader(name.replace("_", "-"), value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body.encode() if body is not None else None)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """`winnow explore` over a hostile run, as a user starts it."""
    folder = tmp_path_factory.mktemp("explore")
    run = poisoned(make_run(folder / "a [run]'s *folder"))
    environment = {**os.environ, "PYTHONPATH": str(REPO), "COLUMNS": "300"}
    command = [sys.executable, "-m", "flows.cli", "explore", str(run)]
    with subprocess.Popen(command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield Served(line.split()[1], run, folder)
        process.terminate()
        process.wait(30)


@pytest.fixture
def page(served: Served, browser: Browser) -> Iterator[Watched]:
    """Its page, opened; whatever is clicked, nothing is complained of and nobody else is asked."""
    one = watched(browser)
    one.page.goto(served.url)
    yield one
    assert one.said == [] and one.page.evaluate("window.ran") is None
    assert all(url.startswith(served.url) for url in one.asked)
    one.page.close()


def kept(one: Watched) -> tuple[str, ...]:
    """The line of documents: now, then, change."""
    return tuple(one.page.locator("#totals tbody tr").first.locator("td.n").all_inner_texts())


def test_a_slider_moves_what_is_kept_and_the_examples(page: Watched) -> None:
    assert kept(page) == ("3", "3", "+0")
    page.page.locator("#slider").focus()
    page.page.keyboard.press("End")
    expect(page.page.locator("#out")).to_have_text("3")
    assert kept(page) == ("3", "0", "-3")
    page.page.wait_for_selector("#examples .page")
    assert "<script>window.ran = 1</script>" in page.page.inner_text("#examples")
    page.page.fill("#exact", "2")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#in")).to_have_text("1")
    assert kept(page) == ("3", "4", "+1") and page.page.inner_text("#asked") == "2"


def test_a_page_is_found_and_its_life_is_read(page: Watched, served: Served) -> None:
    page.page.fill("#q", "a.example/<SCRIPT>")
    page.page.click("text=search")
    page.page.wait_for_selector(".results li")
    assert page.page.locator(".results li").count() == 6
    page.page.fill("#q", doc_id(100))
    page.page.keyboard.press("Enter")
    expect(page.page.locator(".results li")).to_have_count(1)
    page.page.click(".results a")
    page.page.wait_for_selector("#life #extracted")
    page.page.evaluate("document.querySelectorAll('#life details').forEach(each => each.open = true)")
    life = page.page.inner_text("#life")
    assert "fate: kept" in life and "word_count" in life and "<script>window.ran = 1</script>" in life
    assert "U+202E" in life and "one two three four five" in page.page.inner_text("#kept-text")
    assert "not there any more" in life, "the crawl of this run is nowhere, and that is said"
    assert not page.page.evaluate("document.querySelectorAll('#life script, #life img, #life iframe').length")


def test_a_threshold_is_kept_and_taken_back(page: Watched) -> None:
    page.page.fill("#exact", "5")
    page.page.keyboard.press("Enter")
    expect(page.page.locator("#asked")).to_have_text("5")
    page.page.click("#set")
    page.page.wait_for_selector("#changes li")
    assert "3.0 → 5.0" in page.page.inner_text("#changes")
    page.page.fill("#file", "../evil.toml")
    page.page.click("#save")
    page.page.wait_for_selector("#saved .fault")
    page.page.fill("#file", "mine.toml")
    page.page.click("#save")
    expect(page.page.locator("#saved")).to_contain_text("tiny is no shipped recipe")
    page.page.click("#reset")
    page.page.wait_for_selector("#changes", state="detached")
    assert kept(page) == ("3", "3", "+0")


def test_nonsense_is_told_in_a_sentence(page: Watched, served: Served) -> None:
    asked = {"move?rule=tiny.words.v1&value=lots": "wants a number", "move?rule=no.such.v1&value=1": "no rule",
             "document/nothing": "No record", "rule?rule=%3Cscript%3E": "&lt;script&gt;"}  # fmt: skip
    for path, told in asked.items():
        status, body = served.ask(served.path + path)
        assert status == 200 and told in body and "Traceback" not in body, path


def test_only_the_page_itself_is_answered(served: Served) -> None:
    local = f"127.0.0.1:{served.port}"
    assert served.ask(served.path)[0] == 200
    assert served.ask("/")[0] == served.ask("/wrong/")[0] == served.ask("/wrong/static/icon.svg")[0] == 404
    assert served.ask(served.path, Host="evil.example")[0] == 403, "a name rebound to this address"
    assert served.ask(served.path, Host=f"evil.example:{served.port}")[0] == 403
    assert served.ask(served.path, Host="127.0.0.1")[0] == 403
    assert served.ask(served.path, Origin="https://evil.example")[0] == 403
    assert served.ask(served.path, Sec_Fetch_Site="cross-site")[0] == 403
    body = "rule=tiny.words.v1&value=9"
    for origin in ({}, {"Origin": "null"}, {"Origin": "http://evil.example"}, {"Origin": f"https://{local}"}):
        assert served.ask(served.path + "set", "POST", body, **origin)[0] == 403
    assert served.ask(served.path + "set")[0] == 405
    assert served.ask(served.path + "reset", "POST", "rule=tiny.words.v1", Origin=f"http://{local}")[0] == 200
    assert "more than a form" in served.ask(served.path + "set", "POST", "x" * 20_000, Origin=f"http://{local}")[1]
    assert served.ask(served.path + "static/../app.py")[0] == 404


def test_it_listens_on_the_loopback_address_alone(served: Served) -> None:
    listening = {
        line.split()[1]
        for file in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in Path(file).read_text().splitlines()[1:]
        if line.split()[3] == "0A" and line.split()[1].endswith(f":{served.port:04X}")
    }
    assert listening == {f"0100007F:{served.port:04X}"}


def test_answers_forbid_frames_scripts_and_caches(served: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    connection.request("GET", served.path)
    headers = {name.lower(): value for name, value in connection.getresponse().getheaders()}
    assert headers["cache-control"] == "no-store" and headers["referrer-policy"] == "no-referrer"
    assert re.search(
        r"default-src 'none'.*script-src 'self'.*frame-ancestors 'none'", headers["content-security-policy"]
    )
    assert "unsafe" not in headers["content-security-policy"]


def decided(run: Path, part: int, recipe: Recipe) -> list[tuple[str, str | None]]:
    """(fate, rule) of a part's documents, duplicates as they were."""
    with open_run(run) as opened:
        rows = opened.rows(
            f"SELECT d.fate, {first_failing(recipe)} AS rule FROM {opened.files([run / 'signals' / f'part-{part:05d}.parquet'])}"
            f" s POSITIONAL JOIN (SELECT fate FROM {opened.files([run / 'decisions' / f'part-{part:05d}.parquet'])}) d"
        )
    return [
        (f"filtered:{rule}" if rule else fate if fate.startswith("duplicate") else "kept", rule) for fate, rule in rows
    ]


def test_figures_are_those_of_what_if(run: Path) -> None:
    for part, row, words in ((0, 0, 4), (0, 3, 9), (1, 0, None)):
        change(run / "signals" / f"part-{part:05d}.parquet", set_row(row, word_count=words))
    with open_run(run) as opened:
        engine = Engine(opened)
        for value in ("0", "2", "3", "4", "5", "9", "10"):
            answer, _ = engine.answer("tiny.words.v1", value)
            asked = what_if(opened, set_thresholds(opened.recipe, [f"tiny.words.v1={value}"])).totals.to_pylist()
            now, then = ([row[side] for row in asked] for side in ("now", "then, at most"))
            assert list(answer.total.now) == now and list(answer.total.then) == then, value
            assert sum(line.then[0] for line in answer.languages) == then[0]
        engine.set("tiny.words.v1", "10")
        assert int(engine.kept().sum()) == engine.answer("tiny.words.v1", "10")[0].total.then[0]
        engine.reset()
        assert engine.changes == [] and int(engine.kept().sum()) == 3


@pytest.mark.parametrize(
    "method",
    [{"method": "random", "p": 0.5}, {"method": "resample", "signal": "word_count", "weights": [[0, 0], [3, 1]]}],
    ids=["random", "resample"],
)
def test_samplers_of_one_document_are_asked_again(run: Path, method: dict[str, object]) -> None:
    """A document that a moved rule lets in meets the sampler after it."""
    described = json.loads((run / "run.json").read_bytes())
    rule, edit = described["recipe"]["steps"]
    step = {"kind": "sample", "id": "tiny.half.v1", "seed": 2, "evidence": "A", **method}
    described["recipe"]["steps"] = [rule, step, edit]
    (run / "run.json").write_text(json.dumps(described))
    recipe = Recipe.model_validate(described["recipe"])
    for part in (0, 1):
        for row, (fate, dropped) in enumerate(decided(run, part, recipe)):
            change(run / "decisions" / f"part-{part:05d}.parquet", set_row(row, fate=fate, rule=dropped))
    with open_run(run) as opened:
        engine = Engine(opened)
        for value in ("0", "3", "5", "9"):
            answer, _ = engine.answer("tiny.words.v1", value)
            asked = what_if(opened, set_thresholds(opened.recipe, [f"tiny.words.v1={value}"])).totals.to_pylist()
            now, then = ([row[side] for row in asked] for side in ("now", "then, at most"))
            assert (list(answer.total.now), list(answer.total.then)) == (now, then), value


@pytest.mark.parametrize("name", ["zh-en-general"])
def test_every_rule_of_a_shipped_recipe_can_be_set_apart(name: str) -> None:
    """Threshold kinds that the slider and the text field write are those that `--set` reads."""
    from recipes.steps import Rule
    from stats.explore.app import _written

    recipe = load(name)
    for step in recipe.steps:
        if isinstance(step, Rule):
            lang = next(iter(step.threshold)) if isinstance(step.threshold, dict) else ""
            written = _written(step, lang)
            back = set_thresholds(recipe, [f"{step.id}={lang}:{written}" if lang else f"{step.id}={written}"])
            (same,) = (one for one in back.steps if one.id == step.id)
            assert isinstance(same, Rule) and same.threshold == step.threshold, step.id
