"""From two heaps of texts to a model, its card and its curves.

The hold-out is scored by the very code that a run uses (`filters.scores`), so that the card speaks of what a recipe
will see. The same texts and options give the same bytes, autotune apart.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from filters.language import identify
from filters.scores import load
from filters.scores.fasttext_model import LABEL, prepare
from filters.scores.hashing_lr import Features, save, vectors
from filters.scores.interface import digest_of
from pipelines.classifier.card import write_card
from pipelines.classifier.metrics import Flags, Reals
from pipelines.classifier.options import Training
from pipelines.classifier.texts import Examples, gather
from recipes.scores import FastText, HashingLR

GOOD, BAD = "hq", "cc"
CHUNK = 1000


def train(good: Sequence[Path], bad: Sequence[Path], out: Path, options: Training) -> dict[str, Any]:
    """Train, judge on the hold-out, and write model, card.json, card.md and the curves to the folder `out`; returns the
    card. ValueError, FileNotFoundError or RuntimeError say what is wrong with the input."""
    examples = gather(good, bad, options.text, options.holdout)
    out.mkdir(parents=True, exist_ok=True)
    entry = entry_of(options)
    path = out / ("model.bin" if options.kind == "fasttext" else "model.npz")
    if isinstance(entry, FastText):
        _fasttext(examples, path, options, entry)
    else:
        _hashing_lr(examples, path, options)
    held = [text for text, judge in zip(examples.texts, examples.held, strict=True) if judge]
    values = score_texts(entry, path, held)
    card = {
        "card": 1,
        "model": {"file": path.name, "sha256": digest_of(path), "bytes": path.stat().st_size},
        "score": entry.model_dump(exclude_defaults=True),
        "options": options.model_dump(),
        "data": examples.facts,
        "classes": {
            name: {"positive": int(examples.good[part].sum()), "negative": int((~examples.good[part]).sum())}
            for name, part in (("training", ~examples.held), ("holdout", examples.held))
        },
        "versions": _versions(),
    }
    return write_card(out, card, values, examples.good[examples.held])


def entry_of(options: Training) -> FastText | HashingLR:
    """The recipe's entry that uses the model as it was trained."""
    common = {"id": "quality", "what": "the classifier that `winnow classifier train` made", "evidence": "A"}
    if options.kind == "fasttext":
        how = {"label": GOOD, "case": options.case, "segment": "jieba", "prefix": options.prefix}
        return FastText.model_validate({"kind": "fasttext", **common, **how})
    return HashingLR.model_validate({"kind": "hashing_lr", **common, "prefix": options.prefix})


def score_texts(entry: FastText | HashingLR, path: Path, texts: Sequence[str]) -> Reals:
    """The model's number for each text, its language found as a run finds it; what has no number counts as 0."""
    scorer = load(entry, str(path))
    parts = [np.zeros(0)]
    for low in range(0, len(texts), CHUNK):
        text = pa.array(texts[low : low + CHUNK], pa.large_string())
        batch = pa.RecordBatch.from_arrays([text], ["text"])
        parts.append(scorer.score(batch, text, identify(text)[0]).fill_null(0.0).to_numpy(zero_copy_only=False))
    return np.concatenate(parts)


# glibc: large blocks from the kernel, zeroed; small ones filled with 255 ^ 0xff; no cache that would skip that.
ZEROED = {
    "MALLOC_MMAP_THRESHOLD_": "4096",
    "MALLOC_PERTURB_": "255",
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
}


def _fasttext(examples: Examples, path: Path, options: Training, entry: FastText) -> None:
    with tempfile.TemporaryDirectory(prefix="winnow-fasttext-") as folder:
        judges = np.zeros(len(examples.texts), np.bool_)
        if options.autotune_seconds:
            judges[np.flatnonzero(~examples.held)[:: max(round(1 / options.holdout), 2)]] = True
        job: dict[str, Any] = {
            "input": _write_lines(examples, ~examples.held & ~judges, Path(folder) / "train.txt", entry),
            "out": str(path),
            "dim": options.dim,
            "epoch": options.epoch,
            "lr": options.lr,
            "wordNgrams": options.word_ngrams,
            "minCount": options.min_count,
            "bucket": options.buckets if options.word_ngrams > 1 else 0,
            "seed": options.seed,
            "thread": 1,
        }
        if options.autotune_seconds:
            job["autotuneValidationFile"] = _write_lines(examples, judges, Path(folder) / "valid.txt", entry)
            job["autotuneDuration"] = options.autotune_seconds
            for name in ("dim", "epoch", "lr", "wordNgrams", "bucket"):  # what is given is not tuned
                del job[name]
        (Path(folder) / "job.json").write_bytes(orjson.dumps(job))
        script = Path(__file__).with_name("fasttext_process.py")
        clean = {
            name: value for name, value in os.environ.items() if not name.startswith(("MALLOC_", "GLIBC_TUNABLES"))
        }
        done = subprocess.run(
            [sys.executable, "-I", str(script), str(Path(folder) / "job.json")],
            env={**clean, **ZEROED}, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "fastText was killed.")


def _write_lines(examples: Examples, chosen: Flags, path: Path, entry: FastText) -> str:
    with path.open("w", encoding="utf-8") as file:
        rows = np.flatnonzero(chosen)
        for low in range(0, len(rows), CHUNK):
            some = rows[low : low + CHUNK]
            text = pa.array([examples.texts[row] for row in some], pa.large_string())
            for row, line in zip(some, prepare(text, identify(text)[0], entry), strict=True):
                safe = line.replace(LABEL, "__label ")  # a text must not name its own class
                file.write(f"{LABEL}{GOOD if examples.good[row] else BAD} {safe}\n")
    return str(path)


def _hashing_lr(examples: Examples, path: Path, options: Training) -> None:
    try:
        from sklearn.linear_model import LogisticRegression
    except ImportError as error:
        raise RuntimeError(
            "Training a hashed regression needs scikit-learn. Run `pip install 'winnow-corpus[classifier]'`."
        ) from error
    how = Features(bits=options.bits, case=options.case, norm=options.norm)
    chosen = [text for text, judge in zip(examples.texts, examples.held, strict=True) if not judge]
    matrix = vectors(pa.array(chosen, pa.large_string()), how, options.prefix)
    fitted = LogisticRegression(C=options.c, max_iter=2000).fit(matrix, examples.good[~examples.held])
    save(path, fitted.coef_[0], float(fitted.intercept_[0]), how)


def _versions() -> dict[str, str]:
    found = {}
    for name in ("winnow-corpus", "fasttext", "rjieba", "scikit-learn", "numpy", "scipy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found
