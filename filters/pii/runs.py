"""What stands at a byte: small compiled questions that the pass over a text asks, each of a bounded number of bytes."""

from __future__ import annotations

import numpy as np

from filters.compiled import step

LONGEST = 40  # letters and digits of one value, but for tokens

LETTER, DIGIT, AT, COLON, DASH, BREAK = 1, 2, 3, 4, 5, 6
CLASSES = np.zeros(256, np.uint8)
CLASSES[ord("0") : ord("9") + 1] = DIGIT
CLASSES[ord("A") : ord("Z") + 1] = CLASSES[ord("a") : ord("z") + 1] = LETTER
for _byte, _class in ((b"@", AT), (b":", COLON), (b"-", DASH), (b"\n", BREAK), (b"\r", BREAK)):
    CLASSES[_byte[0]] = _class
HEX = np.zeros(256, np.bool_)
HEX[list(b"0123456789abcdefABCDEF")] = True
SINGLE = np.zeros(256, np.bool_)  # what may stand between the groups of a number
SINGLE[list(b" -./:")] = True
PHONING = np.zeros(256, np.bool_)  # and of a telephone number
PHONING[list(b" -./()")] = True

PROVINCES = np.array([int.from_bytes(c.encode(), "big") for c in
                      "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼"], np.int64)  # fmt: skip


@step
def word_end(data, i, hi, classes):  # type: ignore[no-untyped-def]
    """End of the letters and digits from `i`, and how many digits they are; looks at LONGEST + 1 bytes at most."""
    digits, stop = 0, min(hi, i + LONGEST + 1)
    while i < stop and 0 < classes[data[i]] <= DIGIT:
        digits += classes[data[i]] == DIGIT
        i += 1
    return i, digits


@step
def phone_gap(data, i, hi, phoning):  # type: ignore[no-untyped-def]
    """First byte after what may part two groups of a telephone number (up to four signs); `i` if nothing does."""
    signs, at = 0, i
    while at < hi and signs < 4:
        if phoning[data[at]]:
            at += 1
        elif at + 1 < hi and data[at] == 0xC2 and data[at + 1] == 0xA0:  # no-break space
            at += 2
        elif (at + 2 < hi and data[at] == 0xE2 and data[at + 1] == 0x80 and 0x90 <= data[at + 2] <= 0x95) or (
            at + 2 < hi and data[at] == 0xEF and data[at + 1] == 0xBC and data[at + 2] in (0x88, 0x89, 0x8D)
        ):  # dashes
            at += 3
        else:
            break
        signs += 1
    return at


@step
def dotted_quad(data, s, lo, hi, classes):  # type: ignore[no-untyped-def]
    """End of four numbers of up to three digits joined by dots that start at `s` and are no part of more; else 0."""
    if s > lo and data[s - 1] == 0x2E:
        return 0
    i = s
    for part in range(4):
        first = i
        while i < hi and i - first < 4 and classes[data[i]] == DIGIT:
            i += 1
        if not 1 <= i - first <= 3:
            return 0
        if part < 3:
            if i >= hi or data[i] != 0x2E:
                return 0
            i += 1
    if i < hi and (classes[data[i]] == LETTER or (data[i] == 0x2E and i + 1 < hi and classes[data[i + 1]] == DIGIT)):
        return 0
    return i


@step
def six_pairs(data, s, hi, hexes):  # type: ignore[no-untyped-def]
    """End of twelve hexadecimal digits in six pairs (`:` or `-`) or three fours (`.`) from `s`; else 0."""
    for width, sign in ((2, 0x3A), (2, 0x2D), (4, 0x2E)):
        total = 12 + 12 // width - 1
        if s + total > hi or data[s + width] != sign:
            continue
        right = True
        for k in range(total):
            gap = k % (width + 1) == width
            if (gap and data[s + k] != sign) or (not gap and not hexes[data[s + k]]):
                right = False
                break
        e = s + total
        more = e < hi and (hexes[data[e]] or (data[e] == sign and e + 1 < hi and hexes[data[e + 1]]))
        if right and not more:
            return e
    return 0


@step
def domain_follows(data, i, hi):  # type: ignore[no-untyped-def]
    """Whether a name with a dot in it (ASCII or full-width) follows within 255 bytes."""
    stop = min(hi, i + 255)
    if i >= hi or data[i] <= 0x2E:
        return False
    while i < stop:
        b = data[i]
        if b == 0x2E:
            return i + 1 < hi and data[i + 1] > 0x2F
        if b == 0xE3 and i + 2 < hi and data[i + 1] == 0x80 and data[i + 2] == 0x82:
            return True
        if b == 0xEF and i + 2 < hi and data[i + 1] == 0xBC and data[i + 2] == 0x8E:
            return True
        if b < 0x80 and not (0x30 <= b <= 0x39 or 0x61 <= b | 32 <= 0x7A or b == 0x2D):
            return False
        i += 1
    return False


@step
def spelt_sign(data, s, e, lo, hi):  # type: ignore[no-untyped-def]
    """Whether the word [s, e) is an `at` in brackets, or a `dot` that stands by itself as one says addresses aloud."""
    if e - s == 2 and data[s] | 32 == 0x61 and data[s + 1] | 32 == 0x74:
        b = s - 1
        while b >= lo and s - b < 4 and data[b] == 0x20:
            b -= 1
        full = b - 2 >= lo and ((data[b] == 0x88 and data[b - 1] == 0xBC) or (data[b] == 0x90 and data[b - 1] == 0x80))
        return b >= lo and (data[b] in (0x28, 0x5B, 0x7B, 0x3C) or full)
    if e - s == 3 and data[s] | 32 == 0x64 and data[s + 1] | 32 == 0x6F and data[s + 2] | 32 == 0x74:
        return s > lo and e < hi and data[s - 1] == 0x20 and data[e] == 0x20
    return False


