"""spdx.json: the dataset as an SPDX 3.0.1 document with the Dataset profile (https://spdx.github.io/spdx-spec/v3.0.1/),
JSON-LD in the order and spelling that its own bindings read and check.

The format demands a time of creation. It is the one that FACTS.toml states; where none is stated it is the beginning of
the crawl's last month, the earliest time that is certain not to be later than the file, and the document says so.
"""

from __future__ import annotations

import datetime as dt
from typing import Any

from stats.papers.bias import Changes
from stats.papers.croissant import MEDIA, summary
from stats.papers.facts import Facts
from stats.papers.figures import Figures
from stats.papers.names import REPLACED
from stats.papers.safe import json_bytes

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
CREATION = "_:creationInfo"
UNKNOWN_TIME = "1970-01-01T00:00:00Z"


def spdx(figures: Figures, facts: Facts, changes: Changes) -> bytes:
    """The file's bytes."""
    base = f"https://winnow.invalid/spdx/{figures.manifest_sha256}#"  # RFC 2606: a name that resolves to nothing
    files = _files(figures, base)
    agents, supplier = _agents(facts, base)
    package = _package(figures, facts, changes, base, supplier)
    licence = _licence(facts, base)
    relations = [_relation(base, "contains", package["spdxId"], [file["spdxId"] for file in files])]
    if licence:
        relations.append(_relation(base, "hasDeclaredLicense", package["spdxId"], [licence["spdxId"]]))
    elements = [*agents, package, *files, *([licence] if licence else []), *relations]
    document = {
        "type": "SpdxDocument", "spdxId": f"{base}document", "creationInfo": CREATION,
        "profileConformance": ["core", "software", "dataset", "simpleLicensing"],
        "rootElement": [package["spdxId"]], "element": [element["spdxId"] for element in elements],
    }  # fmt: skip
    return json_bytes({"@context": CONTEXT, "@graph": [_creation(figures, facts, base), document, *elements]})


def _creation(figures: Figures, facts: Facts, base: str) -> dict[str, Any]:
    created, comment = creation_time(figures, facts)
    told = {"type": "CreationInfo", "@id": CREATION, "specVersion": "3.0.1", "created": created,
            "createdBy": [f"{base}winnow"]}  # fmt: skip
    return told | ({"comment": comment} if comment else {})


def creation_time(figures: Figures, facts: Facts) -> tuple[str, str]:
    """When the papers were made, and what has to be said of that time."""
    if facts.dataset.created:
        at = facts.dataset.created
        at = at.astimezone(dt.UTC) if at.tzinfo else at.replace(tzinfo=dt.UTC)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ"), ""
    if figures.months:
        return f"{figures.months[1]}-01T00:00:00Z", (
            "No time of creation was stated (dataset.created in FACTS.toml). This is the beginning of the last month "
            "in which a kept page was crawled: the document is not older."
        )
    return UNKNOWN_TIME, "No time of creation was stated (dataset.created in FACTS.toml), and the crawl states none."


def _agents(facts: Facts, base: str) -> tuple[list[dict[str, Any]], str | None]:
    agents = [{"type": "SoftwareAgent", "spdxId": f"{base}winnow", "creationInfo": CREATION, "name": "Winnow"}]
    if not facts.provider.name:
        return agents, None
    provider = {"type": "Organization", "spdxId": f"{base}provider", "creationInfo": CREATION,
                "name": facts.provider.name}  # fmt: skip
    return [*agents, provider], f"{base}provider"


def _package(figures: Figures, facts: Facts, changes: Changes, base: str, supplier: str | None) -> dict[str, Any]:
    """The dataset_DatasetPackage."""
    stated, recipe, m = facts.dataset, figures.recipe, figures.manifest
    replaced = [kind for kind in figures.pii if figures.policy(kind) in REPLACED]
    left = [kind for kind, count in figures.pii.items() if count and figures.policy(kind) not in REPLACED]
    moved = [f"{by} {group}: share {a:.4f} before, {b:.4f} after {stage}" for by, group, stage, a, b in changes.rows]
    told: dict[str, Any] = {
        "type": "dataset_DatasetPackage",
        "spdxId": f"{base}dataset",
        "creationInfo": CREATION,
        "name": stated.name or figures.name,
        "description": stated.description or summary(figures),
        "comment": None if stated.licence else "The licence of the whole is not stated (dataset.licence).",
        "originatedBy": [supplier] if supplier else None,
        "suppliedBy": supplier,
        "releaseTime": f"{stated.released.isoformat()}T00:00:00Z" if stated.released else None,
        "software_packageVersion": stated.version,
        "software_downloadLocation": stated.download,
        "software_homePage": stated.homepage,
        "software_primaryPurpose": "data",
        "verifiedUsing": [
            _hash(figures.manifest_sha256, f"sha256 of {figures.manifest_file.name}, which lists that of every shard")
        ],
        "dataset_datasetType": ["text"],
        "dataset_datasetSize": sum(shard.bytes for shard in m.shards),
        "dataset_dataCollectionProcess": f"Crawled pages of {len(figures.sources)} sources, {figures.records} records.",
        "dataset_dataPreprocessing": [f"{step.kind} {step.id}" for step in recipe.steps],
        "dataset_intendedUse": stated.intended_use,
        "dataset_knownBias": [*(stated.biases or ()), *moved] or None,
        # Sensitive data is not looked for; kinds of personal data that were found and left are in any case there.
        "dataset_hasSensitivePersonalInformation": "yes" if left else "noAssertion",
        "dataset_anonymizationMethodUsed": [f"{kind} replaced by a {figures.policy(kind)}" for kind in replaced]
        or None,
        "dataset_datasetNoise": "Extraction and language identification are statistical.",
        "dataset_datasetUpdateMechanism": stated.maintenance,
    }
    return {key: value for key, value in told.items() if value is not None}


def _files(figures: Figures, base: str) -> list[dict[str, Any]]:
    m = figures.manifest
    listed = [(figures.manifest_file.name, "application/json", figures.manifest_sha256, "manifest"),
              (m.tokenizer.file, "application/octet-stream", m.tokenizer.sha256, "data"),
              *((shard.path, MEDIA[m.format], shard.sha256, "data") for shard in m.shards)]  # fmt: skip
    return [
        {"type": "software_File", "spdxId": f"{base}file-{number}", "creationInfo": CREATION, "name": path,
         "contentType": media, "software_primaryPurpose": purpose, "verifiedUsing": [_hash(sha256)]}
        for number, (path, media, sha256, purpose) in enumerate(listed)
    ]  # fmt: skip


def _licence(facts: Facts, base: str) -> dict[str, Any] | None:
    if not facts.dataset.licence:
        return None
    return {"type": "simplelicensing_LicenseExpression", "spdxId": f"{base}licence", "creationInfo": CREATION,
            "simplelicensing_licenseExpression": facts.dataset.licence}  # fmt: skip


def _relation(base: str, kind: str, start: str, to: list[str]) -> dict[str, Any]:
    return {"type": "Relationship", "spdxId": f"{base}{kind}", "creationInfo": CREATION, "from": start, "to": to,
            "relationshipType": kind, "completeness": "complete"}  # fmt: skip


def _hash(sha256: str, comment: str = "") -> dict[str, str]:
    told = {"type": "Hash", "algorithm": "sha256", "hashValue": sha256}
    return told | ({"comment": comment} if comment else {})
