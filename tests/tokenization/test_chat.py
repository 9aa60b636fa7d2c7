"""Chat data: what is learnt is exactly the answers, and only a template writes special tokens."""

from __future__ import annotations

import base64
import gzip
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
import sentencepiece
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer as Library

from tokenization.chat.conversations import Bad, Message, conversation
from tokenization.chat.encode import QWEN, ChatTokenizer, Encoded, with_specials
from tokenization.chat.lines import lines
from tokenization.chat.template import BUILT_IN, Template, load_template
from tokenization.chat.write import ChatOptions, write_chat
from tokenization.load import load_reference as load
from tokenization.manifest import Manifest, file_sha256
from tokenization.sentence_piece import SentencePiece
from tokenization.shuffle import order_keys
from tokenization.train import train_bpe

TEXTS = [
    "The quick brown fox, 12345 times: don't stop.",
    "我们喜欢机器学习，不是吗？今天天气很好。",
    "emoji 🙂👩‍👩‍👧 \t\n\n tabs",
]
SPELLINGS = sorted({spelling for _, specials in BUILT_IN.values() for spelling in specials} | {"<|endoftext|>", "</s>"})
# A template that ends a turn by no token at all, one whose blanks lie before it, and one that transformers marks up.
PLAIN = Template("plain", "{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}")
BLANK = Template(
    "blank", "{% for m in messages %}[{{ m.role }}] {{ m.content }} <|eot|>\n{% endfor %}", ["<|eot|>"]
)  # fmt: skip
MARKED = Template(
    "marked",
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{% if m.role == 'assistant' %}{% generation %}"
    "{{ m.content.strip() }}<|im_end|>{% endgeneration %}{% else %}{{ m.content }}<|im_end|>{% endif %}\n{% endfor %}",
    ["<|im_start|>", "<|im_end|>"],
)
TEMPLATES = [*(load_template(name) for name in BUILT_IN), PLAIN, BLANK, MARKED]
ENDS = {
    "chatml": "<|im_end|>",
    "llama3": "<|eot_id|>",
    "deepseek": "<｜end▁of▁sentence｜>",
    "blank": " <|eot|>",
    "marked": "<|im_end|>",
}
STRIPS = {"llama3": ("system", "user", "assistant"), "marked": ("assistant",)}


def make_json(folder: Path) -> Path:
    (folder / "tokenizer.json").write_text(train_bpe(TEXTS * 3, 400))
    return folder / "tokenizer.json"


def make_ranks(folder: Path) -> Path:
    tokens = [*(bytes([i]) for i in range(256)), b"\n\n", b"ab", "我们".encode()[:4]]
    (folder / "own.tiktoken").write_bytes(b"".join(base64.b64encode(t) + b" %d\n" % i for i, t in enumerate(tokens)))
    return folder / "own.tiktoken"


def make_model(folder: Path) -> Path:
    out = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS * 5), model_writer=out, vocab_size=360, byte_fallback=True, minloglevel=9,
        normalization_rule_name="identity", remove_extra_whitespaces=False, hard_vocab_limit=False,
        control_symbols=["<|im_start|>", "<|im_end|>"], user_defined_symbols=["<|eot|>"],
    )  # fmt: skip
    (folder / "sp.model").write_bytes(out.getvalue())
    return folder / "sp.model"


MAKERS = {"json": make_json, "ranks": make_ranks, "model": make_model}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return {name: make(tmp_path_factory.mktemp("chat")) for name, make in MAKERS.items()}


@pytest.fixture(scope="module", params=[(maker, template) for maker in MAKERS for template in TEMPLATES],
                ids=lambda pair: f"{pair[0]}-{pair[1].name}")  # fmt: skip
def tokenizer(
    request: pytest.FixtureRequest, files: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> ChatTokenizer:
    maker, template = request.param
    return tokenizer_for(files[maker], template, tmp_path_factory.mktemp("own"))


def tokenizer_for(file: Path, template: Template, folder: Path) -> ChatTokenizer:
    copy = folder / file.name
    copy.write_bytes(with_specials(file.read_bytes(), template, load(file)))
    return ChatTokenizer(load(copy), template, add=True)


def encode(tokenizer: ChatTokenizer, messages: list[Message]) -> Encoded:
    return tokenizer.encode([tokenizer.stretches(messages)])[0]


def spans(encoded: Encoded) -> list[tuple[int, int]]:
    return [(int(a), int(b)) for a, b in encoded.answers.reshape(-1, 2)]


def is_sentence_piece(tokenizer: ChatTokenizer) -> bool:
    return isinstance(tokenizer.engine, SentencePiece)


def shown(template: Template, message: Message) -> str:
    return message.content.strip() if message.role in STRIPS.get(template.name, ()) else message.content


content = st.lists(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters="▁\ue000\ue001"), max_size=12),
        st.sampled_from([*SPELLINGS, "我们喜欢", "👩‍👩‍👧", "\n\n", " ", "ab", "assistant\n"]),
    ), max_size=5,
).map("".join)  # fmt: skip
turns = st.lists(st.tuples(content, content.filter(str.strip), st.booleans()), min_size=1, max_size=3)


