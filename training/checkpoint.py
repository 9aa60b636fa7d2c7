"""A training on disk: written whole or not at all, read without unpickling code.

`checkpoint.pt` holds weights, optimiser, random states, the step, the position in the data, the options, the
manifest's hash, and how many ranks shared the steps, so that who saw a token can be told afterwards. A new one is
written beside it, flushed to the disk and renamed over it, so a kill or a full disk at any moment leaves the one
before. Weights and optimiser are written whole and by name, however they were spread, so another number of ranks, or
another way of spreading, goes on from them. Traded away: one file from one rank, which fits models that fit one.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.distributed.checkpoint.state_dict import (
    StateDictOptions,
    get_model_state_dict,
    get_optimizer_state_dict,
    set_model_state_dict,
    set_optimizer_state_dict,
)

from tokenization.manifest import file_sha256
from tokenization.sequences import ORDER
from tokenization.versions import files, newer
from training.optimise import Optimisers
from training.options import TrainOptions

Team = tuple[int, int]  # (first step, ranks from there on)
WHOLE = StateDictOptions(full_state_dict=True, cpu_offload=True)


def path_of(options: TrainOptions) -> Path:
    """Where the checkpoint of a training lies."""
    return Path(options.out) / "checkpoint.pt"


def save(
    options: TrainOptions, manifest: Path, model: nn.Module, optimisers: Optimisers, step: int,
    teams: Sequence[Team] = (), writes: bool = True,
) -> None:  # fmt: skip
    """Write the checkpoint after `step` steps; `teams` are (first step, ranks). All ranks call this, one writes.

    OSError if the disk does not take it, and the old one stays.
    """
    weights = get_model_state_dict(model, options=WHOLE)
    moments = get_optimizer_state_dict(model, list(optimisers), options=WHOLE)
    if not writes:
        return
    path = path_of(options)
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "order": ORDER,
        "step": step,
        "sequences": step * options.batch,  # the position in the data
        "manifest": file_sha256(manifest),
        "options": options.fixed(),
        "teams": [list(team) for team in teams],
        "model": weights,
        "optimiser": moments,
        "random": torch.get_rng_state(),
        "random_cuda": torch.cuda.get_rng_state_all() if torch.cuda.is_available() else [],
    }
    temporary = path.with_suffix(".tmp")
    try:
        with temporary.open("wb") as sink:  # a file object, so that a full disk is an OSError and no riddle
            torch.save(state, sink)
            sink.flush()
            os.fsync(sink.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def restore(options: TrainOptions, manifest: Path, model: nn.Module, optimisers: Optimisers) -> int:
    """Load the checkpoint if there is one and it is wanted; returns the next step, 0 without one.

    ValueError in a sentence if it is damaged or of another training.
    """
    path = path_of(options)
    if not options.resume or not path.is_file():
        return 0
    state = read(path)
    wanted = {"manifest": file_sha256(manifest), **options.fixed()}
    found = {"manifest": state["manifest"], **state["options"]}
    if found["manifest"] != wanted["manifest"] and (old := _replaced_by(manifest, found["manifest"])) is not None:
        raise ValueError(f"{path} was trained on {old}, which {options.manifest} supersedes: what was removed is in "
                         f"its weights. Choose another --out, or --no-resume; to go on with {old}, name it and say "
                         "--superseded.")  # fmt: skip
    if state.get("order") != ORDER:
        raise ValueError(f"{path} was made by a version of Winnow that orders data another way. Choose another --out, "
                         "or --no-resume.")  # fmt: skip
    for key, value in wanted.items():
        if found.get(key) != value:
            was = (
                "another manifest" if key == "manifest" else f"--{key.replace('_', '-')} {found.get(key)}, not {value}"
            )
            raise ValueError(f"{path} is of another training: it has {was}. Choose another --out, or --no-resume.")
    set_model_state_dict(model, state["model"], options=WHOLE)
    set_optimizer_state_dict(model, list(optimisers), state["optimiser"], options=WHOLE)
    _restore_random(state)
    return int(state["step"])


def read(path: Path) -> dict[str, Any]:
    """A checkpoint, its tensors mapped; ValueError or FileNotFoundError in a sentence if it cannot be read."""
    if not path.is_file():
        raise FileNotFoundError(f"There is no checkpoint {path}. Give the --out of a training.")
    try:
        state: dict[str, Any] = torch.load(path, weights_only=True, map_location="cpu", mmap=True)
        missing = {"manifest", "options", "step", "model", "optimiser", "random"} - state.keys()
        if missing:
            raise KeyError(sorted(missing)[0])
    except (RuntimeError, EOFError, KeyError, TypeError, AttributeError, ValueError, pickle.UnpicklingError) as error:
        raise ValueError(f"{path} is damaged ({type(error).__name__}). Delete it to start anew.") from error
    return state


def teams(options: TrainOptions) -> list[Team]:
    """(first step, ranks) of the checkpoint that would be restored, in order; none where it does not say."""
    path = path_of(options)
    if not options.resume or not path.is_file():
        return []
    state = read(path)
    return [(int(first), int(ranks)) for first, ranks in state.get("teams", [])]


def _replaced_by(manifest: Path, sha256: str) -> Path | None:
    """The manifest of this sha256 beside the one asked for, if that one, or one after it, replaces it."""
    for file in files(manifest.parent):
        if file_sha256(file) == sha256 and newer(file) is not None:
            return file
    return None


def _restore_random(state: dict[str, Any]) -> None:
    torch.set_rng_state(state["random"])
    if torch.cuda.is_available() and len(state["random_cuda"]) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(state["random_cuda"])
