"""Which documents each of many recipes keeps of one run, document by document: what an ablation trains on.

The rules are asked of the run's own measurements, as `stats.compare` asks them. What a run cannot know holds here too:
a document that the run's own rules dropped was never compared with others, so another recipe keeps it, copies and all;
duplicates stay duplicates. Whoever was removed by request is kept by none.

Traded away: one row a document in memory, some 100 bytes each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from filters.sql import quoted
from recipes.model import Recipe
from stats.compare import tests_of
from stats.rows import FATE, PART, RULE, decided_parts, ready
from stats.run import Run
from tokenization.shuffle import order_keys

RAW = "raw"  # every text that was extracted
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Passing:
    """`documents`: doc_id, lang and part (its place in `parts`) of all that are not removed; `keeps`, (documents,
    names), says who keeps what, RAW first; `recipes` are as this run can decide them."""

    documents: pa.Table
    parts: list[str]
    names: list[str]
    keeps: Flags
    recipes: dict[str, Recipe]
    notices: list[str]


def passing(run: Run, recipes: Mapping[str, Recipe]) -> Passing:
    """Decide the run under each recipe; ValueError if it did not measure what one needs, or nothing was decided."""
    if RAW in recipes:
        raise ValueError(f"No recipe may be called {RAW}: that is every text, and always there.")
    prepared = [ready(run, recipe) for recipe in recipes.values()]
    chosen = [recipe for recipe, _ in prepared]
    parts = decided_parts(run)
    if not parts:
        raise ValueError(f"{run.path} has no decided documents yet. Run `winnow run` to its end first.")
    tests, source = tests_of(run, chosen, parts)
    columns = ", ".join(f"coalesce({test}, false) AS {quoted(f'keeps {i}')}" for i, test in enumerate(tests))
    found = run.table(
        f"SELECT doc_id, lang, {PART}::BIGINT AS part, "
        f"coalesce({RULE} IS NULL AND {FATE} <> 'kept', false) AS repeated, {columns} FROM {source} "
        f"WHERE NOT coalesce(starts_with({FATE}, 'removed:'), false) ORDER BY doc_id"
    )
    repeated = found["repeated"].to_numpy()
    keeps = [np.ones(found.num_rows, np.bool_)]
    keeps += [found[f"keeps {i}"].to_numpy() & ~repeated for i in range(len(chosen))]
    notices = list(dict.fromkeys(notice for _, notices in prepared for notice in notices))
    return Passing(found.select(["doc_id", "lang", "part"]), parts, [RAW, *recipes], np.stack(keeps, axis=1),
                   dict(zip(recipes, chosen, strict=True)), notices)  # fmt: skip


def held_out(
    run: Run, found: Passing, share: float, most: int, seed: int, kept_by: Literal["all", "any"] = "all"
) -> tuple[Flags, Flags]:
    """(held out, not to be trained on), for each document.

    Held out are, of the documents that every recipe keeps (or any; RAW does not count), `share` of each language and
    `most` at most: those whose hash with the seed is lowest. Not to be trained on are they, their whole duplicate
    clusters, and whatever has the same text.
    """
    doc_ids = found.documents["doc_id"].to_pylist()
    keys = order_keys([f"held out\0{doc_id}" for doc_id in doc_ids], seed)
    languages = np.array(found.documents["lang"].fill_null("und").to_pylist(), object)
    chosen_by = found.keeps[:, 1:] if len(found.names) > 1 else found.keeps
    everyone = chosen_by.all(axis=1) if kept_by == "all" else chosen_by.any(axis=1)
    chosen = np.zeros(len(doc_ids), np.bool_)
    for language in sorted(set(languages[everyone])):
        places = np.flatnonzero(everyone & (languages == language))
        number = min(most, int(len(places) * share))
        chosen[places[np.argsort(keys[places], kind="stable")[:number]]] = True
    return chosen, chosen | _alike(run, doc_ids, chosen)


def _alike(run: Run, doc_ids: Sequence[str], chosen: Flags) -> Flags:
    """Documents in a cluster with one of the chosen, or with the same text."""
    mine = {doc_ids[i] for i in np.flatnonzero(chosen).tolist()}
    alike: set[str] = set()
    for query in (
        "SELECT doc_id, cluster_id FROM duplicates",
        "SELECT doc_id, text_hash FROM documents WHERE text_hash IN "
        "(SELECT text_hash FROM documents GROUP BY text_hash HAVING count(*) > 1)",
    ):
        rows = run.rows(query)
        groups = {group for doc_id, group in rows if doc_id in mine}
        alike |= {doc_id for doc_id, group in rows if group in groups}
    return np.array([doc_id in alike for doc_id in doc_ids], np.bool_)
