"""What was published, typed from papers and code: rules, edits, bandings, classes, and who refuses without a file."""

from __future__ import annotations

Row = tuple[str, str, str, object]  # the last edit before the rule, signal, bound, value

GOPHER_REPETITION = {
    "dup_line_ratio": 0.30, "dup_paragraph_ratio": 0.30, "dup_line_char_ratio": 0.20, "dup_paragraph_char_ratio": 0.20,
    "top_2gram_char_ratio": 0.20, "top_3gram_char_ratio": 0.18, "top_4gram_char_ratio": 0.16,
    "dup_5gram_char_ratio": 0.15, "dup_6gram_char_ratio": 0.14, "dup_7gram_char_ratio": 0.13,
    "dup_8gram_char_ratio": 0.12, "dup_9gram_char_ratio": 0.11, "dup_10gram_char_ratio": 0.10,
}  # fmt: skip
GOPHER_QUALITY = [
    ("word_count", "min", 50), ("word_count", "max", 100_000), ("mean_word_length", "min", 3),
    ("mean_word_length", "max", 10), ("hash_word_ratio", "max", 0.1), ("ellipsis_word_ratio", "max", 0.1),
    ("bullet_line_ratio", "max", 0.9), ("ellipsis_line_ratio", "max", 0.3), ("alpha_word_ratio", "min", 0.8),
]  # fmt: skip


def gopher(after: str = "", stop: str = "stop_word_count") -> list[Row]:
    return [
        *((after, signal, "max", value) for signal, value in GOPHER_REPETITION.items()),
        *((after, *row) for row in GOPHER_QUALITY),
        (after, stop, "min", 2),
    ]


FINEWEB: list[Row] = [
    ("", "score_fineweb_domains", "max", 0), ("", "score_fineweb_words", "max", 0),
    ("", "lang", "any_of", ("en",)), ("", "lang_score", "above", 0.65),  # the paper: at least; the code that ran: more
    *gopher(),
    ("c4_lines_nopunct", "has_lorem_ipsum", "equals", False), ("c4_lines_nopunct", "has_curly", "equals", False),
    ("c4_lines_nopunct", "sentence_count", "min", 5),
    ("c4_lines_nopunct", "line_punct_ratio", "min", 0.12), ("c4_lines_nopunct", "short_line_ratio", "max", 0.67),
]  # fmt: skip
LIST_RATIO: Row = ("c4_lines_nopunct", "newline_word_ratio", "max", 0.3)


def duplicate_line_chars(value: float) -> Row:
    return ("c4_lines_nopunct", "line_char_dup_ratio", "max", value)


CCNET: list[Row] = [("", "char_count", "min", 300), ("", "lang_score", "min", 0.5)]
LANGUAGES = ("zh", "fr", "de", "es", "ja", "ar", "ru", "hi")


def by_language(*values: float) -> dict[str, float]:
    return dict(zip(LANGUAGES, values, strict=True))


