"""Personal data: found where it is, left alone where it only looks like it, and never quoted."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.pii import KINDS, find, scrub

FOUND = {
    "email": ["write to jane.doe+x@mail.co.uk now", "邮箱li_na@qqpost.cn。"],
    "ipv4": ["from 8.8.8.8 today", "服务器104.16.3.9已"],
    "ipv6": ["at 2a00:1450:4001:81b::200e it"],
    "credit_card": ["card 4111 1111 1111 1111 ok", "卡号4111111111111111，"],
    "iban": ["pay DE89 3704 0044 0532 0130 00 please", "IBAN GB82WEST12345698765432."],
    "cn_id": ["身份证11010519491231002X。"],
    "cn_mobile": ["手机13812345678，", "+86 138-1234-5678"],
    "phone": ["call +44 20 7946 0958 now", "Tel: (212) 736-5000", "电话：010-62345678"],
}
LEFT = [
    "mail user@example.com", "at 192.168.1.1 and 10.0.0.1", "version 1.2.3.4", "kernel 8.8.8.8.8", "4111 1111 1111 1112",
    "order number 4111111111111111", "订单编号13812345678", "身份证110105194912310021", "DE89 3704 0044 0532 0130 01",
    "2021-03-14 15:09:26", "ISBN 978-3-16-148410-0", "12:34:56", "std::vector::size", "price $1,234,567.00",
    "doi 10.1000/182", "1111111111111111", "2023123456789012345",
]  # fmt: skip


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in FOUND.items() for t in ts])
def test_found(kind: str, text: str) -> None:
    assert [s.kind for s in find(text, list(KINDS))] == [kind]


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert find(text, list(KINDS)) == []


def test_chinese_labelled_set(shared_data: Path) -> None:
    names = {"CN_ID": "cn_id", "CN_MOBILE": "cn_mobile", "IP": "ipv4", "BANK_CARD": "credit_card"}
    hit, total, false = Counter(), Counter(), 0
    for row in map(json.loads, gzip.decompress((shared_data / "pii_zh_synthetic.jsonl.gz").read_bytes()).splitlines()):
        spans = find(row["text"], [*names.values()])
        for start, end, label in row["spans"]:
            if label in names:
                total[label] += 1
                hit[label] += any(s.start < end and start < s.end for s in spans)
        false += sum(not any(s.start < e and b < s.end for b, e, _ in row["spans"]) for s in spans)
    assert {label: hit[label] / total[label] for label in total} == pytest.approx(dict.fromkeys(total, 1.0), abs=0.01)
    assert false == 0


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from([*LEFT, *(t for ts in FOUND.values() for t in ts), "\n", " ", "字", "@@", "1" * 30]),
        max_size=12,
    )
)
def test_scrubbing_twice_changes_nothing(pieces: list[str]) -> None:
    text = pa.array([" ".join(pieces)], pa.large_string())
    policy = dict.fromkeys(KINDS, "placeholder")
    once = scrub(text, policy).text
    assert scrub(once, policy).text.equals(once)


def test_policies_and_counts() -> None:
    text = pa.array(["a@mail.de b@mail.de 8.8.8.8", None, ""], pa.large_string())
    done = scrub(text, {"email": "placeholder", "ipv4": "leave"})
    assert done.text.to_pylist() == ["<EMAIL> <EMAIL> 8.8.8.8", None, ""]
    assert done.counts["email"].tolist() == [2, 0, 0]
    assert done.counts["ipv4"].tolist() == [1, 0, 0]
    with pytest.raises(ValueError, match="no kind of personal data: 'emails'"):
        scrub(text, {"emails": "leave"})
