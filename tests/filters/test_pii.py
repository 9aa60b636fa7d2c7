"""Personal data: found where it is, left alone where it only looks like it, in bounded time, and never quoted.

Numbers are made here with right and wrong check digits; none belongs to anybody.
"""

from __future__ import annotations

import time

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.pii import KINDS, SPANS, find, scrub
from filters.pii.convict import RULES
from filters.pii.secrets import tokens

PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEAz1\nq8Zk3Jf0aB2cD4eF6\n-----END RSA PRIVATE KEY-----"
FOUND = {
    "private_key": [f"key:\n«{PEM}»\nend"],
    "secret": ["«ghp_9aK2mQx7Lw4Zt8Rb1Vn5Yc3Hd6Jf0GsPe2Ui»", "export AWS=«AKIAQ4JXN7RTVBZM2LPD» now",
               "api_key = '«f8Kd93jfLq02mXz7Rt5W»'", "twitch: «q8zk3jf0ab2cd4ef6gh1ij7kl5mn9p»"],
    "email": ["write to «jane.doe+x@mail.co.uk» now", "邮箱«li_na@qqpost.cn»。", "«иван@почта.рф» и", "邮箱：«张三@例子.公司»，",
              "写信给«li＠qq．com»吧", "«name [at] host [dot] com»", "«name(at)host.com» or", "mail «john at gmail dot com» ok",
              "see «info@acme.com»Phone", "«jörg@müller.de»,", "me: «user@xn--80ak6aa92e.com»"],
    "mac": ["MAC «0a:23:f5:67:89:ac» up", "«00-1A-2B-3C-4D-5E»", "is «aabb.ccdd.eeff»."],
    "ipv6": ["at «2a00:1450:4001:81b::200e» it", "[«2606:4700:4700::1111»]:80"],
    "ipv4": ["from «8.8.8.8» today", "服务器«104.16.3.9»已", "http://«151.101.1.69»:80/", "«203.119.25.1»"],
    "bitcoin": ["to «1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa» please", "«bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq»"],
    "ethereum": ["send to «0x52908400098527886E0F7030069857D2E4169EE7»."],
    "iban": ["pay «DE89 3704 0044 0532 0130 00» please", "IBAN «GB82WEST12345698765432».", "iban «gb82west12345698765432»",
             "IBAN «BE32 123-4567890-02»", "to «ME 2551 0000 0000 0623 4133» now", "«IT60 X 05428 11101 000000123456»",
             "«DE89\u00a03704\u00a00044\u00a00532\u00a00130\u00a000» ok", "«DE 89-370400440532013000»。"],
    "swift": ["SWIFT: «DEUTDEFF500»", "BIC code «POFICHBEXXX» in"],
    "cn_id": ["身份证«11010519491231002X»。", "号码«440305198001010013»，", "身份证号：«110105491231002»。"],
    "national_id": ["DNI «12345678Z»", "CPF «390.533.447-05» ok", "hetu «131052-308T»", "PESEL «44051401458».", "cf «RSSMRA85T10A562S»",
                    "«S1234567D» ic", "身分證字號 «A123456789»", "香港身份證：«A123456(3)»", "ID «65070803A019»",
                    "my SIN is «130 692 544»", "«811218-9876» mitt", "BSN «111222333»", "aadhaar «2341 2341 2346»"],
    "us_ssn": ["ssn «536-22-1234».", "SSN «536221234»"],
    "us_itin": ["itin «912-72-1234»"],
    "uk_nino": ["no «AB 12 34 56 C» of", "NI number «AB123456C»"],
    "passport": ["passport number: «E12345678»", "护照号码«G12345678»。", "Reisepass «C01X00T47»"],
    "cn_bank_card": ["银行卡«6222021234567890128»。", "卡号 «6222 0212 3456 7890 128»"],
    "credit_card": ["card «4111 1111 1111 1111» ok", "卡号«4111111111111111»，", "card # «5500005555555559»", "«3782-822463-10005»"],
    "cn_mobile": ["手机«13812345678»，", "«+86 138-1234-5678»", "找我«138 1234 5678»吧", "Tel«13812345678»"],
    "hk_mobile": ["«+852 9123 4567»", "香港電話：«9123 4567»"],
    "tw_mobile": ["手機«0912-345-678»", "«+886 912 345 678»"],
    "cn_landline": ["电话：«010-62345678»", "传真«(0755)26712345»"],
    "phone": ["call «+44 20 7946 0958» now", "Tel: «(212) 736-5000»", "at «212-736-5000 ext. 12»", "Tél : «01 42 68 53 00»",
              "《電話》«03-3211-1234»", "«212-736-5000» fax"],
    "qq": ["QQ：«123456789»", "加扣扣 «88271635»"],
    "wechat": ["微信号：«abc_12345»", "WeChat ID: «li-na88»"],
    "plate": ["车牌«京A12345»，", "«粤BD12345»", "number plate «AB51 ABC»"],
}  # fmt: skip
LEFT = [
    "mail user@example.com", "icon@2x.png", "@user and a@b", "git@github.com:a/b.git", "at 192.168.1.1 and 10.0.0.1",
    "version 1.2.3.4", "\n6.7.3.1 Packages from servers", "kernel 8.8.8.8.8", "198.51.100.7", "2001:db8::1", "fe80::1", "12:34:56",
    "std::vector::size", "::1:123", "FF:FF:FF:FF:FF:FF", "4111 1111 1111 1112", "order number 4111111111111111",
    "0.4444444444444448", "订单编号13812345678", "流水号440305200207240365", "身份证110105194912310021",
    "DE89 3704 0044 0532 0130 01", "BE32 123-4567890-03", "me 2551 0000 0000 0623 4133",
    "DE89 3704 0044 0532 0130 000", "IT60 X 0 5 4 2 8 11101 000000123456", "BE32 123-4567890-02-1", "2021-03-14 15:09:26", "2004 – 2014", "call 2021-03-14", "calling host 192.168.62.43", "as in Section  6.2.4.3 of the server", "ISBN 978-3-16-148410-0",
    "price $1,234,567.00", "doi 10.1000/182", "1111111111111111", "2023123456789012345", "(p: 244-245)", "客服热线400-820-8820",
    "版本号 2.13.812.3456", "快递单号 SF1381234567890", "12345678A", "536-00-1234", "912-93-1234", "AB 12 34 56 E", "GB 12 34 56 A",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb", "tx 0x52908400098527886E0F7030069857D2E4169EE7", "E12345678", "the swift river",
    "wxALIGN_TOP2", "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b", "key = 'primary_key_of_table_2'", "京东12345",
    "AKIAIOSFODNN7EXAMPLE", "3.14159265358979", "一共9812345678元", "2270-66-1551",
]  # fmt: skip
EVERY = list(KINDS)


