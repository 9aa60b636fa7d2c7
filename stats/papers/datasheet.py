"""The datasheet: the questions of Gebru et al. 2021, Datasheets for Datasets (arXiv:1803.09010 3), each answered from
the run's tables, from FACTS.toml, or with a marked blank. Questions are restated in short, in the paper's order.
"""

from __future__ import annotations

from collections.abc import Sequence

from stats.papers.bias import Changes
from stats.papers.facts import Facts
from stats.papers.figures import Figures
from stats.papers.names import KIND_NAMES
from stats.papers.page import Blank, Block, Heading, Page, Text

Answer = str | Blank
Question = tuple[str, Sequence[Answer]]


def datasheet(figures: Figures, facts: Facts, changes: Changes) -> Page:
    """The whole datasheet, in English."""
    blocks: list[Block] = []
    for title, questions in (
        ("Motivation", _motivation(facts)),
        ("Composition", _composition(figures, facts, changes)),
        ("Collection process", _collection(figures, facts)),
        ("Preprocessing, cleaning, labelling", _preprocessing(figures)),
        ("Uses", _uses(facts, changes)),
        ("Distribution", _distribution(figures, facts)),
        ("Maintenance", _maintenance(figures, facts)),
    ):
        blocks.append(Heading(title))
        for question, answers in questions:
            blocks += [Heading(question, 3), *map(Text, answers)]
    return Page(f"Datasheet: {facts.dataset.name or figures.name}", "en", blocks)


def _motivation(facts: Facts) -> list[Question]:
    return [
        ("For what purpose was the dataset created?", [facts.said("dataset.intended_use")]),
        ("Who created it, and on behalf of whom?", [facts.said("provider.name")]),
        ("Who funded it?", [facts.said("dataset.funding")]),
    ]


def _composition(f: Figures, facts: Facts, changes: Changes) -> list[Question]:
    pii = (
        ", ".join(f"{KIND_NAMES.get(k, (k, k))[0]} {n:,} ({f.policy(k)})" for k, n in f.pii.items())
        or "none looked for"
    )
    languages = ", ".join(f"{g.name} {g.kept:,}" for g in f.languages if g.kept)
    dropped = f.total.documents - f.total.kept
    return [
        ("What do the instances represent?", [
            f"Documents: the main text of crawled pages. Kept by language: {languages}."]),
        ("How many instances are there?", [
            f"{f.total.kept:,} documents, {f.manifest.totals.tokens:,} tokens, {f.manifest.totals.text_bytes:,} bytes."
        ]),
        ("Is it all possible instances, or a sample?", [
            f"{f.total.documents:,} documents were extracted from {f.records:,} records; {dropped:,} were dropped by "
            "the recipe or as duplicates, each with its fate in decisions/. How far the crawl covers the web, the run "
            "does not know."]),
        ("What does each instance consist of?", [
            "doc_id and token ids in the shards; in kept/ also the text, its address, source and language."]),
        ("Is there a label or target?", ["No."]),
        ("Is information missing from instances?", [
            "Markup, boilerplate, images and scripts are left out by extraction; repeated spans and personal data may "
            "be taken out of a text."]),
        ("Are relationships between instances explicit?", ["Near and exact duplicates are clustered in duplicates/."]),
        ("Are there recommended splits?", ["No."]),
        ("Are there errors, noise or redundancies?", [
            "Extraction, language identification and duplicates by signature are statistical, and err."]),
        ("Is it self-contained?", ["Yes: shards and tokenizer lie beside the manifest, with sha256."]),
        ("Might it hold confidential data?", ["Pages were public to the crawler; more the run does not know."]),
        ("Might it be offensive, or cause anxiety?", [
            "Web text may be, also after the recipe's rules. tc260_manual_sample.jsonl is a sample for people to judge."
        ]),
        ("Does it identify subpopulations?", [
            "By language, domain and year in diversity.parquet; by mention of identity terms in the data card."]),
        ("Can individuals be identified?", [
            f"Found in kept documents, with the recipe's policy: {pii}. People may be named in texts all the same."]),
        ("Does it hold sensitive data (health, religion, orientation ...)?", [
            "Texts may speak of such matters. They are not looked for.", facts.said("legal.personal_data_basis")]),
        ("Licences that pages state?", [f"{f.licensed:,} kept documents link to a licence."]),
        ("Effective number of domains?", [f"{changes.effective.get('kept') or 0:,.1f} of {f.domains:,} kept domains."]),
    ]  # fmt: skip


def _collection(f: Figures, facts: Facts) -> list[Question]:
    span = f"{f.months[0]} to {f.months[1]}, as the crawl states" if f.months else "The crawl states no time"
    return [
        (
            "How was the data acquired?",
            [f"From {len(f.sources):,} crawl files or tables, listed in source_ledger.csv."],
        ),
        ("By what mechanisms?", [facts.said("collection.crawlers"), facts.said("collection.robots")]),
        ("Over what timeframe?", [f"{span}."]),
        ("Were people notified, and did they consent?", [facts.said("collection.consent")]),
        ("Can consent be revoked?", [facts.said("legal.erasure")]),
    ]


def _preprocessing(f: Figures) -> list[Question]:
    r = f.recipe
    return [
        ("What was done?", [
            f"Recipe {r.name} (hash {f.manifest.recipe_hash}): {len(r.steps)} steps, then duplicates, then personal "
            "data. The data card lists the fate of every record; prov.json the stages."]),
        ("Was the raw data saved?", [
            "documents/ of the run holds the text as extracted, with the place of each record."]),
        ("Is the software available?", [f"Yes: Winnow, code digest {f.made_by}."]),
    ]  # fmt: skip


def _uses(facts: Facts, changes: Changes) -> list[Question]:
    changed = "; ".join(f"{by} {group}: {a:.1%} to {b:.1%} ({stage})" for by, group, stage, a, b in changes.rows[:8])
    return [
        ("What is it meant for?", [facts.said("dataset.intended_use")]),
        ("What in its making might bear on uses?", [
            f"Shares that curation changed by more than {changes.alert:.0%}: {changed or 'none'}.",
            facts.said("dataset.biases")]),
        ("What should it not be used for?", [facts.said("dataset.out_of_scope")]),
    ]  # fmt: skip


def _distribution(f: Figures, facts: Facts) -> list[Question]:
    return [
        ("How is it distributed, and when?", [facts.said("dataset.download"), facts.said("dataset.released")]),
        ("Under what licence?", [facts.said("dataset.licence")]),
        ("Do third parties restrict it?", [
            f"{f.reserved[1]:,} kept documents reserve themselves from machine learning; "
            f"{f.reserved[0]:,} of all documents do.", facts.said("legal.opt_out_measures")]),
    ]  # fmt: skip


def _maintenance(f: Figures, facts: Facts) -> list[Question]:
    parent = (
        f"It replaces the manifest {f.manifest.parent}." if f.manifest.parent else "It replaces no earlier manifest."
    )
    return [
        ("Who supports it, and how can they be reached?", [facts.said("provider.contact")]),
        ("Will it be updated?", [parent, facts.said("dataset.maintenance")]),
        ("Is there an erratum, and can others contribute?", [facts.said("dataset.maintenance")]),
    ]
