"""What a run cannot know of itself: FACTS.toml, stated by people; and the one place that says where rights are read.

Every fact is optional, and none is guessed. What nobody stated stands in a document as a marked blank that says who has
to state it, and is left out of a machine's file or marked there. An unknown key is an error, so that a misspelt fact is
not taken for a missing one. Traded away: a fact is text as it was given; whether it is true, nobody here can say.
"""

from __future__ import annotations

import datetime as dt
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from recipes.shares import Said
from recipes.strict import Strict
from stats.papers.page import Blank
from stats.papers.statements import Collection, Crawler, Dataset, Legal, Model, Provider, Source

# Licence and reservation of each document, as SQL over the views `documents` d, `signals` s and `rights` r. Whatever
# else comes to hold these facts of a run is named here and nowhere else.
LICENCE = "coalesce(r.license_spdx, d.license)"  # an SPDX id where one is certain, else what the page links to
RESERVED = "s.opted_out"
RIGHTS = f"""SELECT d.doc_id, {LICENCE} AS licence, {RESERVED} AS reserved
FROM documents d LEFT JOIN signals s ON d.doc_id = s.doc_id LEFT JOIN rights r ON d.doc_id = r.doc_id"""


class Facts(Strict):
    """FACTS.toml."""

    dataset: Dataset = Dataset()
    provider: Provider = Provider()
    model: Model = Model()
    collection: Collection = Collection()
    legal: Legal = Legal()
    sources: tuple[Source, ...] = ()

    def of_source(self, name: str) -> Source:
        """What is stated on a source of the run; nothing, if nothing is."""
        return next((one for one in self.sources if one.name == name), Source(name=name))

    def get(self, path: str) -> Any:
        """The fact at `section.key`, or None."""
        section, _, key = path.partition(".")
        return getattr(getattr(self, section), key)

    def said(self, path: str, zh: bool = False) -> str | Blank:
        """The fact as text, or a blank that says who has to state it.

        >>> Facts().said("provider.name").text
        '[to be stated: the provider: its legal name (provider.name)]'
        """
        section, _, key = path.partition(".")
        return told(getattr(self, section), key, zh, f"{section}.{key}")


def told(section: BaseModel, key: str, zh: bool, path: str) -> str | Blank:
    """One fact of a section as text, or its blank."""
    value = getattr(section, key)
    if value is None:
        asked = asks(type(section), key)
        return Blank(f"【待填：{asked.zh}（{path}）】" if zh else f"[to be stated: {asked.en} ({path})]")
    if isinstance(value, bool):
        return ("是" if value else "否") if zh else ("yes" if value else "no")
    if isinstance(value, tuple):
        return ("；" if zh else "; ").join(one.name if isinstance(one, Crawler) else str(one) for one in value)
    return value.isoformat() if isinstance(value, dt.date) else str(value)


def asks(section: type[BaseModel], key: str) -> Said:
    """Who has to state what."""
    field = section.model_fields[key]
    extra = field.json_schema_extra
    return Said(field.description or key, str(extra["zh"]) if isinstance(extra, dict) else key)


def read_facts(path: str | Path | None) -> Facts:
    """Read FACTS.toml; no file, no facts. FileNotFoundError or ValueError with file, line and remedy."""
    if path is None:
        return Facts()
    file = Path(path)
    if not file.is_file():
        raise FileNotFoundError(f"There is no file {path}. `winnow papers --facts-template > {path}` makes one.")
    text = file.read_text(encoding="utf-8")
    try:
        facts = Facts.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path} is no TOML: {error}.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        unknown = f"there is no such fact.{_known(first['loc'])}"
        why = unknown if first["type"] == "extra_forbidden" else f"{first['msg']}."
        raise ValueError(f"{path}:{_line(text, first['loc'])}: {where}: {why}") from error
    names = [source.name for source in facts.sources]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"{path}: the source {twice[0]!r} is stated twice. State each once.")
    return facts


def _known(loc: tuple[int | str, ...]) -> str:
    """Which keys there are where an unknown one was met."""
    model: Any = Facts
    for step in loc[:-1]:
        if isinstance(step, str):
            inner = [t for t in _types(model.model_fields[step].annotation) if issubclass(t, BaseModel)]
            model = inner[0] if inner else model
    return f" There are: {', '.join(model.model_fields)}."


def _types(annotation: Any) -> Iterator[type]:
    """The classes that an annotation is put together from."""
    if inner := get_args(annotation):
        for one in inner:
            yield from _types(one)
    elif isinstance(annotation, type):
        yield annotation


def _line(text: str, loc: tuple[int | str, ...]) -> int:
    """The line of a key: the first after its section's heading that begins with it; 1 if it is not found."""
    lines, at = text.splitlines(), 0
    section, *rest = loc
    number = next((step for step in rest if isinstance(step, int)), 0)
    headings = [i for i, one in enumerate(lines) if one.strip().strip("[] ") == section and one.strip().startswith("[")]
    if headings:
        at = headings[min(number, len(headings) - 1)]
    for i in range(at, len(lines)):
        if lines[i].split("=")[0].strip().split(".")[-1] == str(loc[-1]):
            return i + 1
    return at + 1


def template() -> str:
    """A FACTS.toml in which every fact is there and commented out, with who has to state it."""
    out = ["# Facts that a run cannot know. Uncomment what you can state; an unknown key is refused.",
           "# 运行本身无法得知的事实。能填的请取消注释；未知的键会被拒绝。"]  # fmt: skip
    for section in ("dataset", "provider", "model", "collection", "legal"):
        model = type(getattr(Facts(), section))
        out += ["", f"[{section}]"]
        for key in model.model_fields:
            said = asks(model, key)
            out += [f"# {said.en} / {said.zh}", f"# {key} = {_example(model, key)}"]
    out += [
        "",
        "# One of these for each source of the run. 每个来源一节。",
        "# [[sources]]",
        '# name = "crawl.warc.gz"',
    ]
    for key in list(Source.model_fields)[1:]:
        said = asks(Source, key)
        out += [f"# {said.en} / {said.zh}", f"# {key} = {_example(Source, key)}"]
    return "\n".join(out) + "\n"


def _example(model: type[BaseModel], key: str) -> str:
    kinds = set(_types(model.model_fields[key].annotation))
    if Crawler in kinds:
        return '[{ name = "", operator = "", purpose = "" }]'
    if key == "biases":
        return '["", ""]'
    for kind, text in ((bool, "true"), (int, "0"), (dt.datetime, "2026-01-31T12:00:00Z"), (dt.date, "2026-01-31")):
        if kind in kinds:
            return text
    if key in ("homepage", "download", "link"):
        return '"https://example.org/"'
    if key in ("collected_from", "collected_to"):
        return '"2026-01"'
    return {"kind": '"crawled"', "origin": '"both"'}.get(key, '""')
