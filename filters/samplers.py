"""Samplers as SQL: chance that comes from the doc_id, and ranks over a whole run.

A document's draw is u = md5("doc_id:seed:step id"), its last eight bytes as a little-endian number over 2^64:
uniform, the same whenever and wherever it is asked, and independent from step to step. A sampler of one document
at a time is an expression over u and a signal. A sampler of the whole run is a window over the documents that passed
every step before it; `ranked` adds its verdict as a column, which `first_failing` then reads.
"""

from __future__ import annotations

from collections.abc import Callable

from filters.sql import literal, quoted
from recipes.model import Recipe
from recipes.steps import Sample

DOMAIN = "domain"


def draw(step: Sample) -> str:
    """SQL for the document's uniform number in [0, 1) for this step."""
    return f"(md5_number_lower(doc_id || {literal(f':{step.seed}:{step.id}')}) / 18446744073709551616.0)"


def verdict_column(step: Sample) -> str:
    """The column that says whether a sampler of the whole run keeps the document."""
    return f"sample__{step.id}"


def sampler_fails(step: Sample, signal: str) -> str:
    """SQL that is true for a document which the sampler drops; `signal` is its quoted column.

    Pareto: numpy's pareto(a) is (1 - v)^(-1/a) - 1 for v uniform, so "draw > 1 - s" has probability
    (2 - s)^-a (GPT-3, arXiv:2005.14165 App. A).
    """
    if step.of_run:
        return f"NOT {quoted(verdict_column(step))}"
    if step.method == "random":
        return f"NOT ({draw(step)} < {step.p!r})"
    if step.method == "proportional":
        return f"NOT ({draw(step)} < {signal})"
    if step.method == "pareto":
        return f"NOT ({draw(step)} < pow(greatest(2.0 - {signal}, 1.0), {-(step.alpha or 0.0)!r}))"
    steps = sorted(step.weights or (), reverse=True)
    arms = " ".join(f"WHEN {signal} >= {least!r} THEN {share!r}" for least, share in steps)
    return f"NOT ({draw(step)} < CASE WHEN {signal} IS NULL THEN 1.0 {arms} ELSE 0.0 END)"


def sampler_bound(step: Sample) -> str:
    """What a sampler keeps, for people.

    >>> sampler_bound(Sample(kind="sample", id="a.b.v1", method="pareto", signal="x", alpha=9, evidence="P"))
    'pareto(9) > 1 - x'
    """
    per = " of its language" if step.per == "language" else ""
    return {
        "random": f"one in {1 / step.p:.6g}" if step.p else "none",
        "proportional": f"with probability {step.signal}",
        "pareto": f"pareto({step.alpha or 0:g}) > 1 - {step.signal}",
        "resample": f"by {step.signal}: " + ", ".join(f"{s:g} from {v:g}" for v, s in step.weights or ()),
        "top": f"highest {step.fraction or 0:g}{per} by {step.signal}",
        "percentiles": f"percentile {step.low or 0:g} to {step.high or 0:g}{per} of {step.signal}",
        "domain_cap": f"at most {step.cap} of a domain",
    }[step.method]


def whole_run(recipe: Recipe) -> tuple[Sample, ...]:
    """The recipe's samplers that must see the whole run."""
    return tuple(step for step in recipe.steps if isinstance(step, Sample) and step.of_run)


def ranked(recipe: Recipe, source: str, failing_before: Callable[[int], str], columns: Callable[[int], str]) -> str:
    """`source` (a table or a subquery) with a verdict column for each sampler of the whole run.

    `failing_before(i)` is SQL for the first of the placed steps before the i-th that drops the document, and
    `columns(i)` the quoted column that the i-th reads. Each sampler looks at the documents that come that far;
    the others get NULL, which passes: an earlier step has dropped them already.
    """
    query = f"SELECT * FROM {source}"
    for i, (step, _) in enumerate(recipe.placed()):
        if isinstance(step, Sample) and step.of_run:
            here = f"({failing_before(i)}) IS NULL"
            if step.languages:
                here = f"{here} AND lang IN {literal(step.languages)}"
            verdict = f"CASE WHEN here THEN {_window(step, columns(i))} END AS {quoted(verdict_column(step))}"
            query = (
                f"SELECT * EXCLUDE (here), {verdict} FROM (SELECT *, coalesce({here}, false) AS here FROM ({query}))"
            )
    return query


def _window(step: Sample, signal: str) -> str:
    group = "here, lang" if step.per == "language" else "here"
    if step.method == "percentiles":
        low, high = ((bound or 0.0) / 100 for bound in (step.low, step.high))
        edges = [f"quantile_cont({signal}, {edge!r}) OVER (PARTITION BY {group})" for edge in (low, high)]
        return f"({signal} >= {edges[0]} AND {signal} <= {edges[1]})"
    order = f"{signal} DESC NULLS LAST, {draw(step)}, doc_id"
    if step.method == "domain_cap":
        place = f"row_number() OVER (PARTITION BY here, {DOMAIN} ORDER BY {order})"
        return f"({DOMAIN} IS NULL OR {place} <= {step.cap})"
    place = f"row_number() OVER (PARTITION BY {group} ORDER BY {order})"
    share = f"ceil({step.fraction!r} * count({signal}) OVER (PARTITION BY {group}))"
    return f"({signal} IS NULL OR {place} <= {share})"
