"""The manifest: the one file that training needs to know. Everything else of a run may be gone.

It names shards with their sizes and hashes, the tokenizer, and totals by source and language. It carries no
clock time and no path of a machine, so equal work writes equal bytes. A path that leaves the manifest's own
folder is refused, since a manifest may come from anywhere, and so are ids that its dtype cannot hold. Whether
counts are the shards' own is for `winnow verify` and the trainer to say, which look into the shards.

Traded away: one file lists all shards, so a manifest of ten thousand shards is two megabytes of JSON.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tokenization.commit import put

SCHEMA_VERSION: Literal["winnow.manifest/1"] = "winnow.manifest/1"
Dtype = Literal["uint16", "uint32"]


def dtype_for(vocab_size: int) -> Dtype:
    """`uint16` while every id fits, else `uint32`.

    >>> dtype_for(65_536), dtype_for(65_537)
    ('uint16', 'uint32')
    """
    return "uint16" if vocab_size <= 1 << 16 else "uint32"


# What nearly every path is, and safe by its looks: told without taking ten thousand paths apart.
_PLAIN = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]*(?:/[A-Za-z0-9_-][A-Za-z0-9._-]*)*")


def _inside(path: str) -> str:
    if _PLAIN.fullmatch(path):
        return path
    pure, foreign = PurePosixPath(path), PureWindowsPath(path)
    if pure.is_absolute() or foreign.drive or ".." in pure.parts or "\\" in path or "\0" in path:
        raise ValueError(f"{path!r} leads outside the manifest's folder")
    return path


InsidePath = Annotated[str, Field(min_length=1), AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
RequestId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class TokenizerInfo(_Strict):
    """What turned text into ids; `vocab_size` is the greatest id plus one."""

    name: str
    file: InsidePath
    sha256: Sha256
    vocab_size: int = Field(ge=1)
    end_of_text: int = Field(ge=0)


class Shard(_Strict):
    """One file of token ids."""

    path: InsidePath
    bytes: int = Field(ge=0)
    sha256: Sha256
    documents: int = Field(ge=0)
    tokens: int = Field(ge=0)


class Count(_Strict):
    """Documents and tokens of one source or language."""

    documents: int = Field(ge=0)
    tokens: int = Field(ge=0)


class Totals(_Strict):
    """Sums over all shards; `text_bytes` is the kept text in UTF-8."""

    documents: int = Field(ge=0)
    tokens: int = Field(ge=0)
    text_bytes: int = Field(ge=0)


class Removal(_Strict):
    """Why a version differs from its parent: the request, and the documents and tokens that it took out."""

    request: RequestId
    reason: str
    documents: int = Field(ge=0)
    tokens: int = Field(ge=0)


class Manifest(_Strict):
    """The hand-off to training. `parent` is the sha256 of the manifest that this one replaces.

    `version` counts from 1 within a folder. `removal` says what this version took out of its parent, and is null where
    the shards were made anew. `obeys` lists every removal request whose documents are known not to be in the shards.
    `labels` names the columns of every shard that say what each document is; `answers` is true where a further column
    gives the spans of its tokens that a model is to learn.
    """

    schema_version: Literal["winnow.manifest/1"] = SCHEMA_VERSION
    recipe: str
    recipe_hash: str
    tokenizer: TokenizerInfo
    dtype: Dtype
    format: Literal["arrow", "parquet"]
    seed: int
    shards: tuple[Shard, ...]
    totals: Totals
    sources: dict[str, Count]
    languages: dict[str, Count]
    parent: Sha256 | None = None
    version: int = Field(default=1, ge=1)
    removal: Removal | None = None
    obeys: tuple[RequestId, ...] = ()
    labels: tuple[Literal["language", "source"], ...] = ()
    answers: bool = False

    @model_validator(mode="after")
    def _holds_together(self) -> Manifest:
        if self.tokenizer.end_of_text >= self.tokenizer.vocab_size:
            raise ValueError("tokenizer.end_of_text is not below tokenizer.vocab_size")
        if self.dtype == "uint16" and dtype_for(self.tokenizer.vocab_size) != "uint16":
            raise ValueError(f"{self.tokenizer.vocab_size} ids do not fit into uint16")
        if self.tokenizer.vocab_size > 1 << 32:
            raise ValueError(f"{self.tokenizer.vocab_size} ids do not fit into uint32")
        if max(self.totals.tokens, sum(shard.tokens for shard in self.shards)) >= 1 << 62:
            raise ValueError("it counts more tokens than there can be")  # the trainer's places have 64 bits
        if len({shard.path for shard in self.shards}) != len(self.shards):
            raise ValueError("a shard is listed twice")
        if self.parent is None and (self.version > 1 or self.removal is not None):
            raise ValueError("a version after the first has no parent")
        if self.removal is not None and self.removal.request not in self.obeys:
            raise ValueError("removal.request is not among those that it obeys")
        return self

    @staticmethod
    def read(path: str | Path) -> Manifest:
        """Read and check a manifest; FileNotFoundError or ValueError in one sentence."""
        file = Path(path)
        if (store := re.match(r"([a-z][a-z0-9+.-]+):/+(?=[^/])", str(path))) and not file.is_file():
            url = f"{store.group(1)}://{str(path)[store.end() :]}"  # a path has lost one of its slashes
            raise ValueError(f"{url} lies on a store, and this needs shards on a local disk: copy that folder here, "
                             "and copy back what has changed.")  # fmt: skip
        if not file.is_file():
            raise FileNotFoundError(f"There is no manifest {path}. A finished run has one, called manifest.json.")
        try:
            return Manifest.model_validate_json(file.read_bytes())
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "file"
            raise ValueError(f"{path} is no valid manifest: {where}: {first['msg']}.") from error

    def as_bytes(self) -> bytes:
        """The file's bytes."""
        return (json.dumps(self.model_dump(), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

    def write(self, path: str | Path) -> None:
        """Write the file whole and for good: flushed to the disk under a temporary name first, then renamed."""
        put(Path(path), self.as_bytes())

    def problems(self, folder: str | Path) -> list[str]:
        """What is wrong with the files this manifest names, one sentence each; empty if all is well."""
        named: list[tuple[str, int | None, str]] = [(s.path, s.bytes, s.sha256) for s in self.shards]
        named.append((self.tokenizer.file, None, self.tokenizer.sha256))
        with ThreadPoolExecutor(min(32, os.cpu_count() or 1)) as pool:  # hashing releases the GIL
            return [fault for fault in pool.map(lambda entry: _fault(Path(folder), *entry), named) if fault]


def _fault(folder: Path, name: str, size: int | None, sha256: str) -> str | None:
    path = folder / name
    if not path.is_file():
        return f"{path} is missing. Run again to remake it."
    if size is not None and path.stat().st_size != size:
        return f"{path} has {path.stat().st_size} bytes, the manifest says {size}. Run again to remake it."
    if file_sha256(path) != sha256:
        return f"{path} does not have the sha256 that the manifest states. Run again to remake it."
    return None


def file_sha256(path: str | Path) -> str:
    """sha256 of a file, read in pieces."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def json_schema() -> str:
    """The manifest's JSON Schema, as it lies in tokenization/manifest.schema.json."""
    return json.dumps(Manifest.model_json_schema(), indent=1, sort_keys=True) + "\n"
