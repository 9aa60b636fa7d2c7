"""English words and sentences as spaCy's rules cut them (spacy 3.8, `spacy.blank("en")` with its sentencizer).

datatrove measures English with them, and the thresholds of FineWeb and of datatrove's Gopher rules were met so. What
stands between blanks is cut by prefixes, suffixes and infixes; whatever no rule names stays together ("10:30",
"covid-19", "foo.bar"). Contractions are cut by their endings (n't 's 're 've 'll 'd 'm). Traded away: spaCy's
1,347 exceptions but for its abbreviations ("cannot" is one token here), and addresses without "://" are cut; what
that does to decisions docs/datatrove.md counts. A chunk without blanks is cut every CHUNK bytes: bounded memory.
"""

from __future__ import annotations

import numpy as np

from filters.bytewise import decode_at
from filters.codepoints import ASSIGNED, categories
from filters.compiled import step

CHUNK = 4096
PREFIX, SUFFIX, ICON, ALPHA, LOWER, UPPER, QUOTE, DIGIT, CURRENCY, ALL_P, MARK, BLANK = (1 << k for k in range(12))
KNOWN = ASSIGNED[0][1]  # code points from here on have no class
PERIOD, PLUS, HYPHEN, ELLIPSIS = 0x2E, 0x2B, 0x2D, 0x2026
# spacy/lang/char_classes.py and punctuation.py, as code points.
QUOTES = "'\"”“`‘´’‚,„»«「」『』（）〔〕【】《》〈〉〈〉⟦⟧"
PUNCT = "…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪"
CURRENCIES = "$£€¥฿₽﷼₴₠₡₢₣₤₥₦₧₨₩₪₫₭₮₯₰₱₲₳₵₶₷₸₹₺₻₼₾₿"
UNITS = """km km² km³ m m² m³ dm dm² dm³ cm cm² cm³ mm mm² mm³ ha µm nm yd in ft kg g mg µg t lb oz m/s km/h kmh mph
hPa Pa mbar mb MB kb KB gb GB tb TB T G M K %"""
# spacy/lang/en/tokenizer_exceptions.py and tokenizer_exceptions.py: those that keep their last point.
ABBREVIATIONS = """Adm. Ak. Ala. Apr. Ariz. Ark. Aug. Bros. Calif. Co. Colo. Conn. Corp. D.C. Dec. Del. Dr. E.G. E.g.
Feb. Fla. Ga. Gen. Gov. I.E. I.e. Ia. Id. Ill. Inc. Ind. Jan. Jr. Jul. Jun. Kan. Kans. Ky. La. Ltd. Mar. Mass. Md.
Messrs. Mich. Minn. Miss. Mo. Mont. Mr. Mrs. Ms. Mt. N.C. N.D. N.H. N.J. N.M. N.Y. Neb. Nebr. Nev. Nov. Oct. Okla. Ore.
Pa. Ph.D. Prof. Rep. Rev. S.C. Sen. Sep. Sept. St. Tenn. Va. Wash. Wis. a. a.m. b. c. co. d. e. e.g. f. g. h. i. i.e. j.
k. l. m. n. o. p. p.m. q. r. s. t. u. v. v.s. vs. w. x. y. z. ä. ö. ü."""
# spacy/pipeline/sentencizer.pyx, default_punct_chars.
MARKS = ("!.?։؟۔܀܁܂߹।॥၊။።፧፨᙮᜵᜶᠃᠉᥄᥅᪨᪩᪪᪫᭚᭛᭞᭟᰻᰼᱾᱿‼‽⁇⁈⁉⸮⸼꓿꘎꘏꛳꛷꡶꡷꣎꣏꤯꧈꧉꩝꩞꩟꫰꫱꯫﹒﹖﹗！．？𐩖𐩗𑁇𑁈𑂾𑂿𑃀𑃁𑅁𑅂𑅃𑇅𑇆𑇍𑇞𑇟𑈸𑈹𑈻𑈼𑊩𑑋𑑌"
         "𑗂𑗃𑗉𑗊𑗋𑗌𑗍𑗎𑗏𑗐𑗑𑗒𑗓𑗔𑗕𑗖𑗗𑙁𑙂𑜼𑜽𑜾𑩂𑩃𑪛𑪜𑱁𑱂𖩮𖩯𖫵𖬷𖬸𖭄𛲟𝪈｡。")  # fmt: skip


def _packed(text: str) -> np.uint64:
    return np.uint64(int.from_bytes(text.encode(), "little"))


LONGEST_UNIT = max(len(unit.encode()) for unit in UNITS.split())
UNIT_WORDS = np.array(sorted(_packed(unit) for unit in UNITS.split()), np.uint64)
SHORT_WORDS = np.array(sorted(_packed(word) for word in ABBREVIATIONS.split()), np.uint64)  # none is over 8 bytes


