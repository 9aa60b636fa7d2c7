"""Extraction in a child process that can be stopped: a page that hangs the parser costs one page.

A signal cannot interrupt libxml2, and a thread cannot be killed; a process can. The child lives for many
pages, so its cost is one copy of the text through a pipe. After a timeout or a death the child is
replaced before the next page. Whoever feeds a sandbox imports no extractor: only the child needs one.

A child can also be killed or stopped from outside (the kernel short of memory, a person), and then the page is not at
fault: a page whose child died, or was stopped without working, gets one more try with a new child.
"""

from __future__ import annotations

import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING, Any, Generic, TypeVar

import orjson
import psutil

from filters.extract.frames import HEADER
from filters.extract.interface import Extracted, Failure, extractor_name

if TYPE_CHECKING:
    from recipes.model import Extract

Key = TypeVar("Key")
MEMORY = 3 << 30  # address space, of which a third is libraries
RENEW_AFTER = 10_000  # pages; what a library hoards or a heap loses in gaps ends with its process
STARTING = 30  # seconds that a child may take to import its libraries: not the page's fault
TRIES = 2  # for a page whose child is lost: by its own fault it is lost again
GLANCE = 0.25  # seconds in which a child that is at work uses some processor time


class Sandbox(Generic[Key]):
    """One child process, started when first needed, and again after it had to be killed or is due for renewal."""

    def __init__(self, options: Extract, memory_bytes: int = MEMORY, factory: str | None = None) -> None:
        self.options = options
        self.command = [
            sys.executable,
            "-m",
            "filters.extract.worker",
            options.model_dump_json(),
            str(memory_bytes),
        ]
        self.command += [factory] if factory else []
        self.name = factory or extractor_name(options)
        self.child: subprocess.Popen[bytes] | None = None
        self.answered = 0  # pages that this child has answered
        self.ended = False

    def __enter__(self) -> Sandbox[Key]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child and wait for it."""
        if self.child is not None:
            self.child.kill()
            for pipe in (self.child.stdin, self.child.stdout):
                if pipe is not None:
                    pipe.close()
            self.child.wait()
            self.child = None

    def end(self) -> None:
        """Close for good: no page in hand starts another child."""
        self.ended = True
        self.close()

    def start(self) -> None:
        """Start the child now, so that it imports its libraries while its first page is still being read."""
        if self.child is None or self.child.poll() is not None:
            self.close()
            self.child, self.answered = self._start(), 0

    def extract(self, html: str) -> Extracted | Failure:
        """One page; its URL is not shown to the extractor, so text depends on bytes only."""
        data = html.encode("utf-8", "replace")
        if len(data) > self.options.max_bytes:
            return Failure("extract.too_large", f"The page has {len(data)} bytes, over the recipe's max_bytes.")
        return self._one(data)

    def extract_many(self, pages: Iterable[tuple[Key, str]]) -> Iterator[tuple[Key, Extracted | Failure]]:
        """Results in the order of `pages`."""
        for key, html in pages:
            yield key, self.extract(html)

    def _one(self, data: bytes) -> Extracted | Failure:
        """Send a page and await its answer; again, with a new child, if the first was lost through no fault of it."""
        for left in range(TRIES - 1, -1, -1):
            try:
                return self._answered(data)
            except TimeoutError:
                fault = Failure("extract.timeout", f"The extractor was stopped after {self.options.timeout_s:g} s.")
                again = left and not self._works()
            except (BrokenPipeError, EOFError):
                fault = Failure("extract.crash", "The extractor's process died on this page.")
                again = bool(left)
            self.close()
            if not again or self.ended:
                break
        return fault

    def _answered(self, data: bytes) -> Extracted | Failure:
        if self.answered >= RENEW_AFTER:
            self.close()
        self.start()
        if self.ended:  # meanwhile: the child just started is known to nobody else
            raise EOFError
        seconds = self.options.timeout_s + (0 if self.answered else STARTING)
        answer = self._exchange(data, time.monotonic() + seconds)
        self.answered += 1
        return _result(orjson.loads(answer))

    def _works(self) -> bool:
        """Whether the child, late with its answer, uses the processor; one that was stopped (SIGSTOP) does not."""
        try:
            child = psutil.Process(self.child.pid) if self.child is not None else None
            before = child.cpu_times() if child is not None else None
            time.sleep(GLANCE)
            return child is not None and child.cpu_times() != before
        except psutil.Error:  # it is gone
            return False

    def _start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0
        )

    def _exchange(self, data: bytes, deadline: float) -> bytes:
        assert self.child is not None
        assert self.child.stdin is not None
        assert self.child.stdout is not None
        _write(self.child.stdin, HEADER.pack(len(data)) + data, deadline)
        (size,) = HEADER.unpack(_read(self.child.stdout, HEADER.size, deadline))
        return _read(self.child.stdout, size, deadline)


def _write(pipe: IO[bytes], data: bytes, deadline: float) -> None:
    """Write all of `data` before the deadline (monotonic seconds)."""
    view = memoryview(data)
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_WRITE)
        while view:
            if not ready.select(max(deadline - time.monotonic(), 0)):
                raise TimeoutError
            view = view[pipe.write(view[:65_536]) :]


def _read(pipe: IO[bytes], size: int, deadline: float) -> bytes:
    """Read exactly `size` bytes before the deadline; EOFError if the child ended."""
    pieces: list[bytes] = []
    with selectors.DefaultSelector() as ready:
        ready.register(pipe, selectors.EVENT_READ)
        while size:
            if not ready.select(max(deadline - time.monotonic(), 0)):
                raise TimeoutError
            piece = pipe.read(min(size, 1 << 20))
            if not piece:
                raise EOFError
            pieces.append(piece)
            size -= len(piece)
    return b"".join(pieces)


def _result(answer: dict[str, Any]) -> Extracted | Failure:
    if "reason" in answer:
        return Failure(answer["reason"], answer["detail"])
    if not answer["text"].strip():
        return Failure("extract.empty", "The extractor found no main text.")
    return Extracted(**answer)
