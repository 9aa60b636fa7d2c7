"""A run's texts as one corpus a recipe: shards with one shared tokenizer, and the held-out documents apart.

A recipe's corpus is the text after its edits of the documents that it keeps; the raw corpus is every text as it was
extracted. Held-out texts are as extracted too, the same for all. The folder appears whole, and is known again.

Traded away: cuts, decontamination and the scrubbing of personal data, which the run did for its own recipe alone, are
done to no corpus here; and one process, for an ablation is trained on a sample.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from filters.annotate import final_text
from pipelines.code import made_by
from pipelines.held_out import HELD, given_texts, held_rows
from pipelines.parts import fingerprint, read_mark, read_part
from recipes.model import Recipe
from tokenization.commit import put
from tokenization.corpus import Scatter
from tokenization.encode import encode_documents
from tokenization.exports.target import finished, placed, write_note
from tokenization.load import load
from tokenization.manifest import Manifest, Shard, TokenizerInfo, Totals, dtype_for
from tokenization.scatter import add_counts, named_counts
from tokenization.shards import token_lists
from tokenization.shuffle import in_sample, shard_count
from tokenization.tokenizer import Tokenizer
from tokenization.train import train_bpe

NOTE = "corpora.json"
SAMPLE_BYTES, SHARD_BYTES = 50_000_000, 64_000_000


@dataclass(frozen=True)
class Choice:
    """Who is in which corpus. `documents` has doc_id, lang and part, the place in `parts`; `keeps` (documents, names)
    goes without what is held out. `recipes` are by name; a name without one takes texts as they were extracted."""

    documents: pa.Table
    parts: Sequence[str]
    names: Sequence[str]
    keeps: npt.NDArray[np.bool_]
    held_out: npt.NDArray[np.bool_]
    recipes: Mapping[str, Recipe]


@dataclass(frozen=True)
class Asked:
    """How: the tokenizer's file, or how many ids to train one with; files with more held-out texts; the seed."""

    tokenizer: str | None = None
    vocab: int = 4096
    given: Sequence[str] = ()
    seed: int = 0


@dataclass
class Corpus:
    """One corpus while it is written."""

    scatter: Scatter
    counts: dict[str, int] = field(default_factory=lambda: {"documents": 0, "tokens": 0, "text_bytes": 0})


def write_corpora(run: Path, choice: Choice, asked: Asked, out: Path) -> dict[str, Any]:
    """Write `out`: a folder with a manifest for each name, and held-out.arrow; returns its note.

    ValueError or FileNotFoundError in a sentence if nothing is held out, a corpus is empty, or a file cannot be read.
    """
    given = list(given_texts(asked.given))
    wanted = {"schema_version": "winnow.ablation/1", "made_from": _mark(run, choice, asked, given)}
    if (there := finished(out, wanted, NOTE)) is not None:
        return there
    with placed(out) as folder:
        file = _tokenizer(run, choice, asked, folder)
        tokenizer = load(file)
        held: list[pa.Table] = []
        corpora = _scattered(run, choice, asked, tokenizer, folder, held)
        held += [held_rows(tokenizer, pa.table(rows)) for rows in given]
        table = pa.concat_tables(held) if held else HELD.empty_table()
        if not table.num_rows:
            raise ValueError(
                "No document is kept by every recipe, so none can be held out. Give texts: --held-out FILE."
            )
        with pa.ipc.new_file(str(folder / "held-out.arrow"), HELD) as sink:
            sink.write_table(table.sort_by([("given", "ascending"), ("doc_id", "ascending")]))
        for name, manifest in corpora.items():
            if not manifest.totals.documents:
                raise ValueError(f"{name} keeps no document of this run. Leave it out of --recipes.")
        described = {name: manifest.totals.model_dump() for name, manifest in corpora.items()}
        return write_note(folder, {**wanted, "corpora": described, "end_of_text": tokenizer.end_of_text}, NOTE)


def manifest_of(folder: Path, name: str) -> Path:
    """The manifest of a corpus."""
    return folder / _folder(name) / "manifest.json"


def _folder(name: str) -> str:
    """A recipe's name may be a path; its corpus lies in a folder of one plain name."""
    plain = "".join(c if c.isalnum() or c in "._-" else "_" for c in name).lstrip(".") or "_"
    return plain if plain == name else f"{plain}-{fingerprint(name)[:8]}"


def _scattered(
    run: Path, choice: Choice, asked: Asked, tokenizer: Tokenizer, folder: Path, held: list[pa.Table]
) -> dict[str, Manifest]:
    """Read every part once; its texts go to the corpora that have them, and held-out ones to `held`."""
    dtype = dtype_for(tokenizer.vocab_size)
    shards = shard_count(sum((run / "documents" / part).stat().st_size * 4 for part in choice.parts), SHARD_BYTES)
    with ExitStack() as stack:
        corpora = {}
        for name in choice.names:
            (folder / _folder(name)).mkdir()
            scatter = Scatter(folder / _folder(name), dtype, min(shards, 64), asked.seed)
            corpora[name] = Corpus(stack.enter_context(scatter))
        for batch, rows in _texts(run, choice):
            if (apart := choice.held_out[rows]).any():
                held.append(held_rows(tokenizer, pa.table(batch.filter(pa.array(apart)))))
            for i, (name, corpus) in enumerate(corpora.items()):
                _add(corpus, batch.filter(pa.array(choice.keeps[rows, i])), choice.recipes.get(name), tokenizer)
        return {name: _manifest(folder / _folder(name), name, one, tokenizer, choice, asked)
                for name, one in corpora.items()}  # fmt: skip


