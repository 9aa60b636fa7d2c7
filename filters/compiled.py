"""How our loops are compiled: a kernel is called from Python and may make arrays; a step is called by kernels only.

Numba counts references to every array a function is given, with an atomic operation in and out of each call. In a loop
over words that cost as much as the work: steps are compiled into their callers, without counting. So a step may make
no array and return none (whoever made it keeps it alive), and may call other steps only. Traded away: `_nrt` is an
option that Numba names with an underscore; the pinned version has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numba


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function that Python calls; without the interpreter's lock, kept on disk."""
    # both said, or Numba would take them over from a step that is being compiled and calls it
    return numba.njit(cache=True, nogil=True, forceinline=False, _nrt=True)(function)


def step(function: Callable[..., Any]) -> Any:
    """Compile a function into the kernels that call it; it makes no array and returns none."""
    return numba.njit(cache=True, nogil=True, forceinline=True, _nrt=False)(function)
