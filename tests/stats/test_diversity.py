"""Shares by stage and rule against counts made by hand, alarms that small groups do not raise, mentions against `re`."""

from __future__ import annotations

import json
import math
import random
import re
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import xxhash

import tests.stats.conftest as hand
from filters.identity import groups, mentions
from pipelines.schemas import DECISIONS
from stats.diversity import STAGES, prepare, spread
from stats.diversity_rules import drops_more, rule_changes
from stats.intervals import changed
from stats.mentions import find_mentions
from stats.run import open_run

MANY = 600


def documents() -> list[dict[str, Any]]:
    """600 documents: two thirds English, one third Chinese, three Greek; most Chinese ones are short and are dropped."""
    draw = random.Random(3)
    out = []
    for i in range(MANY):
        lang = "el" if i < 3 else "zh" if i % 3 == 0 else "en"
        short = lang == "el" or draw.random() < (0.6 if lang == "zh" else 0.1)
        gay = lang == "en" and draw.random() < 0.3
        words = (1 if short else 5) if not gay else 1
        fate = "filtered:tiny.words.v1" if words < 3 else "duplicate:exact" if i % 10 == 7 else "kept"
        text = (
            ("同性恋 今天" if i % 6 == 0 else "今天 天气")
            if lang == "zh"
            else "Gay Women!"
            if gay
            else f"some women {i}"
        )
        out.append({"doc_id": f"{i:032x}", "lang": lang, "domain": f"d{i % 7}.example.{'cn' if lang == 'zh' else 'org'}",
                    "date": f"20{10 + i % 3}-01-01" if i % 4 else None, "word_count": words, "fate": fate, "text": text})  # fmt: skip
    return out


@pytest.fixture
def many(run: Path) -> Path:
    """The run of conftest.py with these documents in place of its own, in one part; none is in a shard."""
    rows = documents()
    for dataset in ("documents", "signals", "decisions", "kept", "duplicates", "rejects"):
        (run / dataset / "part-00001.parquet").unlink()
    common = [{**row, "source": "s", "offset": i, "url": None, "text_hash": xxhash.xxh3_128_hexdigest(row["text"].encode()),
               "text_bytes": len(row["text"].encode()), "removed_chars_tiny_lines_v1": 0} for i, row in enumerate(rows)]  # fmt: skip
    for name in ("documents", "signals"):
        schema = hand.SCHEMAS[name]
        part = run / name / "part-00000.parquet"
        hand.write(part, [hand.row_of(schema, **row) for row in common], schema, "m", {})
    decided = [hand.row_of(DECISIONS, doc_id=row["doc_id"], fate=row["fate"],
                           rule="tiny.words.v1" if row["fate"].startswith("filtered") else None) for row in rows]  # fmt: skip
    hand.write(run / "decisions" / "part-00000.parquet", decided, DECISIONS, "m", {})
    return run


def test_shares_at_every_stage_are_those_counted_by_hand(many: Path) -> None:
    rows = documents()
    with open_run(many) as opened:
        prepare(opened, by := ("lang", "domain", "tld", "year", "word_count"))
        found = spread(opened, by)
    told = {(row["by"], row["group"], row["stage"]): row for row in found.groups.to_pylist()}
    passing = [[row for row in rows if stage == 0 or not row["fate"].startswith("filtered")] for stage in (0, 1)]
    passing += [[row for row in rows if row["fate"] == "kept"]] * 2
    keys = {"lang": lambda row: row["lang"], "domain": lambda row: row["domain"],
            "tld": lambda row: row["domain"].rpartition(".")[2], "year": lambda row: (row["date"] or "(none)")[:4]
            if row["date"] else "(none)"}  # fmt: skip
    for name, key in keys.items():
        for stage, some in enumerate(passing):
            counts = Counter(map(key, some))
            for group in set(map(key, rows)):
                row = told[name, group, STAGES[stage]]
                assert (row["documents"], row["share"]) == (counts[group], pytest.approx(counts[group] / len(some)))
    even = {(row["by"], row["stage"]): row for row in found.evenness.to_pylist()}
    shares = [n / MANY for n in Counter(row["domain"] for row in rows).values()]
    assert even["domain", "documents"]["effective"] == pytest.approx(math.exp(-sum(p * math.log(p) for p in shares)))
    assert (
        even["domain", "documents"]["top_1"] == pytest.approx(max(shares))
        and even["domain", "documents"]["groups"] == 14
    )
    assert even["domain", "documents"]["top_10"] == pytest.approx(sum(sorted(shares)[-10:]))
    assert (
        sum(row["documents"] for (by_, _, stage), row in told.items() if by_ == "word_count" and stage == "documents")
        == MANY
    )
    alarmed = {(row["group"], row["stage"]) for row in found.groups.to_pylist() if row["by"] == "lang" and row["alert"]}
    assert alarmed == {("en", STAGES[1]), ("zh", STAGES[1])}  # and not Greek, of which all three went
    greek = told["lang", "el", "pass the rules"]
    assert (greek["documents"], greek["change"], greek["few"], greek["alert"]) == (0, -1.0, True, False)


def test_a_rule_s_doing_is_told_by_group(many: Path) -> None:
    rows = documents()
    with open_run(many) as opened:
        prepare(opened, ("lang",))
        found = {row["group"]: row for row in rule_changes(opened, ("lang",)).to_pylist()}
    assert set(found) == {"en", "zh"}  # Greek is too few
    dropped = [row for row in rows if row["fate"].startswith("filtered")]
    for lang, row in found.items():
        mine = sum(one["lang"] == lang for one in rows)
        gone = sum(one["lang"] == lang for one in dropped)
        assert (row["came"], row["dropped"], row["fail"], row["reads"]) == (mine, gone, gone, "word_count")
        change = (mine - gone) / mine / ((MANY - len(dropped)) / MANY) - 1
        assert row["change"] == pytest.approx(change) == pytest.approx(row["change_alone"])
        assert row["times"] == pytest.approx(gone / mine / (len(dropped) / MANY))


