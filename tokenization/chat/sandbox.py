"""Jinja2's immutable sandbox, in which no one step of a template makes a long string of a short one.

Repetition is bounded, and so is what takes a width or a filling: `%` and `format` by what their pattern asks for,
filters by the product of what they are given and what they are told; the methods of a string that pad it are not there.

Traded away: a bound on what many steps make together. `s + s` in a loop doubles, and `replace` may do the same.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable
from functools import wraps
from math import prod
from typing import Any

from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

LONGEST_REPEAT = 1 << 20
SIZED = (int, float, str, list, tuple, dict)
PADDING = {"center", "ljust", "rjust", "zfill", "expandtabs"}
TELLING = ("batch", "center", "indent", "slice", "wordwrap")  # filters that take a width or a filling
# Widths and precisions of `%` with four digits, or taken from the arguments; of `format`, the same within a field.
# https://docs.python.org/3/library/stdtypes.html#printf-style-string-formatting
WIDE_PERCENT = re.compile(r"%(?:\(.*?\))?[#0\- +]*(?:\*|\d{4,}|\d*\.(?:\*|\d{4,}))", re.DOTALL)
WIDE_FIELD = re.compile(r"\d{4,}|\{")


class Sandbox(ImmutableSandboxedEnvironment):
    """The sandbox; SecurityError where a template asks for more than a step may make."""

    intercepted_binops = frozenset(["*", "**", "%"])

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        for name in TELLING:
            self.filters[name] = bounded(self.filters[name])
        self.filters["format"] = _percent(self.filters["format"])
        del self.globals["lipsum"]

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """Multiplication, of small things; powers of none; `%` of numbers, or of a pattern without great widths."""
        if operator == "%":
            _check_percent(left)
        elif operator == "**" or _size(left) * _size(right) > LONGEST_REPEAT:
            raise SecurityError("a template may not make so much of so little")
        return super().call_binop(context, operator, left, right)

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Jinja2's rules, and no padding of strings."""
        return super().is_safe_attribute(obj, attr, value) and not (isinstance(obj, str) and attr in PADDING)

    def wrap_str_format(self, value: Any) -> Callable[..., str] | None:
        """Jinja2's `format` and `format_map`, of patterns without great widths."""
        found: Callable[..., str] | None = super().wrap_str_format(value)
        if found is not None:
            for _, _, told, _ in string.Formatter().parse(value.__self__):
                if told and WIDE_FIELD.search(told):
                    raise SecurityError("a template may not ask for so great a width")
        return found


def bounded(made: Callable[..., Any]) -> Callable[..., Any]:
    """A filter that is refused if what it is given, times what it is told, is more than LONGEST_REPEAT.

    >>> bounded(lambda text, width: text.ljust(width))("a", 3)
    'a  '
    """

    @wraps(made)
    def checked(*given: Any, **named: Any) -> Any:  # an environment may come before the value
        sizes = [max(_size(one), 1) for one in (*given, *named.values()) if isinstance(one, SIZED)]
        if len(sizes) > 1 and prod(sizes) > max(sizes[0], LONGEST_REPEAT):
            raise SecurityError("a template may not make so much of so little")
        return made(*given, **named)

    return checked


def _percent(made: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(made)
    def checked(value: Any, *given: Any, **named: Any) -> Any:
        _check_percent(value)
        return made(value, *given, **named)

    return checked


def _check_percent(pattern: Any) -> None:
    if not isinstance(pattern, int | float) and WIDE_PERCENT.search(str(pattern)):
        raise SecurityError("a template may not ask for so great a width")


def _size(one: Any) -> float:
    if not isinstance(one, SIZED):
        raise SecurityError("a template may multiply numbers, texts and lists only")
    return one if isinstance(one, int | float) else len(one)
