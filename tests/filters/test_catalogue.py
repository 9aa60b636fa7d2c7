"""The catalogue on disk says what the kernels say, and reading it loads none of them."""

from __future__ import annotations

import subprocess
import sys

from filters.catalogue import current, edit_names, kind_names, signal_docs, signal_docs_zh


def test_the_catalogue_is_that_of_the_kernels() -> None:
    made = current()
    assert {"signals": signal_docs(), "edits": edit_names(), "kinds": kind_names()} == made, (
        "python -m filters.catalogue writes it anew"
    )
    assert len(made["signals"]) > 100 and len(made["edits"]) > 20


def test_every_signal_is_told_in_chinese() -> None:
    told = signal_docs_zh()
    assert [*told] == [*signal_docs()]
    assert all(any("\u4e00" <= c <= "\u9fff" for c in line) for line in told.values())


def test_a_recipe_is_checked_without_kernels() -> None:
    script = (
        "import sys; from filters.check import check; from recipes.load import load; check(load('fineweb')); "
        "assert not {'numba', 'filters.signals', 'filters.edits'} & set(sys.modules), 'kernels were loaded'"
    )
    subprocess.run([sys.executable, "-c", script], check=True)
