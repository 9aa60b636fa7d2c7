"""The manifest: strict when read, atomic when written, and it finds what was changed."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tokenization.manifest import Manifest, json_schema

SCHEMA = Path(__file__).resolve().parents[2] / "tokenization" / "manifest.schema.json"


def sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def content(**changes: Any) -> dict[str, Any]:
    shard = {"path": "tokens/a.arrow", "bytes": 5, "sha256": sha(b"shard"), "documents": 2, "tokens": 9}
    tokenizer = {"name": "t", "file": "t.json", "sha256": sha(b"tok"), "vocab_size": 9, "end_of_text": 0}
    return {
        "recipe": "r", "recipe_hash": "h", "dtype": "uint16", "format": "arrow", "seed": 0,
        "shards": [shard], "tokenizer": tokenizer, "totals": {"documents": 2, "tokens": 9, "text_bytes": 30},
        "sources": {"a.warc": {"documents": 2, "tokens": 9}}, "languages": {}, **changes,
    }  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "tokens").mkdir()
    (tmp_path / "tokens" / "a.arrow").write_bytes(b"shard")
    (tmp_path / "t.json").write_bytes(b"tok")
    (tmp_path / "manifest.json").write_text(json.dumps(content()))
    return tmp_path


def test_what_is_written_is_read(folder: Path) -> None:
    manifest = Manifest.read(folder / "manifest.json")
    assert manifest.problems(folder) == []
    manifest.write(folder / "again.json")
    assert Manifest.read(folder / "again.json") == manifest
    assert sorted(p.name for p in folder.iterdir()) == ["again.json", "manifest.json", "t.json", "tokens"]
    jsonschema.validate(json.loads((folder / "again.json").read_bytes()), json.loads(SCHEMA.read_text()))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(content(dtype="int64"), json.loads(SCHEMA.read_text()))


def test_schema_file_is_in_step() -> None:
    assert SCHEMA.read_text() == json_schema()


@pytest.mark.parametrize("bad", ["/etc/passwd", "../../x", "a/../../b", "C:/x", "a\\b", "a\0b", ""])
@pytest.mark.parametrize("where", ["shard", "tokenizer"])
def test_paths_that_leave_the_folder_are_refused(bad: str, where: str, folder: Path) -> None:
    changed = content()
    if where == "shard":
        changed["shards"][0]["path"] = bad
    else:
        changed["tokenizer"]["file"] = bad
    (folder / "manifest.json").write_text(json.dumps(changed))
    with pytest.raises(ValueError, match=r"no valid manifest: .*(leads outside|at least 1 character)"):
        Manifest.read(folder / "manifest.json")


SHARD = content()["shards"][0]


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"surprise": 1}, "surprise"),
        ({"schema_version": "winnow.manifest/2"}, "schema_version"),
        ({"dtype": "int8"}, "dtype"),
        ({"parent": "abc"}, "parent"),
        ({"shards": [SHARD, SHARD]}, "listed twice"),
        ({"tokenizer": {**content()["tokenizer"], "end_of_text": 9}}, "not below"),
        ({"tokenizer": {**content()["tokenizer"], "vocab_size": 65_537}}, "do not fit into uint16"),
    ],
)
def test_what_does_not_hold_together_is_refused(changes: dict[str, Any], says: str, folder: Path) -> None:
    (folder / "manifest.json").write_text(json.dumps(content(**changes)))
    with pytest.raises(ValueError, match=says) as told:
        Manifest.read(folder / "manifest.json")
    assert "\n" not in str(told.value)


def test_a_damaged_or_missing_file_gets_a_sentence(folder: Path) -> None:
    whole = (folder / "manifest.json").read_bytes()
    for damage in (b"", whole[:100], b"\xff" + whole, b"[]"):
        (folder / "manifest.json").write_bytes(damage)
        with pytest.raises(ValueError, match="no valid manifest"):
            Manifest.read(folder / "manifest.json")
    with pytest.raises(FileNotFoundError, match="There is no manifest"):
        Manifest.read(folder / "none.json")


def test_tampering_is_found(folder: Path) -> None:
    manifest = Manifest.read(folder / "manifest.json")
    (folder / "tokens" / "a.arrow").write_bytes(b"shArd")
    assert "does not have the sha256" in manifest.problems(folder)[0]
    (folder / "tokens" / "a.arrow").write_bytes(b"shard and more")
    assert "has 14 bytes, the manifest says 5" in manifest.problems(folder)[0]
    (folder / "tokens" / "a.arrow").unlink()
    (folder / "t.json").write_bytes(b"other")
    missing, changed = manifest.problems(folder)
    assert "a.arrow is missing" in missing
    assert "t.json does not have the sha256" in changed


def test_importing_the_manifest_is_light() -> None:
    """The trainer imports this module; it must not pull in Beam or a tokenizer library."""
    code = (
        "import sys, tokenization.manifest; "
        "print([m for m in ('apache_beam', 'tokenizers', 'tiktoken', 'sentencepiece', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=SCHEMA.parents[1]
    )
    assert done.stdout.strip() == "[]"
