"""Job: `documents/` and `policies/` in, `rights/` out, row for row: what each document's page, site and lists say of
its use.

Sites' files are sorted by site first; each part looks up those of its own sites, and parses each once. What a form
means, `filters.rights` knows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import pyarrow as pa
from apache_beam.options.pipeline_options import PipelineOptions

from filters.rights.domains import OptOutLists
from filters.rights.judge import addresses, judge
from filters.rights.private import without_personal_data
from filters.rights.sites import Site
from pipelines.code import made_by
from pipelines.mapping import map_parts
from pipelines.parts import fingerprint, part_path, read_counts, read_mark, read_part, write_part
from pipelines.policies import Policies, sort_policies
from pipelines.schemas import DOCUMENTS, RIGHTS
from recipes.model import Recipe
from recipes.rights import Rights

COLUMNS = [name for name in DOCUMENTS.names if name not in ("title", "author", "date", "text_hash", "raw_hash")]
SLICE_ROWS = 128  # documents judged at once: so many sites with half a megabyte each can be held
HELD = 32 << 20  # bytes of policies and their rules; a part whose sites have more parses some of them again


def rights(run: str, indices: Sequence[int], recipe: Recipe, options: PipelineOptions) -> dict[str, int]:
    """Judge every document of the run; returns documents, those reserved, and those with one licence."""
    mark = sort_policies(run, indices)
    return map_parts(run, "rights", indices, rights_part, options, choices=recipe.rights, policies=mark)


@lru_cache(maxsize=4)
def opt_out_lists(files: tuple[str, ...]) -> OptOutLists:
    """The lists, read once a process."""
    return OptOutLists(files)


def rights_part(index: int, run: str, choices: Rights, policies: str) -> dict[str, int]:
    """Make one part of rights/, unless it is there already."""
    documents, path = part_path(run, "documents", index), part_path(run, "rights", index)
    lists = opt_out_lists(choices.lists)
    said = choices.model_dump(exclude={"lists", "evidence", "note"})
    mark = fingerprint("rights", made_by(), read_mark(documents), policies, said, lists.digest)
    done = read_counts(path, mark)
    if done is not None:
        return done
    counts = {"documents": 0, "reserved": 0, "licensed": 0}
    write_part(path, _batches(documents, run, choices, lists, counts), RIGHTS, mark, counts)
    return counts


def _batches(
    documents: str, run: str, choices: Rights, lists: OptOutLists, counts: dict[str, int]
) -> Iterator[pa.RecordBatch]:
    with Policies(run) as policies:
        sites = _Sites(policies, [agent.lower() for agent in choices.agents])
        for batch in read_part(documents, COLUMNS):
            slices = [batch.slice(start, SLICE_ROWS) for start in range(0, batch.num_rows, SLICE_ROWS)]
            judged = pa.concat_batches([judge(rows, choices, lists, sites.of(rows)) for rows in slices])
            counts["documents"] += judged.num_rows
            counts["reserved"] += judged["reserved"].true_count
            counts["licensed"] += judged.num_rows - judged["license_spdx"].null_count
            yield without_personal_data(judged)


class _Sites:
    """The sites of a part, each looked up and parsed once while they fit into HELD bytes."""

    def __init__(self, policies: Policies, agents: Sequence[str]) -> None:
        self.policies, self.agents = policies, agents
        self.known: dict[tuple[str, str], Site | None] = {}
        self.held = 0

    def of(self, rows: pa.RecordBatch) -> Callable[[str, str], Site | None]:
        """The site of (name, scheme) for these documents."""
        wanted = sorted({(site, scheme) for site, scheme in addresses(rows["url"]) if site})
        if self.held > HELD:
            self.known, self.held = {}, 0
        new = [one for one in wanted if one not in self.known]
        found = self.policies.of(site for site, _ in new)
        for site, scheme in new:
            made = Site(found[site], scheme, self.agents) if site in found else None
            self.known[site, scheme] = made
            self.held += 100 + (made.size if made else 0)
        known = self.known
        return lambda site, scheme: known.get((site, scheme))
