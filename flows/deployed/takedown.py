"""The flow `takedown`: removal requests of a folder, obeyed by every run of a corpus and remembered for later ones.

Idempotent: what is obeyed already is passed over. A form that is refused fails the run at its end, so that somebody is
told, after all others have been obeyed.
"""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.logging import get_run_logger
from prefect.states import Completed, Failed
from prefect.tasks import exponential_backoff

from flows.deployed.daily import HOOKS
from flows.deployed.parameters import TakedownParameters
from flows.faults import is_passing


def passing(_task: Any, _run: Any, state: Any) -> bool:
    """Whether a failed task is worth another try."""
    return is_passing(state.result(raise_on_failure=False))


@task(
    task_run_name="{request.id}", retries=3, retry_delay_seconds=exponential_backoff(2), retry_jitter_factor=0.5,
    retry_condition_fn=passing, cache_policy=None, persist_result=False,
)  # fmt: skip
def obey(corpus: Path, request: Any, date: str) -> Any:
    """Make the corpus obey one request, and publish."""
    from pipelines.corpus.takedown import take_out

    return take_out(corpus, request, date)


@flow(name="takedown", flow_run_name="{options.corpus}", persist_result=False, **HOOKS)
def takedown(options: TakedownParameters) -> Any:
    """Obey the requests of a folder that are not obeyed yet."""
    from flows.deployed.announce import announce, one_run_of
    from flows.deployed.shown import show_answers, show_corpus
    from flows.extend import held
    from pipelines.corpus.forms import read_forms
    from pipelines.corpus.publish import newest, publish
    from pipelines.corpus.takedown import obey_register, remember, unobeyed

    corpus, patience = Path(options.corpus).absolute(), 60 * options.wait_minutes
    log = get_run_logger()
    forms, refused = read_forms(Path(options.requests))
    today = datetime.datetime.now(datetime.UTC).date()
    with one_run_of(corpus, patience), held(corpus, patience):
        publish(corpus)
        answers = obey_register(corpus)  # what a run that was killed had begun
        for filed in unobeyed(corpus, forms):
            date = (filed.form.date or today).isoformat()
            remember(corpus, filed, date)
            answers.append(obey(corpus, filed.request, date))
        version = newest(corpus)
        announce(corpus, version)
    for answer in answers:
        log.info("request %s: %d documents found, version %s", answer.request, answer.documents, answer.version)
    if answers or refused:
        show_answers(answers, refused)
        show_corpus(corpus, version)
    if refused:
        names = ", ".join(told.partition(":")[0] for told in refused)
        for told in refused:
            log.error("refused: %s", told)
        return Failed(message=f"{len(refused)} forms are refused: {names}. {len(answers)} requests were obeyed.")
    if not answers:
        return Completed(name="NothingNew", message=f"All of {len(forms)} requests are obeyed already.")
    return Completed(message=f"{len(answers)} requests were obeyed.")
