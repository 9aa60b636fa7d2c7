"""Numbers and addresses in full-width signs and in other scripts' digits: found where they stand, byte for byte."""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from stdnum import iban, numdb

from filters.bytewise import buffers
from filters.pii import KINDS, find, key_for, replaced, scrub, searched
from filters.pii.fold import PLAIN, folded
from filters.pii.pseudonym import VARIABLE

WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}
FOUND = [
    ("cn_mobile", "😀手机：«１３８１２３４５６７８»，谢谢"),
    ("cn_mobile", "联系«（＋８６）１３８１２３４５６７８»。"),
    ("cn_id", "身份证«１１０１０５１９４９１２３１００２Ｘ»。"),
    ("cn_landline", "电话：«（０１０）６２３４５６７８»😀"),
    ("email", "邮箱：«ｌｉ＿ｎａ＠ｑｑｐｏｓｔ．ｃｎ»；"),
    ("credit_card", "卡号 «４１１１ １１１１　１１１１ １１１１»"),
    ("cn_bank_card", "银行卡«６２２２０２１２３４５６７８９０１２８»。"),
    ("iban", "ＩＢＡＮ «ＤＥ８９ ３７０４ ００４４ ０５３２ ０１３０ ００»"),
    ("ipv4", "服务器«１０４．１６．３．９»"),
    ("qq", "QQ：«１２３４５６７８９»"),
    ("plate", "车牌«京Ａ１２３４５»，"),
    ("passport", "护照号码«Ｇ１２３４５６７８»。"),
    ("phone", "هاتف: «٠١٢٣٤٥٦٧٨٩٠» x"),
    ("phone", "фон «+४४ २० ७९४६ ०९५८»"),
    ("us_ssn", "SSN «𝟓𝟑𝟔-𝟐𝟐-𝟏𝟐𝟑𝟒»."),
]
LEFT = ["２０２３年１０月１２日，共１２３４５６７８９０１人", "订单编号１３８１２３４５６７８", "身份证１１０１０５１９４９１２３１００２１",
        "＠＠，：（）．－", "全角ＡＢＣ，半角abc：（x）。", "ＵＳＥＲ＠ｅｘａｍｐｌｅ．ｃｏｍ"]  # fmt: skip


def spans(text: str) -> list[tuple[str, str]]:
    raw = text.encode()
    found = find(pa.array(["前１", text], pa.large_string()).slice(1), list(KINDS)).to_pylist()
    return [(span["kind"], raw[span["start"] : span["end"]].decode()) for span in found]


@pytest.mark.parametrize(("kind", "text"), FOUND)
def test_found_where_it_stands(kind: str, text: str) -> None:
    value = text[text.index("«") + 1 : text.index("»")]
    assert spans(text.replace("«", "").replace("»", "")) == [(kind, value)]


@pytest.mark.parametrize("text", LEFT)
def test_what_is_left_in_ascii_is_left(text: str) -> None:
    assert spans(text) == []


def test_the_table_is_unicodes() -> None:
    """Every decimal digit that Unicode has, and all of the full-width letters."""
    digits = [chr(code) for code in range(128, 0x20000) if unicodedata.category(chr(code)) == "Nd"]
    assert len(digits) > 600
    assert all(digit.translate(PLAIN) == str(unicodedata.digit(digit)) for digit in digits)
    letters = "".join(chr(code) for code in range(0x21, 0x7F) if chr(code).isalnum())
    assert letters.translate(WIDE).translate(PLAIN) == letters


@settings(max_examples=200, deadline=None)
@given(st.lists(st.text("ab1９Ａ٣०𝟓😀中é，。：（＠．－　 ", max_size=30), max_size=5))
def test_every_place_of_the_copy_leads_back(texts: list[str]) -> None:
    """Character by character: what was not folded is the same in both, what was is its ASCII."""
    data, bounds = buffers(pa.array(texts, pa.large_string()))
    short = folded(data, bounds)
    if short is None:
        assert not any(
            c.translate(PLAIN).isalnum() and not c.isascii() for text in texts for c in text if ord(c) in PLAIN
        )
        return
    copy, ends, folds = short
    assert folds.back(ends).tolist() == bounds.tolist()
    for row, text in enumerate(texts):
        made = bytes(copy[ends[row] : ends[row + 1]]).decode()
        assert len(made) == len(text)
        for character, other in zip(text, made, strict=True):
            plain = character.translate(PLAIN)
            assert other == plain if plain.isalnum() else other in (plain, character)


def test_policies_act_on_what_stood_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "k" * 32)
    text = pa.array(["手机：１３８１２３４５６７８，又13812345678；邮箱ｊｏ＠mail.de。"], pa.large_string())
    assert (
        scrub(text, dict.fromkeys(KINDS, "placeholder")).text[0].as_py()
        == "手机：<CN_MOBILE>，又<CN_MOBILE>；邮箱<EMAIL>。"
    )
    policy = dict.fromkeys(KINDS, "pseudonym")
    made = replaced(text, find(text, searched(policy)), policy, key=key_for(policy))[0].as_py()
    assert made.split("，又")[0].removeprefix("手机：") == made.split("，又")[1].split("；")[0], "one value, one name"
    policy = dict.fromkeys(KINDS, "surrogate")
    made = replaced(text, find(text, searched(policy)), policy)[0].as_py()
    assert "@example." in made and "１３８" not in made


SIGNS = {"n": "0123456789", "a": "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "c": "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"}
COUNTRIES = {code: info["bban"] for _, code, _, info, _ in numdb.get("iban").prefixes}


@st.composite
def accounts(draw: st.DrawFn) -> str:
    """A valid IBAN of any country, in groups of two and more with one sign between them."""
    country = draw(st.sampled_from(sorted(COUNTRIES)))
    bban = "".join(
        draw(st.text(SIGNS[kind], min_size=int(count), max_size=int(count)))
        for count, kind in re.findall(r"(\d+)!([nac])", COUNTRIES[country])
    )
    number = country + iban.calc_check_digits(f"{country}00{bban}") + bban
    assume(iban.is_valid(number))
    sign, parts = draw(st.sampled_from([" ", "-", ".", "\xa0"])), []
    while number:
        size = draw(
            st.integers(2, 12).filter(lambda n, first=not parts: not first or n != 3)
        )  # check digits stay together
        size = len(number) if len(number) - size < 2 else size
        parts, number = [*parts, number[:size]], number[size:]
    return sign.join(parts)


@settings(max_examples=200, deadline=None)
@given(accounts(), st.booleans())
def test_accounts_of_every_country_in_any_groups(account: str, wide: bool) -> None:
    account = account.translate(WIDE) if wide else account
    raw = f"账号 {account}。".encode()
    (found,) = find(pa.array([raw.decode()], pa.large_string()), ["iban"]).to_pylist()
    assert raw[found["start"] : found["end"]].decode() == account
    assert found["country"] == account[:2].translate(PLAIN)
