"""Training a tokenizer, and reporting on several: which documents they are shown, and in what shares of languages.

Documents come from the kept text of a run or from files of texts. A document is in the sample by the hash of its id, so
neither the order of files nor the number of workers has a say. A language that has less text than its share gives all
of it once; nothing is repeated, and what the sample came to is told.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipelines.classifier.texts import read
from pipelines.parts import part_path, read_part
from recipes.model import Tokens
from tokenization.load import load
from tokenization.report import Report
from tokenization.scatter import UNKNOWN_LANGUAGE
from tokenization.shuffle import in_sample
from tokenization.train import train_bpe, train_unigram

Documents = Callable[[], Iterator[pa.Table]]  # columns doc_id, lang, text; called anew for each pass
ENDINGS = {"bpe": ".json", "unigram": ".model"}
KINDS = {"bpe": "byte-level BPE", "unigram": "Unigram with byte pieces"}
OTHERS = "*"


def kept_documents(run: str, indices: Sequence[int]) -> Documents:
    """The kept documents of a run."""

    def batches() -> Iterator[pa.Table]:
        for index in indices:
            for batch in read_part(part_path(run, "kept", index), ["doc_id", "lang", "text"]):
                yield _table(batch["doc_id"], batch["lang"], batch["text"])

    return batches


def documents(inputs: Sequence[str], text_field: str = "text", lang_field: str | None = None) -> Documents:
    """The kept documents of run folders, and the texts of .jsonl, .parquet and .txt files; FileNotFoundError else."""

    def batches() -> Iterator[pa.Table]:
        for named in inputs:
            if os.path.isdir(named):  # noqa: PTH112 - like the rest of a run, it is named by a string
                parts = sorted(Path(named, "kept").glob("part-*.parquet"))
                if not parts:
                    raise FileNotFoundError(f"{named} is no run with kept documents. Give a finished run, or files.")
                yield from kept_documents(named, [int(part.stem[5:]) for part in parts])()
            else:
                yield from _file(Path(named), text_field, lang_field)

    return batches


def _file(path: Path, text_field: str, lang_field: str | None) -> Iterator[pa.Table]:
    rows = enumerate(read(path, text_field, *([lang_field] if lang_field else [])))
    while some := list(islice(rows, 1024)):
        texts = [row[0] if isinstance(row[0], str) else "" for _, row in some]
        langs = [row[1] if lang_field and isinstance(row[1], str) else None for _, row in some]
        clean = [text.encode("utf-8", "replace").decode() for text in texts]
        yield _table(pa.array([f"{path.name}\0{i}" for i, _ in some]), pa.array(langs, pa.string()), pa.array(clean))


def _table(ids: pa.Array, lang: pa.Array, text: pa.Array) -> pa.Table:
    named = pc.fill_null(lang.cast(pa.string()), UNKNOWN_LANGUAGE)
    return pa.table({"doc_id": ids, "lang": named, "text": pc.fill_null(text.cast(pa.large_string()), "")})


def shares(sizes: Mapping[str, int], weights: Mapping[str, float], wanted: int) -> dict[str, float]:
    """The share of each language's text that goes into a sample of `wanted` bytes.

    >>> shares({"en": 900, "zh": 100}, {}, 100)
    {'en': 0.1, 'zh': 0.1}
    >>> shares({"en": 900, "zh": 100, "de": 50, "fr": 50}, {"en": 2, "zh": 1, "*": 1}, 120)
    {'en': 0.06666666666666667, 'zh': 0.3, 'de': 0.3, 'fr': 0.3}
    >>> shares({"en": 900}, {"zh": 1}, 100)
    Traceback (most recent call last):
    ValueError: There is no text in zh. The languages there are: en.
    """
    if not weights:
        return dict.fromkeys(sizes, min(1.0, wanted / max(1, sum(sizes.values()))))
    pools = {name: [name] for name in weights if name in sizes}
    rest = [name for name in sizes if name not in weights]
    if OTHERS in weights and rest:
        pools[OTHERS] = rest
    if not pools:
        raise ValueError(f"There is no text in {', '.join(weights)}. The languages there are: {', '.join(sizes)}.")
    found = dict.fromkeys(sizes, 0.0)
    for pool, names in pools.items():
        part = wanted * weights[pool] / sum(weights[name] for name in pools)
        found |= dict.fromkeys(names, min(1.0, part / max(1, sum(sizes[name] for name in names))))
    return found


def sampled(source: Documents, tokens: Tokens, told: Counter[str] | None = None) -> Iterator[str]:
    """About `sample_bytes` of text in the wanted shares of languages; larger as long as that chooses nothing.

    `told` gets the bytes of each language in the sample.
    """
    sizes: Counter[str] = Counter()
    for table in source():
        lengths = pc.binary_length(table["text"]).to_numpy()
        for name in pc.unique(table["lang"]).to_pylist():
            sizes[name] += int(lengths[pc.equal(table["lang"], name).to_numpy(zero_copy_only=False)].sum())
    part = shares(dict(sorted(sizes.items())), tokens.languages, tokens.sample_bytes)
    found = False
    while not found:
        for table in source():
            for name, text in _chosen(table, part, tokens.seed):
                found = found or bool(text)
                if told is not None:
                    told[name] += len(text.encode())
                yield text
        if all(share in (0.0, 1.0) for share in part.values()):
            return
        part = {name: min(1.0, share * 8) for name, share in part.items()}


def _chosen(table: pa.Table, part: Mapping[str, float], seed: int) -> Iterator[tuple[str, str]]:
    ids, names = table["doc_id"].to_pylist(), np.array(table["lang"].to_pylist(), object)
    chosen = np.zeros(len(ids), np.bool_)
    for name in set(names):
        if part.get(name, 0) > 0:
            chosen |= (names == name) & in_sample(ids, seed, part[name])
    some = table.filter(pa.array(chosen))
    yield from zip(some["lang"].to_pylist(), some["text"].to_pylist(), strict=True)


def trained(texts: Iterator[str], tokens: Tokens) -> bytes:
    """The tokenizer file that `tokens` asks for; its ending is ENDINGS[tokens.model]."""
    if tokens.model == "unigram":
        return train_unigram(texts, tokens.vocab_size, tokens.single_digits, tokens.special_tokens)
    made = train_bpe(texts, tokens.vocab_size, tokens.split, tokens.single_digits, tokens.special_tokens)
    return made.encode()


def reported(files: Sequence[Path], source: Documents) -> Report:
    """What the tokenizers make of the documents, by language; the first file's vocabulary is the one looked into."""
    report = Report([load(file) for file in files])
    for table in source():
        for name in sorted(pc.unique(table["lang"]).to_pylist()):
            some = table.filter(pc.equal(table["lang"], name))["text"]
            report.add(name, pa.concat_arrays(some.chunks))
    if not report.sums:
        raise ValueError("There is no text to report on. Give files or runs that have some.")
    return report
