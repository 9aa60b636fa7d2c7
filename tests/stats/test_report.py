"""report.html: its figures, and that nothing of a hostile crawl runs, loads, hides or names a person in it."""

from __future__ import annotations

import json
import random
import re
import shutil
from itertools import pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser

from pipelines.removal.remove import remove
from pipelines.removal.request import Request, domain_target
from pipelines.run import locked
from recipes.model import Recipe
from recipes.steps import Rule
from stats.report import cost
from stats.report.collect import Report, collect
from stats.report.duplicates import differences
from stats.report.rows import hold
from stats.report.rules import histogram_of
from stats.report.strings import visible
from stats.report.texts import pages
from stats.report.write import page, write_report
from stats.run import open_run
from tests.conftest import Winnow
from tests.stats.browser import watched
from tests.stats.conftest import PAGES, change, doc_id, obeyed, set_row, tokens_of

HOSTILE = (
    "<script>window.ran = 1</script><img src=x onerror='window.ran = 2'><svg onload=window.ran=3></svg>"
    "</script></style></title></bdi></div><style>body{display:none}</style><a href='javascript:window.ran=4'>x</a>"
    "{{ 7*7 }}<iframe src='https://evil.example/'></iframe><base href='https://evil.example/'>"
    "<link rel=stylesheet href='https://evil.example/x.css'>\u202emoc.live\u2066\u200b\0&lt;b&gt; <!-- "
)


def collected(run: Path) -> Report:
    with open_run(run) as opened:
        return collect(opened)


def poisoned(run: Path, text: str = HOSTILE) -> Path:
    """The run with a hostile string wherever a page may put one."""
    for part in (0, 1):
        for row in range(4 if part == 0 else 2):
            planted = {"text": f"one two three {row} {text}", "url": f"https://a.example/{text}", "title": text}
            change(run / "documents" / f"part-{part:05d}.parquet", set_row(row, **planted))
            planted = {"domain": text, **({"lang": text} if row else {})}
            change(run / "signals" / f"part-{part:05d}.parquet", set_row(row, **planted))
    change(run / "decisions" / "part-00000.parquet", set_row(1, value=text, threshold=text))
    described = json.loads((run / "run.json").read_bytes())
    described |= {"inputs": [text], "notices": [text]}
    (run / "run.json").write_text(json.dumps(described))
    return run


def test_a_hostile_crawl_runs_nothing_and_asks_for_nothing(run: Path, browser: Browser) -> None:
    with open_run(poisoned(run)) as opened:
        path = write_report(opened)
    one = watched(browser)
    one.page.goto(path.as_uri())
    one.page.evaluate("document.querySelectorAll('details').forEach(each => each.open = true)")
    one.page.wait_for_timeout(200)
    assert (one.said, one.asked) == ([], [path.as_uri()])
    assert one.page.evaluate("window.ran") is None
    found = one.page.evaluate(
        """() => [...document.querySelectorAll('*')].filter(each =>
            ['script', 'img', 'iframe', 'base', 'link', 'object', 'embed', 'form'].includes(each.localName)
            || [...each.attributes].some(a => a.name.startsWith('on') || a.value.includes('javascript:'))).length"""
    )
    assert found == 0
    assert one.page.evaluate("document.querySelectorAll('style').length") == 1
    assert one.page.evaluate("getComputedStyle(document.body).display") == "block"
    said = one.page.inner_text("body")
    assert said.count("<script>window.ran = 1</script>") >= 8, "the hostile text must be there to be seen"
    assert "{{ 7*7 }}" in said and "U+202E" in said and "U+0000" in said and "U+200B" in said
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\0]", path.read_text())


