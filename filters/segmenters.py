"""Which languages have a segmenter of their own, and which version: recorded with every run."""

from __future__ import annotations

import unicodedata
from importlib.metadata import version

CHINESE = ("zh", "wuu", "yue")
BY_ICU = ("ja", "th", "lo", "km", "my")
ELIDING = ("fr", "it", "ca")


def segmenter_versions() -> dict[str, str]:
    """Which segmenter each language gets, recorded with the run."""
    by = {code: f"rjieba {version('rjieba')}" for code in CHINESE}
    by |= {code: f"icu4py {version('icu4py')}" for code in BY_ICU}
    words = f"unicode {unicodedata.unidata_version}"
    by["en"] = f"{words}, spaCy 3.8's rules"
    return by | dict.fromkeys(ELIDING, f"{words}, elisions cut") | {"*": words}