def as_messages(system: str, turns: list[tuple[str, str, bool]]) -> list[Message]:
    said = [Message("system", system, False)]
    for asked, answered, learnt in turns:
        said += [Message("user", asked, False), Message("assistant", answered, learnt)]
    return said


@settings(max_examples=15, deadline=None)
@given(system=content, turns=turns)
def test_what_is_learnt_decodes_to_exactly_the_answers(
    tokenizer: ChatTokenizer, system: str, turns: list[tuple[str, str, bool]]
) -> None:
    template, messages = tokenizer.template, as_messages(system, turns)
    encoded = encode(tokenizer, messages)
    learnt = [m for m in messages if m.learnt]
    found = [tokenizer.decode(encoded.ids[a:b]) for a, b in spans(encoded)]
    blank = " " if is_sentence_piece(tokenizer) else "▁"  # its letter for a blank
    expected = [shown(template, m).replace("▁", blank) + ENDS.get(template.name, "") for m in learnt]
    end = tokenizer.decode(encoded.ids[-1:])
    if template is PLAIN and messages[-1].learnt:  # no token ends a turn there, so end-of-text ends the last one
        expected[-1] += "\n" + end
    assert found == expected
    assert encoded.ids[-1] == tokenizer.end_of_text
    assert int(encoded.ids.max()) < tokenizer.vocab_size
    # Special ids are those that the template writes round empty contents, however often a content spells them.
    bare = [Message(m.role, "x", m.learnt) for m in messages]
    wanted = encode(tokenizer, bare).ids
    special = list(tokenizer.specials.values())
    assert encoded.ids[np.isin(encoded.ids, special)].tolist() == wanted[np.isin(wanted, special)].tolist()


@settings(max_examples=15, deadline=None)
@given(system=content, turns=turns)
def test_the_whole_decodes_to_what_the_template_renders(
    tokenizer: ChatTokenizer, system: str, turns: list[tuple[str, str, bool]]
) -> None:
    """Every engine but SentencePiece, which puts a blank before each stretch."""
    if is_sentence_piece(tokenizer):
        tokenizer = ChatTokenizer(_Bytes(), tokenizer.template, add=True)
    template, messages = tokenizer.template, as_messages(system, turns)
    rendered = template.compiled.render(
        messages=[{"role": m.role, "content": m.content} for m in messages], **template.variables
    )
    end = tokenizer.decode(np.array([tokenizer.end_of_text], np.uint32))
    assert tokenizer.decode(encode(tokenizer, messages).ids) == rendered + end


def test_an_end_of_text_that_the_template_writes_is_not_written_twice(tmp_path: Path) -> None:
    """DeepSeek's end-of-sentence ends both turns and documents."""
    described = json.loads(train_bpe(TEXTS * 3, 400).replace("<|endoftext|>", "<｜end▁of▁sentence｜>"))
    (tmp_path / "tokenizer.json").write_text(json.dumps(described))
    (tmp_path / "own").mkdir()
    tokenizer = tokenizer_for(tmp_path / "tokenizer.json", load_template("deepseek"), tmp_path / "own")
    assert tokenizer.specials["<｜end▁of▁sentence｜>"] == tokenizer.end_of_text
    encoded = encode(tokenizer, as_messages("", [("a", "b", True), ("c", "d", True)]))
    assert (encoded.ids == tokenizer.end_of_text).sum() == 2
    assert [tokenizer.decode(encoded.ids[a:b]) for a, b in spans(encoded)] == [
        "b<｜end▁of▁sentence｜>",
        "d<｜end▁of▁sentence｜>",
    ]


