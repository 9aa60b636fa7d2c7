"""The event that a manifest was published, which starts `train`, and the limit of one run a corpus.

The event is sent after the publication and noted in the corpus's log/ once the server has taken it. A run that was
killed between the two leaves the newest version unannounced, so every later run looks first and makes up for it. Its id
is made of the manifest's hash: the server takes the same event once.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.concurrency.sync import concurrency
from prefect.events.clients import get_events_client
from prefect.events.schemas.events import Event, RelatedResource, Resource
from prefect.runtime import flow_run
from prefect.utilities.asyncutils import run_coro_as_sync

from pipelines.corpus.ledger import LOG
from tokenization.commit import put
from tokenization.versions import Version

PUBLISHED = "winnow.manifest.published"
NOTE = "announced"
LEASE = 60  # seconds after which the slot of a run that was killed is free again


def resource_of(corpus: Path) -> str:
    """The id of a corpus as a Prefect resource: its folder's name, and a mark of where it lies."""
    mark = sha256(str(corpus.absolute()).encode()).hexdigest()[:8]
    return f"winnow.corpus.{corpus.absolute().name}.{mark}"


def event_of(corpus: Path, version: Version) -> Event:
    """The event of one version."""
    resource = Resource({"prefect.resource.id": resource_of(corpus), "prefect.resource.name": corpus.absolute().name})
    by = flow_run.get_id()
    role = {"prefect.resource.role": "flow-run"}
    related = [RelatedResource({"prefect.resource.id": f"prefect.flow-run.{by}", **role})] if by else []
    made = version.manifest
    payload = {
        "manifest": str(version.path.absolute()), "version": made.version, "sha256": version.sha256,
        "documents": made.totals.documents, "tokens": made.totals.tokens,
        "removal": made.removal is not None,
    }  # fmt: skip
    unique = uuid.uuid5(uuid.NAMESPACE_URL, f"{resource_of(corpus)}/{version.sha256}")
    return Event(event=PUBLISHED, resource=resource, related=related, payload=payload, id=unique)


def announce(corpus: Path, version: Version | None) -> bool:
    """Send the event of the newest version unless it was sent; returns whether it was sent now."""
    note = corpus / LOG / NOTE
    if version is None or (note.is_file() and note.read_text().strip() == version.sha256):
        return False
    run_coro_as_sync(_send(event_of(corpus, version)))
    note.parent.mkdir(parents=True, exist_ok=True)
    put(note, f"{version.sha256}\n".encode())
    return True


async def _send(event: Event) -> None:
    async with get_events_client(checkpoint_every=1) as client:  # a checkpoint waits until the server has it
        await client.emit(event)


@contextmanager
def one_run_of(corpus: Path, patience: float) -> Iterator[None]:
    """Hold Prefect's limit of one run a corpus, which all deployments share; TimeoutError past `patience` seconds."""
    name = resource_of(corpus)
    with get_client(sync_client=True) as client:
        client.upsert_global_concurrency_limit_by_name(name, 1)
    # A server too busy to renew a lease ends no run: the lock of the folder still keeps others out.
    with concurrency(
        name, timeout_seconds=patience, lease_duration=LEASE, strict=True, raise_on_lease_renewal_failure=False
    ):
        yield