def spans(text: str) -> list[tuple[str, str]]:
    raw = text.encode()
    found = find(pa.array([text], pa.large_string()), EVERY).to_pylist()
    return [(span["kind"], raw[span["start"] : span["end"]].decode()) for span in found]


@pytest.mark.parametrize(("kind", "text"), [(k, t) for k, ts in FOUND.items() for t in ts])
def test_found(kind: str, text: str) -> None:
    value = text[text.index("«") + 1 : text.index("»")]
    assert spans(text.replace("«", "").replace("»", "")) == [(kind, value)]


@pytest.mark.parametrize("text", LEFT)
def test_left_alone(text: str) -> None:
    assert spans(text) == []


def test_every_kind_has_a_case() -> None:
    assert set(FOUND) == set(KINDS)


@pytest.mark.parametrize(
    "value", ["6222021234567890128", "11010519491231002X", "13812345678", "DE89370400440532013000"]
)
def test_a_part_of_a_longer_code_is_left(value: str) -> None:
    for text in (f"9{value}", f"{value}7", f"AB-{value}", f"{value}-9", f"x_{value}", f"1.{value}"):
        assert not [found for _, found in spans(text) if found in (value, text)]


def test_checksums_decide() -> None:
    for kind, value in (("cn_id", "11010519491231002X"), ("cn_bank_card", "6222021234567890128"),
                        ("iban", "DE89370400440532013000"), ("national_id", "RSSMRA85T10A562S")):  # fmt: skip
        last = value[-1]
        others = [c for c in ("ABCDEFGHIJKLMNOPQRSTUVWXYZ" if kind == "national_id" else "0123456789") if c != last]
        assert (kind, value) in spans(f"号 {value}。")
        assert not any(kind == k for c in others for k, _ in spans(f"号 {value[:-1]}{c}。"))


def test_countries_are_named() -> None:
    text = pa.array(["DNI 12345678Z, +44 20 7946 0958, DE89 3704 0044 0532 0130 00, a@mail.de"], pa.large_string())
    assert find(text, EVERY)["country"].to_pylist() == ["ES", "GB", "DE", None]


