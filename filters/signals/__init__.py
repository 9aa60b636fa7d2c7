"""Signals: what is measured of every text. A signal is a name, a type, a doc line with its source, a kernel."""

from filters.signals.registry import SIGNALS, measure
from filters.signals.signal import Signal

__all__ = ["SIGNALS", "Signal", "measure"]
