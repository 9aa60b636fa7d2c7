"""Versions of a manifest: which lie beside each other, which replaces which, and which may still be trained on.

`manifest.json` is the first, `manifest.0002.json` the one after it; each states the sha256 of the one that it replaces,
so a copy under another name is still known for what it is. A corpus of several runs has `manifest-0001.json` and so
on, and `manifest.json` is the newest once more: what it does not reach was never published. A register of removals is a
folder with one file a request, `request-<id>.parquet`: here only the names matter, so that a trainer needs nothing but
the manifest and a listing.

Traded away: a request of the register that a manifest does not name supersedes it even if none of its documents are
in the shards. Only their URLs could tell, and a manifest has none; `winnow remove MANIFEST --register PATH` settles it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tokenization.manifest import Manifest, file_sha256

FILE = re.compile(r"manifest(?:[.-]([0-9]{4,}))?\.json")
CORPUS_FIRST = "manifest-0001.json"
REQUEST = re.compile(r"request-([0-9a-f]{16})\.parquet")
REGISTER_LOCK = ".lock"  # in every register that was ever written to
SHARD = re.compile(r"shard-[0-9]+(?:\.v([0-9]+))?\.(?:arrow|parquet)")


@dataclass(frozen=True)
class Version:
    """One version: its file, that file's sha256, and what it says."""

    path: Path
    sha256: str
    manifest: Manifest


def file_of(version: int) -> str:
    """The name of a version's file.

    >>> file_of(1), file_of(2)
    ('manifest.json', 'manifest.0002.json')
    """
    return "manifest.json" if version == 1 else f"manifest.{version:04d}.json"


def corpus_file_of(version: int) -> str:
    """The name of a version's file in a corpus of several runs.

    >>> corpus_file_of(2)
    'manifest-0002.json'
    """
    return f"manifest-{version:04d}.json"


def is_of_runs(folder: Path) -> bool:
    """Whether a folder's manifests are those of a corpus of several runs."""
    return (folder / CORPUS_FIRST).is_file()


def shard_name(number: int, form: str, version: int = 1) -> str:
    """The name of a shard's file, with the version that wrote it, unless that is the first.

    >>> shard_name(7, "arrow"), shard_name(7, "arrow", 2)
    ('shard-00007.arrow', 'shard-00007.v2.arrow')
    """
    return f"shard-{number:05d}{'' if version == 1 else f'.v{version}'}.{form}"


def version_in(pattern: re.Pattern[str], name: str) -> int:
    """The version that a file's name states, 1 if it states none; 0 if it is no such name.

    >>> version_in(SHARD, "shard-00007.v2.arrow"), version_in(FILE, "manifest.json"), version_in(FILE, "x.json")
    (2, 1, 0)
    """
    match = pattern.fullmatch(name)
    return int(match.group(1) or 1) if match else 0


def files(folder: Path) -> list[Path]:
    """The manifests of a folder, the first version first; of a corpus those that were published."""
    if is_of_runs(folder):
        newest = folder / file_of(1)
        published = Manifest.read(newest).version if newest.is_file() else 0
        return [folder / corpus_file_of(version) for version in range(1, published + 1)]
    found = [(version_in(FILE, path.name), path) for path in folder.glob("manifest*.json")]
    return [path for version, path in sorted(found) if version]


def latest(folder: Path) -> Path | None:
    """The newest manifest of a folder, by its name; None if there is none."""
    found = files(folder)
    return found[-1] if found else None


def history(folder: Path) -> list[Version]:
    """All versions, the first one first; ValueError in a sentence if they do not follow from each other."""
    found = [Version(path, file_sha256(path), Manifest.read(path)) for path in files(folder)]
    named = corpus_file_of if is_of_runs(folder) else file_of
    if is_of_runs(folder) and found and file_sha256(folder / file_of(1)) != found[-1].sha256:
        raise ValueError(f"{folder / file_of(1)} is not the same as {found[-1].path}. Copy that one over it.")
    for number, version in enumerate(found, 1):
        if version.manifest.version != number or version.path.name != named(number):
            raise ValueError(f"{version.path} is version {version.manifest.version}, number {number} of its folder. "
                             "Restore the manifests that are missing.")  # fmt: skip
        if number > 1 and version.manifest.parent != found[number - 2].sha256:
            raise ValueError(f"{version.path} does not follow from {found[number - 2].path}: its parent has another "
                             "sha256. Restore the manifest that it was made from.")  # fmt: skip
    return found


