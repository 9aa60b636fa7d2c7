"""What a recipe may ask of a model or a list that Winnow does not carry: one entry of `[[scores]]` a column.

An entry says which kind of file it is, how a document is put to it, and in one sentence (`what`) which file to give
and where it comes from. The number lands in the column `score_<id>`, and a rule with `signal = "score_<id>"` looks
at it like at any other signal. Files are named by the recipe (`file`) or on the command line (`--file ID=PATH`); the
sha256 of what was read is part of the run.

Traded away: no model is fetched. A recipe whose file nobody gave is refused, or runs without that one column, as
the entry says (`when_missing`); it never runs with a silent substitute.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from recipes.strict import Evidence, Strict

SCORE_ID = r"^[a-z0-9_]+$"
PREFIX = 200_000


class Entry(Strict):
    """What every kind has. `languages` (None: all) leaves the score null for documents of other languages."""

    id: str = Field(pattern=SCORE_ID)
    file: str | None = None
    languages: tuple[str, ...] | None = None
    when_missing: Literal["refuse", "skip"] = "refuse"
    what: str = Field(min_length=1, description="what file to give and where it comes from, in one sentence")
    evidence: Evidence
    source: str = ""
    note: str = ""

    @property
    def column(self) -> str:
        """The column that holds the number."""
        return f"score_{self.id}"

    @property
    def category_column(self) -> str | None:
        """The second column, with the name of what matched, for the kinds that have one."""
        return None

    @property
    def needs_file(self) -> bool:
        """Whether a file must be given, by `file` or on the command line."""
        return self.file is None


class FastText(Entry):
    """Probability of `label` by a fastText model (.bin or .ftz).

    Line ends become blanks (as DCLM does before it predicts); `case = "lower"` lower-cases; `segment = "jieba"` cuts
    Chinese texts into words first, of which those shorter than `min_word` characters and `stop_words` go
    (ChineseWebText's script drops single characters). Only the first `prefix` characters are read.
    """

    kind: Literal["fasttext"]
    label: str
    case: Literal["none", "lower"] = "none"
    segment: Literal["none", "jieba"] = "none"
    min_word: int = Field(default=1, ge=1, le=10)
    stop_words: tuple[str, ...] = ()
    prefix: int = Field(default=PREFIX, ge=1, le=10_000_000)


class HashingLR(Entry):
    """Probability by a logistic regression over hashed words, as `winnow classifier train --kind hashing_lr` saves
    it (GPT-3 App. A: whitespace tokens, HashingTF, logistic regression). How texts are normalised is in the file."""

    kind: Literal["hashing_lr"]
    prefix: int = Field(default=PREFIX, ge=1, le=10_000_000)


class KenLM(Entry):
    """Perplexity by a KenLM model a language over SentencePiece pieces, as CCNet measures it; lower is more like
    the reference. `file` is a folder with `<lang>.arpa.bin` and `<lang>.sp.model`; other languages get null."""

    kind: Literal["kenlm"]
    prefix: int = Field(default=PREFIX, ge=1, le=10_000_000)


class Words(Entry):
    """Words or phrases of a list found in the lower-cased text.

    `file` is a .txt with one a line, for every language (what stands before a tab is a category and is left out), or a
    .jsonl with {"lang", "phrase"}, where a document gets its own language's list, and null if there is none. `words`
    gives a short list without a file.
    measure: `count` occurrences; `distinct` different entries present; `any` 1 or 0; `per_line` distinct entries
    over lines (ChineseWebText); `per_word_ratio` occurrences over words, at most 1.
    match: `word` wants no letter, digit or underscore on either side; `substring` does not; `auto` is `word` but for
    Chinese, Japanese and Thai (mC4). `allow` names entries of a language's list that do not count.
    """

    kind: Literal["words"]
    measure: Literal["count", "distinct", "any", "per_line", "per_word_ratio"] = "count"
    match: Literal["auto", "word", "substring"] = "auto"
    allow: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    words: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_list(self) -> Words:
        if self.words and self.file:
            raise ValueError(f"score {self.id}: give `words` or `file`, not both")
        return self

    @property
    def needs_file(self) -> bool:
        """A list in the recipe itself needs none."""
        return self.file is None and not self.words


class UrlList(Entry):
    """1 if the document's URL is on a block list, else 0; `score_<id>_category` names the list that it is on.

    `file` is a text file (an entry a line), a folder of UT1 categories (`adult/domains`, `adult/urls`, ...) or a
    .jsonl with {"domain", "category"}; `entries` gives a short list without a file. An entry with a path is a URL and
    matches that URL alone, scheme and port aside; any other is a host. `categories` takes only those of a UT1 folder
    or .jsonl. hosts: `subdomains` matches the host and every host below it (squidGuard, UT1); `registrable` the host
    itself or its registrable domain (datatrove's URLFilter); `exact` the host itself.
    """

    kind: Literal["url_list"]
    hosts: Literal["subdomains", "registrable", "exact"] = "subdomains"
    categories: tuple[str, ...] | None = None
    entries: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _one_list(self) -> UrlList:
        if self.entries and self.file:
            raise ValueError(f"score {self.id}: give `entries` or `file`, not both")
        return self

    @property
    def category_column(self) -> str | None:
        """Which list the URL is on."""
        return f"{self.column}_category"

    @property
    def needs_file(self) -> bool:
        """A list in the recipe itself needs none."""
        return self.file is None and not self.entries


class UrlWords(Entry):
    """1 if the URL holds a banned word, else 0; `score_<id>_category` says `strict`, `hard` or `soft`.

    RefinedWeb (arXiv:2306.01116 G.1.2) as DCLM and datatrove rebuilt it: a `strict` entry anywhere in the URL without
    its `-` and `.` (ignore = "dash_dot"), or without anything but letters and digits (ignore = "punctuation",
    datatrove); a `hard` entry as a whole word; `soft_min` different `soft` entries as whole words. `file` is a folder
    and `strict`, `hard`, `soft` are names in it; "" means that there is no such list.
    """

    kind: Literal["url_words"]
    strict: str = "strict.txt"
    hard: str = "hard.txt"
    soft: str = "soft.txt"
    soft_min: int = Field(default=2, ge=1, le=100)
    ignore: Literal["dash_dot", "punctuation"] = "dash_dot"

    @model_validator(mode="after")
    def _some_list(self) -> UrlWords:
        if not (self.strict or self.hard or self.soft):
            raise ValueError(f"score {self.id}: strict, hard and soft are all empty, so that nothing could match")
        return self

    @property
    def category_column(self) -> str | None:
        """Which of the three lists matched."""
        return f"{self.column}_category"


class Table(Entry):
    """A number that was worked out elsewhere (an LLM's grade, an encoder's score on a GPU): a Parquet or JSONL file
    with the column `key` (`doc_id` or `url`) and the number in `value`. A document without a row gets null."""

    kind: Literal["table"]
    key: Literal["doc_id", "url"] = "url"
    value: str = "score"


Score = Annotated[
    FastText | HashingLR | KenLM | Words | UrlList | UrlWords | Table, Field(discriminator="kind")
]  # fmt: skip
