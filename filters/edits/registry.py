"""The table of edits: what a recipe may name, what each is, and where it comes from.

A kernel takes a batch of texts and gives the batch back, row for row. `evidence` as in recipes: C read in the
system's code, S in a secondary source, M from memory, A our own. `languages` says for which languages an edit is
meant (empty: any): `t2s` would change Japanese and `han_paragraphs` empties English, so a recipe's step for them must
name its languages; the edit itself does not look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from filters.edits import c4, characters, encodings, libraries, lines, markup, refinedweb, repeats, sentences, urls
from filters.edits.kernels import Kernel


@dataclass(frozen=True)
class TextEdit:
    """One edit: its name, one line with its source, its kernel, and what is known of it."""

    name: str
    doc: str
    kernel: Kernel
    evidence: Literal["C", "S", "M", "A"]
    languages: tuple[str, ...] = ()


ZH = ("zh",)
_ALL = (
    TextEdit("c4_lines", "C4's lines: terminal mark, 5 words, no policy or JavaScript (TFDS c4_utils.py)",
             c4.c4_lines, "C"),
    TextEdit("c4_lines_nopunct", "C4's lines as in FineWeb: 3 words, no terminal mark (datatrove C4QualityFilter)",
             c4.c4_lines_nopunct, "C"),
    TextEdit("rw_lines", "RefinedWeb's line corrections (DCLM baselines/mappers/modifiers.py, refinedweb.yaml)",
             refinedweb.rw_lines, "C"),
    TextEdit("strip_urls", "URLs and IPv4 addresses go (DCLM url_removal_modifier, on every page)",
             urls.strip_urls, "C"),
    TextEdit("max_two_newlines", "At most two newlines in a row (DCLM newline_removal_modifier)",
             characters.max_two_newlines, "C"),
    TextEdit("pipe_lines", "Lines of only '|' and spaces become a newline (FineWeb-2, SymbolLinesFormatter)",
             lines.pipe_lines, "C"),
    TextEdit("ftfy", "Mojibake, entities and controls repaired by ftfy (FineWeb-2, datatrove FTFYFormatter)",
             encodings.repair_all, "C"),
    TextEdit("nfc", "Unicode NFC (SlimPajama's first step, from memory)", libraries.nfc, "M"),
    TextEdit("nfkc", "Unicode NFKC; full-width marks become ASCII (our own choice where used)", libraries.nfkc, "A"),
    TextEdit("dedup_lines", "Repeated lines of one document go, the first stays (DCLM within_page_dedup)",
             repeats.dedup_lines, "C"),
    TextEdit("dedup_paragraphs", "Repeated paragraphs of one document go (DCLM within_page_dedup; PanGu-α)",
             repeats.dedup_paragraphs, "C"),
    TextEdit("collapse_chars", "Runs of one blank or mark become one (ERNIE 3.0; which marks is our reading)",
             characters.collapse_chars, "S"),
    TextEdit("collapse_paragraphs", "Identical neighbouring paragraphs become one (ERNIE 3.0; limit from memory)",
             repeats.collapse_paragraphs, "S"),
    TextEdit("drop_short_sentences", "Sentences under 10 words go (ERNIE 3.0; a Han character counts as a word)",
             sentences.drop_short_sentences, "S"),
    TextEdit("symbols", "Emoji, decoration and odd characters go (PanGu-α, WuDao; which ones is our reading)",
             characters.symbols, "A"),
    TextEdit("navbar", "Navigation-bar lines go (PanGu-α names the step; the rule is ours)", lines.navbar, "A"),
    TextEdit("zh_blanks", "Blanks between Chinese characters go (WuDao, from memory)", characters.zh_blanks, "M", ZH),
    TextEdit("cut_unterminated", "The last sentence goes if it has no end mark (WuDao from memory, MNBVC)",
             sentences.cut_unterminated, "S"),
    TextEdit("han_paragraphs", "Paragraphs with fewer than 10 Han characters go (MNBVC)", lines.han_paragraphs, "S",
             ZH),
    TextEdit("line_ends", "Short lines at the end of the text go (CulturaX, from memory; the length is ours)",
             lines.line_ends, "M"),
    TextEdit("code_copyright", "Code's leading copyright comment goes (RedPajama v1, github_clean_dedup_local.py)",
             markup.code_copyright, "C"),
    TextEdit("latex_strip", "LaTeX's body stays, what is no LaTeX becomes empty (RedPajama v1, arxiv_cleaner.py)",
             markup.latex_strip, "C"),
    TextEdit("t2s", "Traditional to simplified Chinese (OpenCC t2s)", libraries.t2s, "C", ZH),
)  # fmt: skip
EDITS: dict[str, TextEdit] = {edit.name: edit for edit in _ALL}
