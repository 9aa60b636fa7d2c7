"""A chat template, and which characters of what it renders are whose.

A template is Jinja2, as in `tokenizer_config.json` (https://huggingface.co/docs/transformers/chat_templating), run in
a sandbox of its own. It is rendered twice: with a mark in place of every content, and with the contents. The first
rendering tells which text is the template's; the second must be the first with contents put in, as they are or
stripped. So a template may do what it likes with roles and turns, and where it changes a text (cutting thoughts out of
earlier turns, say) the conversation is refused, not masked wrongly. That is what makes "special tokens only from the
template" exact: no character of a content is ever looked up among them.

Traded away: tools, documents and the date (`strftime_now`), which would make equal input unequal shards.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import TemplateError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser

from tokenization.chat.conversations import Bad, Message
from tokenization.chat.sandbox import Sandbox, bounded

MOST = 64 << 20  # characters of one rendering
SPELLING = re.compile(r"<[|｜][^<>|｜\s]{1,60}[|｜]>")  # what can only be meant as a special token
MARK = re.compile("\ue000([0-9]+)\ue001")  # private use: a template that has one is refused

CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>' + "
    "'\\n' }}{% endfor %}"
)
LLAMA3 = (
    "{{ '<|begin_of_text|>' }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + "
    "'<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}{% endfor %}"
)
DEEPSEEK = (
    "{{ '<｜begin▁of▁sentence｜>' }}{% for message in messages %}{% if message['role'] == 'system' %}"
    "{{ message['content'] }}{% elif message['role'] == 'user' %}{{ '<｜User｜>' + message['content'] }}{% else %}"
    "{{ '<｜Assistant｜>' + message['content'] + '<｜end▁of▁sentence｜>' }}{% endif %}{% endfor %}"
)
BUILT_IN = {
    "chatml": (CHATML, ("<|im_start|>", "<|im_end|>")),
    "llama3": (LLAMA3, ("<|begin_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")),
    "deepseek": (DEEPSEEK, ("<｜begin▁of▁sentence｜>", "<｜User｜>", "<｜Assistant｜>", "<｜end▁of▁sentence｜>")),
}


@dataclass(frozen=True)
class Piece:
    """A run of the rendered text: the template's, or the content of message `number`."""

    text: str
    number: int | None


class Generation(Extension):
    """Transformers' `{% generation %}` blocks: their text as it is, since answers are found without them."""

    tags = {"generation"}  # noqa: RUF012 - Jinja2's own form

    def parse(self, parser: Parser) -> nodes.Node | list[nodes.Node]:
        """The nodes between the tags."""
        next(parser.stream)
        return parser.parse_statements(("name:endgeneration",), drop_needle=True)


