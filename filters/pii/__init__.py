"""Personal data: where it is in a text, by kind, and the text without it."""

from filters.pii.kinds import KINDS, Kind
from filters.pii.scan import SPANS, find
from filters.pii.scrub import Scrubbed, scrub

__all__ = ["KINDS", "SPANS", "Kind", "Scrubbed", "find", "scrub"]