@step
def colon_run(data, i, lo, hi, classes, hexes):  # type: ignore[no-untyped-def]
    """Start and end of the hexadecimal digits, colons and dots around a colon at `i`, and whether an address fits.

    `::` alone, and with one or two digits, is nobody's address.
    """
    s = i
    while s > lo and i - s < 4 and hexes[data[s - 1]]:
        s -= 1
    e, colons, double, dots, written = i, 0, False, 0, i - s
    stop = min(hi, i + 46)
    while e < stop and (hexes[data[e]] or data[e] == 0x3A or data[e] == 0x2E):
        if data[e] == 0x3A:
            colons += 1
            double |= e > i and data[e - 1] == 0x3A
        dots += data[e] == 0x2E
        written += hexes[data[e]]
        e += 1
    last = e
    while last > i and (data[last - 1] == 0x2E or (data[last - 1] == 0x3A and data[last - 2] != 0x3A)):
        last -= 1
    apart = s == lo or not (0 < classes[data[s - 1]] <= DIGIT or data[s - 1] == 0x3A)
    fits = apart and e < i + 46 and (double or colons == 7 or colons == 8 or (colons >= 6 and dots == 3))
    return s, last, fits and colons >= 2 and written >= 3


@step
def group_gap(data, i, hi):  # type: ignore[no-untyped-def]
    """First byte after the one sign that may part two groups of an account number; `i` if none does."""
    if i < hi and (data[i] == 0x20 or data[i] == 0x2D or data[i] == 0x2E):
        return i + 1
    return i + 2 if i + 1 < hi and data[i] == 0xC2 and data[i + 1] == 0xA0 else i  # no-break space


@step
def bank_account(data, s, hi, classes, lengths):  # type: ignore[no-untyped-def]
    """End of an IBAN from `s`, in groups of any size parted by single signs, or not at all; else 0.

    The country's length says where it ends, and the remainder by 97 must be 1 (ISO 13616, ISO 7064 MOD 97-10). What is
    not in the usual groups of up to four wants its country in capitals, and no more than one group of a single sign.
    """
    if s + 4 > hi or classes[data[s]] != LETTER or classes[data[s + 1]] != LETTER:
        return 0
    country = (np.int64(data[s] | 32) - 97) * 26 + np.int64(data[s + 1] | 32) - 97
    length, capitals = np.int64(lengths[country]), data[s] < 0x60 and data[s + 1] < 0x60
    count, rest, check, i, usual, single, size = 0, np.int64(0), np.int64(0), s, True, 0, 0
    while length:
        b = data[i] if i < hi else np.uint8(0)
        if not 0 < classes[b] <= DIGIT:
            following = group_gap(data, i, hi)
            if following == i or (size == 1 and single) or count == length:
                break
            usual, single = usual and count >= 4 and size <= 4, single + (size == 1)
            i, size = following, 0
            if i >= hi or not 0 < classes[data[i]] <= DIGIT:
                return 0
            continue
        if count == length or (count < 4 and (count >= 2) != (classes[b] == DIGIT)):
            return 0
        value = np.int64(b) - 48 if classes[b] == DIGIT else np.int64(b | 32) - 87
        if count < 4:
            check = check * (10 if value < 10 else 100) + value
        else:
            rest = (rest * (10 if value < 10 else 100) + value) % 97
        count, i, size = count + 1, i + 1, size + 1
    right = length > 0 and count == length and (rest * 1000000 + check) % 97 == 1
    return i if right and (capitals or (usual and (size <= 4 or size == length))) else 0


@step
def year(data, s, e):  # type: ignore[no-untyped-def]
    """Whether four digits from `s` to `e` are a year of the last or this century."""
    return e - s == 4 and ((data[s] == 0x31 and data[s + 1] == 0x39) or (data[s] == 0x32 and data[s + 1] == 0x30))


@step
def dated(data, s, e, hi, classes):  # type: ignore[no-untyped-def]
    """Whether a date, a time or a span of years begins with the group [s, e): 2021-03-14, 14.03.2021, 15:09:26."""
    if e + 1 >= hi:
        return False
    sign = data[e]
    if sign != 0x2D and sign != 0x2E and sign != 0x2F and sign != 0x3A:
        return False
    stop, digits = word_end(data, e + 1, hi, classes)
    if digits == 0 or digits != stop - e - 1:
        return False
    if sign == 0x3A:
        return e - s <= 2 and digits == 2
    if year(data, s, e):
        return digits <= 2 or year(data, e + 1, stop)
    if e - s <= 2 and digits <= 2 and stop + 1 < hi and data[stop] == sign:
        last, _ = word_end(data, stop + 1, hi, classes)
        return year(data, stop + 1, last)
    return False


@step
def is_province(data, i):  # type: ignore[no-untyped-def]
    """Whether the character at `i` is the short name of a province of mainland China."""
    code = np.int64(data[i]) << 16 | np.int64(data[i + 1]) << 8 | np.int64(data[i + 2])
    for k in range(len(PROVINCES)):  # noqa: SIM110 - compiled: Numba knows no any() of a generator
        if PROVINCES[k] == code:
            return True
    return False
