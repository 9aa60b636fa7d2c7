"""RedPajama-v2's signals from the columns that its kernels count (rpv2.py, normal.py)."""

from __future__ import annotations

import numpy as np

from filters.codepoints import PROPERTIES
from filters.segment import TextView
from filters.signals.characters import ALPHAS, kind_columns, symbol_columns
from filters.signals.grams import CHARS, COVERED, REPEATED, TOP_COUNT, TOP_SIZE, gram_stats
from filters.signals.normal import compact, normal_hash, normalized
from filters.signals.rpv2 import normal_columns, raw_columns, raw_lines
from filters.signals.signal import DOLMA_CODE, INT, REAL, RPV2, ratio, signals


def raw(view: TextView) -> dict[str, np.ndarray]:
    """Signals of raw words and sentences."""
    c = raw_columns(view)
    marks = symbol_columns(view)
    return {
        "rps_doc_frac_no_alph_words": ratio(c[:, 0] - c[:, 1], c[:, 0]),
        "rps_doc_frac_all_caps_words": ratio(c[:, 2], c[:, 0]),
        "rps_doc_symbol_to_word_ratio": ratio(marks[:, 0] + marks[:, 1], c[:, 0]),
        "rps_doc_num_sentences": c[:, 4],
    }


def lines(view: TextView) -> dict[str, np.ndarray]:
    """Signals of raw lines, as their mean."""
    s = raw_lines(view.data, view.bounds, PROPERTIES)
    return {
        "rps_lines_ending_with_terminal_punctution_mark": ratio(s[:, 1], s[:, 0]),
        "rps_doc_frac_lines_end_with_ellipsis": ratio(s[:, 2], s[:, 0]),
        "rps_lines_start_with_bulletpoint": ratio(s[:, 3], s[:, 0]),
        "rps_lines_uppercase_letter_fraction": ratio(s[:, 4], s[:, 0]),
    }


def normal(view: TextView) -> dict[str, np.ndarray]:
    """Signals of normal words and lines."""
    w = normalized(view)
    c = normal_columns(w.first, w.lengths, w.hashes, w.flags, w.numeric, normal_hash("javascript"))
    count = c[:, 0]
    stops = raw_columns(view)
    return {
        "rps_doc_word_count": count.astype(np.int64),
        "rps_doc_mean_word_length": ratio(c[:, 1], count),
        "rps_doc_frac_unique_words": ratio(c[:, 2], count),
        "rps_doc_unigram_entropy": np.maximum(c[:, 3], 0.0),
        "rps_doc_lorem_ipsum": ratio(c[:, 4], c[:, 1] + count - 1),
        "rps_doc_stop_word_fraction": ratio(stops[:, 3], np.where(count > 0, stops[:, 0], 0)),
        "rps_lines_num_words": ratio(count, c[:, 5]),
        "rps_lines_javascript_counts": c[:, 6].astype(np.int64),
        "rps_lines_numerical_chars_fraction": ratio(c[:, 7], c[:, 5]),
    }


def grams(view: TextView) -> dict[str, np.ndarray]:
    """Top and duplicate n-grams of normal words."""
    first, lengths, hashes = compact(normalized(view))
    s = gram_stats(first, lengths, hashes, 10)
    chars = s[:, CHARS]
    out = {}
    for n in (2, 3, 4):
        times = s[:, TOP_COUNT[n - 2]]
        out[f"rps_doc_frac_chars_top_{n}gram"] = ratio(s[:, TOP_SIZE[n - 2]] * times * (times > 1), chars)
    for n in range(5, 11):
        out[f"rps_doc_frac_chars_dupe_{n}grams"] = ratio(s[:, REPEATED + 3 * (n - 5) + COVERED - REPEATED], chars)
    return out


def code(view: TextView) -> dict[str, np.ndarray]:
    """RedPajama v1's letters for each token of code; the pieces between raw words are counted, as Dolma does."""
    return {"code_alpha_chars_per_token": kind_columns(view)[:, ALPHAS] / (raw_columns(view)[:, 0] + 1)}


SIGNALS = (
    *signals(raw, (
        ("rps_doc_frac_no_alph_words", REAL, "share of raw words without a letter of ASCII", RPV2),
        ("rps_doc_frac_all_caps_words", REAL, "share of raw words in capitals", RPV2),
        ("rps_doc_symbol_to_word_ratio", REAL, "'#', '...' and '…' for each raw word", RPV2),
        ("rps_doc_num_sentences", INT, r"matches of \b[^.!?]+[.!?]*", RPV2),
    )),
    *signals(lines, (
        ("rps_lines_ending_with_terminal_punctution_mark", REAL, "share of lines that end in . ! ? or ”", RPV2),
        ("rps_doc_frac_lines_end_with_ellipsis", REAL, "share of lines that end in an ellipsis", RPV2),
        ("rps_lines_start_with_bulletpoint", REAL, "share of lines that begin with one of ten bullets", RPV2),
        ("rps_lines_uppercase_letter_fraction", REAL, "mean share of capitals of a line", RPV2),
    )),
    *signals(normal, (
        ("rps_doc_word_count", INT, "normal words", RPV2),
        ("rps_doc_mean_word_length", REAL, "mean characters of a normal word", RPV2),
        ("rps_doc_frac_unique_words", REAL, "different normal words over all", RPV2),
        ("rps_doc_unigram_entropy", REAL, "entropy of normal words in nats", RPV2),
        ("rps_doc_lorem_ipsum", REAL, "'lorem ipsum' over characters of the normal form", RPV2),
        ("rps_doc_stop_word_fraction", REAL, "stop words over raw words (en, de, fr, es, it)", RPV2),
        ("rps_lines_num_words", REAL, "mean normal words of a line", RPV2),
        ("rps_lines_javascript_counts", INT, "the word javascript, over all lines", RPV2),
        ("rps_lines_numerical_chars_fraction", REAL, "mean share of numeric characters of a normal line", RPV2),
    )),
    *signals(grams, (
        *((f"rps_doc_frac_chars_top_{n}gram", REAL, f"characters in the commonest repeated {n}-gram", RPV2)
          for n in (2, 3, 4)),
        *((f"rps_doc_frac_chars_dupe_{n}grams", REAL, f"characters under repeated {n}-grams", RPV2)
          for n in range(5, 11)),
    )),
    *signals(code, (
        ("code_alpha_chars_per_token", REAL, "letters for each token of code", DOLMA_CODE + "/code_taggers.py"),
    )),
)  # fmt: skip
