"""The flow `train`: a small transformer on a manifest, started by the event that it was published.

A version that was overtaken before its turn came is left to the event of the one that did; one from which a removal has
taken documents since is never trained on.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.artifacts import create_markdown_artifact
from prefect.states import Completed
from prefect.tasks import exponential_backoff

from flows.deployed.daily import HOOKS
from flows.deployed.parameters import TrainParameters
from flows.deployed.takedown import passing
from tokenization.manifest import Manifest, file_sha256
from tokenization.versions import latest, superseded

OPTIONS = ("steps", "batch", "context", "width", "layers", "heads", "lr", "device")


@task(
    task_run_name="{out}", retries=2, retry_delay_seconds=exponential_backoff(5), retry_jitter_factor=0.5,
    retry_condition_fn=passing, cache_policy=None, persist_result=False,
)  # fmt: skip
def fit(manifest: str, out: str, options: TrainParameters) -> dict[str, Any]:
    """Train, or go on from the checkpoint in `out`; returns step, loss and entropy."""
    from training.loop import train as start
    from training.options import TrainOptions

    asked = {name: getattr(options, name) for name in OPTIONS}
    save = max(1, options.steps // 4)
    result = start(TrainOptions(manifest=manifest, out=out, save_every=save, eval_every=save, curves=False, **asked))
    if result.stopped:
        raise KeyboardInterrupt
    return {"losses": result.losses[-1:], "entropy": result.entropy}


@flow(name="train", flow_run_name="{options.manifest}", persist_result=False, **HOOKS)
def train(options: TrainParameters) -> Any:
    """Train on a manifest that was published."""
    path = Path(options.manifest).absolute()
    manifest = Manifest.read(path)
    if options.sha256 is not None and file_sha256(path) != options.sha256:
        raise ValueError(f"{path} is not the manifest that was published: its sha256 is another. Restore it.")
    newest = latest(path.parent)
    if options.only_newest and newest is not None and file_sha256(newest) != file_sha256(path):
        return Completed(name="Overtaken", message=f"{newest.name} has overtaken {path.name}; its own event trains.")
    if (why := superseded(path)) is not None:
        return Completed(name="Overtaken", message=why)
    out = Path(options.out).absolute() / f"{path.parent.name}-{manifest.version:04d}"
    done = fit(str(path), str(out), options)
    loss = done["losses"][0] if done["losses"] else None
    told = f"{loss:.4f} nats a token, unigram entropy {done['entropy']:.4f}" if loss is not None else "trained before"
    create_markdown_artifact(key="winnow-model", markdown=f"`{out}`\n\n{told}", description=f"Model of {path}")
    return Completed(message=f"{out}: {told}.")
