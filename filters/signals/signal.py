"""What a signal is: a name, a type, a doc line with its source, and the kernel that measures it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from filters.segment import TextView

Kernel = Callable[[TextView], Mapping[str, np.ndarray]]
INT, REAL, FLAG = pa.int64(), pa.float64(), pa.bool_()
GOPHER = "arXiv:2112.11446 A1.1, as datatrove 0.10.1 counts"
FINEWEB = "arXiv:2406.17557 3.6, as datatrove 0.10.1 counts"
C4 = "arXiv:1910.10683 2.2"
MC4 = "arXiv:2010.11934, tensorflow/datasets c4_utils.py"
CWT = "arXiv:2311.01149, ChineseWebText preprocess.py"
DOLMA = "arXiv:2402.00159, allenai/dolma taggers/gopher.py"
DOLMA_CODE = "allenai/dolma taggers/code"
RPV2 = "arXiv:2411.12372, RedPajama-Data app/src/core/quality_signals"
JUICER = "py-data-juicer 1.6.1, ops/filter"
MADLAD = "arXiv:2309.04662"
OWN = "Winnow's own"


@dataclass(frozen=True)
class Signal:
    """One measurement of a text."""

    name: str
    type: pa.DataType
    doc: str
    source: str
    kernel: Kernel


Rows = tuple[tuple[str, pa.DataType, str, str], ...]


def signals(kernel: Kernel, rows: Rows) -> tuple[Signal, ...]:
    """The signals that one kernel measures; rows are (name, type, doc, source)."""
    return tuple(Signal(*row, kernel) for row in rows)


def ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """part / whole, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(len(whole), np.float64), where=whole > 0)
