"""The law of conservation, proved again from the files: every record one fate, counts that add up, every hash.

Four proofs, each yielding a sentence for every fault: the parts one by one (`stats.proofs`), the laws that hold
between all of them (SQL, here), the totals in run.json, and the shards against the manifest. Texts are streamed and
joins over ids are DuckDB's, which spills: memory does not grow with the corpus.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from filters.pii import KINDS
from filters.rules import first_failing, with_verdicts
from filters.sql import literal
from recipes.scrub import MODEL_KINDS
from stats.proofs import AGAIN, counted, parts
from stats.run import Run, footers
from stats.shards import id_faults, label_faults, shard_files
from stats.versions import tokenized, versions_faults
from tokenization.manifest import Manifest
from tokenization.versions import begun, erasing, file_of, latest

STAGES = ("plan", "extract", "annotate", "dedup", "decide", "scrub", "tokenize")
# The fate that cuts/ or, where it gives none, contamination/ gives a document.
LOST = """(SELECT doc_id, arg_min(fate, place) AS fate FROM (
    SELECT doc_id, fate, 0 AS place FROM cuts WHERE fate IS NOT NULL
    UNION ALL SELECT doc_id, fate, 1 FROM contamination WHERE fate IS NOT NULL) GROUP BY 1)"""
# Each query counts what must not be, and gives one example of it; each sentence says what it means.
NEVER = (
    ("fates", "SELECT doc_id FROM fates GROUP BY 1 HAVING count(*) > 1", "records have more than one fate"),
    ("fates", "SELECT doc_id FROM fates WHERE fate IS NULL", "documents have no fate"),
    ("documents", "SELECT doc_id FROM decisions ANTI JOIN documents USING (doc_id)", "decisions have no document"),
    ("kept", "SELECT doc_id FROM decisions ANTI JOIN kept USING (doc_id) WHERE fate = 'kept'",
     "kept documents are missing from kept/"),
    ("kept", "SELECT doc_id FROM kept ANTI JOIN (SELECT doc_id FROM decisions WHERE fate = 'kept') USING (doc_id)",
     "documents lie in kept/ that were not kept"),
    ("personal", "SELECT doc_id FROM personal ANTI JOIN kept USING (doc_id)",
     "finds of personal data are in a document that was not kept"),
    ("personal", "SELECT doc_id FROM personal WHERE start >= \"end\" OR start < 0",
     "finds of personal data have no extent"),
    ("tokens", "SELECT doc_id FROM kept ANTI JOIN tokens USING (doc_id) ANTI JOIN removals USING (doc_id)",
     "kept documents are in no shard"),
    ("tokens", "SELECT doc_id FROM tokens JOIN removals USING (doc_id)", "removed documents are in the shards"),
    ("removals", "SELECT doc_id FROM removals WHERE doc_id IS NOT NULL GROUP BY 1 HAVING count(*) > 1",
     "documents are removed by two requests"),
    ("removed", "SELECT doc_id FROM removed ANTI JOIN documents USING (doc_id)", "removals have no document"),
    ("decisions", "SELECT coalesce(c.doc_id, r.doc_id) AS doc_id "
     "FROM (FROM decisions WHERE starts_with(fate, 'removed:')) c "
     "FULL JOIN removed r ON c.doc_id = r.doc_id WHERE c.fate IS DISTINCT FROM 'removed:' || r.request",
     "decisions do not agree with removed/"),
    ("tokens", "SELECT doc_id FROM tokens ANTI JOIN kept USING (doc_id)", "documents in the shards were not kept"),
    ("tokens", "SELECT doc_id FROM tokens GROUP BY 1 HAVING count(*) > 1", "documents are in the shards twice"),
    ("duplicates", "SELECT doc_id FROM (FROM duplicates WHERE kept_in IS NULL) d "
     "ANTI JOIN documents k ON d.kept_id = k.doc_id",
     "duplicates point to a document that is not there"),
    ("duplicates", "SELECT d.doc_id FROM duplicates d JOIN decisions c ON d.kept_id = c.doc_id WHERE c.fate <> 'kept' "
     "AND NOT starts_with(c.fate, 'removed:') "
     f"AND d.kept_in IS NULL AND NOT EXISTS (SELECT 1 FROM {LOST} g WHERE g.doc_id = d.kept_id AND g.fate = c.fate)",
     "duplicates point to a document that was not kept"),
    ("duplicates", "SELECT cluster_id AS doc_id FROM duplicates WHERE kept_in IS NULL GROUP BY 1 "
     "HAVING count(*) FILTER (method = 'kept' AND doc_id = kept_id) <> 1 OR count(DISTINCT kept_id) <> 1 "
     "OR min(cluster_size) <> count(*) OR max(cluster_size) <> count(*)",
     "clusters do not have just one kept document and the size they state"),
    ("duplicates", "SELECT doc_id FROM duplicates WHERE kept_in IS NOT NULL AND method = 'kept'",
     "documents are said to be kept in an earlier corpus and in this run"),
    ("duplicates", "SELECT c.doc_id FROM decisions c LEFT JOIN duplicates d ON c.doc_id = d.doc_id "
     f"LEFT JOIN {LOST} g ON c.doc_id = g.doc_id WHERE NOT starts_with(c.fate, 'filtered:') "
     "AND NOT starts_with(c.fate, 'removed:') "
     "AND c.fate IS DISTINCT FROM coalesce('duplicate:' || nullif(d.method, 'kept'), g.fate, 'kept')",
     "decisions do not agree with duplicates/ and cuts/"),
    ("cuts", "SELECT doc_id FROM cuts ANTI JOIN documents USING (doc_id)", "cuts are in a document that is not there"),
    ("cuts", "SELECT c.doc_id FROM cuts c ANTI JOIN documents k ON c.other = k.doc_id WHERE c.other IS NOT NULL",
     "cuts name a document that is not there as the one that has the text first"),
    ("cuts", "SELECT doc_id FROM cuts c JOIN decisions d USING (doc_id) WHERE d.rule IS NOT NULL",
     "cuts are in a document that a rule dropped"),
)  # fmt: skip


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong; `law` is the proof that failed, `sentence` says what, where, and how to mend it."""

    law: str
    sentence: str

    def __str__(self) -> str:
        return self.sentence