class _Bytes:
    """The simplest engine: a byte is an id."""

    name, copy_name, sha256, vocab_size, end_of_text = "bytes", "b", "0" * 64, 257, 256

    def encode_batch(self, text: pa.LargeStringArray) -> tuple[Any, Any]:
        rows = [list(one.encode()) for one in text.to_pylist()]
        return np.array([i for row in rows for i in row], np.uint32), np.cumsum([0, *map(len, rows)])

    def decode(self, ids: Any) -> str:
        return bytes(int(i) for i in ids).decode()


@pytest.mark.parametrize(
    "template", [t for t in TEMPLATES if t.name in ("chatml", "llama3", "deepseek")], ids=lambda t: t.name
)
def test_the_tokenizers_library_gives_the_same_ids(template: Template, files: dict[str, Path], tmp_path: Path) -> None:
    """It encodes the rendered text in one go, special tokens by their spelling, as it is done when a model is asked."""
    tokenizer = tokenizer_for(files["json"], template, tmp_path)
    library = Library.from_file(str(tmp_path / "tokenizer.json"))
    for texts in (TEXTS, TEXTS[::-1]):
        messages = as_messages(texts[0], [(texts[1], texts[0], True), (texts[2], texts[1], False)])
        rendered = "".join(piece.text for piece in template.pieces(messages))
        own = encode(tokenizer, messages).ids
        theirs = library.encode(rendered, add_special_tokens=False).ids
        assert own.tolist() in (theirs, [*theirs, tokenizer.end_of_text])


def test_a_border_of_an_answer_is_a_border_of_tokens() -> None:
    """Text that an engine would join across the border: the answer begins with what the prompt ends with."""
    template = Template("t", "{% for m in messages %}Q\n{{ m.content }}{% endfor %}")
    seen: list[str] = []

    class Spying(_Bytes):
        def encode_batch(self, text: pa.LargeStringArray) -> tuple[Any, Any]:
            seen.extend(text.to_pylist())
            return super().encode_batch(text)

    tokenizer = ChatTokenizer(Spying(), template)
    encoded = encode(tokenizer, [Message("user", "a", False), Message("assistant", "\nb", True)])
    assert seen == ["Q\naQ\n", "\nb"]
    assert spans(encoded) == [(5, 8)]  # with end-of-text


def test_new_special_tokens_are_in_the_tokenizer_file(files: dict[str, Path], tmp_path: Path) -> None:
    template = load_template("llama3")
    with pytest.raises(ValueError, match=r"has no special token <\|begin_of_text\|>.*--add-special"):
        ChatTokenizer(load(files["json"]), template)
    tokenizer = tokenizer_for(files["json"], template, tmp_path)
    assert not tokenizer.new  # it knows them from its file
    assert tokenizer.specials["<|eot_id|>"] == load(files["json"]).vocab_size + 3
    ranks = ChatTokenizer(load(files["ranks"]), template, add=True)
    assert [ranks.specials[s] for s in ranks.new] == list(range(260, 264))
    assert ranks.vocab_size == 264


def test_published_ids_of_qwen(tmp_path: Path) -> None:
    """Its rank file lists no special token; their ids are published with it."""
    lines = [base64.b64encode(bytes([i])) + b" %d\n" % i for i in range(256)]
    lines += [base64.b64encode(i.to_bytes(4, "big")) + b" %d\n" % i for i in range(256, 151_643)]
    (tmp_path / "qwen.tiktoken").write_bytes(b"".join(lines))
    tokenizer = ChatTokenizer(load(tmp_path / "qwen.tiktoken"), load_template("chatml"))
    assert tokenizer.specials == QWEN
    assert tokenizer.vocab_size == 151_646
    assert encode(tokenizer, as_messages("", [("a", "b", True)])).ids[-3] == QWEN["<|im_end|>"]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"messages": [{"role": "developer", "content": "s"}, {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}, {"role": "assistant", "content": "c"}]},
         [("system", "s", False), ("user", "ab", False), ("assistant", "c", True)]),
        ({"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b", "weight": 0}, {"role": "user", "content": "c"}, {"role": "assistant", "content": "d", "weight": 1}]},
         [("user", "a", False), ("assistant", "b", False), ("user", "c", False), ("assistant", "d", True)]),
        ({"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}], "system": "s"},
         [("system", "s", False), ("user", "a", False), ("assistant", "b", True)]),
        ({"conversations": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]},
         [("user", "a", False), ("assistant", "b", True)]),
        ({"instruction": "a", "input": "", "output": "b", "history": None}, [("user", "a", False), ("assistant", "b", True)]),
        ({"instruction": "a", "input": "", "output": "b"}, [("user", "a", False), ("assistant", "b", True)]),
        ({"instruction": "a", "input": "i", "output": "b", "history": [["q", "r"]], "system": "s"},
         [("system", "s", False), ("user", "q", False), ("assistant", "r", True), ("user", "a\ni", False), ("assistant", "b", True)]),
    ],
)  # fmt: skip
def test_forms(row: dict[str, Any], said: list[tuple[str, str, bool]]) -> None:
    assert [(m.role, m.content, m.learnt) for m in conversation(json.dumps(row).encode())] == said


