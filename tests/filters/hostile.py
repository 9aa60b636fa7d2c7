"""Extractors that misbehave, for the sandbox to survive."""

from __future__ import annotations

import os
import time

from filters.extract.interface import Extracted
from recipes.model import Extract


class Hostile:
    """Does what the page says."""

    name = "hostile"

    def extract(self, html: str) -> Extracted:
        """Hang, dawdle, die, eat memory, fail, or answer."""
        while html == "hang":
            pass
        if html == "slow":
            time.sleep(0.7)
        if html == "die":
            os._exit(9)
        if html == "eat":
            _ = bytearray(1 << 33)
        if html == "fail":
            raise KeyError("a secret of the page")
        return Extracted(html)


def make(_options: Extract) -> Hostile:
    """Factory for the worker."""
    return Hostile()
