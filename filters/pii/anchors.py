"""Where personal data can be: one pass over the bytes that names places, so that patterns are run on short windows only.

Almost all of a text is letters and spaces, and nothing here but an `@`, a digit in the right company, a colon between
hexadecimal digits, an `at` in brackets or five dashes gives work to what follows. A run of digits and separators that is
longer than MAX_GROUPS groups is a table of figures: its later groups are not joined with their neighbours.
What is asked of every place looks at a bounded number of bytes, so the pass is linear in the text whatever it holds.
"""

from __future__ import annotations

import numba
import numpy as np

EMAIL, OBFUSCATED, IPV4, IPV6, MAC, SECRET, PEM, IBAN, PHONE, WORD, APART, GLUED, PLATE = range(13)
MAX_GROUPS = 64  # groups of one run that are joined with their neighbours
REACH = 8  # groups that one value may have
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def is_province(data, i):  # type: ignore[no-untyped-def]
    """Whether the character at `i` is the short name of a province of mainland China."""
    code = np.int64(data[i]) << 16 | np.int64(data[i + 1]) << 8 | np.int64(data[i + 2])
    for k in range(len(PROVINCES)):
        if PROVINCES[k] == code:
            return True
    return False


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def put(out, n, row, start, end, what):  # type: ignore[no-untyped-def]
    """Write a place where there is room; its number is counted even where there is none."""
    if n < len(out):
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = row, start, end, what
    return n + 1


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def word_end(data, i, hi, classes):  # type: ignore[no-untyped-def]
    """End of the letters and digits from `i`, and how many digits they are; looks at LONGEST + 1 bytes at most."""
    digits, stop = 0, min(hi, i + LONGEST + 1)
    while i < stop and 0 < classes[data[i]] <= DIGIT:
        digits += classes[data[i]] == DIGIT
        i += 1
    return i, digits


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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
        if right and (s + total == hi or not (hexes[data[s + total]] or data[s + total] == sign)):
            return s + total
    return 0


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def bank_account(data, s, hi, classes):  # type: ignore[no-untyped-def]
    """End of an IBAN's groups from `s` (two letters, two digits), parted by single spaces or not at all; else 0."""
    for k in range(4):
        b = data[s + k]
        if not (0x61 <= b | 32 <= 0x7A if k < 2 else 0x30 <= b <= 0x39):
            return 0
    end, count, i = 0, 0, s
    while count <= 34:
        stop, _ = word_end(data, i, hi, classes)
        if stop == i or (i > s and stop - i > 4):
            break
        count, end = count + stop - i, stop
        if stop >= hi or data[stop] not in (0x20, 0x2D):
            break
        i = stop + 1
    return end if count >= 15 else 0


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def year(data, s, e):  # type: ignore[no-untyped-def]
    """Whether four digits from `s` to `e` are a year of the last or this century."""
    return e - s == 4 and ((data[s] == 0x31 and data[s + 1] == 0x39) or (data[s] == 0x32 and data[s + 1] == 0x30))


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
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


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def joined(data, row, s, e, length, digits, hi, tables, groups, out, n):  # type: ignore[no-untyped-def]
    """Places that start with the group [s, e): values of several groups, and the longest telephone number."""
    classes, shapes, single, phoning = tables
    if dated(data, s, e, hi, classes):
        return n
    all_digits, phone_end, phone_digits = digits == length, e, digits
    p, total, count = e, length, digits
    same, wide, parts, decimal = True, all_digits, 0, False
    for _ in range(REACH - 1):
        q = phone_gap(data, p, hi, phoning) if wide else p
        if q == p or q >= hi:
            wide = False
            q = p + 1 if p < hi and single[data[p]] else p
        if q == p or q >= hi:
            break
        if q != p + 1 or not single[data[p]]:
            same = False
        stop, more = word_end(data, q, hi, classes)
        if stop == q or stop - q > 20 or (more == 0 and stop - q > 2) or (not same and not wide):
            break  # a word of the sentence, or nothing that joins
        total, count = total + stop - q, count + more
        if more != stop - q and wide:  # an extension may follow: 555-123-4567x89
            wide, digits_end = False, q
            while digits_end < stop and classes[data[digits_end]] == DIGIT:
                digits_end += 1
            if digits_end - q >= 2 and data[digits_end] | 32 == 0x78 and count - more + digits_end - q <= 17:
                parts, phone_end, phone_digits = parts + 1, digits_end, count - more + digits_end - q
        if wide and count <= 17:
            decimal = parts == 0 and q == p + 1 and data[p] == 0x2E
            parts, phone_end, phone_digits = parts + 1, stop, count
        if same and total <= LONGEST and shapes[total, count] & 2 and groups < MAX_GROUPS:
            n = put(out, n, row, s, stop, APART | total << 8 | count << 16)
        if total > LONGEST or (not wide and not same):
            break
        p = stop
    pointed = s > 0 and data[s - 1] == 0x2B or s > 1 and (data[s - 2] in (0x3A, 0x9A) or data[s - 1] in (0x3A, 0x9A))
    enough = phone_digits >= (5 if pointed else 7) and not (decimal and parts == 1)
    if all_digits and enough and groups < MAX_GROUPS:
        n = put(out, n, row, s, phone_end, PHONE | phone_digits << 8)
    return n


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def one_word(data, row, s, e, length, digits, lo, hi, tables, out, n):  # type: ignore[no-untyped-def]
    """Places that are one word: letters and digits of a known shape, and what only begins with one."""
    classes, shapes, _, _ = tables
    if length <= LONGEST and shapes[length, digits] & 1:
        n = put(out, n, row, s, e, WORD | length << 8 | digits << 16)
    if digits == length <= 3:
        stop = dotted_quad(data, s, lo, hi, classes)
        if stop:
            n = put(out, n, row, s, stop, IPV4)
    if length >= 4 and classes[data[s]] == LETTER and s + 4 <= hi:
        stop = bank_account(data, s, hi, classes)
        if stop:
            n = put(out, n, row, s, stop, IBAN)
    if 5 <= digits <= LONGEST and digits < length <= digits + 8 and classes[data[e - digits]] == DIGIT:
        if classes[data[e - digits - 1]] == LETTER and shapes[digits, digits] & 1:
            n = put(out, n, row, e - digits, e, GLUED | digits << 8 | digits << 16)
    return n