def newer(path: Path) -> Path | None:
    """The newest manifest beside `path` that descends from it, whatever they are called; None if none does.

    A version of a corpus that only has more in it than `path` replaces nothing: None if all that came after is so.
    """
    children = {Manifest.read(file).parent: file for file in files(path.parent) if version_in(FILE, file.name) > 1}
    found, sha256 = None, file_sha256(path)
    while sha256 in children:
        found = children.pop(sha256)
        sha256 = file_sha256(found)
    if (
        found is not None
        and is_of_runs(path.parent)
        and set(Manifest.read(found).obeys) <= set(Manifest.read(path).obeys)
    ):
        return None
    return found


def erased_file(folder: Path) -> Path:
    """Where `winnow erase` notes the shards that it deletes."""
    return folder / "removals" / ".erased.json"


def erased(folder: Path) -> set[str]:
    """Paths of the shards that were deleted on purpose, of a corpus those of its runs; empty if none was."""
    if is_of_runs(folder):
        paths = {shard.path for file in files(folder) for shard in Manifest.read(file).shards}
        runs = {str(Path(path).parent.parent) for path in paths}
        return {f"{run}/{path}" for run in runs for path in erased(folder / run)}
    file = erased_file(folder)
    return set(json.loads(file.read_bytes())["shards"]) if file.is_file() else set()


def erasing(folder: Path) -> bool:
    """Whether an erasure was begun and not finished."""
    file = erased_file(folder)
    return file.is_file() and not json.loads(file.read_bytes()).get("done", True)


def begun_file(folder: Path) -> Path:
    """Where a removal notes the register that it tells first, until the run's own version is made."""
    return folder / "removals" / ".begun.json"


def half_done(folder: Path) -> list[tuple[str, str]]:
    """(register, request) of removals that were cut off after a register was told and before a manifest obeyed.

    A register that cannot be read now may have been told: only one that is there and lacks the request was not.
    """
    file, newest = begun_file(folder), latest(folder)
    if newest is None or not file.is_file():
        return []
    obeyed = Manifest.read(newest).obeys
    noted = [(register, request) for register, request in json.loads(file.read_bytes()) if request not in obeyed]
    return [(where, what) for where, what in noted if not _readable(Path(where)) or what in requests(Path(where))]


def _readable(register: Path) -> bool:
    """Whether a register is there; an empty folder is what is left of one that is not mounted."""
    try:
        names = [path.name for path in register.iterdir()]
    except OSError:
        return False
    return any(name == REGISTER_LOCK or REQUEST.fullmatch(name) for name in names)


def begun(folder: Path) -> str | None:
    """That a removal of this folder is half done, and what to do, in a sentence; None if none is."""
    for register, request in half_done(folder):
        newest = latest(folder)
        if not _readable(Path(register)):
            return (f"{newest} does not obey the request {request} yet, of which the register {register} was told: its "
                    f"removal was cut off, and the register cannot be read now. Mount it, and `winnow remove {newest} "
                    f"--register {register}` finishes it; or give the same `winnow remove` again.")  # fmt: skip
        return (f"{newest} does not obey the request {request} yet, which the register {register} has: its removal "
                f"was cut off. `winnow remove {newest} --register {register}` finishes it.")  # fmt: skip
    return None


def requests(register: Path) -> list[str]:
    """Ids of the requests in a register, in order; FileNotFoundError if there is no such folder."""
    if not register.is_dir():
        raise FileNotFoundError(
            f"There is no register {register}. `winnow remove ... --register {register}` begins one."
        )
    matches = (REQUEST.fullmatch(path.name) for path in register.iterdir())
    return sorted(match.group(1) for match in matches if match)


def pending(manifest: Manifest, register: Path) -> list[str]:
    """Requests of the register that this manifest is not known to obey."""
    return sorted(set(requests(register)) - set(manifest.obeys))


def superseded(path: Path, register: Path | None = None) -> str | None:
    """Why this manifest should not be trained on any more, and what to do, in a sentence; None if it may be."""
    if (after := newer(path)) is not None:
        return f"{path} is superseded: {after.name}, beside it, leaves out what was asked to be removed. Use {after}."
    if (half := begun(path.parent)) is not None:
        return half
    if register is None and is_of_runs(path.parent) and (path.parent / "register").is_dir():
        register = path.parent / "register"  # a corpus's own
    if register is not None and (left := pending(Manifest.read(path), register)):
        mend = f"corpus remove {path.parent}" if is_of_runs(path.parent) else f"remove {path} --register {register}"
        return (f"{path} does not obey {_few(left)} of the register {register}. `winnow {mend}` makes a version that "
                "does.")  # fmt: skip
    return None


def _few(ids: Sequence[str]) -> str:
    told = ", ".join(ids[:3])
    return f"{'request' if len(ids) == 1 else 'requests'} {told}{f' and {len(ids) - 3} more' if len(ids) > 3 else ''}"
