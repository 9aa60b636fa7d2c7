"""The manifest: the one file that training needs to know. Everything else of a run may be gone.

It names shards with their sizes and hashes, the tokenizer, and totals by source and language. It carries no
clock time and no path of a machine, so equal work writes equal bytes. A path that leaves the manifest's own
folder is refused, since a manifest may come from anywhere.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

SCHEMA_VERSION: Literal["winnow.manifest/1"] = "winnow.manifest/1"


def _inside(path: str) -> str:
    pure = PurePosixPath(path)
    if pure.is_absolute() or ".." in pure.parts or "\\" in path or "\0" in path:
        raise ValueError(f"{path!r} leads outside the manifest's folder")
    return path


InsidePath = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


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


class Manifest(_Strict):
    """The hand-off to training."""

    schema_version: Literal["winnow.manifest/1"] = SCHEMA_VERSION
    recipe: str
    recipe_hash: str
    tokenizer: TokenizerInfo
    dtype: Literal["uint16", "uint32"]
    format: Literal["arrow", "parquet"]
    seed: int
    shards: tuple[Shard, ...]
    totals: Totals
    sources: dict[str, Count]
    languages: dict[str, Count]
    parent: Sha256 | None = None

    @staticmethod
    def read(path: str | Path) -> Manifest:
        """Read and check a manifest; FileNotFoundError or ValueError in one sentence."""
        file = Path(path)
        if not file.is_file():
            raise FileNotFoundError(f"There is no manifest {path}. A finished run has one, called manifest.json.")
        try:
            return Manifest.model_validate_json(file.read_bytes())
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"])) or "file"
            raise ValueError(f"{path} is no valid manifest: {where}: {first['msg']}.") from error

    def as_bytes(self) -> bytes:
        """The file's bytes."""
        return (json.dumps(self.model_dump(), indent=1, sort_keys=True, ensure_ascii=False) + "\n").encode()

    def problems(self, folder: str | Path) -> list[str]:
        """What is wrong with the files this manifest names, one sentence each; empty if all is well."""
        named = [(s.path, s.bytes, s.sha256) for s in self.shards]
        named.append((self.tokenizer.file, None, self.tokenizer.sha256))  # type: ignore[arg-type]
        return [fault for entry in named if (fault := _fault(Path(folder), *entry))]


def _fault(folder: Path, name: str, size: int | None, sha256: str) -> str | None:
    path = folder / name
    if not path.is_file():
        return f"{path} is missing. Run again to remake it."
    if size is not None and path.stat().st_size != size:
        return f"{path} has {path.stat().st_size} bytes, the manifest says {size}. Delete it and run again."
    if file_sha256(path) != sha256:
        return f"{path} does not have the sha256 that the manifest states. Delete it and run again."
    return None


def file_sha256(path: str | Path) -> str:
    """sha256 of a file, read in pieces."""
    with Path(path).open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def json_schema() -> str:
    """The manifest's JSON Schema, as it lies in tokenization/manifest.schema.json."""
    return json.dumps(Manifest.model_json_schema(), indent=1, sort_keys=True) + "\n"