class Template:
    """A compiled template; `specials` are spellings that it declares, or none where the tokenizer knows them."""

    def __init__(self, name: str, source: str, specials: Sequence[str] = (), variables: dict[str, Any] | None = None):
        if "\ue000" in source or "\ue001" in source:
            raise ValueError(f"The template {name} has private-use characters U+E000 or U+E001. Write it without them.")
        self.name, self.source, self.specials = name, source, tuple(dict.fromkeys(specials))
        environment = Sandbox(trim_blocks=True, lstrip_blocks=True, extensions=[loopcontrols, Generation])
        environment.filters["tojson"] = bounded(lambda value, **how: json.dumps(value, ensure_ascii=False, **how))
        environment.globals["raise_exception"] = _raise
        self.variables = {"bos_token": "", "eos_token": "", "add_generation_prompt": False, **(variables or {})}
        try:
            self.compiled = environment.from_string(source)
        except TemplateError as error:
            raise ValueError(f"The template {name} is no Jinja2: {error}.") from error
        self._marked = lru_cache(maxsize=1024)(self._marked_pieces)

    def pieces(self, messages: Sequence[Message]) -> list[Piece]:
        """The rendered text in order; Bad if the template refuses the messages, or changes or repeats a content."""
        whole = self._render([{"role": m.role, "content": m.content} for m in messages])
        shape = self._marked(tuple(message.role for message in messages))
        pieces, at = [], 0
        for i, piece in enumerate(shape):
            if piece.number is None:
                text = piece.text
            else:
                after = shape[i + 1].text if i + 1 < len(shape) else None
                text = _as_shown(messages[piece.number].content, whole, at, after)
            if not whole.startswith(text, at):
                raise Bad("template_changes_text", "The template changes a text, so its tokens cannot be told apart.")
            pieces.append(Piece(text, piece.number))
            at += len(text)
        if at != len(whole):
            raise Bad("template_changes_text", "The template changes a text, so its tokens cannot be told apart.")
        return pieces

    def _marked_pieces(self, roles: tuple[str, ...]) -> list[Piece]:
        rendered = self._render([{"role": role, "content": f"\ue000{i}\ue001"} for i, role in enumerate(roles)])
        parts = MARK.split(rendered)
        pieces = [Piece(part, int(part)) if i % 2 else Piece(part, None) for i, part in enumerate(parts)]
        numbers = [piece.number for piece in pieces if piece.number is not None]
        answers = [i for i, role in enumerate(roles) if role == "assistant"]
        if any(numbers.count(i) != 1 for i in answers) or any(number >= len(roles) for number in numbers):
            raise Bad("template_hides_answer", "The template does not show every answer once.")
        return pieces

    def _render(self, messages: list[dict[str, str]]) -> str:
        parts, size = [], 0
        try:
            for part in self.compiled.generate(messages=messages, **self.variables):
                parts.append(part)
                size += len(part)
                if size > MOST:
                    raise Bad("too_long", "The template renders it to more than 64 million characters.")
        except Refused as error:
            raise Bad("template_refuses", f"The template refuses it: {str(error)[:200]}") from error
        except (TemplateError, TypeError, ValueError, KeyError, AttributeError, ArithmeticError, LookupError) as error:
            if isinstance(error, Bad):
                raise
            raise Bad("template_fails", f"The template fails on it ({type(error).__name__}).") from error
        return "".join(parts)


class Refused(Exception):
    """What a template raises by `raise_exception`."""


def _raise(message: object) -> None:
    raise Refused(str(message))


def _as_shown(content: str, whole: str, at: int, after: str | None) -> str:
    """The content as it stands at `at`: untouched or stripped, whichever the template's next text follows."""
    for text in (content, content.strip(), content.lstrip(), content.rstrip()):
        if whole.startswith(text, at) and (after is None or whole.startswith(after, at + len(text))):
            return text
    return content


def load_template(given: str) -> Template:
    """A built-in template by name, a `tokenizer_config.json`, or a file with the template itself.

    FileNotFoundError or ValueError in a sentence.
    """
    if given in BUILT_IN:
        return Template(given, *BUILT_IN[given])
    file = Path(given)
    if not file.is_file():
        raise FileNotFoundError(f"There is no template {given}. Name {', '.join(BUILT_IN)}, a tokenizer_config.json "
                                "or a file with a Jinja2 template.")  # fmt: skip
    try:
        text = file.read_text(encoding="utf-8")
        if file.suffix != ".json":
            return Template(file.name, text, SPELLING.findall(text))
        described = json.loads(text)
        return _configured(file, described)
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ValueError(f"{given} cannot be read ({error}).") from error


def _configured(file: Path, described: Any) -> Template:
    source = described.get("chat_template") if isinstance(described, dict) else None
    if isinstance(source, list):  # several by name
        source = next(
            (one.get("template") for one in source if isinstance(one, dict) and one.get("name") == "default"), None
        )
    if not isinstance(source, str):
        raise ValueError(f"{file} has no chat_template. Give the template in a file of its own.")
    named = {name: _spelling(described.get(name)) for name in ("bos_token", "eos_token", "unk_token", "pad_token")}
    added = described.get("added_tokens_decoder") or {}
    specials = [_spelling(one) for one in added.values() if isinstance(one, dict) and one.get("special")]
    wanted = dict.fromkeys([*(s for s in specials if s and s in source), *SPELLING.findall(source)])
    return Template(file.name, source, tuple(wanted),
                    {name: text for name, text in named.items() if text})  # fmt: skip


def _spelling(token: object) -> str:
    if isinstance(token, dict):
        token = token.get("content")
    return token if isinstance(token, str) else ""
