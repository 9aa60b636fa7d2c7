"""The version of the code that made a part: a digest of Winnow's own sources and the libraries that matter.

A part is reused only if the code that would make it is the code that made it. A digest of the sources is
stricter than a version number: it also covers a checkout with local changes.
"""

from __future__ import annotations

from functools import cache
from importlib.metadata import version
from importlib.resources import files

import xxhash

ROOMS = ("recipes", "filters", "dedup", "tokenization", "pipelines")
LIBRARIES = (
    "ahocorasick_rs",
    "apache-beam",
    "duckdb",
    "faker",
    "fasttext",
    "fastwarc",
    "ftfy",
    "gigatoken",
    "google-re2",
    "http_sf",
    "icu4py",
    "kitoken",
    "license-expression",
    "numpy",
    "opencc",
    "phonenumbers",
    "protego",
    "publicsuffixlist",
    "pyarrow",
    "python-stdnum",
    "resiliparse",
    "rjieba",
    "sentencepiece",
    "tiktoken",
    "tokenizers",
    "trafilatura",
)


OF_MODELS = ("spacy", "thinc")  # an extra: asked for only where a recipe names a model


@cache
def code_version() -> str:
    """32 hex digits over every `.py` and every table of the rooms that take part in making data."""
    digest = xxhash.xxh3_128()
    for room in ROOMS:
        sources = [*files(room).rglob("*.py"), *files(room).rglob("*.json"), *files(room).rglob("*.txt")]  # type: ignore[attr-defined]
        for item in sorted(sources, key=str):
            digest.update(item.relative_to(files(room)).as_posix().encode())
            digest.update(item.read_bytes())
    return digest.hexdigest()


@cache
def library_versions() -> dict[str, str]:
    """Installed versions of the libraries whose change could change a byte of output."""
    return {name: version(name) for name in LIBRARIES}


@cache
def model_libraries() -> str:
    """Versions of what runs a model of names: the same model finds other names under another."""
    return " ".join(f"{name}={version(name)}" for name in OF_MODELS)


@cache
def made_by() -> str:
    """Code and library versions as one string, an ingredient of every part's fingerprint."""
    return code_version() + "".join(f" {n}={v}" for n, v in library_versions().items())
