"""Where personal data can be: one pass over the bytes that names places, so that patterns run on short windows only.

Almost all of a text is letters and spaces, and nothing here but an `@`, a digit in the right company, a colon between
hexadecimal digits, an `at` in brackets or five dashes gives work to what follows. A run of digits and separators that
is longer than MAX_GROUPS groups is a table of figures: its later groups are not joined with their neighbours. What is
asked of every place looks at a bounded number of bytes, so the pass is linear in the text whatever it holds.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import letters8, load64
from filters.compiled import kernel, step
from filters.pii.runs import (
    AT,
    BREAK,
    COLON,
    DASH,
    DIGIT,
    LETTER,
    LONGEST,
    bank_account,
    colon_run,
    dated,
    domain_follows,
    dotted_quad,
    is_province,
    phone_gap,
    six_pairs,
    spelt_sign,
    word_end,
)

EMAIL, OBFUSCATED, IPV4, IPV6, MAC, SECRET, PEM, IBAN, PHONE, WORD, APART, GLUED, PLATE = range(13)
SMALL = np.uint64(0x2020202020202020)
MAX_GROUPS = 64  # groups of one run that are joined with their neighbours
REACH = 8  # groups that one value may have


@step
def put(out, n, row, start, end, what):  # type: ignore[no-untyped-def]
    """Write a place where there is room; its number is counted even where there is none."""
    if n < len(out):
        out[n, 0], out[n, 1], out[n, 2], out[n, 3] = row, start, end, what
    return n + 1


@step
def joined(data, row, s, e, length, digits, lo, hi, tables, groups, out, n):  # type: ignore[no-untyped-def]
    """Places that start with the group [s, e): values of several groups, and the longest telephone number."""
    classes, shapes, single, phoning, _ = tables
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
    pointed = (s > lo and data[s - 1] in (0x2B, 0x3A, 0x9A)) or (s > lo + 1 and data[s - 2] in (0x3A, 0x9A))
    enough = phone_digits >= (5 if pointed else 7) and not (decimal and parts == 1)
    if all_digits and enough and groups < MAX_GROUPS:
        n = put(out, n, row, s, phone_end, PHONE | phone_digits << 8)
    return n


@step
def one_word(data, row, s, e, length, digits, lo, hi, tables, out, n):  # type: ignore[no-untyped-def]
    """Places that are one word: letters and digits of a known shape, and what only begins with one."""
    classes, shapes, _, _, lengths = tables
    if length <= LONGEST and shapes[length, digits] & 1:
        n = put(out, n, row, s, e, WORD | length << 8 | digits << 16)
    if digits == length <= 3:
        stop = dotted_quad(data, s, lo, hi, classes)
        if stop:
            n = put(out, n, row, s, stop, IPV4)
    if length >= 4 and classes[data[s]] == LETTER:
        stop = bank_account(data, s, hi, classes, lengths)
        if stop:
            n = put(out, n, row, s, stop, IBAN)
    short = 5 <= digits <= LONGEST and digits < length <= digits + 8 and shapes[digits, digits] & 1
    if short and classes[data[e - digits]] == DIGIT and classes[data[e - digits - 1]] == LETTER:
        n = put(out, n, row, e - digits, e, GLUED | digits << 8 | digits << 16)
    return n


@step
def one_sign(data, row, i, lo, hi, tables, hexes, out, n):  # type: ignore[no-untyped-def]
    """Places that begin or are announced by a sign, and the byte to go on from."""
    classes = tables[0]
    c = classes[data[i]]
    if c == AT:
        if i > lo and data[i - 1] > 0x20 and domain_follows(data, i + 1, hi):
            return i + 1, put(out, n, row, i, i + 1, EMAIL)
        if i > lo and i + 1 < hi and data[i - 1] in (0x28, 0x5B, 0x7B):
            return i + 1, put(out, n, row, i, i + 1, OBFUSCATED)
    elif c == COLON:
        s, e, fits = colon_run(data, i, lo, hi, classes, hexes)
        if fits:
            return max(e, i + 1), put(out, n, row, s, e, IPV6)
    elif c == DASH:
        e = i
        while e < hi and data[e] == 0x2D:
            e += 1
        if e - i >= 5 and e < hi and data[e] == 0x42:
            n = put(out, n, row, i, e, PEM)
        return e, n
    elif data[i] == 0xEF and i + 2 < hi and data[i + 1] == 0xBC and data[i + 2] == 0xA0:  # ＠
        if i > lo and domain_follows(data, i + 3, hi):
            n = put(out, n, row, i, i + 3, EMAIL)
        return i + 3, n
    return i + 1, n


@step
def word(data, row, s, e, digits, lo, hi, tables, hexes, groups, out, n):  # type: ignore[no-untyped-def]
    """Places that begin with the letters and digits [s, e)."""
    classes, length = tables[0], e - s
    if (length == 2 or length == 4) and e < hi and data[e] in (0x3A, 0x2D, 0x2E):
        stop = six_pairs(data, s, hi, hexes)
        if stop and not (s > lo and data[s - 1] == data[e]):
            n = put(out, n, row, s, stop, MAC)
    if s - 3 >= lo and 0xE4 <= data[s - 3] <= 0xE9 and 0x41 <= data[s] <= 0x5A and is_province(data, s - 3):
        n = put(out, n, row, s - 3, min(e, s + 8), PLATE)
    if digits == 0:
        if length <= 3 and spelt_sign(data, s, e, lo, hi):
            n = put(out, n, row, s, e, OBFUSCATED)
        if length == 2 and e + 2 < hi and (classes[data[e + 1]] == DIGIT or data[e] == 0xC2):
            stop = bank_account(data, s, hi, classes, tables[4])
            n = put(out, n, row, s, stop, IBAN) if stop else n
        if length == 2 and e + 2 < hi and classes[data[e + 1]] == DIGIT and data[e] == 0x20:
            n = joined(data, row, s, e, length, digits, lo, hi, tables, groups, out, n)
        return n
    n = one_word(data, row, s, e, length, digits, lo, hi, tables, out, n)
    return joined(data, row, s, e, length, digits, lo, hi, tables, groups, out, n) if length <= 20 else n


@kernel
def places(data, bounds, tables, hexes, out):  # type: ignore[no-untyped-def]
    """Write (row, start, end, what) to `out`, in order of discovery; return how many there are, room or no room.

    `what` is a class of place, with the number of letters and digits in bits 8 to 15 and of digits in 16 to 23 where
    that is known. Starts and ends are bytes of `data`. `tables` are CLASSES, the shapes of the rules (bit 1 of [letters
    and digits, digits]: in one word; bit 2: in several), SINGLE and PHONING; `hexes` is HEX.
    """
    classes, n = tables[0], 0
    for row in range(len(bounds) - 1):
        lo, hi = bounds[row], bounds[row + 1]
        i, groups, last, run, mixed, long = lo, 0, lo, lo, 0, False
        while i < hi:
            c = classes[data[i]]
            if c == 0 and data[i] != 0xEF:
                if groups and not (tables[2][data[i]] or tables[3][data[i]]):
                    groups = 0
                i += 1
                continue
            if not 0 < c <= DIGIT:
                groups = 0 if c == BREAK else groups
                i, n = one_sign(data, row, i, lo, hi, tables, hexes, out, n)
                continue
            s, digits, kinds = i, 0, 0
            while i < hi:
                if i + 8 <= len(data):  # up to eight letters at once
                    eight = load64(data, i)
                    k = min(np.int64(letters8(eight)), hi - i)
                    if k:
                        all_small = SMALL >> np.uint64(64 - 8 * k)
                        small = eight & all_small
                        kinds |= 2 * (small != 0) | (small != all_small)
                        i += k
                        if k == 8:
                            continue
                if i >= hi or not 0 < classes[data[i]] <= DIGIT:
                    break
                digits += classes[data[i]] == DIGIT
                kinds |= 4 if classes[data[i]] == DIGIT else 1 + ((data[i] >> 5) & 1)
                i += 1
            if not (s == last and s > lo and (data[s - 1] == 0x2D or data[s - 1] == 0x5F)):  # a token goes on
                run, mixed, long = s, 0, False
            mixed, last = mixed | kinds, i + 1
            groups = groups + 1 if digits else 0
            # of words of letters only these can be places: after Chinese, `at`, `dot`, and what a sign or digit follows
            short = i - s <= 4 and (
                data[s] | 32 in (0x61, 0x64) or (i + 1 < hi and (classes[data[i + 1]] == DIGIT or data[i] == 0xC2))
            )
            if (
                digits
                or short
                or (s > lo and data[s - 1] >= 0x80)
                or (i - s <= 4 and i < hi and classes[data[i]] > DIGIT)
            ):
                n = word(data, row, s, i, digits, lo, hi, tables, hexes, groups, out, n)
            if not long and (
                (i - s >= 16 and kinds >= 5) or (i - run >= (30 if mixed == 6 else 20) and mixed >= 5) or i - s >= 32
            ):
                n = put(out, n, row, run, i, SECRET)
                long = True
    return n
