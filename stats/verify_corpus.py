"""Whether a corpus of several runs is what its manifest says: every run proven, and one manifest over all of them.

Each run is proven as `winnow verify RUN` does it; here is what holds between them: versions that follow one another,
a newest one that is just what the runs hold now, inputs taken once, requests obeyed, and older versions whose shards
are all still there unless an erasure deleted them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pipelines.corpus.ledger import REGISTER, Ledger, is_corpus, opened
from pipelines.corpus.publish import same, united
from stats.run import open_run
from stats.verify import Problem, verify
from tokenization.manifest import Shard
from tokenization.versions import Version, erased, history, pending


def corpus_of(named: str) -> Path | None:
    """The corpus that a folder, or a manifest in one, belongs to; None if it is none."""
    if "://" in named:
        return None
    path = Path(named)
    folder = path.parent if path.is_file() else path
    return folder if is_corpus(folder) else None


def verify_corpus(corpus: Path) -> list[Problem]:
    """Every problem of a corpus; none if all is well. ValueError if the ledger cannot be read."""
    ledger = opened(corpus)
    found: list[Problem] = []
    for run in ledger.joined:
        with open_run(str(corpus / run.folder)) as one:
            found += verify(one)
    try:
        versions = history(corpus)
        found += [Problem("corpus", told) for told in _faults(corpus, ledger, versions)]
    except (ValueError, FileNotFoundError) as error:
        found.append(Problem("corpus", str(error)))
    return found


def _faults(corpus: Path, ledger: Ledger, versions: list[Version]) -> Iterator[str]:
    sources = Counter(one.source for one in ledger.taken())
    for source in sorted(name for name, count in sources.items() if count > 1):
        yield f"{corpus}: the input {source} was taken twice. Restore corpus.json from a copy."
    mend = f"`winnow corpus extend {corpus} INPUTS` publishes a version that does."
    if ledger.joined and (not versions or not same(united(corpus, ledger), versions[-1].manifest)):
        yield f"{corpus / 'manifest.json'} does not say what the runs hold now. {mend}"
    register = corpus / REGISTER
    if versions and register.is_dir():
        for request in pending(versions[-1].manifest, register):
            yield (f"{corpus / 'manifest.json'} does not obey the request {request} of its register. `winnow corpus "
                   f"remove {corpus}` makes a version that does.")  # fmt: skip
    yield from _lost(corpus, ledger, versions)


def _lost(corpus: Path, ledger: Ledger, versions: list[Version]) -> Iterator[str]:
    """Shards of any version that no run's own versions have: those are hashed with their run."""
    held: set[Shard] = set()
    for run in ledger.joined:
        for version in history(corpus / run.folder):
            shards = version.manifest.shards
            held |= {shard.model_copy(update={"path": f"{run.folder}/{shard.path}"}) for shard in shards}
    gone = erased(corpus)
    for version in versions:
        for shard in version.manifest.shards:
            if shard not in held and shard.path not in gone:
                yield f"{version.path} names {shard.path}, which its run does not have so. Restore it from a copy."
