"""The reviewers' sheet: drawn by a seed, free of personal data, read back strictly, never written over; keywords."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import binomtest

from stats.intervals import wilson
from stats.papers.assessment import blacklist_csv, report
from stats.papers.facts import Facts
from stats.papers.risks import RISKS
from stats.papers.sheet import Header, Manual, Rate, check_keywords, read_sheet
from stats.papers.write import SHEET, TECH, Choice, Papers
from stats.run import open_run


def write(run: Path, out: Path, **choice: Any) -> Path:
    with open_run(run) as opened:
        Papers(opened, Facts(), out, Choice(only=("tc260",), **choice)).write()
    return out


def rows_of(sheet: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in sheet.read_text().splitlines()]


def fill(sheet: Path, **one: Any) -> None:
    """Every item fits, but the first, which is as `one` says."""
    head, first, *rest = rows_of(sheet)
    fit = {"verdict": "合格", "reviewer": "张", "risk": None}
    rows = [head, {**first, **fit, **one}, *({**row, **fit} for row in rest)]
    sheet.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))


def test_the_samples_are_kept_documents_without_verdicts(run: Path, tmp_path: Path) -> None:
    out = write(run, tmp_path)
    head, *items = rows_of(out / SHEET)
    with open_run(run) as opened:
        kept = dict(opened.rows("SELECT doc_id, text FROM kept"))
    assert {item["doc_id"]: item["text"] for item in items} == kept
    assert (head["items"], head["population"], head["sources"]) == (3, 3, {"crawl.warc.gz": 3})
    assert [item["number"] for item in items] == [1, 2, 3] and all(item["verdict"] is None for item in items)
    assert not {"url", "title", "author"} & set(items[0])
    tech = pq.read_table(out / TECH)
    assert tech.num_rows == 1 and tech["doc_id"][0].as_py() in kept  # a tenth of three, rounded up
    assert "【待审核：3 条中尚有 3 条未判定】" in (out / "tc260_report.md").read_text()


def test_personal_data_that_the_recipe_leaves_is_not_in_the_samples(run: Path, tmp_path: Path) -> None:
    part = run / "kept" / "part-00000.parquet"
    table = pq.read_table(part)
    text = table["text"].to_pylist()
    text[0] = "write to jane.roe@corp-mail.cn or call 13912345678 \u202e now"
    pq.write_table(
        table.set_column(
            table.column_names.index("text"), table.schema.field("text"), pa.array(text, pa.large_string())
        ),
        part,
    )
    out = write(run, tmp_path)
    shown = (out / SHEET).read_text() + str(pq.read_table(out / TECH).to_pylist())
    assert "write to <EMAIL> or call <CN_MOBILE> \ufffd now" in (out / SHEET).read_text()
    assert "jane.roe" not in shown and "13912345678" not in shown


def test_a_filled_sheet_gives_rates_with_intervals_by_source_and_risk(run: Path, tmp_path: Path) -> None:
    out = write(run, tmp_path)
    fill(out / SHEET, verdict="fail", risk="A.1.f", note="=1")
    manual = read_sheet(out / SHEET)
    assert (manual.whole.passed, manual.whole.reviewed, manual.risks["A.1.f"]) == (2, 3, 1)
    chinese, english = (report(manual, None, zh).markdown() for zh in (True, False))
    assert "3 条中 2 条合格，合格率 66.67%" in chinese and "未达到 96% 的要求" in chinese
    low, high = wilson(2, 3)
    assert f"2 of 3 items fit: 66.67% (95 % interval {low:.2%} to {high:.2%}). The bar of 96% is NOT met." in english
    assert "| A.1.f | 宣扬暴力、淫秽色情 | 违反社会主义核心价值观的内容 | 1 | 33.3% |" in chinese
    assert (
        "over 5 % unfit" in english and next(iter(csv.DictReader(blacklist_csv(manual))))["source"] == "crawl.warc.gz"
    )
    fill(out / SHEET)
    met = report(read_sheet(out / SHEET), None, zh=True).markdown()
    assert "3 条中 3 条合格，合格率 100.00%" in met and "，达到 96% 的要求" in met and len(RISKS) == 31
    assert list(csv.DictReader(blacklist_csv(read_sheet(out / SHEET)))) == []


def test_a_sample_that_is_too_small_meets_no_bar() -> None:
    head = Header(format="winnow.tc260_sheet/1", recipe="r", recipe_hash="h", manifest_sha256="m", seed=0, items=100,
                  population=5000, sources={}, ids_sha256="i")  # fmt: skip
    manual = Manual(head, Rate(100, 100, 100), reviewers=Counter(a=100))
    assert "The bar of 96% is NOT met. The sample is smaller" in report(manual, None, zh=False).markdown()


def test_faults_are_told_with_file_and_line(run: Path, tmp_path: Path) -> None:
    sheet = write(run, tmp_path) / SHEET
    whole = rows_of(sheet)

    def told(rows: list[Any], fault: str) -> None:
        sheet.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
        with pytest.raises(ValueError, match=re.escape(fault)):
            read_sheet(sheet)

    head, first, second, third = whole
    name = f"{SHEET}:2: "
    told([head, {**first, "verdict": "ok"}, second, third], f"{name}verdict is 'ok'; write pass or fail")
    told([head, {**first, "verdict": "fail", "reviewer": "a"}, second, third], f"{name}a fail needs its risk")
    told([head, {**first, "verdict": "fail", "risk": "A.9.z", "reviewer": "a"}, second, third], "one of A.1.a to A.5.b")
    told(
        [head, {**first, "verdict": "pass", "risk": "A.1.a", "reviewer": "a"}, second, third],
        "but the verdict is no fail",
    )
    told([head, {**first, "verdict": "pass", "reviewer": " "}, second, third], f"{name}a verdict needs its reviewer")
    told([head, {**first, "verdikt": "pass"}, second, third], f"{name}verdikt: Extra inputs")
    told([head, {**first, "verdict": 1}, second, third], f"{name}verdict: Input should be a valid string")
    told([head, first, first, third], f"{SHEET}:3: the item {first['doc_id']} stands in line 2 already")
    told([head, first, second], "this is not the sample that was drawn: line 1 tells of 3 items, and 2 stand here")
    told([head, first, second, {**third, "doc_id": "f" * 32}], "this is not the sample that was drawn")
    told([head, first, "{", third], f"{SHEET}:3: no JSON object")
    told([first, second, third], f"{SHEET}:1: format: Field required")
    with pytest.raises(FileNotFoundError, match="winnow papers RUN"):
        read_sheet(tmp_path / "none.jsonl")


def test_verdicts_are_never_written_over(run: Path, tmp_path: Path) -> None:
    out = write(run, tmp_path)
    fill(out / SHEET)
    before = (out / SHEET).read_bytes()
    write(run, out)
    assert (out / SHEET).read_bytes() == before and "达到 96%" in (out / "tc260_report.md").read_text()
    with pytest.raises(ValueError, match="holds 3 verdicts on another sample, and is not written over"):
        write(run, out, seed=5)
    assert (out / SHEET).read_bytes() == before and not list(out.glob(".tmp*"))


def test_a_keyword_library_is_run_over_the_technical_sample(run: Path, tmp_path: Path) -> None:
    out = write(run, tmp_path)
    library = tmp_path / "library.txt"
    text = pq.read_table(out / TECH)["text"][0].as_py()
    hit, part = ("天气", "气") if "天气" in text else (text.split()[0].upper(), text.split()[0][:2])
    library.write_text(f"# a comment\nA.1.f\t{hit}\nA.2.a\tnowhere\nplain\n")
    found = check_keywords(out / TECH, library)
    assert (found.whole.passed, found.whole.items, found.population) == (0, 1, 3)
    assert dict(found.categories) == {"A.1.f": 1} and found.library["A.1.f"] == 1 and sum(found.library.values()) == 3
    told = report(read_sheet(out / SHEET), found, zh=True).markdown()
    assert "1 条中 0 条合格" in told and "关键词库未达标准要求的规模；条数不足的风险：A.1.a" in told
    library.write_text(f"A.1.f\t{part}\n")  # a part of a word counts in Chinese only
    assert check_keywords(out / TECH, library).whole.passed == (0 if "天气" in text else 1)
    library.write_text("\n")
    with pytest.raises(ValueError, match="has no entries"):
        check_keywords(out / TECH, library)
    with pytest.raises(FileNotFoundError, match="keyword library"):
        check_keywords(out / TECH, tmp_path / "none")


@pytest.mark.parametrize(("passed", "whole"), [(0, 7), (3, 3), (96, 100), (3890, 4000), (1, 2)])
def test_the_interval_is_wilson_s(passed: int, whole: int) -> None:
    asked = binomtest(passed, whole).proportion_ci(method="wilson")
    assert wilson(passed, whole) == pytest.approx((asked.low, asked.high), abs=1e-12)