def _table() -> np.ndarray:
    """The classes of every code point."""
    table = np.zeros(0x110000, np.uint16)
    kinds, part = categories(0, KNOWN), table[:KNOWN]
    major, minor = kinds[:, 0], kinds[:, 1]
    for bits, chosen in (
        (ALPHA, major == ord("L")),
        (LOWER, (major == ord("L")) & np.isin(minor, [*b"lom"])),
        (UPPER, (major == ord("L")) & np.isin(minor, [*b"uto"])),
        (PREFIX | SUFFIX | ICON, (major == ord("S")) & (minor == ord("o"))),
        (ALL_P, major == ord("P")),
        (BLANK, np.fromiter(map(str.isspace, map(chr, range(KNOWN))), np.bool_, KNOWN)),
    ):
        part[chosen] |= bits
    for bits, characters in (
        (PREFIX | SUFFIX, PUNCT),
        (PREFIX | SUFFIX | QUOTE, QUOTES),
        (PREFIX, "§%="),
        (PREFIX | SUFFIX, "—–"),
        (PREFIX, "+"),
        (PREFIX | CURRENCY, CURRENCIES),
        (DIGIT, "0123456789"),
        (MARK, MARKS),
    ):
        for c in characters:
            table[ord(c)] |= bits
    return table


TABLE = _table()


@step
def code_before(data, start, end):  # type: ignore[no-untyped-def]
    """Code point that ends at byte `end`, and where it begins; 0 at `start`."""
    if end <= start:
        return np.int64(0), start
    i = end - 1
    while i > start and (data[i] & 0xC0) == 0x80:
        i -= 1
    return decode_at(data, i)[0], i


@step
def _run(data, i, end, byte):  # type: ignore[no-untyped-def]
    at = i
    while at < end and data[at] == byte:
        at += 1
    return at - i


@step
def _unit_size(data, start, stop, units):  # type: ignore[no-untyped-def]
    """Bytes of a unit of measure that ends at `stop` right after a digit, or 0."""
    packed = np.uint64(0)
    for size in range(1, LONGEST_UNIT + 1):
        at = stop - size
        if at <= start:
            return 0
        packed = (packed << np.uint64(8)) | np.uint64(data[at])
        if 48 <= data[at - 1] <= 57:
            place = np.searchsorted(units, packed)
            return size if place < len(units) and units[place] == packed else 0
    return 0


@step
def is_abbreviation(data, start, stop, short):  # type: ignore[no-untyped-def]
    """Whether [start, stop) is one of ABBREVIATIONS."""
    if stop <= start or stop - start > 8 or data[stop - 1] != PERIOD:
        return False
    packed = np.uint64(0)
    for at in range(stop - 1, start - 1, -1):
        packed = (packed << np.uint64(8)) | np.uint64(data[at])
    place = np.searchsorted(short, packed)
    return place < len(short) and short[place] == packed


@step
def _suffix_size(data, start, stop, table, units):  # type: ignore[no-untyped-def]
    """Bytes of the suffix that one step takes from [start, stop), or 0."""
    code, at = code_before(data, start, stop)
    kind = table[code]
    if code < 0x80 and kind & ALPHA and code != 0x73 and code != 0x53:  # most words
        return _unit_size(data, start, stop, units)
    last, second = code_before(data, start, at)
    before = table[last]
    if code == PERIOD:
        first = at
        while first > start and data[first - 1] == PERIOD:
            first -= 1
        if at > first:
            return stop - first
        if before & (DIGIT | LOWER | SUFFIX) or last == 0x25 or last == 0xB2 or last in (HYPHEN, PLUS):
            return 1 if at > start else 0
        upper = before & UPPER and table[code_before(data, start, second)[0]] & UPPER
        return 1 if upper else 0
    if (code == 0x73 or code == 0x53) and at > start and (last == 0x27 or last == 0x2019):
        return stop - second
    if kind & SUFFIX:
        return stop - at
    if before & DIGIT and (code == PLUS or kind & CURRENCY):
        return stop - at
    return _unit_size(data, start, stop, units)


@step
def _contraction(data, start, stop):  # type: ignore[no-untyped-def]
    """Where the ending of a contraction begins in the word [start, stop), or `stop`."""
    for size in range(1, 3):
        at = stop - size
        if at - 1 <= start:
            return stop
        mark = 1 if data[at - 1] == 0x27 else 0
        if at - 3 > start and data[at - 1] == 0x99 and data[at - 2] == 0x80 and data[at - 3] == 0xE2:
            mark = 3
        if mark:
            a, b = data[at] | 32, data[stop - 1] | 32
            if size == 1 and a == 0x74:  # n't
                return at - mark - 1 if data[at - mark - 1] | 32 == 0x6E and at - mark - 1 > start else stop
            if size == 1 and (a == 0x64 or a == 0x6D):
                return at - mark
            if size == 2 and ((b == 0x65 and (a == 0x72 or a == 0x76)) or (a == 0x6C and b == 0x6C)):
                return at - mark
    return stop


