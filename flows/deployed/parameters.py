"""What each deployment can be told: one model a flow, which the server checks and its form shows.

Unknown keys are refused by the server before a run is made. Paths are those of the machine on which the worker runs;
relative ones are below the folder from which the deployments were made. What a deployment may execute is not among
them: notifications are the worker's own setting, since whoever can fill in a form must not choose a command.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Text = Annotated[str, StringConstraints(min_length=1, max_length=4096)]


def _named(title: str, description: str, example: object = None, **more: Any) -> Any:
    """A field as the form shows it."""
    examples = None if example is None else [example]
    return Field(title=title, description=description, examples=examples, **more)


class _Parameters(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Made(_Parameters):
    """How documents are chosen: the same for a single run and for every run of a corpus."""

    recipe: Text = _named("Recipe", "A shipped recipe's name, or the path of a .toml file.", "zh-en-general",
                          default="zh-en-general")  # fmt: skip
    settings: tuple[Text, ...] = _named("Bounds", "RULE=VALUE: another threshold.", ["gopher.dup_line=0.2"], default=())
    files: tuple[Text, ...] = _named("Models", "ID=PATH: the model or list of one of the recipe's scores.",
                                     ["quality=models/quality.bin"], default=())  # fmt: skip
    decontaminate: tuple[Text, ...] = _named("Evaluation sets", "Sets to keep out: FILE, or FILE=FIELD,FIELD.",
                                             ["evaluation/gsm8k.jsonl"], default=())  # fmt: skip
    opt_outs: tuple[Text, ...] = _named("Opt-outs", "Lists of domains that have opted out, one a line.",
                                        ["lists/opted-out.txt"], default=())  # fmt: skip
    tokenizer: Text | None = _named("Tokenizer", "tokenizer.json, .tiktoken or SentencePiece .model. Without it one is "
                                    "trained on the kept text; of a corpus, on its first run's.",
                                    "models/tokenizer.json", default=None)  # fmt: skip
    workers: int = _named("Workers", "Processes on the worker's machine.", 4, default=1, ge=1, le=1024)
    runner: Text = _named("Runner", "embedded, or any Beam runner's name.", "embedded", default="embedded")


# A form shows fields in the order of their classes, the last base first: what must be filled in comes first.
class _Crawl(_Parameters):
    inputs: tuple[Text, ...] = _named("Inputs", "Files, folders or globs; NAME=PATH names a source.",
                                      ["crawls/2026-11/*.warc.gz"], min_length=1)  # fmt: skip
    out: Text = _named("Run folder", "Where to write; a run that was cut off there goes on.", "runs/first")
    against: Text | None = _named("Index", "An index of earlier corpora to compare with, and to add to.",
                                  "runs/index", default=None)  # fmt: skip
    removals: Text | None = _named("Register", "A register of removals: what it asks for is left out.",
                                   "runs/register", default=None)  # fmt: skip


class CurateParameters(Made, _Crawl):
    """One crawl into one run folder."""


class _Inbox(_Parameters):
    corpus: Text = _named("Corpus", "The corpus folder; begun if it is not there.", "runs/serve/corpus")
    inputs: tuple[Text, ...] = _named("Inbox", "Folders or globs of crawl files; each file is taken once.",
                                      ["runs/serve/inbox"], min_length=1)  # fmt: skip
    settle_seconds: float = _named("Settle", "Leave files that changed within so many seconds: they may still be "
                                   "written to.", 60, default=60, ge=0, le=86_400)  # fmt: skip
    wait_minutes: float = _named("Wait", "How long to wait for someone else who is at work on the corpus.", 60,
                                 default=60, ge=0, le=10_080)  # fmt: skip


class DailyParameters(Made, _Inbox):
    """The new files of an inbox, into a corpus."""


class TakedownParameters(_Parameters):
    """Removal requests, against a corpus."""

    corpus: Text = _named("Corpus", "The corpus folder.", "runs/serve/corpus")
    requests: Text = _named("Requests", "A folder of removal requests (.toml, .json), or one file.",
                            "runs/serve/requests")  # fmt: skip
    wait_minutes: float = _named("Wait", "How long to wait for someone else who is at work on the corpus.", 60,
                                 default=60, ge=0, le=10_080)  # fmt: skip


class TrainParameters(_Parameters):
    """A small transformer on a manifest that was published."""

    manifest: Text = _named("Manifest", "The manifest to train on.", "runs/serve/corpus/manifest-0001.json")
    sha256: Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")] | None = _named(
        "Hash", "The manifest's sha256, so that nothing else is trained on.", None, default=None
    )
    out: Text = _named("Models", "A folder; each manifest gets one below it.", "runs/serve/models")
    steps: int = _named("Steps", "Optimiser steps in all.", 120, default=120, ge=1)
    batch: int = _named("Batch", "Sequences a step.", 16, default=16, ge=1)
    context: int = _named("Context", "Tokens a sequence.", 256, default=256, ge=8)
    width: int = _named("Width", "A multiple of twice the heads.", 160, default=160, ge=8)
    layers: int = _named("Layers", "Layers.", 4, default=4, ge=1)
    heads: int = _named("Heads", "Attention heads.", 5, default=5, ge=1)
    lr: float = _named("Learning rate", "At its peak.", 3e-3, default=3e-3, gt=0)
    device: Literal["auto", "cpu", "cuda"] = _named("Device", "Where to compute.", "auto", default="auto")
    only_newest: bool = _named("Only the newest", "Leave a manifest alone that a later version has overtaken by the "
                               "time its turn comes.", True, default=True)  # fmt: skip