def verify(run: Run) -> list[Problem]:
    """Every problem of the run; none if all is well. A run that is not finished, or of which an erasure is not,
    has that one problem."""
    stages = run.described["stages"]
    asked = ("cuts",) if run.asks_for("cuts") else ()
    missing = [s for s in (*STAGES, *asked) if stages.get(s, {}).get("state") != "done"]
    if missing:
        told = f"The run is not finished: {', '.join(missing)} still to do. Give the same `winnow run` again."
        return [Problem("finished", told)]
    if erasing(run.path):
        told = f"An erasure was cut off, and texts may be left. `winnow erase {latest(run.path)}` again finishes it."
        return [Problem("finished", told)]
    found = [Problem("readable", fault) for fault in run.damaged]
    if (half := begun(run.path)) is not None:
        found.append(Problem("finished", half))
    proofs: tuple[tuple[str, Callable[[Run], Iterator[str]]], ...] = (
        ("parts", parts), ("laws", _laws), ("rules", _rules), ("totals", _totals), ("shards", _shards)
    )  # fmt: skip
    for law, proof in proofs:
        try:
            found += [Problem(law, told) for told in proof(run)]
        except ValueError as error:  # a file that cannot be read ends its proof, not the others
            found.append(Problem(law, str(error)))
    return list({problem.sentence: problem for problem in found}.values())


def _laws(run: Run) -> Iterator[str]:
    """What holds between all parts together."""
    for dataset, query, meaning in NEVER:
        yield from _never(run, dataset, query, meaning)
    yield from _never(
        run,
        "personal",
        _miscounted([*KINDS, *(MODEL_KINDS if run.recipe.scrub.ner else ())]),
        "kept documents do not count what personal/ has of a kind",
    )


def _miscounted(kinds: Sequence[str]) -> str:
    """Documents whose count of a kind in kept/ is not the number of its rows in personal/."""
    counts = ", ".join(f"count(*) FILTER (kind = {literal(kind)}) AS found_{kind}" for kind in kinds)
    differ = " OR ".join(f"pii_{kind} <> coalesce(found_{kind}, 0)" for kind in kinds)
    found = f"(SELECT doc_id, {counts} FROM personal GROUP BY 1)"
    return f"SELECT k.doc_id FROM kept k LEFT JOIN {found} p ON k.doc_id = p.doc_id WHERE {differ}"