# FineWeb-2's configs: cmn_Hani fra_Latn deu_Latn spa_Latn jpn_Jpan arb_Arab rus_Cyrl hin_Deva.
FINEWEB2: list[Row] = [
    ("", "lang", "any_of", LANGUAGES),
    ("", "lang_score", "min", by_language(0.692, 0.824, 0.821, 0.840, 0.886, 0.711, 0.900, 0.692)),
    ("", "dup_line_ratio", "max", by_language(0.287, 0.264, 0.263, 0.252, 0.328, 0.304, 0.322, 0.206)),
    ("", "top_2gram_char_ratio", "max", by_language(0.256, 0.161, 0.169, 0.156, 0.239, 0.197, 0.184, 0.208)),
    ("", "top_3gram_char_ratio", "max", by_language(0.201, 0.149, 0.153, 0.140, 0.196, 0.172, 0.164, 0.198)),
    ("", "top_4gram_char_ratio", "max", by_language(0.171, 0.134, 0.137, 0.125, 0.172, 0.146, 0.146, 0.161)),
    ("", "dup_5gram_char_ratio", "max", by_language(0.198, 0.150, 0.141, 0.145, 0.243, 0.165, 0.168, 0.135)),
    ("", "dup_6gram_char_ratio", "max", by_language(0.182, 0.141, 0.134, 0.136, 0.225, 0.153, 0.156, 0.125)),
    ("", "dup_7gram_char_ratio", "max", by_language(0.167, 0.131, 0.126, 0.127, 0.207, 0.142, 0.145, 0.116)),
    ("", "dup_8gram_char_ratio", "max", by_language(0.154, 0.121, 0.117, 0.117, 0.190, 0.131, 0.133, 0.108)),
    ("", "dup_9gram_char_ratio", "max", by_language(0.140, 0.111, 0.108, 0.108, 0.175, 0.120, 0.121, 0.099)),
    ("", "dup_10gram_char_ratio", "max", by_language(0.127, 0.100, 0.098, 0.099, 0.159, 0.109, 0.109, 0.090)),
    ("", "line_punct_ratio", "min", by_language(0.106, 0.100, 0, 0.182, 0.096, 0.143, 0.231, 0.091)),
    ("", "line_char_dup_ratio", "max", 0.1),
    ("", "newline_word_ratio", "max", by_language(0.178, 0.185, 0.152, 0.138, 0.130, 0.189, 0.139, 0.316)),
    ("", "mean_word_length", "min", by_language(1, 2, 0, 3, 1, 2, 3, 2)),
    ("", "mean_word_length", "max", by_language(5, 11, 15, 14, 6, 9, 11, 21)),
    ("", "alpha_word_ratio", "min", by_language(0.735, 0.812, 0.774, 0.825, 0.759, 0.787, 0.713, 0.837)),
    ("", "word_count", "min", 50), ("", "word_count", "max", 100_000),
    ("", "hash_word_ratio", "max", 0.1), ("", "ellipsis_word_ratio", "max", 0.1),
    ("", "bullet_line_ratio", "max", 0.9), ("", "ellipsis_line_ratio", "max", 0.3), ("", "stop_word_count", "min", 2),
]  # fmt: skip
REFINEDWEB: list[Row] = [
    ("", "score_rw_domains", "max", 0), ("", "score_rw_words", "max", 0),
    ("max_two_newlines", "lang", "any_of", ("en",)), ("max_two_newlines", "lang_score", "min", 0.65),
    *gopher("max_two_newlines", "stop_word_occurrences"),
    ("rw_lines", "removed_word_ratio", "max", 0.05),
]  # fmt: skip
DOLMA = [
    ("dolma_word_count", "min", 50), ("dolma_word_count", "max", 100_000), ("median_word_length", "min", 3),
    ("median_word_length", "max", 10), ("dolma_symbol_word_ratio", "max", 0.1), ("dolma_alpha_word_ratio", "min", 0.8),
    ("stop_word_occurrences", "min", 2), ("bullet_line_ratio_dolma", "max", 0.9), ("ellipsis_line_ratio", "max", 0.3),
    ("dolma_dup_line_ratio", "max", 0.3), ("dolma_dup_line_char_ratio", "max", 0.3),
    ("dolma_dup_5gram_char_ratio", "max", 0.15), ("dolma_dup_6gram_char_ratio", "max", 0.14),
    ("dolma_dup_7gram_char_ratio", "max", 0.13), ("dolma_dup_8gram_char_ratio", "max", 0.12),
    ("dolma_dup_9gram_char_ratio", "max", 0.11), ("dolma_dup_10gram_char_ratio", "max", 0.10),
]  # fmt: skip
PUBLISHED: dict[str, list[Row]] = {
    "c4-en": [
        ("", "char_count", "max", 190_000),
        ("c4_lines", "has_lorem_ipsum", "equals", False), ("c4_lines", "has_curly", "equals", False),
        ("c4_lines", "score_ldnoobw_en", "max", 0), ("c4_lines", "sentence_count", "min", 3),
        ("c4_lines", "lang", "any_of", ("en",)), ("c4_lines", "lang_score", "min", 0.99),
    ],
    "ccnet": CCNET,
    "rpv2-annotate": [*CCNET, ("", "lang", "any_of", ("en", "de", "fr", "es", "it"))],
    "rpv1-cc": [*CCNET, ("", "lang", "any_of", ("en",)), ("", "score_perplexity", "below", {"en": 520}),
                ("", "score_wikiref", "min", 0.25)],
    "fineweb": [*FINEWEB, duplicate_line_chars(0.01), LIST_RATIO],
    "fineweb-paper": [*FINEWEB, duplicate_line_chars(0.1)],
    "fineweb-edu": [*FINEWEB, duplicate_line_chars(0.01), LIST_RATIO, ("c4_lines_nopunct", "score_fineweb_edu", "min", 3)],
    "fineweb2": FINEWEB2,
    "refinedweb": [*REFINEDWEB, ("", "score_rw_exclude_hq", "max", 0)],
    "dclm-baseline": [*REFINEDWEB, ("rw_lines", "score_dclm_hq", "above", 0.018112)],
    "dolma-v1.5-cc": [("", "lang", "any_of", ("en",)), *CCNET, *(("c4_lines_nopunct", *row) for row in DOLMA)],
    "chinesewebtext": [
        ("", "lang", "any_of", ("zh",)), *CCNET, ("", "char_count", "above", 200),
        ("", "mean_all_line_length", "min", 10), ("", "han_ratio", "min", 0.30), ("", "is_traditional", "equals", False),
        ("", "score_cwt_sensitive", "max", 0.5), ("", "char_13gram_dup_ratio", "max", 0.5), ("", "score_cwt_quality", "min", 0.5),
    ],
    "data-juicer-cc-2023-06": [("ftfy", *row) for row in (
        ("alnum_ratio", "min", 0.7508), ("alnum_ratio", "max", 0.8591), ("mean_all_line_length", "max", 1500),
        ("char_rep_10_ratio", "max", 0.3), ("score_dj_flagged_en", "max", 0.0015), ("lang_score", "min", 0.793),
        ("max_line_length", "max", 5000), ("score_perplexity", "max", 5000), ("special_char_ratio", "min", 0.15),
        ("special_char_ratio", "max", 0.35), ("char_count", "max", 58_187), ("dj_word_count", "min", 20),
        ("dj_word_count", "max", 11_529), ("word_rep_10_ratio", "max", 0.2962),
    )],
    "data-juicer-zh": [
        ("", "alnum_ratio", "min", 0.10), ("", "char_rep_10_ratio", "max", 0.6), ("", "score_dj_flagged_zh", "max", 0.017),
        ("", "char_count", "min", 10),
    ],
    "pile-cc": [("", "lang", "any_of", ("en",))],
    "mc4": [("", "long_line_count", "min", 3), ("", "score_ldnoobw_any", "max", 0), ("", "lang_score", "min", 0.70)],
    "pangu-alpha": [
        ("", "han_ratio", "min", 0.6), ("", "char_count", "min", 150), ("", "title_only", "equals", False),
        ("dedup_paragraphs", "score_pangu_ads", "max", 0), ("navbar", "score_pangu_sensitive", "max", 3),
        ("navbar", "score_pangu_spam", "max", 0.5), ("navbar", "score_pangu_quality", "min", 0.5),
    ],
}  # fmt: skip
EDITS = {
    "c4-en": ["c4_lines"], "fineweb": ["c4_lines_nopunct"], "fineweb2": ["ftfy", "pipe_lines"], "ccnet": [],
    "refinedweb": ["strip_urls", "max_two_newlines", "rw_lines"], "dclm-baseline": ["strip_urls", "max_two_newlines", "rw_lines"],
    "ernie3": ["collapse_chars", "collapse_paragraphs", "drop_short_sentences"], "slimpajama": ["nfc"],
    "pangu-alpha": ["symbols", "dedup_paragraphs", "t2s", "navbar"], "chinesewebtext": [], "rpv2-annotate": [],
}  # fmt: skip
# Bands, rows, n, unit, and the similarity at which half of the pairs are found, as published.
BANDINGS = {
    "fineweb": (14, 8, 5, "word", 0.685), "fineweb2": (14, 8, 5, "word", 0.685), "refinedweb": (450, 20, 5, "word", 0.723),
    "txt360": (9, 13, 13, "word", 0.819), "gpt3-cc": (10, 1, 1, "word", None),
    "zyda2": (8, 16, 25, "char", None), "slimpajama": (9, 13, 13, "char", 0.819),
}  # fmt: skip
# Units other than MinHash: the block, what it says, and its evidence.
UNITS: dict[str, list[tuple[str, dict[str, object]]]] = {
    "c4-en": [("url", {"normalise": "c4", "evidence": "C"}),
              ("lines", {"unit": "line", "normalise": "lower_strip", "keep": "first", "first": "url", "min_sentences": 3, "evidence": "C"})],
    "c4-en-span3": [("lines", {"unit": "span3", "min_words": 50, "min_sentences": 3})],
    "lamda-infiniset": [("lines", {"unit": "line", "normalise": "lower_strip"})],
    "mc4": [("lines", {"unit": "line", "normalise": "lower_strip", "first": "url", "min_sentences": 0, "evidence": "C"})],
    "madlad400": [("lines", {"unit": "span3", "evidence": "M"})],
    **{name: [("lines", {"unit": "line", "normalise": "ccnet", "keep": "none", "evidence": "C"})]
       for name in ("ccnet", "chinesewebtext", "rpv1-cc", "rpv2-annotate")},
    "dolma-v1.5-cc": [("bloom", {"ngram": 0, "mode": "paragraph", "evidence": "C"})],
    "dclm-baseline": [("bloom", {"ngram": 13, "min_ngram": 13, "threshold": 0.8, "mode": "both", "evidence": "C"})],
    "refinedweb": [("substring", {"min_tokens": 50, "action": "cut", "evidence": "S"}), ("url", {"normalise": "exact"})],
    "data-juicer-cc-2023-06": [("simhash", {"unit": "word", "window": 6, "blocks": 6, "distance": 4, "evidence": "C"})],
    "data-juicer-zh": [("simhash", {"unit": "char", "window": 4, "blocks": 10, "distance": 8, "evidence": "C"})],
    "wudao": [("simhash", {"evidence": "A"})],
    "culturax": [("url", {"evidence": "M"})], "mai-base-1": [("url", {"normalise": "exact", "evidence": "S"})],
}  # fmt: skip
VERIFIED = {"gopher-massiveweb": 0.8, "chinchilla-massivetext": 0.8, "opt-180b": 0.95, "bb3-dialog": 0.95}
CLASSES = {
    "R1": "c4-en ccnet rpv2-annotate fineweb fineweb-paper fineweb2 fineweb-edu dclm-baseline chinesewebtext "
          "data-juicer-cc-2023-06 data-juicer-zh pile-cc",
    "R2": "gpt3-cc palm-780b gopher-massiveweb chinchilla-massivetext opt-180b pangu-alpha glm-130b ernie3 refinedweb "
          "rpv1-cc c4-en-span3 dolma-v1.5-cc slimpajama mc4 pile culturax madlad400 txt360 zyda2 nemotron-cc wudao",
    "R3": "lamda-infiniset opt-iml bb3-dialog m6-text qwen-v1 kimi-k1.5 kimi-k2 mai-base-1 wanjuan skypile zh-en-general",
    "R0": "gpt4-unpublished ernie-bot-unpublished spark-v35-unpublished mai-1-unpublished",
}  # fmt: skip
REFUSED = {
    "gpt3-cc": {"gpt3_quality"}, "palm-780b": {"palm_quality"}, "pile-cc": {"owt2"}, "dclm-baseline": {"dclm_hq"},
    "rpv1-cc": {"perplexity", "wikiref"}, "fineweb-edu": {"fineweb_edu"}, "zyda2": {"zyda2_nvidia"},
}  # fmt: skip
