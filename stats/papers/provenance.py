"""prov.json: how the shards came to be, as W3C PROV-JSON (https://www.w3.org/submissions/prov-json/).

Entities are inputs, recipe, models and lists, datasets and the manifest; activities are the stages. A dataset's digest
is that of its parts' fingerprints, which cover input bytes, recipe, code and libraries. No time and no machine's path
is in it, so that equal work has equal provenance: a file is named by its last part.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from pathlib import Path, PurePath
from typing import Any

from filters.scores.interface import digest_of
from stats.papers.facts import Facts
from stats.papers.figures import Figures
from stats.papers.safe import json_bytes, line
from stats.run import footers
from stats.views import DATASETS

PREFIX = {"winnow": "https://winnow.invalid/prov#"}  # RFC 2606: a name that resolves to nothing
# stage, what it reads, what it writes; a stage that this run has not is left out
STAGES = (
    ("extract", ("inputs",), ("documents", "rejects", "policies")),
    ("rights", ("documents", "policies", "opt_out"), ("rights",)),
    ("annotate", ("documents", "rights", "models"), ("signals",)),
    ("dedup", ("documents", "signals"), ("duplicates",)),
    ("cuts", ("documents", "signals", "duplicates"), ("cuts",)),
    ("decontaminate", ("documents", "signals", "evaluation"), ("contamination",)),
    ("decide", ("signals", "duplicates", "cuts", "contamination"), ("removed", "decisions")),
    ("scrub", ("documents", "signals", "decisions", "cuts", "contamination"), ("personal", "kept")),
    ("tokenize", ("kept",), ("manifest", "tokenizer")),
)


def provenance(figures: Figures, facts: Facts) -> bytes:
    """The file's bytes."""
    entities, groups = _entities(figures)
    activities: dict[str, Any] = {}
    links: dict[str, dict[str, Any]] = defaultdict(dict)
    for stage, reads, writes in STAGES:
        done = figures.run.described["stages"].get(stage)
        if done is None:
            continue
        activity = f"winnow:{stage}"
        counts = {f"winnow:{line(key)}": count for key, count in sorted(done["counts"].items())}
        activities[activity] = {"prov:type": _kind("winnow:stage"), **{_local(key): n for key, n in counts.items()}}
        sources = [entity for name in reads for entity in groups.get(name, ())] + ["winnow:recipe"]
        for entity in sources:
            links["used"][f"_:u{len(links['used'])}"] = {"prov:activity": activity, "prov:entity": entity}
        for entity in (entity for name in writes for entity in groups.get(name, ())):
            links["wasGeneratedBy"][f"_:g{len(links['wasGeneratedBy'])}"] = {
                "prov:entity": entity, "prov:activity": activity}  # fmt: skip
        links["wasAssociatedWith"][f"_:a{len(links['wasAssociatedWith'])}"] = {
            "prov:activity": activity, "prov:agent": "winnow:software", "prov:plan": "winnow:recipe"}  # fmt: skip
    for number, entity in enumerate(groups["inputs"]):
        links["wasDerivedFrom"][f"_:d{number}"] = {
            "prov:generatedEntity": "winnow:manifest", "prov:usedEntity": entity}  # fmt: skip
    if figures.manifest.parent:
        entities["winnow:parent"] = {"prov:type": _kind("winnow:manifest"), "winnow:sha256": figures.manifest.parent}
        links["wasDerivedFrom"]["_:revision"] = {
            "prov:generatedEntity": "winnow:manifest", "prov:usedEntity": "winnow:parent",
            "prov:type": _kind("prov:Revision")}  # fmt: skip
    return json_bytes(
        {"prefix": PREFIX, "entity": entities, "activity": activities, "agent": _agents(figures, facts), **links}
    )


def _kind(name: str) -> dict[str, str]:
    """A type, which PROV-JSON writes as a qualified name."""
    return {"$": name, "type": "prov:QUALIFIED_NAME"}


def _local(name: str) -> str:
    """A count's name as a local name: what PROV-JSON keeps for itself becomes a full stop."""
    prefix, _, local = name.partition(":")
    return f"{prefix}:{local.replace(':', '.')}"


def _entities(figures: Figures) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """Entities by id, and their ids by what they are."""
    run, m = figures.run, figures.manifest
    entities: dict[str, Any] = {}
    groups: dict[str, list[str]] = defaultdict(list)

    def add(group: str, local: str, kind: str, /, **told: Any) -> None:
        entities[f"winnow:{local}"] = {
            "prov:type": _kind(f"winnow:{kind}"),
            **{f"winnow:{k}": v for k, v in told.items()},
        }
        groups[group].append(f"winnow:{local}")

    seeds = {f"seed_{key}": value for key, value in sorted(run.described.get("seeds", {}).items()) if value is not None}
    recipe = figures.recipe
    add("recipe", "recipe", "recipe", name=m.recipe, hash=m.recipe_hash, fidelity=recipe.fidelity, **seeds)
    digests: dict[str, list[str]] = defaultdict(list)
    for part in run.described["parts"]:
        digests[part["source"]].append(str(part["digest"]))
    for number, (source, found) in enumerate(sorted(digests.items())):
        add("inputs", f"input-{number}", "input", source=line(source), parts=len(found), digest=_digest(found))
    for score in recipe.scores:
        add("models", f"score-{score.id}", score.kind, id=score.id, **_file(score.file))
    for number, one in enumerate(recipe.decontaminate.sets if recipe.decontaminate else ()):
        add("evaluation", f"evaluation-{number}", "evaluation_set", **_file(one.file))
    stages = {stage for stage, _, _ in STAGES}
    for number, name in enumerate(recipe.rights.lists):
        add("opt_out", f"opt-out-{number}", "opt_out_list", **_file(name))
    for dataset in DATASETS:
        marks = [(mark, rows) for _, mark, _, rows in footers(run, dataset)]
        if marks:
            local = f"dataset-{dataset}" if dataset in stages else dataset  # PROV: no entity is an activity
            add(dataset, local, "dataset", parts=len(marks), rows=sum(n for _, n in marks),
                fingerprint=_digest([mark for mark, _ in marks]))  # fmt: skip
    add("tokenizer", "tokenizer", "tokenizer", name=m.tokenizer.name, sha256=m.tokenizer.sha256)
    add("manifest", "manifest", "manifest", sha256=figures.manifest_sha256, documents=m.totals.documents,
        tokens=m.totals.tokens, shards=len(m.shards))  # fmt: skip
    return entities, groups


def _agents(figures: Figures, facts: Facts) -> dict[str, Any]:
    versions = {
        f"winnow:version_{name}": value for name, value in sorted(figures.run.described.get("versions", {}).items())
    }
    agents: dict[str, Any] = {"winnow:software": {"prov:type": _kind("prov:SoftwareAgent"), **versions}}
    if facts.provider.name:
        agents["winnow:provider"] = {"prov:type": _kind("prov:Organization"), "winnow:name": facts.provider.name}
    return agents


def _digest(marks: list[str]) -> str:
    return hashlib.sha256("\n".join(marks).encode()).hexdigest()


def _file(path: str | None) -> dict[str, Any]:
    """A model or list: its name, and the sha256 of what lies there now."""
    if path is None:
        return {"file": "in the recipe"}
    here = Path(path)
    told: dict[str, Any] = {"file": line(PurePath(path).name)}
    return told | ({"sha256_now": digest_of(here)} if here.exists() else {"missing": True})
