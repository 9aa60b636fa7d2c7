"""Winnow's decisions beside datatrove's, for FineWeb's rules on text: how many agree, and why the others do not.

python benchmarks/datatrove_agreement.py DATATROVE_PYTHON WORK TEXTS.parquet... [--recipe fineweb]

DATATROVE_PYTHON is the interpreter of datatrove's own environment; its decisions are left in WORK and used again when
they are there. For every document that differs datatrove decides again with some ingredient of ours in place of its
own: our language score, our words, our sentence counts. What then agrees differs by that ingredient; what still
differs with all three differs by a rule. The differing texts lie in WORK/differing.parquet.
Traded away: the swap is of all words at once, so it says that words are the cause and not which.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import re
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from filters.annotate import annotate, final_text
from filters.rules import all_failing
from filters.segment import TextView
from filters.signals import measure
from pipelines.schemas import DOCUMENTS
from recipes.load import load
from recipes.model import Recipe
from recipes.resolve import resolve

PEER = Path(__file__).parent / "peers" / "datatrove_decisions.py"
CITATION = re.compile(r"\[\d*\]|\[edit\]|\[citation needed\]")
BATCH = 1024
KEPT = "kept"
# Our rule for each reason that datatrove gives.
SAME = {
    "language.drop": ("lang.en", "lang.score"),
    "repetition.dup_para_frac": ("gopher.dup_paragraph",),
    "repetition.dup_para_char_frac": ("gopher.dup_paragraph_char",),
    "repetition.dup_line_frac": ("gopher.dup_line",),
    "repetition.dup_line_char_frac": ("gopher.dup_line_char",),
    **{f"repetition.top_{n}_gram": (f"gopher.top_{n}gram",) for n in (2, 3, 4)},
    **{f"repetition.duplicated_{n}_n_grams": (f"gopher.dup_{n}gram",) for n in range(5, 11)},
    "quality.gopher_short_doc": ("gopher.min_words",),
    "quality.gopher_long_doc": ("gopher.max_words",),
    "quality.gopher_below_avg_threshold": ("gopher.min_mean_word",),
    "quality.gopher_above_avg_threshold": ("gopher.max_mean_word",),
    "quality.gopher_too_many_hashes": ("gopher.hash_ratio",),
    "quality.gopher_too_many_ellipsis": ("gopher.ellipsis_ratio",),
    "quality.gopher_too_many_bullets": ("gopher.bullet_lines",),
    "quality.gopher_too_many_end_ellipsis": ("gopher.ellipsis_lines",),
    "quality.gopher_below_alpha_threshold": ("gopher.alpha_words",),
    "quality.gopher_enough_stop_words": ("gopher.stop_words",),
    "c4.lorem_ipsum": ("c4.lorem_ipsum",),
    "c4.curly_bracket": ("c4.curly",),
    "c4.too_few_sentences": ("c4.min_sentences",),
    "fineweb.line_punct_ratio": ("fineweb.line_punct",),
    "fineweb.short_line_ratio": ("fineweb.short_lines",),
    "fineweb.char_dup_ratio": ("fineweb.line_char_dup",),
    "fineweb.list_ratio": ("fineweb.list_ratio",),
}
THEIRS = {rule: reason for reason, rules in SAME.items() for rule in rules}
INGREDIENTS = ("language", "words", "sentences")
SWAP_TABLE = pa.schema(
    [
        ("id", pa.string()),
        ("text", pa.large_string()),
        ("lang_score", pa.float64()),
        ("lines", pa.list_(pa.large_string())),
        ("words", pa.list_(pa.list_(pa.large_string()))),
        ("sentences", pa.list_(pa.int64())),
    ]
)


class Ours(NamedTuple):
    """What our rules say of a document: all reasons in order, and a hash of the text after the edits."""

    id: str
    reasons: tuple[str, ...]
    edited: str
    lang: str
    lang_score: float

    @property
    def reason(self) -> str | None:
        """The first; None for a document that is kept."""
        return self.reasons[0] if self.reasons else None


class Theirs(NamedTuple):
    """What datatrove says of a document."""

    reason: str | None
    edited: str | None


def documents(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of (id, text) as DOCUMENTS, what no text has left null."""
    given = {
        "doc_id": batch["id"],
        "text": batch["text"].cast(pa.large_string()),
        "charset_from": pa.array(["given"] * len(batch)),
    }
    columns = [given.get(field.name, pa.nulls(len(batch), field.type)) for field in DOCUMENTS]
    return pa.RecordBatch.from_arrays(columns, names=DOCUMENTS.names)


