"""One line of a chat file as messages: OpenAI's `messages`, ShareGPT's `conversations`, Alpaca's fields.

A line is told by its fields, so one file may hold all three. What cannot be represented (tool calls, pictures, unknown
roles) rejects the line with a reason; nothing is dropped from inside a conversation.

Traded away: Alpaca's English preamble. Its instruction and input become the user's message, as chat trainers do it,
so that the template is the one chosen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

ROLES = {
    "system": "system", "developer": "system", "user": "user", "human": "user",
    "assistant": "assistant", "gpt": "assistant", "chatgpt": "assistant", "bot": "assistant", "model": "assistant",
}  # fmt: skip


class Bad(ValueError):
    """Why a line is no conversation: a short reason for counting, and a sentence without any of its text."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason, self.detail = reason, detail


@dataclass(frozen=True)
class Message:
    """Who says what; `learnt` is true for an answer that a model is to learn."""

    role: str
    content: str
    learnt: bool


def conversation(line: bytes) -> list[Message]:
    """The messages of a line; Bad if it has none that can be learnt from.

    >>> [(m.role, m.learnt) for m in conversation(b'{"instruction": "a", "input": "b", "output": "c"}')]
    [('user', False), ('assistant', True)]
    """
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Bad("not_json", "The line is no JSON in UTF-8.") from error
    if not isinstance(row, dict):
        raise Bad("not_an_object", "The line is no JSON object.")
    messages = _messages(row)
    if not any(message.learnt and message.content.strip() for message in messages):
        raise Bad("no_answer", "No message is an answer that is to be learnt.")
    if any(message.learnt and not message.content.strip() for message in messages):
        raise Bad("empty_answer", "An answer is empty.")
    return messages


def _messages(row: Mapping[str, Any]) -> list[Message]:
    if row.get("tools") or row.get("functions"):
        raise Bad("tools", "The conversation defines tools, which templates spell in ways that cannot be masked here.")
    if "messages" in row:
        return [_message(one, i, "role", "content") for i, one in enumerate(_list(row["messages"], "messages"), 1)]
    if "conversations" in row:
        said = [
            _message(one, i, "from", "value") for i, one in enumerate(_list(row["conversations"], "conversations"), 1)
        ]
        system = _text(row["system"], "system") if row.get("system") else ""
        return [Message("system", system, False), *said] if system else said
    if "output" in row and ("instruction" in row or "input" in row):
        return _alpaca(row)
    raise Bad("unknown_form", "It has neither messages, nor conversations, nor instruction and output.")


def _list(value: object, name: str) -> list[Any]:
    if not isinstance(value, list) or not value:
        raise Bad("no_messages", f"{name} is no list of messages.")
    return value


def _message(one: object, number: int, role: str, content: str) -> Message:
    if not isinstance(one, dict):
        raise Bad("bad_message", f"Message {number} is no object.")
    if role not in one and {"role", "content"} <= one.keys():  # ShareGPT's field with OpenAI's names inside
        role, content = "role", "content"
    if one.get("tool_calls") or one.get("function_call"):
        raise Bad("tools", f"Message {number} calls a tool.")
    who = one.get(role)
    if not isinstance(who, str) or who not in ROLES:
        raise Bad("unknown_role", f"Message {number} has no role that is known: system, user or assistant.")
    weight = one.get("weight", 1)  # OpenAI's fine-tuning format: 0 is context only
    if weight not in (0, 1) or not isinstance(weight, int | float):
        raise Bad("bad_weight", f"Message {number} has a weight that is neither 0 nor 1.")
    text = _text(one.get(content), f"message {number}")
    return Message(ROLES[who], text, ROLES[who] == "assistant" and bool(weight))


def _text(value: object, where: str) -> str:
    """A string, or OpenAI's list of text parts; orjson has refused lone surrogates already."""
    if isinstance(value, str):
        return value
    if isinstance(value, list) and all(isinstance(p, dict) and p.get("type") == "text" and
                                       isinstance(p.get("text"), str) for p in value):  # fmt: skip
        return "".join(part["text"] for part in value)
    raise Bad("not_text", f"The content of {where} is not text.")


def _alpaca(row: Mapping[str, Any]) -> list[Message]:
    messages = []
    if row.get("system"):
        messages.append(Message("system", _text(row["system"], "system"), False))
    history = row.get("history")
    if history is not None and not isinstance(history, list):
        raise Bad("bad_message", "The history is no list of turns.")
    for number, pair in enumerate(history or [], 1):
        if not isinstance(pair, list) or len(pair) != 2:
            raise Bad("bad_message", f"Turn {number} of history is no pair.")
        asked, answered = (_text(text, f"turn {number} of history") for text in pair)
        messages += [Message("user", asked, False), Message("assistant", answered, True)]
    parts = [_text(row[name], name) for name in ("instruction", "input") if row.get(name)]
    if not parts:
        raise Bad("not_text", "The instruction is empty.")
    return [*messages, Message("user", "\n".join(parts), False),
            Message("assistant", _text(row["output"], "output"), True)]  # fmt: skip
