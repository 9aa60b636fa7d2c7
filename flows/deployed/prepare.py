"""Makes the work pool and the deployments of a prefect.yaml on the server, after what an earlier life left is cleared.

`python -m flows.deployed.prepare FILE`. A flow run that was at work when its worker was killed stays Running for ever,
and so do the slots that it held, which would keep every later run from starting. `winnow serve` holds its folder, so
nothing is at work when this is called: whatever says so is wrong.
"""

from __future__ import annotations

import sys

from prefect.client.orchestration import SyncPrefectClient, get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate, WorkPoolCreate
from prefect.client.schemas.filters import FlowRunFilter, FlowRunFilterState, FlowRunFilterStateType
from prefect.client.schemas.objects import StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.exceptions import ObjectAlreadyExists
from prefect.states import Crashed

from flows.deployed.document import POOL

BEGUN = [StateType.RUNNING, StateType.PENDING, StateType.CANCELLING]
PAGE = 100


def clear(client: SyncPrefectClient) -> int:
    """Crash every run that says it is at work, and give all slots back; how many runs there were."""
    state = FlowRunFilterState(type=FlowRunFilterStateType(any_=BEGUN))
    count = 0
    wanted = FlowRunFilter(state=state)
    while runs := client.read_flow_runs(flow_run_filter=wanted, sort=FlowRunSort.ID_DESC, limit=PAGE):
        for run in runs:
            client.set_flow_run_state(run.id, Crashed(message="Its worker was ended while it was at work."), force=True)
        count += len(runs)
    offset = 0
    while limits := client.read_global_concurrency_limits(limit=PAGE, offset=offset):
        for limit in limits:
            if limit.active_slots:
                client.update_global_concurrency_limit(limit.name, GlobalConcurrencyLimitUpdate(active_slots=0))
        offset += len(limits)
    return count


def make_pool(client: SyncPrefectClient) -> None:
    """The pool of processes on the worker's machine, unless there is one of that name."""
    try:
        client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
    except ObjectAlreadyExists:
        return


def main(file: str) -> None:
    """Clear, make the pool, deploy."""
    with get_client(sync_client=True) as client:
        print(f"{clear(client)} runs of an earlier life are crashed.", flush=True)
        make_pool(client)
    from prefect.cli import app

    sys.argv = ["prefect", "--no-prompt", "deploy", "--all", "--prefect-file", file]
    app()


if __name__ == "__main__":
    main(sys.argv[1])
