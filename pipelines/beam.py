"""Beam, imported without pandas: whoever starts a run or a worker imports this before anything of Beam's.

If pandas is installed Beam imports it to know its types in type hints, which is over half a second of processor in
each process that imports Beam, and no job has any data frame. Traded away: until another module imports pandas by
itself, as it still can, Beam does not know pandas' types.
"""

from __future__ import annotations

import sys

PANDAS = "pandas"

if PANDAS in sys.modules:
    import apache_beam
else:
    sys.modules[PANDAS] = None  # type: ignore[assignment] # the language's own way to say: not to be found
    try:
        import apache_beam
    finally:
        del sys.modules[PANDAS]

__all__ = ["apache_beam"]