def test_mentions_are_compared_with_the_others_of_their_language(many: Path) -> None:
    rows = [row for row in documents() if row["lang"] == "en"]
    with open_run(many) as opened:
        prepare(opened, ("lang",))
        found = find_mentions(opened)
    told = {(row["lang"], row["group"]): row for row in found.groups.to_pylist()}
    assert set(told) == {("en", "women"), ("en", "lgbtq"), ("zh", "lgbtq")}
    mine = [row for row in rows if "Gay" in row["text"]]
    row = told["en", "lgbtq"]
    assert row["documents, documents"] == len(mine) and row["pass"] == 0 and row["alert"]
    others = [one for one in rows if "Gay" not in one["text"]]
    assert row["others_pass"] == pytest.approx(
        sum(not one["fate"].startswith("filtered") for one in others) / len(others)
    )
    assert told["en", "women"]["documents, documents"] == len(rows) and not told["en", "women"]["alert"]
    first = found.rules.to_pylist()[0]
    assert (first["by"], first["group"], first["rule"], first["dropped_share"], first["alert"]) == (
        "en", "lgbtq", "tiny.words.v1", 1.0, True)  # fmt: skip


def test_alarms_want_many_documents_and_more_than_chance() -> None:
    assert not changed(3, 0, 1000, 900, 0.1).alert and changed(3, 0, 1000, 900, 0.1).few
    assert changed(300, 100, 1000, 600, 0.1).alert
    assert not changed(300, 177, 1000, 600, 0.1).alert  # a share that falls by 1.7 %
    assert not changed(40, 18, 1000, 600, 0.1).alert  # by 25 %, but so may 40 documents by chance
    assert changed(100, 45, 1000, 600, 0.1).alert and not changed(100, 45, 1000, 600, 0.1, asked=1000).alert
    assert changed(0, 0, 10, 5, 0.1).change is None and changed(5, 0, 10, 0, 0.1).change is None


def test_a_rule_that_hardly_moves_a_share_may_drop_one_group_twice_as_often() -> None:
    few = changed(200, 176, 2000, 1880, 0.1)  # 12 % of the group, 6 % of all
    assert not few.alert and drops_more(24, 200, 120, 2000, 0.1, 1)
    assert not drops_more(13, 200, 120, 2000, 0.1, 1) and not drops_more(24, 200, 120, 2000, 0.1, 1000)
    assert not drops_more(20, 29, 120, 2000, 0.1, 1) and not drops_more(0, 200, 0, 2000, 0.1, 1)


def test_what_cannot_be_asked_is_told_with_the_remedy(run: Path) -> None:
    with open_run(run) as opened:
        with pytest.raises(ValueError, match=r"--by word_cuont: this run has no such signal\. Did you mean word_count"):
            prepare(opened, ("word_cuont",))
    for part in (run / "decisions").iterdir():
        part.unlink()
    with open_run(run) as opened:
        with pytest.raises(ValueError, match="no document with a fate yet"):
            prepare(opened, ("lang",))
    for part in (run / "signals").iterdir():
        pq.write_table(pq.read_table(part).drop_columns(["text_bytes"]), part)
    with open_run(run) as opened:
        with pytest.raises(ValueError, match="has no measurement text_bytes: an earlier version made it"):
            prepare(opened, ("lang",))


def test_mentions_are_those_that_re_finds() -> None:
    draw = random.Random(5)
    english = sorted({term for group in groups() for term in group.terms["en"]})
    chinese = sorted({term for group in groups() for term in group.terms["zh"]})
    pieces = [
        *english,
        *chinese,
        "comments",
        "womenfolk",
        "_gay",
        "gay-friendly",
        "x",
        "，",
        "\n",
        "É",
        "GAY",
        "Women's",
    ]
    texts = [
        "".join(part for _ in range(8) for part in (draw.choice(pieces), draw.choice([" ", "", ". "])))
        for _ in range(400)
    ]
    langs = [draw.choice(["en", "zh", "yue", "fr", None]) for _ in texts]
    found = mentions(pa.array(texts, pa.large_string()), pa.array(langs, pa.string())).to_pylist()
    patterns = [{"en": [re.compile(rf"(?<!\w){re.escape(t)}(?!\w)") for t in group.terms["en"]],
                 "zh": [re.compile(re.escape(t)) for t in group.terms["zh"]]} for group in groups()]  # fmt: skip
    for text, lang, mask in zip(texts, langs, found, strict=True):
        if lang not in ("en", "zh", "yue"):
            assert mask is None
            continue
        wanted = {
            i
            for i, by in enumerate(patterns)
            if any(p.search(text.lower()) for p in by["en" if lang == "en" else "zh"])
        }
        assert {i for i in range(len(patterns)) if mask >> i & 1} == wanted, text
    assert sum(bool(mask) for mask in found) > 200


def test_the_term_list_names_where_each_term_is_from() -> None:
    told = json.loads((Path(__file__).parents[2] / "filters" / "data" / "identity_terms.json").read_text())
    assert {origin for one in told["groups"] for lang in ("en", "zh") for origin in one[lang]} <= set(told["sources"])
    terms = [
        (lang, term) for one in told["groups"] for lang in ("en", "zh") for some in one[lang].values() for term in some
    ]
    assert len(terms) == len(set(terms)) and all(term == term.lower().strip() for _, term in terms)
    assert len({group.id for group in groups()}) == len(groups()) and {group.axis for group in groups()} >= {
        "gender",
        "religion",
    }
