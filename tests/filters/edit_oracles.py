"""Every edit restated in plain Python, as slowly and obviously as the published sources put it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from pathlib import Path

import ftfy
import opencc

CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies", "use cookies")


def c4(text: str, tfds: bool) -> str:
    kept = []
    for line in text.splitlines():
        line = line.strip()
        words = line.split()
        if any(len(word) > 1000 for word in words):
            continue
        line = CITATION.sub("", line)
        if tfds and (not line.endswith((".", "?", "!", '"')) or line.endswith("...")):
            continue
        if (len(line.split()) < 5) if tfds else (len(words) < 3):
            continue
        lower = line.lower()
        if "javascript" in lower or any(phrase in lower for phrase in POLICY):
            continue
        kept.append(line)
    return "\n".join(kept).strip()


COUNTER = re.compile(
    r"^\W*\d(?:,|\.|\d)*(?:K|k|M|m|B|b)?\s+(?:likes|shares|comments|retweets|reposts|quotes|bookmarks|upvotes"
    r"|downvotes|downloads|views|followers)\W*$"
)


def _substring(page: str, pattern: str) -> str:
    kept = []
    for line in page.split("\n"):
        if len(line.split()) <= 10:
            changed = re.sub(pattern, "", line, flags=re.IGNORECASE)
            if line and (not changed or changed.isspace()):
                continue
            line = changed
        kept.append(line)
    return "\n".join(kept).strip()


def rw_lines(page: str) -> str:
    lines = [x for x in page.split("\n") if not x or sum(c.isupper() for c in x) / len(x) <= 0.5]
    page = "\n".join(lines).strip()
    lines = [x for x in page.split("\n") if not x or sum(c.isdigit() for c in x) / len(x) <= 0.999999]
    page = "\n".join(lines).strip()
    page = "\n".join(x for x in page.split("\n") if not COUNTER.search(x.lower())).strip()
    page = "\n".join(x for x in page.split("\n") if len(x.split()) >= 2 or not x)
    page = _substring(page, r"\s?(?:items in cart)")
    page = _substring(page, r"\s?(?:read more...)$")
    return _substring(page, r"^(?:sign-in)\s?")


TLDS = [
    line
    for line in (Path(__file__).parents[2] / "filters/edits/tlds.txt").read_text(encoding="utf-8").split("\n")
    if line and not line.startswith("#")
]
URL = re.compile(
    r"\s{0,10}(?:((https?|ftp)://))?[-a-zA-Z0-9@:%._\+~#=]{1,256}\.("
    + "|".join(sorted(map(re.escape, TLDS), key=len, reverse=True))
    + r")\b([-a-zA-Z0-9()@:%_\+.~#?&//=]*)"
)
ADDRESS = re.compile(
    r"\s{0,10}\b((https?|ftp)://)?(?:[0-2]?[0-9]{1,2}\.){3}[0-2]?[0-9]{1,2}[-a-zA-Z0-9()@:%_\+.~#?&//=]*"
)


def strip_urls(text: str) -> str:
    return ADDRESS.sub("", URL.sub("", text))


def pipe_lines(text: str) -> str:
    kept, removed = [], False
    for line in text.splitlines():
        pipes = line.strip() != "" and all(c in "| " for c in line)
        if pipes and not removed:
            kept.append("\n")
            removed = True
        elif not pipes:
            kept.append(line)
            removed = False
    return "\n".join(kept)


def dedup(text: str, separator: str) -> str:
    seen: set[str] = set()
    kept = []
    for part in text.split(separator):
        key = part.strip().lower()
        if key not in seen or not key:
            kept.append(part)
            seen.add(key)
    return separator.join(kept)


def collapse_chars(text: str) -> str:
    repeatable = set("!?,;~！？，、；：。～·…—.\t") | {c for c in text if unicodedata.category(c) == "Zs"}
    kept: list[str] = []
    run = 0
    for i, c in enumerate(text):
        run = run + 1 if i and text[i - 1] == c else 1
        if c not in repeatable or run <= {"…": 2, "—": 2, ".": 3}.get(c, 1):
            kept.append(c)
    return "".join(kept)


def collapse_paragraphs(text: str) -> str:
    lines = text.split("\n")
    kept: list[str] = []
    last = ""
    since = 0  # how many of the kept lines there were after the last paragraph
    for line in lines:
        key = line.strip()
        if not key:
            kept.append(line)
            continue
        if key == last and len(re.findall("[。！？｡…!?.]+", key)) < 100:
            kept = kept[:since]
        else:
            kept.append(line)
            since = len(kept)
        last = key
    return "\n".join(kept)


CLOSERS = "\"'”’」』）)】》〉〕］]"
SENTENCE = re.compile(
    # marks that end, points among them, and closers; or points alone before a closer, a blank or the end
    rf"\.*[。！？｡…!?][。！？｡…!?.]*[{re.escape(CLOSERS)}]*|(?<!\.)\.+(?:[{re.escape(CLOSERS)}]+|(?=\s|\Z))"
)


def sentences(line: str) -> list[tuple[str, bool]]:
    """(sentence with the blanks after it, whether it has an end mark)."""
    found = []
    while line:
        mark = SENTENCE.search(line)
        end = mark.end() if mark else len(line)
        after = end + len(line[end:]) - len(line[end:].lstrip())
        found.append((line[:after], mark is not None))
        line = line[after:]
    return found


WIDE = ((0x1100, 0x115F), (0x2E80, 0x303E), (0x3041, 0xA4CF), (0xA960, 0xA97C), (0xAC00, 0xD7A3), (0xF900, 0xFAFF),
        (0xFE30, 0xFE6F), (0xFF01, 0xFF60), (0xFFE0, 0xFFE6), (0x20000, 0x3FFFD))  # fmt: skip


WIDE_CLASS = "[" + "".join(f"{chr(low)}-{chr(high)}" for low, high in WIDE) + "]"


def word_count(sentence: str) -> int:
    letters = sum(c.isalnum() for c in re.findall(WIDE_CLASS, sentence))
    return letters + len(re.sub(WIDE_CLASS, " ", sentence).split())


def drop_short_sentences(text: str) -> str:
    kept = []
    for line in text.split("\n"):
        left = "".join(s for s, _ in sentences(line) if word_count(s) >= 10)
        if not line.strip() or left:
            kept.append(left or line)
    return "\n".join(kept)


def cut_unterminated(text: str) -> str:
    body = text.rstrip()
    line = body.rsplit("\n", 1)[-1]
    found = sentences(line)
    if not found or found[-1][1]:
        return text
    return body[: len(body) - len(found[-1][0])].rstrip()


HAN = "[々-〇㐀-䶿一-\u9fff\uf900-\ufaff\U00020000-\U000323af]"


def han_paragraphs(text: str) -> str:
    return "\n".join(line for line in text.split("\n") if len(re.findall(HAN, line)) >= 10)


def navbar(text: str) -> str:
    kept = []
    for line in text.split("\n"):
        if not re.search(r"[。！？｡…!?,，;；、]|\.(\s|\Z)", line):
            parts = ["".join(p.split()) for p in re.split(r"[|｜>»›→·•/\t]", line)]
            parts = [p for p in parts if p]
            menu = line.split() if re.fullmatch(rf"({HAN}|\s)*", line) else []
            if (len(parts) >= 3 and max(map(len, parts)) <= 12) or (len(menu) >= 5 and max(map(len, menu)) <= 4):
                continue
        kept.append(line)
    return "\n".join(kept)


def line_ends(text: str) -> str:
    lines = text.split("\n")
    while lines and len(line := lines[-1].strip()) + len(re.findall(WIDE_CLASS, line)) < 30:
        lines.pop()
    return "\n".join(lines) if lines else text


ZH = rf"(?:{HAN}|[、。〃〈〉《》「」『』【】〔〕〖〗！（），．：；？［］｛｝～])"


def zh_blanks(text: str) -> str:
    return re.sub(rf"(?<={ZH})[ \t\u00a0\u3000]+(?={ZH})", "", text)


ODD = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\u200b\u2060\u20e2-\u20e4\u231a\u231b\u23cf\u23e9-\u23ff\u2500-\u25ca"
    "\u25cc-\u2775\u2794-\u2797\u27b0\u27bf\u2b1b\u2b1c\u2b50-\u2b59\u3013\u3030\u303d\ue000-\uf8ff\ufe0e\ufe0f"
    "\ufeff\ufff9-\ufffd\U0001f000-\U0001fbff\U000e0001-\U000e007f\U000f0000-\U000ffffd\U00100000-\U0010fffd]"
)


def symbols(text: str) -> str:
    kept = []
    odd = zero = False
    for i, c in enumerate(text):
        around = text[max(i - 1, 0) : i] + text[i + 1 : i + 2]
        zero = c == "○" and (zero or any(n in "〇零一二三四五六七八九十" for n in around))
        odd = bool(ODD.match(c)) or (c == "○" and not zero) or (c == "\u200d" and odd)
        if not odd:
            kept.append(c)
    return "".join(kept)


BLOCK = re.compile(r"/\*[^*]*\*+(?:[^/*][^*]*\*+)*/")


def code_copyright(text: str) -> str:
    lines = text.split("\n")
    while lines and (not lines[0] or lines[0].lstrip().startswith(("//", "#", "--"))):
        lines.pop(0)
    top, rest = "\n".join(lines[:100]), lines[100:]
    block = BLOCK.search(top)
    if block and re.search("copyright", block[0], re.IGNORECASE):
        top = top[: block.start()] + top[block.end() :]
    return top + "\n" + "\n".join(rest) if rest else top


def latex_strip(text: str) -> str:
    head = "|".join(
        rf"\\\b{name}\b\*?(?:\[(?:.*?)\])?\{{(?:.*?)\}}"
        for name in ("chapter", "part", "section", "subsection", "subsubsection")
    )
    last = "".join(rf"\\\b{name}\b\*?(?:\[(?:.*?)\])?\{{(?:.*?)\}}" for name in ("paragraph", "subparagraph"))
    pattern = rf"^(.*?)({head}|{last})"
    if not re.search(pattern, text, flags=re.DOTALL):
        return ""
    text = re.sub(pattern, r"\2", text, flags=re.DOTALL)
    text = re.sub(r"(?m)^%.*\n?", "", text)
    text = re.sub(r"[^\\]%.+$", "", text, flags=re.MULTILINE)
    back = (
        r"(\\appendix|\\begin\{references\}|\\begin\{REFERENCES\}|\\begin\{thebibliography\}|\\bibliography\{.*?\}).*$"
    )
    return re.sub(back, "", text, flags=re.DOTALL)


T2S = opencc.OpenCC("t2s")
FINEWEB2 = ftfy.TextFixerConfig(
    fix_latin_ligatures=False, fix_character_width=False, uncurl_quotes=False, fix_line_breaks=False, normalization=None
)

ORACLES: dict[str, Callable[[str], str]] = {
    "c4_lines": lambda t: c4(t, tfds=True),
    "c4_lines_nopunct": lambda t: c4(t, tfds=False),
    "rw_lines": rw_lines,
    "strip_urls": strip_urls,
    "max_two_newlines": lambda t: re.sub("\n{3,}", "\n\n", t),
    "pipe_lines": pipe_lines,
    "ftfy": lambda t: ftfy.fix_text(t, FINEWEB2),
    "nfc": lambda t: unicodedata.normalize("NFC", t),
    "nfkc": lambda t: unicodedata.normalize("NFKC", t),
    "dedup_lines": lambda t: dedup(t, "\n"),
    "dedup_paragraphs": lambda t: dedup(t, "\n\n"),
    "collapse_chars": collapse_chars,
    "collapse_paragraphs": collapse_paragraphs,
    "drop_short_sentences": drop_short_sentences,
    "symbols": symbols,
    "navbar": navbar,
    "zh_blanks": zh_blanks,
    "cut_unterminated": cut_unterminated,
    "han_paragraphs": han_paragraphs,
    "line_ends": line_ends,
    "code_copyright": code_copyright,
    "latex_strip": latex_strip,
    "t2s": lambda t: T2S.convert(t),
}
