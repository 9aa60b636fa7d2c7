"""Personal data: where it is in a text, by kind, and the text without it."""

from filters.pii.kinds import KINDS, Kind
from filters.pii.pseudonym import KeyMissing, key_check, key_for
from filters.pii.scan import SPANS, find
from filters.pii.scrub import Scrubbed, counted, replaced, scrub, searched

__all__ = [
    "KINDS",
    "SPANS",
    "KeyMissing",
    "Kind",
    "Scrubbed",
    "counted",
    "find",
    "key_check",
    "key_for",
    "replaced",
    "scrub",
    "searched",
]
