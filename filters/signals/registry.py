"""Every signal by name, and the measuring of those asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import pyarrow as pa

from filters.segment import TextView
from filters.signals import (
    characters,
    chinese,
    dolma,
    duplicates,
    grams,
    juicer,
    lines,
    madlad,
    patterns,
    personal,
    rpv2_measures,
    sentences,
    windows,
    words,
)
from filters.signals.signal import Signal

MODULES = (
    characters,
    words,
    chinese,
    patterns,
    lines,
    sentences,
    duplicates,
    grams,
    windows,
    dolma,
    rpv2_measures,
    juicer,
    madlad,
    personal,
)
SIGNALS: dict[str, Signal] = {signal.name: signal for module in MODULES for signal in module.SIGNALS}


def measure(view: TextView, names: Sequence[str]) -> dict[str, pa.Array]:
    """The named signals of a batch; a kernel runs only if one of its signals is named, and once a view."""
    measured: dict[str, np.ndarray] = {}
    for kernel in dict.fromkeys(SIGNALS[name].kernel for name in names):
        measured.update(view.once(kernel, partial(kernel, view)))
    return {name: pa.array(measured[name], SIGNALS[name].type) for name in names}
