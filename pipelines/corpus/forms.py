"""Removal requests as people file them: one small TOML or JSON file each, strict, in a folder.

    reason = "the publisher asked"          # kept in the register and in the manifest: no names of people
    reference = "letter 2026-114"           # the requester's, kept beside the corpus and told nowhere else
    urls = ["https://www.example.com/page"]
    domains = ["example.org"]
    documents = ["d5ad65c7dc831694521d657c86870924"]
    near = 0.8                              # optional: take what resembles these too
    date = "2026-11-25"                     # optional: of the request

A form that cannot be read is refused by its name, and the others go on. A form is never changed or moved: what it asks
has an id made of its content, so reading it again asks nothing new.
"""

from __future__ import annotations

import datetime
import json
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from pipelines.removal.request import Request, doc_target, domain_target, url_target

ENDINGS = (".toml", ".json")
MOST_BYTES = 4 << 20
Line = Annotated[str, StringConstraints(min_length=1, max_length=8192)]


class Form(BaseModel):
    """One request for removal; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    reason: Line
    reference: str = Field(default="", max_length=8192)
    urls: tuple[Line, ...] = ()
    domains: tuple[Line, ...] = ()
    documents: tuple[Line, ...] = ()
    near: float | None = Field(default=None, gt=0, le=1)
    date: datetime.date | None = None

    def request(self) -> Request:
        """What it asks; ValueError in a sentence if an address, a domain or a doc_id is none."""
        targets = [*map(url_target, self.urls), *map(domain_target, self.domains), *map(doc_target, self.documents)]
        if not targets:
            raise ValueError("it names nothing: give urls, domains or documents")
        return Request.of(targets, self.reason, self.near)


@dataclass(frozen=True)
class Filed:
    """A form that was read: its file's name, what it says and what it asks."""

    name: str
    form: Form
    request: Request


def read_forms(where: Path) -> tuple[list[Filed], list[str]]:
    """Forms of a folder, or the one of a file, by name; and a sentence for every one that is refused.

    FileNotFoundError if there is nothing at `where`. Files of other endings and hidden ones are no forms.
    """
    if not where.exists():
        raise FileNotFoundError(f"There is no {where}. Give a removal request (.toml or .json), or a folder of them.")
    files = [where]
    if where.is_dir():
        files = sorted(path for path in where.iterdir() if path.suffix in ENDINGS and path.name[0] != ".")
    read: list[Filed] = []
    refused: list[str] = []
    for path in files:
        try:
            form = read_form(path)
            read.append(Filed(path.name, form, form.request()))
        except (ValueError, OSError) as error:
            refused.append(f"{path.name}: {error}")
    return read, refused


def read_form(path: Path) -> Form:
    """One form; ValueError in a sentence if it is none."""
    if path.stat().st_size > MOST_BYTES:
        raise ValueError(f"it is larger than {MOST_BYTES:,} bytes: split it")
    try:
        text = path.read_bytes().decode()
        given = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
        return Form.model_validate(given)
    except UnicodeDecodeError as error:
        raise ValueError("it is not UTF-8") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise ValueError(f"{'.'.join(map(str, first['loc'])) or 'form'}: {first['msg']}") from error
    except (ValueError, RecursionError) as error:  # tomllib and json say line and column
        raise ValueError(f"it is no {path.suffix[1:].upper()}: {error}") from error
