"""The folder of a spaCy pipeline, looked at before spaCy reads it: nothing in it may be unpickled.

spaCy's own files are msgpack, JSON and NumPy arrays without objects. Layers of other frameworks keep their weights as
pickles inside msgpack, where no look at files finds them; so the configuration may name only what spaCy and thinc
register themselves, and none of their bridges to another framework. Traded away: a harmless layer of a third package.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

PICKLES = (".pkl", ".pickle", ".pt", ".pth", ".joblib", ".dill")
# spaCy's and its legacy functions; thinc's have no name before the dot
OWN = re.compile(r"(?:spacy(?:-legacy)?(?:\.[A-Za-z0-9_]+)+|[A-Za-z0-9_]+\.v[0-9]+)")
FOREIGN = re.compile(r"(?i)torch|transformer|tensorflow|mxnet")
MEMBERS = 1_000  # of an archive of arrays
EXTRA = "Names and addresses are found by spaCy, which is not installed: pip install 'winnow-corpus[ner]'."


def digest_of(folder: Path) -> str:
    """The sha256 of a pipeline's folder, found to be one and to hold no pickle; else a sentence."""
    from filters.scores.interface import digest_of as hashed

    if not folder.is_dir():
        raise FileNotFoundError(f"There is no model {folder}. Give the folder of a spaCy pipeline as scrub.ner.")
    config = folder / "config.cfg"
    if not config.is_file() or not (folder / "meta.json").is_file():
        raise ValueError(f"{folder} is no spaCy pipeline: it has no config.cfg and meta.json, as to_disk writes them.")
    for key, value in _named(_configuration(config)):
        own = key == "factory" or OWN.fullmatch(value)
        if not own or FOREIGN.search(value):
            raise ValueError(f"{config} asks for {value[:100]}, of PyTorch or another package, whose weights may be "
                             "pickles. Give a pipeline of spaCy's own layers.")  # fmt: skip
    for path in sorted(folder.rglob("*")):
        if path.is_file() and _pickled(path):
            raise ValueError(f"{path} is a pickle or an archive, which can run any code. It is not read.")
    return hashed(folder)


def _configuration(path: Path) -> Any:
    """config.cfg as spaCy reads it, variables put in, and nothing it names looked up."""
    try:
        from confection import Config
    except ImportError as error:
        raise ValueError(EXTRA) from error
    try:
        return Config().from_str(path.read_text("utf-8"))
    except Exception as error:
        fault = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ValueError(f"spaCy cannot read the model {path.parent}: {fault}") from error


def _named(value: Any) -> Iterator[tuple[str, str]]:
    """(key, name) of every registered function and factory, however deep."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if str(key).startswith("@") or key == "factory":
                yield str(key), str(inner)
            yield from _named(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _named(inner)
    elif isinstance(value, str) and "@" in value and "{" in value:  # a table in a string, which variables may complete
        yield "@", value


def _pickled(path: Path) -> bool:
    """By name, or by the first bytes of a pickle (protocol 2 on) or a zip archive; of NumPy's files by their type."""
    with path.open("rb") as file:
        head = file.read(8)
        if head.startswith(b"PK\x03\x04"):
            return path.suffix.lower() != ".npz" or not _plain_arrays(path)
        if head.startswith(b"\x93NUMPY"):
            file.seek(0)
            return not _plain_array(file)
    pickle = head[:1] == b"\x80" and head[1:2] in (b"\x02", b"\x03", b"\x04", b"\x05") and len(head) > 2
    return path.suffix.lower() in PICKLES or pickle


def _plain_arrays(path: Path) -> bool:
    """Whether an archive holds NumPy arrays without objects and nothing else, as `numpy.savez` writes it."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MEMBERS:
                return False
            for member in members:
                with archive.open(member) as file:
                    if not _plain_array(file):
                        return False
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError):
        return False
    return True


def _plain_array(file: IO[bytes]) -> bool:
    """Whether a NumPy file begins here whose elements are no Python objects; only its head is read."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        return not readers[np.lib.format.read_magic(file)](file)[2].hasobject  # type: ignore[no-untyped-call]
    except (ValueError, KeyError, SyntaxError, TypeError):
        return False
