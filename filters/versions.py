"""The versions of a text that recipes look at, and the measuring of each: a text is measured once.

Recipes that begin with the same edits share a version. Most edits leave most texts as they are, or make of a text what
they made of it in another version; what was measured there holds here too. Traded away: a version whose texts are new
for the most part is measured whole, so that its words are cut in one go, though some of its texts may be known.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from filters.columns import REMOVED, removed_column
from filters.edits import apply_edit, removed_words
from filters.segment import TextView
from filters.signals import SIGNALS, measure
from recipes.model import Recipe
from recipes.steps import Edit, column

Edits = tuple[Edit, ...]


@dataclass
class Version:
    """A version of the text: the edit that makes it, what is measured of it, and the versions made from it."""

    edits: Edits = ()
    signals: list[str] = field(default_factory=list)
    counted: bool = False  # whether a recipe reports the characters that its last edit took away
    next: dict[Edit, Version] = field(default_factory=dict)


def versions(recipes: Sequence[Recipe], every: bool = True) -> Version:
    """The tree of text versions that the recipes' steps look at; its root is the text as extracted.

    With `every`, all signals are measured of the root, so that other recipes can be asked later.
    """
    root = Version(signals=list(SIGNALS) if every else [])
    for end in range(1, len(recipes[0].edits) + 1):
        _version(root, recipes[0].edits[:end]).counted = True
    for recipe in recipes:
        for step, edits in recipe.placed():
            version = _version(root, edits)
            wanted = step.signal in SIGNALS or (step.signal == REMOVED and edits)
            if wanted and step.signal and step.signal not in version.signals:
                version.signals.append(step.signal)
    return root


def _version(root: Version, edits: Edits) -> Version:
    version = root
    for end, edit in enumerate(edits, 1):
        alike = Edit(kind="edit", id="text.version.v1", edit=edit.edit, languages=edit.languages, evidence="A")
        version = version.next.setdefault(alike, Version(edits[:end]))
    return version


def walk(version: Version) -> Iterator[Version]:
    """A version and all that are made from it, parents first."""
    yield version
    for child in version.next.values():
        yield from walk(child)


class Applied(NamedTuple):
    """What an edit made of a batch's texts."""

    before: pa.LargeStringArray
    after: TextView


class Versions:
    """One batch of texts in all versions of a tree."""

    def __init__(self, root: Version, text: pa.LargeStringArray, lang: pa.StringArray) -> None:
        self.root, self.first = root, TextView(text, lang)
        times = Counter(version.edits[-1].edit for version in walk(root) if version.edits)
        self.shared = {edit for edit, versions in times.items() if versions > 1}
        self.applied: dict[str, Applied] = {}

    def measure(self) -> dict[str, pa.Array]:
        """The columns of every version, by their names in signals/."""
        columns: dict[str, pa.Array] = {}
        self._measure(self.root, self.first, self.first.text, columns)
        return columns

    def _measure(
        self, version: Version, view: TextView, before: pa.LargeStringArray, columns: dict[str, pa.Array]
    ) -> None:
        """Fill in the columns of one version, and of those made from it; `before` is its parent's text."""
        if names := [name for name in version.signals if name != REMOVED]:
            measured = self._measured(names, view, version.edits)
            columns.update({column(name, version.edits): values for name, values in measured.items()})
        if REMOVED in version.signals:
            columns[column(REMOVED, version.edits)] = removed_words(before, view.text)
        if version.counted:
            gone = pc.subtract(pc.utf8_length(before), pc.utf8_length(view.text))
            columns[removed_column(version.edits[-1])] = pc.cast(gone, pa.int64())
        for edit, child in version.next.items():
            self._measure(child, self._edited(view.text, edit), view.text, columns)

    def _edited(self, text: pa.LargeStringArray, edit: Edit) -> TextView:
        """A version's texts after one more edit. Of an edit that makes several versions the first result is kept."""
        known, lang = self.applied.get(edit.edit), self.first.lang
        after = TextView(apply_edit(text, lang, edit, known and (known.before, known.after.text)), lang)
        if edit.edit in self.shared and not edit.languages:
            self.applied.setdefault(edit.edit, Applied(text, after))
        return after

    def _measured(self, names: Sequence[str], view: TextView, edits: Edits) -> dict[str, pa.Array]:
        """Signals of a version. What it has in common with the text as extracted, or with another version that its last
        edit made, has the values measured there; that pays where it is half of the bytes, or a fifth if all of them
        are measured already."""
        new, size, common = np.ones(len(view), np.bool_), np.diff(view.bounds), []
        for earlier in self._earlier(view, edits):
            same = new & np.asarray(pc.equal(view.text, earlier.text))
            known = sum(earlier.knows(SIGNALS[name].kernel) for name in names) / len(names)
            if size[same].sum() >= (0.5 - 0.3 * known) * size.sum():
                common.append((pa.array(same), measure(earlier, names)))
                new &= ~same
        if new.all():
            return measure(view, names)
        _, measured = common[0]
        for same, others in common[1:]:
            measured = {name: pc.if_else(same, others[name], measured[name]) for name in names}
        if new.any():
            rows = pa.array(new)
            fresh = measure(TextView(view.text.filter(rows), view.lang.filter(rows)), names)
            measured = {name: pc.replace_with_mask(measured[name], rows, fresh[name]) for name in names}
        return measured

    def _earlier(self, view: TextView, edits: Edits) -> Iterator[TextView]:
        if edits:
            yield self.first
            if (known := self.applied.get(edits[-1].edit)) and known.after is not view:
                yield known.after