def test_the_page_states_a_policy_under_which_a_planted_script_would_not_run(run: Path, browser: Browser) -> None:
    with open_run(run) as opened:
        html = page(collect(opened))
    path = run / "planted.html"
    path.write_text(html.replace("</main>", "<script>window.ran = 1</script><img src='x.png'></main>"))
    one = watched(browser)
    one.page.goto(path.as_uri())
    assert one.page.evaluate("window.ran") is None and len(one.said) == 2
    assert all("Content Security Policy" in said for said in one.said)


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_languages_and_colours_are_switched_without_script(run: Path, browser: Browser, width: int, theme: str) -> None:
    with open_run(run) as opened:
        path = write_report(opened, "zh", run / "zh.html")
    one = watched(browser, viewport={"width": width, "height": 800}, color_scheme=theme)
    one.page.goto(path.as_uri())
    assert "每条记录的去向" in one.page.inner_text("main") and "What became" not in one.page.inner_text("main")
    one.page.click("label[for=lang-en]")
    assert "What became" in one.page.inner_text("main") and "每条记录的去向" not in one.page.inner_text("main")
    assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing reaches beyond the screen"
    before = one.page.evaluate("getComputedStyle(document.body).backgroundColor")
    one.page.click(f"label[for=theme-{'light' if theme == 'dark' else 'dark'}]")
    assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") != before
    one.page.emulate_media(media="print")
    assert one.page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert (one.said, one.asked) == ([], [path.as_uri()])


def test_every_part_is_told_in_both_languages(run: Path) -> None:
    html = page(collected(run))
    assert html.count('<span class="en">') == html.count('<span class="zh" lang="zh-CN">') > 60


def test_figures_are_those_of_the_run(run: Path) -> None:
    report = collected(run)
    tokens = sum(len(tokens_of(page[3])) for page in PAGES if page[5] == "kept")
    assert (report.records, report.documents, report.of_stage("kept"), report.tokens) == (10, 6, 3, tokens)
    assert sum(n for _, n, _ in report.strip) == 10
    (rule,) = report.rules
    assert (rule.asked, rule.failing, rule.first, rule.lines) == (6, 1, 1, {"": 3.0})
    assert sum(bar.passing for bar in rule.bars) == 5 and sum(bar.failing for bar in rule.bars) == 1
    assert all(bar.high <= 3 + 1e-9 for bar in rule.bars if bar.failing)
    assert [one.doc_id for one in rule.dropped] == [doc_id(200)] and rule.dropped[0].value == "2"
    assert rule.dropped[0].page is not None and rule.dropped[0].page.excerpt == "too short"
    assert rule.kept[0].doc_id in (doc_id(100), doc_id(1000), doc_id(400))
    assert report.duplicates.methods == [("exact", 1), ("minhash", 1)]
    (cluster,) = report.duplicates.largest
    assert (cluster.size, cluster.method, cluster.kept.doc_id) == (3, "minhash", doc_id(100))
    assert ("five", True) in cluster.left and ("six", True) in cluster.right
    assert [(kind.name, kind.found, kind.action) for kind in report.personal or ()] == [("email", 1, "leave")]
    assert [(row.name, row.documents, row.kept) for row in report.languages.rows] == [("en", 5, 2), ("zh", 1, 1)]
    assert report.lengths is not None and sum(bar.passing for bar in report.lengths.bars) == 3


def test_personal_data_is_not_shown_wherever_it_stands(run: Path) -> None:
    planted = "write to ann.bond@widget-works.com or phone 13967245318, card 4111 1111 1111 1111"
    html = page(collected(poisoned(run, planted))).partition('id="card"')[0]
    assert html.count("&lt;EMAIL") >= 8
    assert not [value for value in ("ann.bond", "13967245318", "4111 1111") if value in html]


