"""What is done with personal data once it is found: placeholder, pseudonym, surrogate, or nothing."""

from __future__ import annotations

import pyarrow as pa
import pytest

from filters.check import check
from filters.pii import KINDS, SPANS, KeyMissing, find, key_check, key_for, replaced, scrub, searched
from filters.pii.pseudonym import VARIABLE
from filters.pii.surrogate import MOST, Wanted, _draws
from filters.thresholds import set_thresholds
from recipes.load import load
from recipes.model import Recipe

KEY = "0123456789abcdef0123456789abcdef"
TEXT = (
    "write to Jo@mail.de or jo@MAIL.de; 104.16.3.9; 身份证11010519491231002X。card 4111 1111 1111 1111, 手机13812345678"
)


def arrow(*texts: str | None) -> pa.LargeStringArray:
    return pa.array(texts, pa.large_string())


def done(text: str, action: str, doc: str = "d", kinds: tuple[str, ...] = tuple(KINDS)) -> str:
    policy, texts = dict.fromkeys(kinds, action), arrow(text)
    made = replaced(texts, find(texts, searched(policy)), policy, pa.array([doc]), key_for(policy))
    told: str = made[0].as_py()
    return told


def test_a_pseudonym_is_the_same_for_the_same_value_and_only_under_the_same_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    first = done(TEXT, "pseudonym")
    names = [word.strip(";,。") for word in first.split() if "EMAIL_" in word]
    assert len(set(names)) == 1 and len(names) == 2, "spellings of one address have one name"
    assert done(TEXT, "pseudonym", doc="another") == first, "over the whole corpus"
    check_of = key_check(key_for({"email": "pseudonym"}))
    monkeypatch.setenv(VARIABLE, KEY[::-1])
    assert done(TEXT, "pseudonym") != first
    assert key_check(key_for({"email": "pseudonym"})) != check_of
    assert KEY not in str(check_of)


