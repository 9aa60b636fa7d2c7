"""ASCII words found in text without regard to case, as Python's str.lower() and re.IGNORECASE see case."""

from __future__ import annotations

from filters.compiled import step
from filters.segment import decode_at


@step
def fold(code, regex):  # type: ignore[no-untyped-def]
    """The ASCII letter that str.lower() (or, with `regex`, re.IGNORECASE) takes a character for, else itself."""
    if 0x41 <= code <= 0x5A:
        return code | 0x20
    if code == 0x212A:
        return 0x6B
    if regex and (code == 0x130 or code == 0x131):
        return 0x69
    if regex and code == 0x17F:
        return 0x73
    return code


@step
def match(data, i, end, word, regex):  # type: ignore[no-untyped-def]
    """End of `word` (lower-case ASCII) at i without regard to case, or -1."""
    for k in range(len(word)):
        if i >= end:
            return -1
        code, width = decode_at(data, i)
        if fold(code, regex) != word[k]:
            return -1
        i += width
    return i