@pytest.mark.parametrize("length", [600, 1500])
def test_a_secret_that_is_longer_than_what_is_shown_is_not_shown(run: Path, length: int) -> None:
    made = random.Random(5)
    rest = "".join(made.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-", k=length))
    token = f"eyJhbGciOiJIUzI1NiJ9.eyJ{rest[: length // 2 - 20]}.{rest[length // 2 :]}"
    text = " ".join(["word", *(f"w{n}" for n in range(230)), f"https://b.example/?token={token}", "end"])
    planted = {"url": f"https://a.example/page?token={token}", "title": f"a title {token}", "text": text}
    change(run / "documents" / "part-00000.parquet", set_row(0, **planted))
    change(run / "documents" / "part-00000.parquet", set_row(2, **planted))
    html = page(collected(run))
    assert "eyJ" not in html and "w10" in html
    with open_run(run) as opened:
        held = hold(opened, opened.recipe)
        for characters in (1200, 6000, len(text) - 3 - length // 2, 1000 + length // 4):
            (shown,) = pages(opened, held, [doc_id(100)], characters).values()
            assert "eyJ" not in shown.text + shown.url + shown.title and shown.text.startswith("word w0 w1")


def test_names_that_only_a_model_finds_are_not_shown(run: Path, tmp_path: Path) -> None:
    spacy = pytest.importorskip("spacy")
    model = spacy.blank("en")
    model.add_pipe("entity_ruler").add_patterns([{"label": "PERSON", "pattern": "Jane Doe"}])
    model.to_disk(tmp_path / "model")
    for part, row in ((0, 0), (0, 1), (0, 2), (1, 0)):
        planted = {"text": "one two Jane Doe three", "title": "of Jane Doe", "url": "https://a.example/x"}
        change(run / "documents" / f"part-{part:05d}.parquet", set_row(row, **planted))
    described = json.loads((run / "run.json").read_bytes())
    described["recipe"]["scrub"] = {"ner": str(tmp_path / "model"), "policy": {"person": "leave"}}
    (run / "run.json").write_text(json.dumps(described))
    for path in (run / "kept").iterdir():
        table = pq.read_table(path)
        pq.write_table(table.append_column("pii_person", pa.array([1] * len(table), pa.int32())), path)
    report = collected(run)
    html = page(report)
    assert "Jane" not in html and html.count("&lt;PERSON&gt;") >= 4 and "name of a person" in html
    assert [(kind.name, kind.found) for kind in report.personal or ()] == [("person", 3), ("email", 1)]
    shutil.rmtree(tmp_path / "model")
    report = collected(run)
    html = page(report)
    assert "Jane" not in html and "cannot be read here" in html and not report.duplicates.largest


def test_what_was_removed_is_not_in_it(removal_run: Path, tmp_path: Path) -> None:
    run = shutil.copytree(removal_run, tmp_path / "run")
    assert "site3.example" in page(collected(run))
    remove(run / "manifest.json", Request.of([domain_target("site3.example")], "asked"), "2026-11-25")
    report = collected(run)
    assert report.of_stage("removed") > 30 and report.shards is not None and report.shards.file == "manifest.0002.json"
    assert "site3.example" not in page(report)
    assert report.held.share == 1, "all that is left is no sample"


def test_personal_data_of_what_is_left_is_counted_after_a_removal(run: Path) -> None:
    obeyed(run, 400)
    assert [(kind.name, kind.found) for kind in collected(run).personal or ()] == [("email", 1)]
    obeyed(run, 100)
    assert collected(run).personal == []


def test_a_run_that_is_not_finished_is_reported_as_far_as_it_is(run: Path) -> None:
    for name in ("decisions", "kept", "tokens", "duplicates", "personal"):
        shutil.rmtree(run / name)
    (run / "manifest.json").unlink()
    report = collected(run)
    assert report.of_stage("undecided") == 6 and report.personal is None and report.shards is None
    assert page(report).count("This run has none yet.") >= 4


def test_a_large_run_is_drawn_from_a_sample_and_says_so(run: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stats.report import rows

    with open_run(run) as opened:
        held = rows.hold(opened, opened.recipe, most=3)
        ids = opened.rows("SELECT doc_id FROM held")
        share = 3 / 6 * (1 << 128)
        every = opened.rows("SELECT doc_id FROM documents")
        assert {one for (one,) in ids} == {one for (one,) in every if int(one, 16) < share}
        assert held.documents == len(ids) < held.of == 6


def test_bars_hold_every_document_and_meet_at_the_bound(run: Path) -> None:
    with open_run(run) as opened:
        opened.rows("CREATE TEMP TABLE held AS SELECT (range * 37 % 1000) / 1000 AS v FROM range(5000)")
        bars = histogram_of(opened, "v", "v > 0.3", "v IS NOT NULL", [0.3])
    assert sum(bar.passing + bar.failing for bar in bars) == 5000 and 20 <= len(bars) <= 40
    assert sum(bar.failing for bar in bars) == sum(i * 37 % 1000 > 300 for i in range(5000))
    assert all(abs(one.high - two.low) < 1e-9 for one, two in pairwise(bars))


def test_bars_of_one_value_and_of_none(run: Path) -> None:
    with open_run(run) as opened:
        opened.rows("CREATE TEMP TABLE held AS SELECT 7 AS v, NULL::DOUBLE AS w")
        (bar, *rest) = [one for one in histogram_of(opened, "v", "false", "true", [3.0]) if one.passing]
        assert not rest and bar.low <= 7 <= bar.high
        assert histogram_of(opened, "w", "false", "w IS NOT NULL", []) == []


@pytest.mark.parametrize(
    "values", [(4.6, 4.6000000000000005), (1e300, 2e300), (1e-300, 3e-300), (0.1, 0.1 + 1e-13), (1e16, 1e16 + 4)]
)
def test_bars_of_nearly_one_value_and_of_extremes(run: Path, values: tuple[float, float]) -> None:
    with open_run(run) as opened:
        opened.rows("CREATE TEMP TABLE held AS SELECT unnest([?, ?]::DOUBLE[]) AS v", *values)
        bars = histogram_of(opened, "v", "false", "true", [values[0]])
    assert sum(bar.passing for bar in bars) == 2 and len(bars) <= 60


def test_a_bound_by_language_is_drawn_for_the_languages_that_are_there(run: Path) -> None:
    rule = Rule(id="tiny.words.v1", signal="word_count", min={"en": 3, "zh": 4, "fr": 9}, evidence="A")
    described = json.loads((run / "run.json").read_bytes())
    described["recipe"]["steps"][0] = json.loads(rule.model_dump_json(exclude_none=True))
    (run / "run.json").write_text(json.dumps(described))
    assert Recipe.model_validate(described["recipe"])
    (found,) = collected(run).rules
    assert dict(found.lines) == {"en": 3.0, "zh": 4.0} and found.failing == 1


def test_differences_give_back_both_texts() -> None:
    one, two = "今天 weather is good", "今日 weather was good!"
    left, right = differences(one, two)
    assert "".join(piece for piece, _ in left) == one and "".join(piece for piece, _ in right) == two
    assert [p for p, marked in left if not marked] == [p for p, marked in right if not marked]


def test_cost_is_summed_over_attempts_and_a_torn_line_is_left_out(run: Path) -> None:
    (run / "log").mkdir()
    lines = [
        {"stage": "extract", "seconds": 2.0, "cpu_seconds": 3.0, "peak_bytes": 100},
        {"stage": "extract", "seconds": 1.0, "cpu_seconds": 0.5, "peak_bytes": 300},
        {"stage": "decide", "seconds": 1.0},
    ]
    (run / "log" / "events.jsonl").write_text("".join(json.dumps(one) + "\n" for one in lines) + '{"stage": "sc')
    found = collected(run).cost
    first, second = found.stages
    assert (first.attempts, first.seconds, first.cpu_seconds, first.peak_bytes) == (2, 3.0, 3.5, 300)
    assert second.cpu_seconds is None and second.watt_hours is None and found.cpu_seconds == 3.5
    memory = 300 / 1e9 * cost.WATTS_PER_GB * 3.0
    assert found.watt_hours == pytest.approx((3.5 * cost.WATTS + memory) * cost.OVERHEAD / 3600)


def test_hidden_characters_are_shown_by_their_code() -> None:
    assert visible("a\u202e<\ufeff\U000e0041") == (
        'a<i class="u">U+202E</i>&lt;<i class="u">U+FEFF</i><i class="u">U+E0041</i>'
    )
    assert visible("今天 é 👍") == "今天 é 👍"


def test_the_command_writes_the_file_and_refuses_what_is_no_run(run: Path, tmp_path: Path, winnow: Winnow) -> None:
    done = winnow("report", run, "--lang", "zh", "--out", tmp_path / "a.html")
    assert done.returncode == 0 and '<html lang="zh-CN">' in (tmp_path / "a.html").read_text()
    assert winnow("report", tmp_path).returncode == 2 and not (tmp_path / ".lock").exists()
    with locked(str(run)):  # as a removal holds it, which deletes this file
        for own in ((), ("--out", run / "report.html")):
            done = winnow("report", run, *own)
            assert done.returncode == 2 and "is being written by another process" in done.stderr
        assert winnow("report", run, "--out", tmp_path / "b.html").returncode == 0
    (run / "signals" / "part-00001.parquet").write_bytes(b"PAR1 no")
    done = winnow("report", run)
    assert done.returncode == 2 and "part-00001" in done.stderr and "Traceback" not in done.stderr
    assert not (run / "report.html").exists()