def test_batches_rows_and_kinds() -> None:
    text = pa.array(["", None, "我 a@mail.de 8.8.8.8x", "+", "b@mail.de"], pa.large_string())
    found = find(text.slice(1), ["email"])
    assert found.schema == SPANS
    assert found.to_pylist() == [
        {"row": 1, "start": 4, "end": 13, "kind": "email", "country": None},
        {"row": 3, "start": 0, "end": 9, "kind": "email", "country": None},
    ]
    assert find(text, []).num_rows == find(text.slice(0, 0), EVERY).num_rows == 0
    with pytest.raises(ValueError, match="no kind of personal data 'emails'"):
        find(text, ["emails"])


def test_values_stay_within_their_row() -> None:
    cut = pa.array(["电话：13", "45678，a@", "mail.de 4111 1111", "1111 1111 passport", "E12345678"], pa.large_string())
    assert find(cut, EVERY).num_rows == 0


PIECES = [*LEFT, *(t.replace("«", "").replace("»", "") for ts in FOUND.values() for t in ts)]


@settings(max_examples=120, deadline=None)
@given(
    st.lists(st.sampled_from([*PIECES, "\n", " ", "字", "@@", "1" * 30, "号", "+", "(", "Tel: "]), max_size=8),
    st.data(),
)
def test_spans_are_in_order_on_borders_of_characters(pieces: list[str], data: st.DataObject) -> None:
    whole = "".join(data.draw(st.sampled_from(["", " ", "，"])) + piece for piece in pieces)
    text = pa.array([whole, whole[::2]], pa.large_string())
    ends = [0, 0]
    for span in find(text, EVERY).to_pylist():
        raw = text[span["row"]].as_py().encode()
        assert ends[span["row"]] <= span["start"] < span["end"] <= len(raw)
        raw[: span["start"]].decode(), raw[: span["end"]].decode()
        ends[span["row"]] = span["end"]


FAR = "\n" + "and so it went on and on for a while, as such things do; " * 2 + "\n"


@settings(max_examples=120, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=6))
def test_scrubbing_twice_changes_nothing(pieces: list[str]) -> None:
    text = pa.array([FAR.join(pieces)], pa.large_string())  # nearer, what one value hid may be a cue of the next
    policy = dict.fromkeys(KINDS, "placeholder")
    once = scrub(text, policy).text
    assert scrub(once, policy).text.equals(once)


def test_placeholders_match_nothing() -> None:
    for kind in KINDS.values():
        for text in (
            kind.placeholder,
            f"Tel: {kind.placeholder}，微信：{kind.placeholder} passport {kind.placeholder}",
        ):
            assert spans(text) == []


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="0123456789 .-+()@:abAB\n中。x", max_size=300))
def test_any_text_is_read(text: str) -> None:
    find(pa.array([text], pa.large_string()), EVERY)


@pytest.mark.parametrize(
    "unit", ["7", "a@", "1.1.1.1.", "(", "12-34 ", "::", "1A1zP1eP5QGefi2", "微信QQ", "a-b_", "-----BEGIN "]
)
def test_hostile_lines_are_bounded(unit: str) -> None:
    text = pa.array([unit * (1_000_000 // len(unit))], pa.large_string())
    find(pa.array(["warm"], pa.large_string()), EVERY)
    start = time.process_time()
    find(text, EVERY)
    assert time.process_time() - start < 15  # about a tenth of it; a quadratic step takes hours


def test_tables_hold_what_they_claim() -> None:
    assert {rule.kind for rule in RULES} <= set(KINDS)
    assert all(k.placeholder.startswith("<") and k.source and k.doc and k.validated for k in KINDS.values())
    assert len(tokens().rules) > 120 and all(rule.pattern.groups >= 1 for rule in tokens().rules)


def test_policies_and_counts() -> None:
    text = pa.array(["a@mail.de b@mail.de 8.8.8.8 from", None, ""], pa.large_string())
    done = scrub(text, {"email": "placeholder", "ipv4": "leave"})
    assert done.text.to_pylist() == ["<EMAIL> <EMAIL> 8.8.8.8 from", None, ""]
    assert done.counts["email"].tolist() == [2, 0, 0]
    assert done.counts["ipv4"].tolist() == [1, 0, 0]
    with pytest.raises(ValueError, match="no kind of personal data: 'emails'"):
        scrub(text, {"emails": "leave"})
