"""Turns whatever went wrong into one sentence for the person at the terminal.

Beam wraps a worker's exception, with its whole traceback, into a RuntimeError's text; the sentence that the
failing code wrote is the last line of it that names an exception.
"""

from __future__ import annotations

import errno
import re

KNOWN = re.compile(r"^(?:[\w.]+\.)?(\w*(?:Error|Exception|Exit|Interrupt)): (.+)$")
SHORT = re.compile(r"^(?:[\w.]+\.)?(?:Arrow)?MemoryError\b", re.MULTILINE)  # as a worker's traceback ends
WHILE = re.compile(r"\s*\[while running '[^']*'\]")


def sentence(error: BaseException) -> str:
    """One line: what went wrong and, where it is known, how to mend it."""
    text = WHILE.sub("", str(error)).strip()
    if isinstance(error, RuntimeError) and "Traceback" in text:
        named = [m for m in (KNOWN.match(line.strip()) for line in text.splitlines()) if m]
        if named and not SHORT.search(text):
            text = named[-1].group(2)
    number = error.errno if isinstance(error, OSError) else None
    if number == errno.ENOSPC or "No space left on device" in text:
        return f"The disk is full ({text}). Free some space and give the same command: it goes on where it stopped."
    if number == errno.EACCES:
        return f"{text}. Check who may read and write there."
    if isinstance(error, MemoryError) or SHORT.search(text):
        return "Out of memory. Use fewer --workers or a smaller --part-bytes, and give the same command again."
    if isinstance(error, KeyboardInterrupt):
        return "Stopped. Give the same command again to go on where it stopped."
    return text.splitlines()[-1] if text else type(error).__name__


def is_passing(error: object) -> bool:
    """Whether trying again may help: not with wrong input or a full disk; with a lost worker, or a folder in use.

    >>> is_passing(ValueError("wrong")), is_passing(OSError(28, "No space left on device")), is_passing(OSError("I/O"))
    (False, False, True)
    """
    if type(error).__name__ == "BusyError":  # by name: this file is imported before anything heavy is
        return True
    final = (ValueError, FileNotFoundError, ModuleNotFoundError, KeyboardInterrupt)
    return "No space left on device" not in str(error) and not isinstance(error, final)