def _rules(run: Run) -> Iterator[str]:
    """Each decision is what the recipe's rules say of the document's signals."""
    query = f"""
        SELECT s.doc_id FROM (SELECT doc_id, ({first_failing(run.recipe)}) AS failing
                              FROM ({with_verdicts(run.recipe)})) s
        JOIN decisions c ON s.doc_id = c.doc_id
        WHERE NOT starts_with(c.fate, 'removed:') AND (c.rule IS DISTINCT FROM s.failing
              OR c.fate IS DISTINCT FROM 'filtered:' || s.failing
              AND (s.failing IS NOT NULL OR starts_with(c.fate, 'filtered:') AND NOT EXISTS (
                  SELECT 1 FROM {LOST} g WHERE g.doc_id = c.doc_id AND g.fate = c.fate)))"""
    yield from _never(run, "decisions", query, "decisions are not what the recipe's rules say")


def _never(run: Run, dataset: str, query: str, meaning: str) -> Iterator[str]:
    count, example = run.rows(f"SELECT count(*), min(doc_id) FROM ({query})")[0]
    if count:
        yield f"{count:,} {meaning} ({example} is one). Delete {run.path / dataset} and run again."


def _totals(run: Run) -> Iterator[str]:
    """run.json's counts are the sums of the parts' own."""
    file, planned = run.path / "run.json", run.described["parts"]
    sums: dict[str, Counter[str]] = {
        "plan": Counter(parts=len(planned), records=sum(max(p["records"], 0) for p in planned))
    }
    for stage, dataset in counted().items():
        if not run.asks_for(dataset):
            continue
        sums[stage] = Counter()
        for _, _, counts, _ in footers(run, dataset):
            sums[stage].update(counts)
    sums["tokenize"] = tokenized(run)
    for stage, real in sums.items():
        stated = run.described["stages"][stage].get("counts", {})
        for key in sorted(stated.keys() | real.keys()):
            if stated.get(key, 0) != real[key]:
                yield f"{file}: {stage} states {stated.get(key, 0):,} {key}, its parts have {real[key]:,}. {AGAIN}"


def _shards(run: Run) -> Iterator[str]:
    """The manifest's files are whole, and its counts are theirs."""
    try:
        manifest = Manifest.read(run.path / "manifest.json")
    except FileNotFoundError as error:
        yield str(error)
        return
    if latest(run.path) != run.path / file_of(1):
        yield from versions_faults(run)
        return
    faults = manifest.problems(run.path)
    yield from faults
    named = {run.path / shard.path for shard in manifest.shards}
    for stray in sorted(set(shard_files(run.path)) - named):
        yield f"{stray} is named by no manifest. Delete it."
    if faults:
        return  # what cannot be trusted need not be counted
    real = {s: (n, int(t)) for s, n, t in run.rows("SELECT shard, count(*), sum(n_tokens) FROM tokens GROUP BY 1")}
    for shard in manifest.shards:
        path = run.path / shard.path
        documents, tokens = real.get(path.name, (0, 0))
        if (documents, tokens) != (shard.documents, shard.tokens):
            yield (f"{path} holds {documents:,} documents and {tokens:,} tokens, the manifest says "
                   f"{shard.documents:,} and {shard.tokens:,}. Delete the manifest and run again.")  # fmt: skip
        unknown, unended = id_faults(path, manifest.tokenizer.vocab_size, manifest.tokenizer.end_of_text)
        if unknown or unended:
            yield (f"{path} holds {unknown:,} ids that its tokenizer does not have, and {unended:,} documents without "
                   "end-of-text. Delete it and run again.")  # fmt: skip
    yield from _manifest_totals(run, manifest)
    for fault in label_faults(run.path, manifest):
        yield f"{fault} Delete {run.path / 'manifest.json'} and run again."


def _manifest_totals(run: Run, manifest: Manifest) -> Iterator[str]:
    """The manifest's totals, by source and by language, are those of the shards' documents."""
    file = run.path / "manifest.json"
    stated = (manifest.totals.documents, manifest.totals.tokens)
    summed = sum(s.documents for s in manifest.shards), sum(s.tokens for s in manifest.shards)
    if stated != summed:
        yield f"{file} states {stated} documents and tokens, its shards add up to {summed}. Delete it and run again."
    for column, by in (("source", manifest.sources), ("lang", manifest.languages)):
        query = f"SELECT {column}, count(*), sum(n_tokens) FROM kept JOIN tokens USING (doc_id) GROUP BY 1"
        real = {str(key): (n, int(t)) for key, n, t in run.rows(query)}
        for key in sorted(real.keys() | by.keys()):
            said = (by[key].documents, by[key].tokens) if key in by else (0, 0)
            if said != real.get(key, (0, 0)):
                yield (f"{file} states {said} documents and tokens of {column} {key}, the shards have "
                       f"{real.get(key, (0, 0))}. Delete it and run again.")  # fmt: skip