def _texts(run: Path, choice: Choice) -> Iterator[tuple[pa.RecordBatch, npt.NDArray[np.int64]]]:
    """(doc_id, source, lang, text) of the documents, and the rows of `choice` that they are."""
    parts = choice.documents["part"].to_numpy()
    for number, part in enumerate(choice.parts):
        mine = np.flatnonzero(parts == number)
        ids = choice.documents["doc_id"].take(pa.array(mine)).combine_chunks()
        for batch in read_part(str(run / "documents" / part), ["doc_id", "source", "text"]):
            places = pc.index_in(batch["doc_id"], value_set=ids)
            known = batch.filter(pc.is_valid(places))
            rows = mine[places.drop_null().to_numpy()]
            lang = choice.documents["lang"].take(pa.array(rows)).combine_chunks()
            columns = [known["doc_id"], known["source"], lang.cast(pa.string()), known["text"]]
            yield pa.RecordBatch.from_arrays(columns, names=["doc_id", "source", "lang", "text"]), rows


def _add(corpus: Corpus, batch: pa.RecordBatch, recipe: Recipe | None, tokenizer: Tokenizer) -> None:
    if not batch.num_rows:
        return
    if recipe is not None:
        text = final_text(batch["text"], batch["lang"], recipe)
        batch = batch.set_column(3, "text", text).filter(pc.greater(pc.binary_length(text), 0))
    if not batch.num_rows:
        return
    lists = token_lists(*encode_documents(tokenizer, batch["text"]), dtype_for(tokenizer.vocab_size))
    add_counts(corpus.counts, batch, pa.chunked_array([lists]))
    corpus.scatter.add(pa.table({"doc_id": batch["doc_id"], "tokens": lists}))


def _manifest(folder: Path, name: str, corpus: Corpus, tokenizer: Tokenizer, choice: Choice, asked: Asked) -> Manifest:
    shards: tuple[Shard, ...] = corpus.scatter.finish()
    put(folder / tokenizer.copy_name, (folder.parent / tokenizer.copy_name).read_bytes())
    recipe = choice.recipes.get(name)
    info = TokenizerInfo(name=tokenizer.name, file=tokenizer.copy_name, sha256=tokenizer.sha256,
                         vocab_size=tokenizer.vocab_size, end_of_text=tokenizer.end_of_text)  # fmt: skip
    made = Manifest(
        recipe=name, recipe_hash=fingerprint(recipe.model_dump() if recipe else None), tokenizer=info,
        dtype=dtype_for(tokenizer.vocab_size), format="arrow", seed=asked.seed, shards=shards,
        totals=Totals(**{key: corpus.counts[key] for key in ("documents", "tokens", "text_bytes")}),
        sources=named_counts(corpus.counts, "sources"), languages=named_counts(corpus.counts, "languages"),
    )  # fmt: skip
    made.write(folder / "manifest.json")
    return made


def _tokenizer(run: Path, choice: Choice, asked: Asked, folder: Path) -> Path:
    """The shared tokenizer: a copy of the one given, or a BPE trained on raw texts that are not held out."""
    if asked.tokenizer is not None:
        target = folder / load(asked.tokenizer).copy_name
        put(target, Path(asked.tokenizer).read_bytes())
        return target
    size = sum((run / "documents" / part).stat().st_size * 4 for part in choice.parts)
    share = min(1.0, SAMPLE_BYTES / max(size, 1))

    def sample() -> Iterator[str]:
        for batch, rows in _texts(run, choice):
            chosen = in_sample(batch["doc_id"].to_pylist(), asked.seed, share) & choice.keeps[rows].any(axis=1)
            yield from batch["text"].filter(pa.array(chosen)).to_pylist()

    put(folder / "tokenizer.json", train_bpe(sample(), asked.vocab).encode())
    return folder / "tokenizer.json"


def _mark(run: Path, choice: Choice, asked: Asked, given: Sequence[Mapping[str, Any]]) -> str:
    """What the corpora are made from: the run's texts, who keeps what, and how."""
    texts = [read_mark(str(run / "documents" / part)) for part in choice.parts]
    kept = fingerprint(choice.keeps.tobytes().hex(), choice.held_out.tobytes().hex())
    recipes = {name: recipe.model_dump() for name, recipe in choice.recipes.items()}
    own = load(asked.tokenizer).sha256 if asked.tokenizer else asked.vocab
    return fingerprint("ablation", made_by(), texts, kept, recipes, own, given, asked.seed)
