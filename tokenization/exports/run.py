"""One export: checked, written under a temporary name, noted, renamed.

Traded away: an exported copy is no version of a manifest. `winnow remove` does not reach it: the note says which
requests it obeys, and a new export is made from the new manifest.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tokenization.exports import datasets, flat, mds, megatron
from tokenization.exports.source import Source
from tokenization.exports.target import finished, placed, write_note

Form = Literal["megatron", "mds", "npy", "nanogpt", "datasets"]


class ExportOptions(BaseModel):
    """What `winnow export` can be told; unknown options are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    manifest: str
    to: Form
    out: str
    length: int | None = Field(default=None, ge=2, le=1 << 24, description="MDS: ids a sample")
    validation: float | None = Field(default=None, gt=0, lt=1, description="nanoGPT: share of val.bin")
    register_: str | None = Field(default=None, description="a register of removals that the manifest must obey")
    superseded: bool = False

    @model_validator(mode="after")
    def _fits(self) -> ExportOptions:
        if self.length is not None and self.to != "mds":
            raise ValueError("--length is for --to mds")
        if self.validation is not None and self.to != "nanogpt":
            raise ValueError("--validation is for --to nanogpt")
        return self


def export(options: ExportOptions) -> dict[str, Any]:
    """Write the export; returns its note. One that is there already is left, and its note returned.

    ValueError or FileNotFoundError in a sentence if the manifest may not be exported or the folder holds something
    else; OSError if the disk does not take it, and then nothing is there.
    """
    register = Path(options.register_) if options.register_ else None
    source = Source(Path(options.manifest), register, options.superseded)
    wanted = {
        "schema_version": "winnow.export/1", "to": options.to, "manifest_sha256": source.sha256,
        "asked": {"length": options.length, "validation": options.validation},
    }  # fmt: skip
    if (there := finished(Path(options.out), wanted)) is not None:
        return there
    manifest = source.manifest
    with placed(Path(options.out)) as folder:
        written = _write(source, folder, options)
        shutil.copyfile(source.tokenizer_file, folder / source.tokenizer_file.name)
        described = {
            **wanted, **written, "recipe": manifest.recipe, "recipe_hash": manifest.recipe_hash,
            "version": manifest.version, "obeys": list(manifest.obeys), "answers": manifest.answers,
            "documents": manifest.totals.documents, "tokens": manifest.totals.tokens,
            "tokenizer": manifest.tokenizer.model_dump(),
        }  # fmt: skip
        return write_note(folder, described)


def _write(source: Source, folder: Path, options: ExportOptions) -> dict[str, Any]:
    if options.to == "mds":
        return mds.write(source, folder, options.length)
    if options.to == "nanogpt":
        return flat.write_nanogpt(source, folder, options.validation or flat.VALIDATION)
    writers = {"megatron": megatron.write, "npy": flat.write_npy, "datasets": datasets.write}
    return writers[options.to](source, folder)
