"""Extraction in a child process that can be stopped: a page that hangs the parser costs one page.

A signal cannot interrupt libxml2, and a thread cannot be killed; a process can. The child lives for many
pages, so its cost is one copy of the text through a pipe. After a timeout or a death the child is
replaced before the next page.
"""

from __future__ import annotations

import selectors
import subprocess
import sys
import time
from collections.abc import Iterable, Iterator
from typing import IO, Any, Generic, TypeVar

import orjson

from filters.extract.frames import HEADER
from filters.extract.interface import Extracted, Failure
from filters.extract.libraries import make_extractor
from recipes.model import Extract

Key = TypeVar("Key")
MEMORY = 3 << 30  # address space, of which a third is libraries


class Sandbox(Generic[Key]):
    """One child process, started when first needed and again after it had to be killed."""

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
        self.name = factory or make_extractor(options).name
        self.child: subprocess.Popen[bytes] | None = None

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

    def extract(self, html: str) -> Extracted | Failure:
        """One page."""
        return next(result for _, result in self.extract_many([(None, html, None)]))  # type: ignore[list-item]

    def extract_many(self, pages: Iterable[tuple[Key, str, str | None]]) -> Iterator[tuple[Key, Extracted | Failure]]:
        """Results in the order of `pages`; the URL is not shown to the extractor, so text depends on bytes only."""
        for key, html, _ in pages:
            data = html.encode("utf-8", "replace")
            if len(data) > self.options.max_bytes:
                detail = f"The page has {len(data)} bytes, over the recipe's max_bytes."
                yield key, Failure("extract.too_large", detail)
            else:
                yield key, self._one(data)

    def _one(self, data: bytes) -> Extracted | Failure:
        """Send a page and await its answer; a child that was already dead is replaced once."""
        deadline = time.monotonic() + self.options.timeout_s
        try:
            if self.child is None or self.child.poll() is not None:
                self.close()
                self.child = self._start()
                deadline = time.monotonic() + self.options.timeout_s + 30  # importing libraries is not the page's fault
            answer = self._exchange(data, deadline)
        except TimeoutError:
            self.close()
            return Failure("extract.timeout", f"The extractor was stopped after {self.options.timeout_s:g} s.")
        except (BrokenPipeError, EOFError):
            self.close()
            return Failure("extract.crash", "The extractor's process died on this page.")
        return _result(orjson.loads(answer))

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
