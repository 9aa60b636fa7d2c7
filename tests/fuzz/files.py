"""Fuzz targets for files that a person gives: recipes, manifests, removal lists and tokenizers.

All of them end in one sentence (ValueError, FileNotFoundError) or in a value that holds together.
"""

from __future__ import annotations

from contextlib import suppress

import pyarrow as pa

from pipelines.removal.request import DOC, DOMAIN, URL, read_list
from recipes.load import parse
from recipes.model import Recipe
from tests.fuzz.crawl import folder, stored
from tokenization.load import load_reference
from tokenization.manifest import Manifest


def sentence(error: Exception) -> None:
    """What is told must be one line that names the file."""
    assert "fuzz." in str(error), error
    assert len(str(error).splitlines()) == 1, error


def recipe(data: bytes) -> None:
    """A recipe; what is read is read again from its own JSON."""
    try:
        found = parse(data, "fuzz.toml")
    except ValueError as error:
        sentence(error)
    else:
        assert Recipe.model_validate_json(found.model_dump_json()) == found


def manifest(data: bytes) -> None:
    """A manifest; what is read is written and read again, and asked about its files."""
    try:
        found = Manifest.read(stored(data, "fuzz.json"))
    except ValueError as error:
        sentence(error)
    else:
        assert Manifest.read(stored(found.as_bytes(), "fuzz.json")) == found
        found.problems(folder())


def removal(data: bytes) -> None:
    """A list of what is to be removed."""
    try:
        for kind, value in read_list(stored(data, "fuzz.txt")):
            assert kind in (URL, DOMAIN, DOC)
            assert value == value.strip() != ""
            value.encode()
    except ValueError as error:
        sentence(error)


def tokenizer(data: bytes) -> None:
    """A tokenizer.json, which may then be asked to encode."""
    with suppress(ValueError):
        made = load_reference(stored(data, "fuzz-tokenizer.json"))
        with suppress(Exception):  # the library's own faults, on a model that makes no sense
            made.encode_batch(pa.array(["ab <s> 字"], pa.large_string()))
