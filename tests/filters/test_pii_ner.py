"""Names and addresses by a trained pipeline: here one of patterns, since what is tested is all that is around it."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from filters.annotate import annotate, named_columns
from filters.check import check
from filters.pii import KINDS, counted, find, replaced
from filters.pii.model_folder import digest_of
from filters.pii.ner import CHUNK, OVERLAP, batch_of, chunks, find_named, fitted, pipeline, together
from filters.pii.pseudonym import VARIABLE
from filters.rules import columns_read
from filters.thresholds import set_thresholds
from pipelines import code
from pipelines.decide import decide_part
from pipelines.parts import part_path, read_mark
from pipelines.schemas import DOCUMENTS
from pipelines.scrub import scrub_part
from recipes.model import Recipe
from recipes.scrub import Scrub
from tests.pipelines.cut_runs import Doc, recipe_of, write_run

spacy = pytest.importorskip("spacy")
PATTERNS = {
    "en": [("PERSON", "Jane Doe"), ("STREET_ADDRESS", "10 Downing Street, jo@mail.de"), ("ORG", "Acme")],
    "zh": [("PERSON", "张三丰"), ("ADDRESS", "长安街1号")],
}


@pytest.fixture(scope="module", params=["en", "zh"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(request.param, tmp_path_factory.mktemp("ner") / request.param)


def saved(lang: str, path: Path) -> Path:
    model = spacy.blank(lang)
    model.add_pipe("entity_ruler").add_patterns([{"label": label, "pattern": value} for label, value in PATTERNS[lang]])
    model.to_disk(path)
    return path


def scrub_of(folder: Path, **policy: str) -> Scrub:
    return fitted(Scrub.model_validate({"ner": str(folder), "policy": policy}))


TEXTS = {
    "en": ["😀 Dr. Jane Doe of Acme, 10 Downing Street, jo@mail.de!", None, "", "nobody"],
    "zh": ["😀联系张三丰，住长安街1号。", None, "", "没有人"],
}
VALUES = {
    "en": [("person", "Jane Doe"), ("address", "10 Downing Street, jo@mail.de")],
    "zh": [("person", "张三丰"), ("address", "长安街1号")],
}


def told(text: str, spans: pa.RecordBatch) -> list[tuple[str, str]]:
    raw = text.encode()
    return [(span["kind"], raw[span["start"] : span["end"]].decode()) for span in spans.to_pylist()]


def test_found_where_it_stands(folder: Path) -> None:
    texts, values = TEXTS[folder.name], VALUES[folder.name]
    found = find_named(pa.array(texts, pa.large_string()), scrub_of(folder))
    assert set(found["row"].to_pylist()) == {0}
    assert told(str(texts[0]), found) == values


def test_policies(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "k" * 32)
    text = pa.array(TEXTS[folder.name], pa.large_string())
    (_, name), (_, address) = VALUES[folder.name]
    made = {}
    for action in ("placeholder", "pseudonym", "surrogate"):
        scrub = scrub_of(folder, person=action, address=action, email="placeholder")
        spans = together(find(text, list(KINDS)), find_named(text, scrub), scrub.policy, text)
        made[action] = replaced(text, spans, scrub.policy).to_pylist()
        assert made[action][1:] == text.to_pylist()[1:]
        assert name not in made[action][0] and address not in made[action][0] and made[action][0].startswith("😀")
    assert "<PERSON>" in made["placeholder"][0] and "<ADDRESS>" in made["placeholder"][0]
    assert "<PERSON_" in made["pseudonym"][0] and "<ADDRESS_" in made["pseudonym"][0]
    assert "<PERSON" not in made["surrogate"][0]
    if folder.name == "en":  # the address holds one of mail: that one stays what it is
        assert made["placeholder"][0] == "😀 Dr. <PERSON> of Acme, <ADDRESS> <EMAIL>!"


def test_of_two_that_overlap_the_one_that_is_replaced_wins(folder: Path) -> None:
    text = pa.array(TEXTS["en"][:1], pa.large_string())
    scrub = scrub_of(folder, address="placeholder")
    named = find_named(text, scrub)
    both = together(find(text, list(KINDS)), named, scrub.policy, text)
    kinds = counted(both, 1, ["email", "address"])
    wanted = ([0], [1]) if folder.name == "en" else ([1], [0])
    assert (kinds["email"].tolist(), kinds["address"].tolist()) == wanted


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(["A sentence. ", "一句话。", "word ", "字" * 900, "x" * 1500, "\n", "😀", "? "]), max_size=40
    )
)
def test_pieces_cover_a_text_and_stay_short(parts: list[str]) -> None:
    text = "".join(parts)
    pieces = list(chunks(text))
    assert pieces[0][0] == 0 and pieces[-1][1] == len(text)
    assert all(0 <= end - start <= CHUNK for start, end in pieces)
    for (start, end), (after, stop) in pairwise(pieces):
        assert start < after <= end < stop and end - after <= OVERLAP
    assert len(pieces) <= 1 + len(text) // (OVERLAP // 2)


def test_what_lies_across_a_border_is_found_whole(tmp_path: Path) -> None:
    """Names at every distance from the places where a text is cut, in a text without sentences and in one with."""
    scrub = scrub_of(saved("en", tmp_path / "en"))
    for filler in ("word " * 395, "A sentence of it. " * 110):
        texts = [f"{filler}{'y ' * n} Jane Doe {filler}" for n in range(0, 40, 3)]
        found = find_named(pa.array(texts, pa.large_string()), scrub)
        assert [told(texts[row], found.filter(pa.compute.equal(found["row"], row))) for row in range(len(texts))] == [
            [("person", "Jane Doe")]
        ] * len(texts)


def test_what_cannot_be_used_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = saved("en", tmp_path / "en")
    with pytest.raises(FileNotFoundError, match=r"'person', which takes a trained model.*scrub\.ner=FOLDER"):
        fitted(Scrub.model_validate({"policy": {"person": "placeholder"}}))
    with pytest.raises(FileNotFoundError, match="There is no model"):
        scrub_of(tmp_path / "nowhere")
    with pytest.raises(ValueError, match=r"no spaCy pipeline: it has no config\.cfg"):
        scrub_of(tmp_path)
    with pytest.raises(ValueError, match="not the one that was named"):
        fitted(Scrub(ner=str(folder), ner_sha256="0" * 64))
    (folder / "extra.bin").write_bytes(b"\x80\x04\x95" + b"cos\nsystem\n")
    with pytest.raises(ValueError, match=r"extra\.bin is a pickle"):
        scrub_of(folder)
    np.save(folder / "extra.bin.npy", np.array([{}], object), allow_pickle=True)
    (folder / "extra.bin").unlink()
    with pytest.raises(ValueError, match="is a pickle"):
        scrub_of(folder)
    (folder / "extra.bin.npy").unlink()
    config = (folder / "config.cfg").read_text()
    (folder / "config.cfg").write_text(config + '\n[x]\n@architectures = "spacy-transformers.TransformerModel.v3"\n')
    with pytest.raises(ValueError, match=r"asks for spacy-transformers\.TransformerModel"):
        scrub_of(folder)
    (folder / "config.cfg").write_text("[nlp]\nlang = 7\n")
    with pytest.raises(ValueError, match="spaCy cannot read the model"):
        scrub_of(folder)
    (folder / "config.cfg").write_text(config)
    with pytest.raises(ValueError, match="knows none of the labels"):
        fitted(Scrub.model_validate({"ner": str(folder), "ner_labels": {"PERS": "person"}}))
    digest = digest_of(folder)
    (folder / "meta.json").write_text("{}")
    pipeline.cache_clear()  # as in another worker
    with pytest.raises(ValueError, match="was changed since the run began"):
        pipeline(str(folder), digest)
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(ValueError, match=r"not installed: pip install 'winnow-corpus\[ner\]'"):
        scrub_of(folder)


@pytest.mark.parametrize(
    "asked",
    [
        '[x]\n@layers = "PyTorchWrapper.v2"',
        '[x]\n@architectures = "spacy.TorchBiLSTMEncoder.v1"',
        "[x]\n@architectures: 'spacy-transformers.TransformerModel.v3'",
        '[x]\ny = {"z": [{"@layers": "PyTorchRNNWrapper.v1"}]}',
        '[x]\nname = "PyTorchWrapper.v2"\n[y]\n@layers = ${x.name}',
        '[x]\nname = "MXNetWrapper.v1"\n[y]\nz = {"@layers": ${x.name}}',
        '[x]\n@architectures = "elsewhere.Model.v1"',
        '[components.x]\nfactory = "curated_transformer"',
    ],
)
def test_other_frameworks_are_refused_however_they_are_named(tmp_path: Path, asked: str) -> None:
    folder = saved("en", tmp_path / "en")
    with (folder / "config.cfg").open("a") as config:
        config.write(f"\n{asked}\n")
    with pytest.raises(ValueError, match=r"asks for .*of PyTorch or another package"):
        digest_of(folder)


def test_archives_of_plain_arrays_are_read_and_no_others(tmp_path: Path) -> None:
    """As the Chinese pipelines with pkuseg have one."""
    folder = saved("zh", tmp_path / "zh")
    weights = folder / "tokenizer" / "weights.npz"
    weights.parent.mkdir(exist_ok=True)
    np.savez_compressed(weights, a=np.arange(3), b=np.zeros((2, 2), "f4"))
    assert len(digest_of(folder)) == 64
    fields = np.zeros(1, [*((f"field_{n}", "f8") for n in range(40)), ("last", object)])
    for bad in ({"a": np.arange(3), "b": np.array([{}], object)}, {"a": fields}):
        np.savez(weights, **bad)
        with pytest.raises(ValueError, match=r"weights\.npz is a pickle or an archive"):
            digest_of(folder)
    with zipfile.ZipFile(weights, "w") as archive:
        archive.writestr("data.pkl", b"\x80\x04\x95")
    with pytest.raises(ValueError, match="is a pickle or an archive"):
        digest_of(folder)
    weights.unlink()
    np.save(folder / "fields.npy", fields)
    with pytest.raises(ValueError, match="is a pickle"):
        digest_of(folder)


def test_every_part_of_a_layered_pipeline_of_spacy_is_let_through(tmp_path: Path) -> None:
    for lang in ("en", "zh"):
        model = spacy.blank(lang)
        for name in ("tok2vec", "tagger", "parser", "ner", "textcat", "spancat"):
            model.add_pipe(name)
        model.to_disk(tmp_path / lang, exclude=["tok2vec", "tagger", "parser", "ner", "textcat", "spancat"])
        assert len(digest_of(tmp_path / lang)) == 64


def test_a_text_is_read_once_for_all_its_names() -> None:
    class Column(list[str]):
        read = 0

        def __getitem__(self, row: object) -> Any:
            self.read += 1
            return pa.scalar(super().__getitem__(row), pa.large_string())  # type: ignore[index]

    text = Column(["Jane jo@mail.de Doe " * 50] * 2)
    values = [(row, 20 * n + 5, 20 * n + 15, "email", None) for row in (0, 1) for n in range(50)]
    names = [(row, 20 * n, 20 * n + 19, "person", None) for row in (0, 1) for n in range(50)]
    both = together(batch_of(values), batch_of(names), {"email": "placeholder"}, text)  # type: ignore[arg-type]
    assert both.num_rows == 300 and text.read == 2


@pytest.mark.parametrize("library", ["spacy", "thinc"])
def test_another_library_finds_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: str
) -> None:
    write_run(tmp_path, [[Doc("a", "x")]])
    recipe = recipe_of().model_copy(update={"scrub": scrub_of(folder, person="placeholder")})
    decide_part(0, str(tmp_path), recipe)
    scrub_part(0, str(tmp_path), recipe)
    path = part_path(str(tmp_path), "personal", 0)
    before = read_mark(path)
    monkeypatch.setattr(code, "version", lambda name: "9" if name == library else version(name))
    code.model_libraries.cache_clear()
    scrub_part(0, str(tmp_path), recipe)
    code.model_libraries.cache_clear()
    assert read_mark(path) != before


def test_what_decides_spans_is_named_in_every_fingerprint() -> None:
    assert {"phonenumbers", "python-stdnum", "google-re2", "faker"} <= code.library_versions().keys()


def test_a_run_finds_counts_and_replaces(folder: Path, tmp_path: Path) -> None:
    name = VALUES[folder.name][0][1]
    write_run(tmp_path, [[Doc("a", f"一二三 {name} 😀 jo@mail.de"), Doc("b", "nothing")]])
    recipe = recipe_of().model_copy(update={"scrub": scrub_of(folder, person="placeholder")})
    decide_part(0, str(tmp_path), recipe)
    counts = scrub_part(0, str(tmp_path), recipe)
    kept = pq.read_table(part_path(str(tmp_path), "kept", 0))
    assert kept["text"].to_pylist() == ["一二三 <PERSON> 😀 jo@mail.de", "nothing"]
    assert kept["pii_person"].to_pylist() == [1, 0] and counts["pii_person"] == 1
    assert pq.read_table(part_path(str(tmp_path), "personal", 0))["kind"].to_pylist() == ["person", "email"]
    left = recipe.model_copy(update={"scrub": recipe.scrub.model_copy(update={"policy": {"person": "leave"}})})
    scrub_part(0, str(tmp_path), left)
    assert pq.read_table(part_path(str(tmp_path), "kept", 0))["text"].to_pylist()[0] == f"一二三 {name} 😀 jo@mail.de"


def test_a_limit_is_a_rule_on_what_the_model_counts(folder: Path) -> None:
    name = VALUES[folder.name][0][1]
    scrub = {"ner": str(folder), "drop_above": {"person": 1}}
    recipe = Recipe.model_validate({**recipe_of().model_dump(exclude_none=True), "scrub": scrub})
    check(recipe)
    recipe = recipe.model_copy(update={"scrub": fitted(recipe.scrub)})
    given = {"doc_id": "d", "text": f"{name} , {name}", "url": "https://a.example.org/"}
    documents = pa.RecordBatch.from_pylist([{name: given.get(name) for name in DOCUMENTS.names}], DOCUMENTS)
    measured = annotate(documents, [recipe])
    assert measured["pii_person"].to_pylist() == [2]
    assert columns_read(recipe).count("pii_person") == 1
    assert named_columns([recipe_of()]) == []


def test_settings_from_the_command_line() -> None:
    recipe = set_thresholds(recipe_of(), ["scrub.ner=model", "scrub.person=pseudonym", "scrub.address=leave"])
    assert (recipe.scrub.ner, recipe.scrub.policy) == ("model", {"person": "pseudonym", "address": "leave"})
    limited = Recipe.model_validate(
        {**recipe_of().model_dump(exclude_none=True), "scrub": {"drop_above": {"person": 1}}}
    )
    with pytest.raises(ValueError, match=r"drop_above\.person wants a trained model"):
        check(limited)


def test_without_a_model_spacy_is_not_imported() -> None:
    code = "import sys, pipelines.scrub, pipelines.annotate, filters.signals; sys.exit('spacy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=120).returncode == 0