@numba.njit(cache=True, nogil=True)  # type: ignore[misc]
def places(data, bounds, tables, hexes, out):  # type: ignore[no-untyped-def]
    """Write (row, start, end, what) to `out`, in order of discovery; return how many there are, room or no room.

    `what` is a class of place, with the number of letters and digits in bits 8 to 15 and of digits in 16 to 23 where
    that is known. Starts and ends are bytes of `data`.
    """
    classes, n = tables[0], 0
    for row in range(len(bounds) - 1):
        lo, hi = bounds[row], bounds[row + 1]
        i, groups, last, run, mixed, long = lo, 0, lo, lo, 0, False
        while i < hi:
            c = classes[data[i]]
            if c == 0:
                if data[i] == 0xEF and i + 2 < hi and data[i + 1] == 0xBC and data[i + 2] == 0xA0:  # ＠
                    if i > lo and domain_follows(data, i + 3, hi):
                        n = put(out, n, row, i, i + 3, EMAIL)
                    i += 3
                else:
                    if not (tables[2][data[i]] or tables[3][data[i]]):
                        groups = 0
                    i += 1
            elif c <= DIGIT:
                s, digits, kinds = i, 0, 0
                while i < hi and 0 < classes[data[i]] <= DIGIT:
                    digits += classes[data[i]] == DIGIT
                    kinds |= 4 if classes[data[i]] == DIGIT else 1 + ((data[i] >> 5) & 1)
                    i += 1
                length = i - s
                if not (s == last and s > lo and (data[s - 1] == 0x2D or data[s - 1] == 0x5F)):  # a token goes on
                    run, mixed, long = s, 0, False
                mixed |= kinds
                last = i + 1
                if (length == 2 or length == 4) and i < hi and data[i] in (0x3A, 0x2D, 0x2E):
                    stop = six_pairs(data, s, hi, hexes)
                    if stop and not (s > lo and data[s - 1] == data[i]):
                        n = put(out, n, row, s, stop, MAC)
                if s - 3 >= lo and 0xE4 <= data[s - 3] <= 0xE9 and 0x41 <= data[s] <= 0x5A and is_province(data, s - 3):
                    n = put(out, n, row, s - 3, min(i, s + 8), PLATE)
                if digits == 0:
                    groups = 0
                    if length <= 3 and spelt_sign(data, s, i, lo, hi):
                        n = put(out, n, row, s, i, OBFUSCATED)
                    if length == 2 and i + 2 < hi and classes[data[i + 1]] == DIGIT and data[i] == 0x20:
                        n = joined(data, row, s, i, length, digits, hi, tables, groups, out, n)
                else:
                    groups += 1
                    n = one_word(data, row, s, i, length, digits, lo, hi, tables, out, n)
                    if length <= 20:
                        n = joined(data, row, s, i, length, digits, hi, tables, groups, out, n)
                if not long and ((length >= 16 and kinds >= 5) or (i - run >= 20 and mixed == 7) or length >= 32):
                    n = put(out, n, row, run, i, SECRET)
                    long = True
            elif c == AT:
                if i > lo and data[i - 1] > 0x20 and domain_follows(data, i + 1, hi):
                    n = put(out, n, row, i, i + 1, EMAIL)
                elif i > lo and i + 1 < hi and data[i - 1] in (0x28, 0x5B, 0x7B):
                    n = put(out, n, row, i, i + 1, OBFUSCATED)
                i += 1
            elif c == COLON:
                s, e, fits = colon_run(data, i, lo, hi, classes, hexes)
                if fits:
                    n = put(out, n, row, s, e, IPV6)
                i = max(e, i + 1) if fits else i + 1
            elif c == DASH:
                e = i
                while e < hi and data[e] == 0x2D:
                    e += 1
                if e - i >= 5 and e < hi and data[e] == 0x42:
                    n = put(out, n, row, i, e, PEM)
                i = e
            else:
                groups = 0
                i += 1
    return n
