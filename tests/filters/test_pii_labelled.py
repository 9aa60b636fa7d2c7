"""Floors of precision and recall on labelled texts; what was measured is in docs/personal-data.md."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.pii_quality import LABELS, PHONES, reserved, rows, scores, winnow

FLOORS = {  # label: (precision, recall)
    "spans": {"EMAIL_ADDRESS": (0.99, 0.99), "IP_ADDRESS": (0.99, 0.99), "CREDIT_CARD": (0.98, 0.99), "IBAN_CODE": (0.98, 0.99),
              "US_SSN": (0.98, 0.99), "PHONE_NUMBER": (0.97, 0.95)},
    "zh_synthetic": {"EMAIL": (0.99, 0.99), "IP": (0.99, 0.99), "BANK_CARD": (0.98, 0.99), "CN_ID": (0.98, 0.99),
                     "CN_MOBILE": (0.98, 0.99), "CN_LANDLINE": (0.98, 0.99)},
}  # fmt: skip


@pytest.mark.parametrize("name", FLOORS)
def test_floors(name: str, shared_data: Path) -> None:
    items = rows([shared_data], name)
    texts = [row["text"] for row in items]
    gold = [[tuple(s) for s in row["spans"] if not reserved(row["text"][s[0] : s[1]])] for row in items]
    found = winnow(texts)
    for label, (precision, recall) in FLOORS[name].items():
        labelled, _, p, r, *_ = scores(gold, found, label, LABELS[label])
        assert labelled > 0 and p >= precision and r >= recall, (label, p, r)
    assert not any(seen for true, seen, row in zip(gold, found, items, strict=True) if not row["spans"])


def test_numbers_of_all_regions_after_a_cue(shared_data: Path) -> None:
    numbers = [row for row in rows([shared_data], "phones") if row["valid"]]
    for form in ("Tel: {national}.", "电话：{national}。", "or {international} today", "or {e164} today"):
        found = winnow([form.format(**row) for row in numbers])
        share = sum(any(span[2] in PHONES for span in spans) for spans in found) / len(numbers)
        assert share >= 0.98, form


def test_numbers_of_companies_and_things_are_left(shared_data: Path) -> None:
    own = ("iban", "bitcoin", "bic", "be.iban", "me.iban", "es.iban", "mac")
    items = [row for row in rows([shared_data], "id_numbers") if row["kind"] not in own]
    found = winnow([f"See {row['number']} for more." for row in items])
    # an Argentine CUIT that begins with 20 is a man's, and a Spanish creditor's number may hold an identity card's
    assert sum(map(bool, found)) <= 3 < 0.015 * len(items)