@step
def _infix_size(data, i, stop, code, width, before, table):  # type: ignore[no-untyped-def]
    """Bytes of the infix that begins at i, `before` being the classes of the character before it; or 0."""
    kind = table[code]
    if kind & (ALPHA | DIGIT):
        return 0
    if code == ELLIPSIS or kind & ICON:
        return width
    hyphens = 3 if code == HYPHEN else 2 if code == 0x2014 else 1 if code == 0x2013 or code == 0x7E else 0
    run = 1
    while hyphens and i + (run + 1) * width <= stop and decode_at(data, i + run * width)[0] == code:
        run += 1
    ahead = i + (run if hyphens else 1) * width
    after = table[decode_at(data, ahead)[0]] if ahead < stop else 0
    if code == PERIOD:
        dots = _run(data, i, stop, PERIOD)
        if dots > 1:
            return dots
        return 1 if before & (LOWER | QUOTE) and after & (UPPER | QUOTE) else 0
    between = before & DIGIT and i + 1 < stop and (data[i + 1] == HYPHEN or 48 <= data[i + 1] <= 57)
    if between and (code in (PLUS, HYPHEN) or code == 0x2A or code == 0x5E):
        return 1
    if hyphens and run <= hyphens and before & (ALPHA | DIGIT) and after & ALPHA:
        return run * width
    if code == 0x2C:
        return 1 if before & ALPHA and after & ALPHA else 0
    if code == 0x3A or code == 0x3C or code == 0x3E or code == 0x3D or code == 0x2F:
        return 1 if before & (ALPHA | DIGIT) and after & ALPHA else 0
    return 0


@step
def cut_chunk(data, i, end, table, units, short, ends):  # type: ignore[no-untyped-def]
    """Write where each token of a chunk without blanks ends into `ends`, twice as long as the chunk; their number."""
    n = m = 0
    while i < end:
        code, width = decode_at(data, i)
        if code == PERIOD:
            width = _run(data, i, end, PERIOD)
            if width < 2:
                break
        elif not table[code] & PREFIX or (code == PLUS and i + 1 < end and 48 <= data[i + 1] <= 57):
            break
        i += width
        ends[n] = i
        n += 1
    stop, whole = end, False
    while stop > i:
        whole = is_abbreviation(data, i, stop, short)
        if whole:
            break
        size = _suffix_size(data, i, stop, table, units)
        if size == 0:
            break
        m += 1
        ends[len(ends) - m] = stop
        stop -= size
    cut = stop if whole else _contraction(data, i, stop)
    at, begin, before = i, i, np.uint16(0)
    while at < cut and not whole:
        if data[at] < 0x80 and table[data[at]] & (ALPHA | DIGIT):
            before = table[data[at]]
            at += 1
            continue
        code, width = decode_at(data, at)
        if (
            code == 0x3A
            and at > begin
            and begin == i
            and at + 3 < cut
            and data[at + 1] == 0x2F
            and data[at + 2] == 0x2F
        ):
            cut = stop  # an address stays whole
            break
        size = _infix_size(data, at, cut, code, width, before, table) if at > i else 0
        if size:
            if at > begin:
                ends[n] = at
                n += 1
            begin = at + size
            ends[n] = begin
            n += 1
        before = table[code]
        at += max(size, width)
    for last in (cut, stop):
        if begin < last:
            ends[n] = last
            n += 1
            begin = last
    for k in range(m, 0, -1):
        ends[n] = ends[len(ends) - k]
        n += 1
    return n


@step
def chunk_end(data, i, end, table):  # type: ignore[no-untyped-def]
    """Where the chunk that begins at i ends, at a blank or after CHUNK bytes; and the classes of its characters."""
    limit, seen = min(end, i + CHUNK), np.uint16(0)
    while i < limit:
        kind, width = table[data[i]], 1
        if data[i] >= 0x80:
            code, width = decode_at(data, i)
            kind = table[code]
        if kind & BLANK:
            break
        seen |= kind
        i += width
    return i, seen


def words(text: str) -> list[str]:
    """The words of a text, for tests and for looking at.

    >>> words('He said: "I don\\'t know (10:30)."')
    ['He', 'said', ':', '"', 'I', 'do', "n't", 'know', '(', '10:30', ')', '.', '"']
    """
    found = []
    ends = np.empty(2 * (CHUNK + 4), np.int64)
    data = np.frombuffer(text.encode() + bytes(8), np.uint8)
    i, end = 0, len(data) - 8
    while i < end:
        code, width = decode_at(data, i)
        if TABLE[code] & BLANK:
            i += width
            continue
        for stop in ends[: cut_chunk(data, i, chunk_end(data, i, end, TABLE)[0], TABLE, UNIT_WORDS, SHORT_WORDS, ends)]:
            found.append(bytes(data[i:stop]).decode())
            i = int(stop)
    return found
