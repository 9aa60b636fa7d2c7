"""Job: `kept/` in, `tokens/` and `manifest.json` out.

The tokenizer is trained or copied, the external shuffle of `pipelines.shuffle` makes the shards, and the
manifest comes last. It is withdrawn before anything that it names is touched: where there is a manifest, all
that it names is there. A second call with nothing changed checks the hashes and does no more.

Once a removal has made a second version, nothing is withdrawn: shards and tokenizer that have to be made again get
names of their own, and the manifest over them is the next version. Whether the newest version already holds what was
kept is told by the ids in it, so a removal that the run obeys afterwards makes no shard again.

Traded away: `tokens/` and the manifest lie on a local disk, since that is what a trainer maps into memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import orjson
from apache_beam.options.pipeline_options import PipelineOptions

from pipelines.code import made_by
from pipelines.mapping import map_parts
from pipelines.parts import COUNTS, fingerprint, make_dirs, part_path, read_footer, read_mark, read_part
from pipelines.removal.obey import obeyed_by, plain
from pipelines.shuffle import encode_part, noted, take_note, write_one_shard
from pipelines.tokenizer import ENDINGS, KINDS, kept_documents, sampled, trained
from recipes.model import Recipe, Tokens
from tokenization.load import load_reference
from tokenization.manifest import Manifest, Shard, TokenizerInfo, Totals, dtype_for, file_sha256
from tokenization.rewrite import read_shard
from tokenization.scatter import named_counts
from tokenization.shards import LABELS
from tokenization.shuffle import ids_digest, shard_count
from tokenization.versions import FILE, file_of, files, history, latest, version_in

ENGINE_NOTE = "tokenizer-engine.json"


def tokenize(
    run: str,
    indices: Sequence[int],
    recipe: Recipe,
    tokenizer_path: str | None,
    register: str | None,
    options: PipelineOptions,
) -> dict[str, int]:
    """Make shards and manifest; returns documents, tokens and shards. `register` is what the run was decided with.

    Without `tokenizer_path` a BPE is trained on the kept text. ValueError or FileNotFoundError in a sentence if
    nothing was kept, the tokenizer cannot be read, or documents and shards do not add up.
    """
    given = (Path(tokenizer_path).name, file_sha256(_existing(tokenizer_path))) if tokenizer_path else None
    marks = [read_mark(part_path(run, "kept", i)) for i in indices]
    plain_marks = fingerprint("shards", made_by(), list(map(plain, marks)), recipe.tokens.model_dump(), given)
    manifest_mark = fingerprint("manifest", plain_marks, recipe.name, recipe_hash(recipe))
    obeys = obeyed_by(run, register)
    manifest = _finished(run, indices, manifest_mark)
    if manifest is None:
        mark = fingerprint("shards", made_by(), marks, recipe.tokens.model_dump(), given)
        version = _next_version(run)
        made = _made(run, indices, recipe, tokenizer_path, marks, mark, version, options)
        manifest = _publish(run, made.model_copy(update={"obeys": obeys}), version, mark, manifest_mark)
    elif not set(obeys) <= set(manifest.obeys):  # what was asked since is in none of the shards
        manifest = _publish_as(run, manifest.model_copy(update={"obeys": tuple(sorted({*manifest.obeys, *obeys}))}))
    totals = manifest.totals
    return {"documents": totals.documents, "tokens": totals.tokens, "shards": len(manifest.shards)}


def _made(
    run: str, indices: Sequence[int], recipe: Recipe, tokenizer_path: str | None, marks: Sequence[str], mark: str,
    version: int, options: PipelineOptions,
) -> Manifest:  # fmt: skip
    """Encode kept/ and write its shards as those of `version`; the manifest over them, not written yet."""
    documents, text_bytes = _kept_size(run, indices)
    if version == 1:
        _withdraw(run, mark)
    info, file = _tokenizer(run, indices, recipe.tokens, tokenizer_path, marks, version)
    shards = shard_count(text_bytes, recipe.tokens.shard_bytes)
    common = {"tokens": recipe.tokens, "shards": shards}
    encoded = map_parts(run, "encode", indices, encode_part, options, file=file, **common)
    _note_engines(run, encoded)
    numbers = list(range(shards))
    how = {**common, "indices": tuple(indices), "mark": mark, "version": version}
    map_parts(run, "shard", numbers, write_one_shard, options, vocab_size=info.vocab_size, **how)
    written = [noted(run, number, mark) for number in numbers]
    manifest = _manifest(recipe, info, [shard for shard in written if shard is not None], encoded)
    if not documents == manifest.totals.documents == encoded["documents"]:
        raise ValueError(
            f"{run}: {documents} documents were kept, {encoded['documents']} were encoded and "
            f"{manifest.totals.documents} are in the shards. Delete {run}/encoded and {run}/tokens, then run again."
        )
    return manifest


def _note_engines(run: str, encoded: Mapping[str, int]) -> None:
    """log/tokenizer-engine.json: which engine encoded how many parts, and why it was not the fastest."""
    found = ([*key.split("\t"), count] for key, count in sorted(encoded.items()) if key.startswith("engine\t"))
    noted = [{"engine": engine, "parts": parts, "told": told} for _, engine, told, parts in found]
    Path(run, "log", ENGINE_NOTE).write_bytes(orjson.dumps(noted, option=orjson.OPT_INDENT_2))


def recipe_hash(recipe: Recipe) -> str:
    """Digest of a recipe as it was resolved."""
    return fingerprint(recipe.model_dump())


def _existing(path: str) -> str:
    if not Path(path).is_file():
        raise FileNotFoundError(f"There is no tokenizer file {path}. Give the path of an existing one.")
    return path


def _kept_size(run: str, indices: Sequence[int]) -> tuple[int, int]:
    """(documents, bytes of text) in kept/, from the footers."""
    documents = text_bytes = 0
    for index in indices:
        path = part_path(run, "kept", index)
        counts = orjson.loads(read_footer(path).get(COUNTS, b"{}"))
        if not {"documents", "text_bytes"} <= counts.keys():
            raise FileNotFoundError(f"{path} is missing or is no finished part. Run again to remake it.")
        documents, text_bytes = documents + counts["documents"], text_bytes + counts["text_bytes"]
    if documents == 0:
        raise ValueError(
            f"No document of {run} was kept, so there is nothing to tokenize. `winnow funnel {run}` says why."
        )
    return documents, text_bytes


def _note(run: str, name: str) -> Path:
    return Path(run, "log", f"{name}.mark")


def _is_marked(run: str, name: str, mark: str) -> bool:
    note = _note(run, name)
    return note.is_file() and note.read_text() == mark


def _mark(run: str, name: str, mark: str) -> None:
    note = _note(run, name)
    make_dirs(str(note.parent))
    note.write_text(mark)


def _finished(run: str, indices: Sequence[int], manifest_mark: str) -> Manifest | None:
    """The newest manifest, if it was made from the same things, every file that it names still holds, and its shards
    have just the documents of kept/.

    Made from the same things is what follows from the manifest that the mark names. The mark is there first, so a
    manifest that was never written is none.
    """
    if not any(_is_marked(run, "manifest", f"{manifest_mark} {file_sha256(path)}") for path in files(Path(run))):
        return None
    manifest = _readable(latest(Path(run)) or Path(run, file_of(1)))
    if manifest is None or manifest.problems(run):
        return None
    kept = (read_part(part_path(run, "kept", i), ["doc_id"]) for i in indices)
    wanted = ids_digest((batch["doc_id"] for batches in kept for batch in batches), manifest.seed)
    held = (read_shard(Path(run, shard.path))["doc_id"] for shard in manifest.shards)
    return manifest if ids_digest(held, manifest.seed) == wanted else None


def _next_version(run: str) -> int:
    """The version that shards made now are of: the first, unless there are later ones."""
    newest = latest(Path(run))
    return 1 if newest is None or newest.name == file_of(1) else version_in(FILE, newest.name) + 1


def _readable(path: Path) -> Manifest | None:
    try:
        return Manifest.read(path)
    except (FileNotFoundError, ValueError):  # absent, or damaged since: either way it must be made again
        return None


def _withdraw(run: str, mark: str) -> None:
    """Take the manifest away before its shards change; shards that are right stay, with a note each."""
    path = Path(run, "manifest.json")
    manifest = _readable(path)
    if manifest is not None and _is_marked(run, "shards", mark):
        for number, shard in enumerate(manifest.shards):
            file = Path(run, shard.path)
            if file.is_file() and file_sha256(file) == shard.sha256:
                take_note(run, number, mark, shard)
    path.unlink(missing_ok=True)


def _tokenizer(
    run: str, indices: Sequence[int], tokens: Tokens, given: str | None, marks: Sequence[str], version: int
) -> tuple[TokenizerInfo, str]:
    """The run's own tokenizer file, a copy of the one given or newly trained, and what it is."""
    if given:
        tokenizer = load_reference(given)
        target, name = Path(run, _tokenizer_name(tokenizer.copy_name, version)), tokenizer.name
        _put(target, Path(given).read_bytes())
    else:
        target = Path(run, _tokenizer_name(f"tokenizer{ENDINGS[tokens.model]}", version))
        name = f"{KINDS[tokens.model]} trained on the kept text"
        how = tokens.model_dump(exclude={"shard_bytes", "format"})
        mark = fingerprint("tokenizer", made_by(), marks, how)
        if not (target.is_file() and _is_marked(run, "tokenizer", f"{mark} {file_sha256(target)}")):
            _put(target, trained(sampled(kept_documents(run, indices), tokens), tokens))
            _mark(run, "tokenizer", f"{mark} {file_sha256(target)}")
        tokenizer = load_reference(target)
    info = TokenizerInfo(
        name=name, file=target.name, sha256=tokenizer.sha256,
        vocab_size=tokenizer.vocab_size, end_of_text=tokenizer.end_of_text,
    )  # fmt: skip
    return info, str(target)


