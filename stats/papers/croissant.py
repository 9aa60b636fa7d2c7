"""croissant.json: the dataset for machines, in Croissant 1.1 (https://docs.mlcommons.org/croissant/docs/croissant-spec-1.1.html)
with the RAI 1.0 fields (http://mlcommons.org/croissant/RAI/1.0). Checked by the format's own validator, mlcroissant.

What nobody stated is left out of fields that machines act on (licence, publisher, dates), so that none reads a
placeholder as a licence. Paths are relative to the manifest's folder, where the file belongs when the dataset is
published: from there mlcroissant reads Parquet shards. Arrow shards are described in the same way, but its reader does
not know Arrow IPC files.
"""

from __future__ import annotations

from typing import Any

from stats.papers.bias import Changes
from stats.papers.facts import Facts
from stats.papers.figures import Figures
from stats.papers.safe import json_bytes

VERSIONS = ["http://mlcommons.org/croissant/1.1", "http://mlcommons.org/croissant/RAI/1.0"]
MEDIA = {"arrow": "application/vnd.apache.arrow.file", "parquet": "application/x-parquet"}
# The context that the specification gives, with its prefixes for RAI and Dublin Core.
CONTEXT: dict[str, Any] = {
    "@language": "en", "@vocab": "https://schema.org/", "arrayShape": "cr:arrayShape", "citeAs": "cr:citeAs",
    "column": "cr:column", "conformsTo": "dct:conformsTo", "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/", "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"}, "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"}, "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"}, "extract": "cr:extract", "field": "cr:field",
    "fileObject": "cr:fileObject", "fileProperty": "cr:fileProperty", "fileSet": "cr:fileSet", "format": "cr:format",
    "includes": "cr:includes", "isArray": "cr:isArray", "isLiveDataset": "cr:isLiveDataset", "jsonPath": "cr:jsonPath",
    "key": "cr:key", "md5": "cr:md5", "name": {"@container": "@language"}, "parentField": "cr:parentField",
    "path": "cr:path", "rai": "http://mlcommons.org/croissant/RAI/", "recordSet": "cr:recordSet",
    "references": "cr:references", "regex": "cr:regex", "repeated": "cr:repeated", "replace": "cr:replace",
    "samplingRate": "cr:samplingRate", "sc": "https://schema.org/", "separator": "cr:separator", "source": "cr:source",
    "subField": "cr:subField", "transform": "cr:transform",
}  # fmt: skip


def croissant(figures: Figures, facts: Facts, changes: Changes) -> bytes:
    """The file's bytes."""
    stated = facts.dataset
    told: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSIONS,
        "name": stated.name or figures.name,
        "description": stated.description or summary(figures),
        "version": stated.version,
        "license": stated.licence,
        "url": stated.homepage,
        "citeAs": stated.citation,
        "datePublished": stated.released.isoformat() if stated.released else None,
        "creator": {"@type": "sc:Organization", "name": facts.provider.name} if facts.provider.name else None,
        "inLanguage": [group.name for group in figures.languages if group.kept],
        "isLiveDataset": False,
        **_rai(figures, facts, changes),
        "distribution": _distribution(figures),
        "recordSet": _records(figures),
    }
    return json_bytes({key: value for key, value in told.items() if value is not None})


def summary(figures: Figures) -> str:
    """The dataset in a sentence, from its own numbers."""
    m = figures.manifest
    return (
        f"{m.totals.documents} documents of web text with {m.totals.tokens} tokens ({m.totals.text_bytes} bytes), "
        f"curated by Winnow's recipe {m.recipe} from {figures.records} crawled records."
    )


def _rai(figures: Figures, facts: Facts, changes: Changes) -> dict[str, Any]:
    """The RAI fields that a run or FACTS.toml can fill."""
    recipe, stated = figures.recipe, facts.dataset
    pii = [f"{kind}: {count} found, {figures.policy(kind)}" for kind, count in figures.pii.items()]
    moved = [
        f"{by} {group}: share {before:.4f} before, {after:.4f} after stage '{stage}'"
        for by, group, stage, before, after in changes.rows
    ]
    scores = [f"{score.id} ({score.kind})" for score in recipe.scores]
    return {
        "rai:dataCollection": f"Crawled pages of {len(figures.sources)} sources; see source_ledger.csv.",
        "rai:dataCollectionType": ["Web Scraping"],
        "rai:dataCollectionMissingData": (
            f"{sum(figures.rejects.values())} records could not be made into documents; reasons in rejects/."
        ),
        "rai:dataCollectionRawData": "WARC, ARC, WET, HTML, JSONL or Parquet, as prov.json lists.",
        "rai:dataCollectionTimeframe": [f"{month}-01" for month in dict.fromkeys(figures.months)]
        if figures.months
        else None,
        "rai:dataPreprocessingProtocol": [
            f"extraction by {recipe.extract.extractor}",
            *(f"{step.kind} {step.id}" for step in recipe.steps),
        ],
        "rai:dataManipulationProtocol": "Duplicates removed; personal data replaced where the recipe says so.",
        "rai:machineAnnotationTools": ["lid.176 (language)", *scores],
        "rai:personalSensitiveInformation": pii or None,
        "rai:dataBiases": [*(stated.biases or ()), *moved] or None,
        "rai:dataUseCases": stated.intended_use,
        "rai:dataLimitations": [*recipe.assumptions, *recipe.not_done] or None,
        "rai:dataSocialImpact": stated.social_impact,
        "rai:dataReleaseMaintenancePlan": stated.maintenance,
    }


def _distribution(figures: Figures) -> list[dict[str, Any]]:
    m, size = figures.manifest, figures.manifest_file.stat().st_size
    files = [
        _file(figures.manifest_file.name, "application/json", figures.manifest_sha256, size),
        _file(m.tokenizer.file, "application/octet-stream", m.tokenizer.sha256, None),
        *(_file(shard.path, MEDIA[m.format], shard.sha256, shard.bytes) for shard in m.shards),
    ]  # fmt: skip
    files.append({
        "@type": "cr:FileSet", "@id": "shards", "name": "shards",
        "description": "All shards, in the order of the shuffle.", "encodingFormat": MEDIA[m.format],
        "includes": f"tokens/shard-*.{m.format}",
    })  # fmt: skip
    return files


def _file(path: str, media: str, sha256: str, size: int | None) -> dict[str, Any]:
    """One file."""
    told = {"@type": "cr:FileObject", "@id": path, "name": path, "contentUrl": path, "encodingFormat": media,
            "sha256": sha256}  # fmt: skip
    return told | ({"contentSize": f"{size} B"} if size is not None else {})


def _records(figures: Figures) -> list[dict[str, Any]]:
    fields = (("doc_id", "sc:Text", "32 hex digits, the document's identity in the run"),
              ("tokens", "sc:Integer", "ids of the manifest's tokenizer; the last is end_of_text"),
              *((name, "sc:Text", f"the document's {name}") for name in figures.manifest.labels))  # fmt: skip
    return [{
        "@type": "cr:RecordSet", "@id": "documents", "name": "documents",
        "description": f"{figures.manifest.totals.documents} documents.", "key": {"@id": "documents/doc_id"},
        "field": [
            {"@type": "cr:Field", "@id": f"documents/{name}", "name": name, "description": what, "dataType": kind,
             "source": {"fileSet": {"@id": "shards"}, "extract": {"column": name}},
             **({"isArray": True, "arrayShape": "-1"} if name == "tokens" else {})}
            for name, kind, what in fields
        ],
    }]  # fmt: skip