def our_decisions(batch: pa.RecordBatch, recipe: Recipe) -> Iterator[Ours]:
    """What our rules decide of each document, in datatrove's words."""
    rows = documents(batch)
    signals = pa.table(annotate(rows, [recipe]))
    found = duckdb.sql(f"SELECT {all_failing(recipe)}, lang, lang_score FROM signals").fetchall()
    edited = final_text(rows["text"], signals["lang"].combine_chunks(), recipe).to_pylist()
    for key, text, (rules, lang, score) in zip(batch["id"].to_pylist(), edited, found, strict=True):
        reasons = tuple(THEIRS[rule.rpartition(".")[0]] for rule in rules)
        yield Ours(key, reasons, hashlib.md5(text.strip().encode()).hexdigest(), lang, score)


def peer(python: str, *args: str) -> None:
    """Run datatrove's side; CalledProcessError if it fails."""
    subprocess.run([python, str(PEER), *args], check=True)


def swap_row(key: str, text: str, ours: Ours) -> dict[str, object]:
    """A row of the table from which datatrove decides again: our words and sentences of every line it can ask for."""
    variants: set[str] = set()
    for line in text.splitlines():
        cited = CITATION.sub("", line.strip())
        variants.update((line, line.strip(), cited, cited.strip(), cited.lstrip(), cited.rstrip()))
    lines = sorted(variants)
    view = TextView(pa.array(lines, pa.large_string()), pa.array([ours.lang] * len(lines), pa.string()))
    tokens = view.tokens
    ends = tokens.starts.tolist()
    words = [bytes(tokens.joined[low:high]).decode() for low, high in itertools.pairwise(ends)]
    return {
        "id": key,
        "text": text,
        "lang_score": ours.lang_score if ours.lang == "en" else 0.0,
        "lines": lines,
        "words": [words[low:high] for low, high in itertools.pairwise(tokens.first.tolist())],
        "sentences": measure(view, ["sentence_count"])["sentence_count"].to_pylist(),
    }


def cause(ours: Ours, reasons: dict[str, str], decisions_only: bool) -> str:
    """The ingredient that makes datatrove agree with us: one alone, several together, or none of them."""

    def agrees(theirs: str | None) -> bool:
        same = (theirs is None) == (ours.reason is None)
        return same and (decisions_only or theirs == ours.reason)

    alone = [name for name in INGREDIENTS if agrees(reasons[name])]
    if alone:
        return alone[0]
    return "several together" if agrees(reasons["all"]) else "a rule"