def _tokenizer_name(name: str, version: int) -> str:
    """A tokenizer file's name that does not replace the tokenizer of versions before."""
    return name if version == 1 else f"tokenizer.v{version}{name.removeprefix('tokenizer')}"


def _put(target: Path, data: bytes) -> None:
    temporary = target.with_name(f".tmp-{target.name}")
    temporary.write_bytes(data)
    temporary.replace(target)


def _manifest(recipe: Recipe, info: TokenizerInfo, shards: Sequence[Shard], encoded: Mapping[str, int]) -> Manifest:
    totals = Totals(
        documents=sum(shard.documents for shard in shards),
        tokens=sum(shard.tokens for shard in shards),
        text_bytes=encoded["text_bytes"],
    )
    return Manifest(
        recipe=recipe.name, recipe_hash=recipe_hash(recipe), tokenizer=info, dtype=dtype_for(info.vocab_size),
        format=recipe.tokens.format, seed=recipe.tokens.seed, shards=tuple(shards), totals=totals,
        sources=named_counts(encoded, "sources"), languages=named_counts(encoded, "languages"), labels=LABELS,
    )  # fmt: skip


def _publish(run: str, manifest: Manifest, version: int, mark: str, manifest_mark: str) -> Manifest:
    """The manifest last and whole; then what no manifest names goes."""
    manifest = manifest if version == 1 else _next(run, manifest)
    _mark(run, "shards", mark)
    _mark(run, "manifest", f"{manifest_mark} {sha256(manifest.as_bytes()).hexdigest()}")
    manifest.write(Path(run, file_of(manifest.version)))
    made = [manifest, *(Manifest.read(path) for path in files(Path(run))[:-1])]
    named = {Path(run, shard.path) for one in made for shard in one.shards}
    for path in Path(run, "tokens").iterdir():
        if path not in named:
            path.unlink()
    for path in Path(run).glob("tokenizer.*"):
        if path.name not in {one.tokenizer.file for one in made}:
            path.unlink()
    shutil.rmtree(Path(run, "encoded"), ignore_errors=True)
    return manifest


def _publish_as(run: str, manifest: Manifest) -> Manifest:
    """Write a manifest as the version after the newest, which took out no document of it."""
    made = _next(run, manifest)
    made.write(Path(run, file_of(made.version)))
    return made


def _next(run: str, manifest: Manifest) -> Manifest:
    """A manifest as the version after the newest."""
    before = history(Path(run))[-1]
    changes = {"version": before.manifest.version + 1, "parent": before.sha256, "removal": None}
    return manifest.model_copy(update=changes)