@pytest.mark.parametrize("given", ["", "short and secret"])
def test_without_a_good_key_nothing_begins(monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    monkeypatch.setenv(VARIABLE, given)
    with pytest.raises(KeyMissing, match=f"email.*{VARIABLE}.*at least 32") as fault:
        scrub(arrow(TEXT), {"email": "pseudonym"})
    assert not given or given not in str(fault.value)
    assert key_for({"email": "placeholder"}) is None


def test_surrogates_keep_the_shape_and_are_nobodys() -> None:
    made = done(TEXT, "surrogate")
    assert made == done(TEXT, "surrogate"), "drawn from the document's id"
    assert made != done(TEXT, "surrogate", doc="another")
    for value in ("Jo@mail.de", "104.16.3.9", "11010519491231002X", "4111 1111 1111 1111", "13812345678"):
        assert value not in made
    addresses = [word.rstrip(";") for word in made.split() if "@" in word]
    assert len(set(addresses)) == 1 and addresses[0].partition("@example.")[1], "RFC 2606; one value, one surrogate"
    card = made.split("card ")[1].split(",")[0]
    assert [len(group) for group in card.split()] == [4, 4, 4, 4]


@pytest.mark.parametrize("action", ["placeholder", "pseudonym", "surrogate"])
def test_what_was_scrubbed_is_not_scrubbed_again(monkeypatch: pytest.MonkeyPatch, action: str) -> None:
    monkeypatch.setenv(VARIABLE, KEY)
    made = done(TEXT, action)
    assert find(arrow(made), list(KINDS)).num_rows == 0
    assert made.startswith("write to ") and "身份证" in made, "what stands around stays"


def test_only_what_the_policy_names_is_replaced_and_the_rest_is_the_same_bytes() -> None:
    texts = arrow(TEXT, None, "", "nothing here")
    policy = {"email": "placeholder", "ipv4": "leave"}
    spans = find(texts, searched(policy, others=True))
    assert spans.schema == SPANS
    made = replaced(texts, spans, policy)
    assert made.to_pylist()[1:] == [None, "", "nothing here"]
    assert made[0].as_py() == TEXT.replace("Jo@mail.de", "<EMAIL>").replace("jo@MAIL.de", "<EMAIL>")
    assert replaced(texts, spans, {"ipv4": "leave"}) is texts


def test_kinds_that_are_replaced_win_over_kinds_that_are_left() -> None:
    """A mobile number is a telephone number too: who replaces only telephones does not mean to keep it."""
    assert searched({"phone": "placeholder"}, others=True)[0] == "phone"
    assert "13812345678" not in done("手机：13812345678", "placeholder", kinds=("phone",))


def test_a_limit_is_a_rule() -> None:
    tiny = {"name": "tiny", "title": "Tiny", "fidelity": "R3", "sources": ["none"]}
    recipe = Recipe.model_validate({**tiny, "scrub": {"policy": {"email": "placeholder"}, "drop_above": {"email": 5}}})
    (rule, _), *rest = recipe.placed()
    assert (rule.id, rule.signal, not rest) == ("pii.email.max.v1", "pii_email", True)
    assert Recipe.model_validate(recipe.model_dump()) == recipe, "a resolved recipe is read as it was written"
    check(recipe)
    unknown = Recipe.model_validate({**tiny, "scrub": {"drop_above": {"emial": 5}}})
    with pytest.raises(
        ValueError, match=r"scrub.drop_above names no kind of personal data: 'emial'. Did you mean email"
    ):
        check(unknown)
    for wrong in ({"email": "x"}, {"email": -1}, {"email": True}, 3):
        with pytest.raises(ValueError, match=r"scrub\.drop_above"):
            Recipe.model_validate({**tiny, "scrub": {"drop_above": wrong}})


def test_a_page_of_nothing_but_addresses_gets_so_many_surrogates_and_placeholders() -> None:
    page = " ".join(f"jo{n}@mail.de" for n in range(MOST + 20))
    made = done(page, "surrogate")
    assert (made.count("@example."), made.count("<EMAIL>")) == (MOST, 20)


@pytest.mark.parametrize(
    ("value", "begins"),
    [("+86-138-1234-5678", "+86-000-"), ("+1 650 253 0000", "+1 000 "), ("(212) 736-5000", "(000) ")],
)
def test_a_telephone_number_is_drawn_with_its_countrys_code_and_three_noughts(value: str, begins: str) -> None:
    draws = _draws(Wanted("doc", "phone", value, "", ""))
    assert len(set(draws)) == len(draws) > 1
    assert all(draw.startswith(begins) and len(draw) == len(value) for draw in draws)


def test_of_telephone_numbers_those_stand_that_the_scanner_takes_for_nothing() -> None:
    """With a country's code any number of a fitting length is found, so there the placeholder has to do."""
    made = done("Tel: (212) 736-5000, abroad +44 20 7946 0958", "surrogate")
    assert made.startswith("Tel: (000) ") and made.endswith(", abroad <PHONE>")


def test_another_action_by_set() -> None:
    changed = set_thresholds(load("fineweb"), ["scrub.email=leave", "gopher.min_words=40"])
    assert changed.scrub.policy == {"email": "leave", "ipv4": "placeholder"}
    for setting, told in (
        ("scrub.emial=leave", "Did you mean email"),
        ("scrub.email=drop", "placeholder, pseudonym, surrogate, leave"),
        ("scrub.email", "scrub.KIND=ACTION"),
    ):
        with pytest.raises(ValueError, match=told):
            set_thresholds(load("fineweb"), [setting])
    wrong = changed.model_copy(update={"scrub": changed.scrub.model_copy(update={"policy": {"e-mail": "leave"}})})
    with pytest.raises(ValueError, match=r"no kind of personal data: 'e-mail'\. Did you mean email"):
        check(wrong)
