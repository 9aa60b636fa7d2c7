"""Values and names as SQL text: the one place where anything is quoted."""

from __future__ import annotations


def literal(value: object) -> str:
    """A value as SQL.

    >>> literal("it's"), literal(True), literal(0.5), literal(("en", "zh"))
    ("'it''s'", 'TRUE', '0.5', "('en', 'zh')")
    """
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, tuple):
        return f"({', '.join(map(literal, value))})"
    return "'" + value.replace("'", "''") + "'" if isinstance(value, str) else repr(value)


def quoted(name: str) -> str:
    """A column's name as SQL.

    >>> quoted('a"b')
    '"a""b"'
    """
    return '"' + name.replace('"', '""') + '"'
