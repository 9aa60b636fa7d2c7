"""SIGTERM: the run abandons the parts it has in hand, says how to go on, and ends within some seconds, status 143.

A part is committed by a rename, so one that is abandoned leaves a temporary file and nothing else; there is nothing to
finish first. What can be slow is everything around it: a Beam thread in the middle of a long kernel, a server that does
not answer. So the ordinary way out, by an exception through Prefect (which then knows of it) and Beam, has a deadline,
after which the process just ends; its children end with it (`pipelines.forked`, `flows.server`).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

STATUS = 128 + signal.SIGTERM
GRACE = 5.0  # seconds for the ordinary way out
TOLD = b"winnow: Stopped. Give the same command again to go on where it stopped.\n"

_handlers: list[Callable[[int, FrameType | None], None]] = []  # of the block that runs, if one does


class Stopped(BaseException):
    """SIGTERM has come; no `except Exception` on the way keeps it."""


@contextmanager
def stoppable() -> Iterator[None]:
    """Answer SIGTERM while the block runs. In the main thread only, as is all that has to do with signals."""
    terminal, before = os.dup(2), signal.getsignal(signal.SIGTERM)  # the block may turn standard error elsewhere
    told = threading.Event()

    def end() -> None:
        if not told.is_set():
            told.set()
            os.write(terminal, TOLD)
        os._exit(STATUS)

    def stop(_number: int, _frame: FrameType | None) -> None:
        timer = threading.Timer(GRACE, end)
        timer.daemon = True
        timer.start()
        if "pipelines.extract" in sys.modules:  # threads that wait for a page are told at once that there will be none
            from pipelines.extract import close_sandboxes

            close_sandboxes()
        raise Stopped

    _handlers.append(stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    except BaseException as error:
        if not _by_signal(error):
            raise
        end()
    finally:
        _handlers.remove(stop)
        signal.signal(signal.SIGTERM, before)
        os.close(terminal)


def answer_again() -> None:
    """Inside a Prefect flow, which has put its own handler in place of ours: put ours back, until the flow ends."""
    if _handlers and threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _handlers[-1])


def _by_signal(error: BaseException | None) -> bool:
    """Whether SIGTERM is the cause: cleaning up after it may have failed in its turn."""
    while error is not None:
        if isinstance(error, Stopped):
            return True
        error = error.__context__
    return False