def markdown(header: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; whole numbers stand to the right."""
    marks = ["---" if i == 0 else "---:" for i in range(len(header))]
    return "\n".join("| " + " | ".join(map(str, row)) + " |" for row in (header, marks, *rows))


def report(ours: dict[str, Ours], theirs: dict[str, Theirs], swaps: dict[str, dict[str, str]]) -> str:
    """The agreement, what causes the differences, and which reasons stand against which, as Markdown."""
    total = len(ours)
    kept = {key for key in ours if ours[key].reason is None}
    theirs_kept = {key for key in theirs if theirs[key].reason is None}
    english = {k for k in ours if "language.drop" not in (ours[k].reason, theirs[k].reason)}
    decided = [k for k in ours if (k in kept) != (k in theirs_kept)]
    reasoned = [k for k in ours if k not in decided and ours[k].reason != theirs[k].reason]
    in_order = sum(theirs[k].reason in ours[k].reasons for k in reasoned)
    both = kept & theirs_kept
    alike = sum(ours[k].edited == theirs[k].edited for k in both)
    disputed = sum(k in english for k in decided)
    rows = [
        ("documents", f"{total:,}", ""),
        ("kept by datatrove, by us", f"{len(theirs_kept):,}, {len(kept):,}", ""),
        ("same decision", f"{total - len(decided):,}", share(total - len(decided), total)),
        ("same decision and reason", f"{total - len(decided) - len(reasoned):,}",
         share(total - len(decided) - len(reasoned), total)),
        ("of the documents that both call English", f"{len(english):,}", ""),
        ("- same decision", f"{len(english) - disputed:,}", share(len(english) - disputed, len(english))),
        ("other reason, but theirs is among ours", f"{in_order:,}", share(in_order, max(len(reasoned), 1))),
        ("kept by both with the same text", f"{alike:,}", share(alike, max(len(both), 1))),
    ]  # fmt: skip
    causes: Counter[tuple[str, str]] = Counter()
    for key in decided:
        causes["only we keep it" if key in kept else "only datatrove keeps it", cause(ours[key], swaps[key], True)] += 1
    for key in reasoned:
        causes["other reason", cause(ours[key], swaps[key], False)] += 1
    kinds = ("only datatrove keeps it", "only we keep it", "other reason")
    names = (*INGREDIENTS, "several together", "a rule")
    table = [(name, *(causes[kind, name] for kind in kinds)) for name in names]
    pairs = Counter(
        (theirs[k].reason or KEPT, ours[k].reason or KEPT, cause(ours[k], swaps[k], k in decided))
        for k in (*decided, *reasoned)
    )
    return "\n\n".join(
        (
            markdown(("what", "documents", "share"), rows),
            markdown(("cause", *kinds), table),
            markdown(("datatrove", "Winnow", "cause", "documents"), [(*pair, n) for pair, n in pairs.most_common()]),
        )
    )


def share(part: int, whole: int) -> str:
    """A percentage to two places."""
    return f"{100 * part / whole:.2f} %"


def main(args: argparse.Namespace) -> None:
    """Decide on both sides, let datatrove decide the differing ones again, and print the report."""
    args.work.mkdir(parents=True, exist_ok=True)
    decisions = args.work / "decisions.parquet"
    if not decisions.exists():
        peer(args.python, "decide", str(decisions), *map(str, args.texts))
    theirs = {row["id"]: Theirs(row["reason"], row["edited"]) for row in pq.read_table(decisions).to_pylist()}
    recipe = resolve(load(args.recipe)).recipe
    ours: dict[str, Ours] = {}
    table: list[dict[str, object]] = []
    for batch in itertools.chain.from_iterable(pq.ParquetFile(path).iter_batches(BATCH) for path in args.texts):
        texts = dict(zip(batch["id"].to_pylist(), batch["text"].to_pylist(), strict=True))
        for one in our_decisions(batch, recipe):
            ours[one.id] = one
            if one.reason != theirs[one.id].reason:
                table.append(swap_row(one.id, texts[one.id], one))
    pq.write_table(pa.Table.from_pylist(table, SWAP_TABLE), args.work / "differing.parquet", row_group_size=16)
    peer(args.python, "swap", str(args.work / "swaps.parquet"), str(args.work / "differing.parquet"))
    swaps = {row["id"]: row for row in pq.read_table(args.work / "swaps.parquet").to_pylist()}
    print(report(ours, theirs, swaps))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("python", help="interpreter of datatrove's environment")
    parser.add_argument("work", type=Path, help="folder for decisions")
    parser.add_argument("texts", type=Path, nargs="+")
    parser.add_argument("--recipe", default="fineweb")
    main(parser.parse_args())
