"""Prose, near-copies of it at a wanted Jaccard, and personal data planted in it; all from a seeded Random."""

from __future__ import annotations

from functools import cache
from random import Random
from typing import Any

from faker import Faker
from stdnum import luhn
from stdnum.cn import ric

from dedup.shingles import true_jaccard
from pipelines.sample.words import LANGUAGES, LOCALES

SPACELESS = ("zh", "ja")
Planted = dict[str, Any]


@cache
def names(lang: str) -> tuple[list[str], list[str]]:
    """People and places of a locale, the same list in every process."""
    faker = Faker(LOCALES[lang])
    faker.seed_instance(1234)
    return [faker.last_name() for _ in range(300)], [faker.city() for _ in range(300)]


def sentence(lang: str, random: Random) -> str:
    """One sentence."""
    words = LANGUAGES[lang]
    people, places = names(lang)
    slots = {key: random.choice(words[key]) for key in "ANMV"}
    filled = {
        **slots,
        "P": random.choice(people),
        "C": random.choice(places),
        "D": str(random.randint(2, 9999)),
    }
    return random.choice(words["S"]).format(**filled)


def prose(lang: str, random: Random, sentences: int) -> list[str]:
    """Paragraphs of two to six sentences."""
    paragraphs = []
    while sentences > 0:
        size = min(random.randint(3, 6), sentences)
        made = [sentence(lang, random) for _ in range(size)]
        paragraphs.append(("" if lang in SPACELESS else " ").join(made))
        sentences -= size
    return paragraphs


def near_copy(lang: str, random: Random, paragraphs: list[str], jaccard: float) -> list[str]:
    """Replace sentences from the end until the Jaccard of word 5-grams falls to `jaccard` or just below."""
    joint = "" if lang in SPACELESS else " "
    ends = "。" if lang in SPACELESS else ". "
    copy = [p.replace(ends, ends + "\0").split("\0") for p in paragraphs]
    flat = [(i, j) for i, sentences in enumerate(copy) for j, s in enumerate(sentences) if s.strip()]
    original = "\n".join(paragraphs)
    for i, j in reversed(flat):
        copy[i][j] = sentence(lang, random) + joint
        current = ["".join(s).strip() for s in copy]
        if true_jaccard(original, "\n".join(current), 5) <= jaccard + 0.02:
            return current
    return ["".join(s).strip() for s in copy]


def card(random: Random) -> str:
    """A Visa number that passes Luhn."""
    head = "4" + "".join(str(random.randint(0, 9)) for _ in range(14))
    return head + luhn.calc_check_digit(head)


def resident_id(random: Random) -> str:
    """A Chinese resident id with a real region, a date and its checksum."""
    head = f"{random.choice(['110101', '310101'])}{random.randint(1955, 2003)}"
    head += f"{random.randint(1, 12):02d}{random.randint(1, 28):02d}{random.randint(0, 999):03d}"
    return head + ric.calc_check_digit(head + "0")  # it wants the digit's own place filled


def public_ip(random: Random) -> str:
    """An IPv4 address in the ranges of large hosts."""
    return f"{random.choice([8, 23, 52, 91, 104])}.{random.randint(1, 254)}.{random.randint(1, 254)}.{random.randint(1, 254)}"


def personal(lang: str, random: Random) -> list[tuple[str, str, str]]:
    """(kind, value, sentence) of planted personal data."""
    user = f"{random.choice('abcdefghklmnprstw')}{random.randint(100, 99999)}"
    mail = f"{user}.{random.choice(['office', 'info', 'home'])}@{random.choice(['qqpost.cn', 'mailhaus.de', 'webmail.net'])}"
    made = [("email", mail), ("credit_card", card(random)), ("ipv4", public_ip(random)), ("cn_id", resident_id(random)),
            ("cn_mobile", f"1{random.choice('3578')}{random.randint(0, 9)}{random.randint(0, 99999999):08d}")]  # fmt: skip
    zh = {"email": "请发邮件到{}与我们联系。", "credit_card": "付款卡号为{}，请核对。", "ipv4": "服务器地址是{}，请保存。",
          "cn_id": "身份证号码{}已经登记。", "cn_mobile": "请拨打手机{}咨询详情。"}  # fmt: skip
    en = {"email": "Write to {} for details.", "credit_card": "The card {} was charged again.",
          "ipv4": "The server at {} answered.", "cn_id": "The resident id {} was on file.",
          "cn_mobile": "Please call mobile {} to ask."}  # fmt: skip
    templates = zh if lang == "zh" else en
    return [(kind, value, templates[kind].format(value)) for kind, value in random.sample(made, 2)]


def lookalike(lang: str, random: Random) -> tuple[str, str, str]:
    """(kind, value, sentence) of what looks like personal data and is none."""
    wrong = card(random)
    wrong = wrong[:-1] + str((int(wrong[-1]) + random.randint(1, 9)) % 10)
    bad_id = resident_id(random)
    bad_id = bad_id[:-1] + ("5" if bad_id[-1] != "5" else "6")
    made = [("private_ip", f"192.168.{random.randint(0, 255)}.{random.randint(1, 254)}"), ("bad_card", wrong),
            ("bad_cn_id", bad_id), ("example_mail", f"user{random.randint(1, 999)}@example.com"),
            ("order", f"2023{random.randint(10**11, 10**12 - 1)}"), ("date", "2021-03-14 15:09:26")]  # fmt: skip
    kind, value = random.choice(made)
    return (
        kind,
        value,
        f"订单编号{value}已经完成。" if lang == "zh" else f"The order number {value} was closed.",
    )