BAD = {
    b"{": "not_json", b"\xff{}": "not_json", b'{"messages": "\\ud800"}': "not_json", b"[1]": "not_an_object",
    b"{}": "unknown_form", b'{"messages": []}': "no_messages", b'{"messages": [3]}': "bad_message",
    b'{"messages": [{"role": "wizard", "content": "a"}]}': "unknown_role",
    b'{"messages": [{"role": "user", "content": null}]}': "not_text",
    b'{"messages": [{"role": "user", "content": "a"}]}': "no_answer",
    b'{"messages": [{"role": "assistant", "content": "  "}, {"role": "assistant", "content": "a"}]}': "empty_answer",
    b'{"messages": [{"role": "assistant", "content": "a", "weight": 2}]}': "bad_weight",
    b'{"messages": [{"role": "assistant", "content": null, "tool_calls": [1]}]}': "tools",
    b'{"messages": [{"role": "assistant", "content": "a"}], "tools": [1]}': "tools",
    b'{"instruction": "", "output": "a"}': "not_text",
    b'{"instruction": "a", "output": "b", "history": [[1]]}': "bad_message",
    b'{"instruction": "a", "output": "b", "history": 1}': "bad_message",
    b'{"instruction": "a", "output": "b", "history": {"a": 1}}': "bad_message",
    b'{"instruction": "a", "output": "b", "history": 0}': "bad_message",
}  # fmt: skip


@pytest.mark.parametrize(("line", "reason"), BAD.items(), ids=str)
def test_a_bad_line_has_its_reason(line: bytes, reason: str) -> None:
    with pytest.raises(Bad) as raised:
        conversation(line)
    assert raised.value.reason == reason


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("{{ raise_exception('roles must alternate') }}", "template_refuses"),
        ("{% for m in messages %}{{ m.content | upper }}{% endfor %}", "template_changes_text"),
        ("{% for m in messages %}{{ m.content.split('h')[-1] }}{% endfor %}", "template_changes_text"),
        ("{{ messages[0].content }}", "template_hides_answer"),
        ("{% for m in messages %}{{ m.content }}{{ m.content }}{% endfor %}", "template_hides_answer"),
        ("{{ 'a' * 10 ** 10 }}", "template_fails"),
        ("{{ 'a' * 100000000 }}", "template_fails"),
        ("{{ 'a'.center(3000000) }}", "template_fails"),
        ("{{ 'a'.ljust(3000000) }}", "template_fails"),
        ("{{ 'a'.rjust(width) }}", "template_fails"),
        ("{% set f = 'a'.zfill %}{{ f(3000000) }}", "template_fails"),
        ("{{ 'a' | attr('ljust')(3000000) }}", "template_fails"),
        ("{{ '1'['zfill'](3000000) }}", "template_fails"),
        ("{{ '\t'.expandtabs(3000000) }}", "template_fails"),
        ("{{ '{:3000000}'.format(1) }}", "template_fails"),
        ("{{ '{a:3000000}'.format_map({'a': 1}) }}", "template_fails"),
        ("{{ '%3000000d' % 1 }}", "template_fails"),
        ("{{ '%3000000d' | format(1) }}", "template_fails"),
        ("{{ '%*d' | format(3000000, 1) }}", "template_fails"),
        ("{{ 'a' | center(3000000) }}", "template_fails"),
        ("{{ 'a\nb' | indent(3000000) }}", "template_fails"),
        ("{{ 'a' | indent('b' * 1000000, first=true) | indent(2) }}", "template_fails"),
        ("{{ [1] | tojson(indent=3000000) }}", "template_fails"),
        ("{{ 'a b' | wordwrap(1, wrapstring='c' * 1000000) }}", "template_fails"),
        ("{{ 'a' | batch(3000000, 'b') | list }}", "template_fails"),
        ("{{ ['a'] | slice(3000000, 'b') | list }}", "template_fails"),
        ("{{ lipsum(9000) }}", "template_fails"),
        ("{% for i in range(9999999999) %}a{% endfor %}", "template_fails"),
        ("{% for i in range(99999) %}{{ 'a' * 100000 }}{% endfor %}", "too_long"),
        ("{{ messages.append(1) }}", "template_fails"),
        ("{{ ''.__class__.__mro__[1].__subclasses__() }}", "template_fails"),
        ("{{ missing.field }}", "template_fails"),
    ],
)
def test_a_template_that_does_not_show_the_texts_rejects(
    source: str, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tokenization.chat.template.MOST", 1_000_000)
    with pytest.raises(Bad) as raised:
        Template("t", source).pieces([Message("user", "what", False), Message("assistant", "has", True)])
    assert raised.value.reason == reason


def test_templates_of_a_tokenizer_config(tmp_path: Path) -> None:
    config = {
        "bos_token": {"content": "<s>"}, "eos_token": "</s>", "chat_template": [{"name": "tool", "template": "x"}, {"name": "default", "template":
        "{{ bos_token }}{% for m in messages %}{{ m.content }}{{ eos_token }}<|sep|>{% endfor %}"}],
    }  # fmt: skip
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    template = load_template(str(tmp_path / "tokenizer_config.json"))
    assert "".join(p.text for p in template.pieces([Message("assistant", "a", True)])) == "<s>a</s><|sep|>"
    assert template.specials == ("<|sep|>",)  # nothing else can be meant by it
    for wrong, told in (
        ("{}", "has no chat_template"), ("{", "cannot be read"), (json.dumps({"chat_template": "{% if"}), "no Jinja2"),
        (json.dumps({"chat_template": "\ue000"}), "private-use"),
    ):  # fmt: skip
        (tmp_path / "x.json").write_text(wrong)
        with pytest.raises(ValueError, match=told):
            load_template(str(tmp_path / "x.json"))
    with pytest.raises(FileNotFoundError, match="Name chatml"):
        load_template("chatlm")


def good(i: int) -> bytes:
    return json.dumps({"messages": [{"role": "user", "content": f"{TEXTS[i % 3]} {i} <|im_end|>"}, {"role": "assistant", "content": f"答 {i} 🙂"}]}, ensure_ascii=False).encode()  # fmt: skip


@pytest.mark.parametrize("ending", [".gz", ".zst"])
def test_a_compressed_file_is_read_whole_or_refused(ending: str, tmp_path: Path) -> None:
    """Members and frames one after another are one file; cut or changed anywhere, it is damaged."""
    press = {".gz": gzip.compress, ".zst": zstandard.compress}[ending]
    said = [good(i) + b"\n" for i in range(400)]
    first, second = press(b"".join(said[:250])), press(b"".join(said[250:]))
    file = tmp_path / f"a.jsonl{ending}"
    file.write_bytes(first + second)
    assert [line for _, line in lines(file)] == said
    file.write_bytes(b"")
    assert list(lines(file)) == []
    whole = np.frombuffer(first, np.uint8)
    changed = np.concatenate((whole[:100], whole[100:] ^ 255)).tobytes()
    for damaged in (first[:-1], first[: len(first) // 2], first[:6], first + second[:-5], changed, first + b"x" * 99):
        file.write_bytes(damaged)
        with pytest.raises(ValueError, match=rf"a\.jsonl\{ending} is damaged after line \d+\. Fetch it again"):
            list(lines(file))


@pytest.fixture
def options(files: dict[str, Path], tmp_path: Path) -> ChatOptions:
    lines = [good(i) for i in range(300)]
    (tmp_path / "a.jsonl").write_bytes(b"\n".join([*lines[:100], b"", *BAD, b"  "]))
    (tmp_path / "b.jsonl.gz").write_bytes(gzip.compress(b"\xef\xbb\xbf" + b"\r\n".join(lines[100:200])))
    (tmp_path / "c.jsonl.zst").write_bytes(zstandard.compress(b"\n".join(lines[200:]) + b"\n"))
    return ChatOptions(files=tuple(str(tmp_path / name) for name in ("a.jsonl", "b.jsonl.gz", "c.jsonl.zst")),
                       tokenizer=str(files["json"]), template="chatml", out=str(tmp_path / "out"), add_special=True,
                       shard_bytes=5_000)  # fmt: skip


def test_files_become_shards_rejects_and_counts(options: ChatOptions, tmp_path: Path) -> None:
    note = write_chat(options)
    out = tmp_path / "out"
    counts = note["counts"]
    assert (counts["lines"], counts["conversations"], counts["rejects"], counts["blank"]) == (
        302 + len(BAD),
        300,
        len(BAD),
        2,
    )
    rejects = [json.loads(line) for line in (out / "rejects.jsonl").read_text().splitlines()]
    assert [(r["source"], r["line"], r["reason"]) for r in rejects] == [
        ("a.jsonl", 102 + i, reason) for i, reason in enumerate(BAD.values())
    ]
    manifest = Manifest.read(out / "manifest.json")
    assert manifest.answers
    assert not manifest.problems(out)
    assert len(manifest.shards) > 1
    table = pa.concat_tables([pa.ipc.open_file(str(out / s.path)).read_all() for s in manifest.shards])
    assert table.num_rows == manifest.totals.documents == 300
    keys = order_keys(table["doc_id"].to_pylist(), 0)
    assert (np.diff(keys.astype(object)) > 0).all()  # one global shuffle
    tokenizer = ChatTokenizer(load(out / manifest.tokenizer.file), load_template("chatml"))
    learnt = []
    for ids, answers in zip(table["tokens"].to_pylist(), table["answers"].to_pylist(), strict=True):
        learnt.append(tokenizer.decode(np.array(ids[answers[0] : answers[1]], np.uint32)))
        assert len(answers) == 2
    assert sorted(learnt) == sorted(f"答 {i} 🙂<|im_end|>" for i in range(300))
    assert sum(map(len, table["tokens"].to_pylist())) == manifest.totals.tokens == counts["tokens"]
    assert {name: one.documents for name, one in manifest.sources.items()} == {
        "a.jsonl": 100,
        "b.jsonl.gz": 100,
        "c.jsonl.zst": 100,
    }
    assert file_sha256(out / "tokenizer.json") == manifest.tokenizer.sha256
    assert not list(out.glob(".*"))
    assert write_chat(options) == note
    with pytest.raises(ValueError, match="other inputs or options"):
        write_chat(options.model_copy(update={"seed": 1}))
    again = write_chat(options.model_copy(update={"out": str(tmp_path / "again")}))
    assert again == note
    assert (tmp_path / "again" / "manifest.json").read_bytes() == (out / "manifest.json").read_bytes()


def test_the_trainer_takes_it(options: ChatOptions, tmp_path: Path) -> None:
    from training.loop import train
    from training.options import TrainOptions

    write_chat(options)
    asked = {"manifest": str(tmp_path / "out" / "manifest.json"), "out": str(tmp_path / "model"), "steps": 2, "batch": 4,
             "context": 32, "width": 16, "layers": 1, "heads": 1, "device": "cpu", "warmup": 1}  # fmt: skip
    assert train(TrainOptions.model_validate(asked)).last_step == 2


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ({"files": ("nowhere.jsonl",)}, "There is no file"),
        ({"template": "nothing"}, "There is no template"),
        ({"add_special": False}, "no special token"),
        ({"shard_bytes": 1_000, "files": ("big.jsonl",)}, "larger --shard-bytes"),
        ({"files": ("array.jsonl",)}, r"jq -c '\.\[\]'"),
        ({"files": ("bad.jsonl",)}, "None of 1 lines is a conversation that can be used; most often: not_json"),
        ({"files": ("cut.jsonl.gz",)}, "is damaged"),
        ({"files": ("bad.jsonl", "x/bad.jsonl")}, "Two files are called"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_told_and_leaves_nothing(
    more: dict[str, Any], told: str, options: ChatOptions, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "bad.jsonl").write_bytes(b"{")
    (tmp_path / "bad.jsonl").write_bytes(b"{")
    (tmp_path / "array.jsonl").write_bytes(b'\n [{"messages": 1}]'.lstrip())
    (tmp_path / "big.jsonl").write_bytes(good(1) * 9000)
    (tmp_path / "cut.jsonl.gz").write_bytes(gzip.compress(good(1) * 100)[:-20])
    with pytest.raises((ValueError, FileNotFoundError), match=told):
        write_chat(options.model_copy(update=more))
    assert not (tmp_path / "out").exists()
    assert not list(tmp_path.glob(".tmp-*"))


def test_the_command(options: ChatOptions, winnow: Callable[..., subprocess.CompletedProcess[str]]) -> None:
    done = winnow(
        "chat",
        *options.files,
        "--tokenizer",
        options.tokenizer,
        "--template",
        "chatml",
        "--out",
        options.out,
        "--add-special",
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert f"{302 + len(BAD)} lines: 300 conversations, {len(BAD)} rejects, 2 blank" in done.stdout
    assert "not_json 3" in done.stdout
