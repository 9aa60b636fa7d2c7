"""Sandboxes that several readers share: pages go to whichever is free, results come back in each reader's order.

A reader is a few pages ahead of its results, so a sandbox finds its next page waiting instead of idling while the
reader decodes; and towards the end of a crawl, when one reader has work left and the other has none, both sandboxes
do it. Traded away: the pages ahead are held in memory, a few of them and not more than some tens of megabytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from filters.extract.interface import Extracted, Failure
from filters.extract.sandbox import MEMORY, Sandbox

if TYPE_CHECKING:
    from recipes.model import Extract

Key = TypeVar("Key")
AHEAD_CHARS = 16 << 20  # of all pages ahead of a reader; one larger page travels alone


class SandboxPool(Generic[Key]):
    """`size` sandboxes, started at once; close it, or they live until this process ends."""

    def __init__(self, options: Extract, size: int = 1, memory_bytes: int = MEMORY, factory: str | None = None) -> None:
        self.sandboxes: list[Sandbox[None]] = [Sandbox(options, memory_bytes, factory) for _ in range(size)]
        self.name = self.sandboxes[0].name
        self.free: SimpleQueue[Sandbox[None]] = SimpleQueue()
        self.threads = ThreadPoolExecutor(size, thread_name_prefix="sandbox")
        self.closed = False
        for sandbox in self.sandboxes:
            sandbox.start()
            self.free.put(sandbox)

    def close(self) -> None:
        """Kill the children; whoever still awaits a result gets an exception."""
        self.closed = True
        self.threads.shutdown(wait=False, cancel_futures=True)
        for sandbox in self.sandboxes:
            sandbox.end()

    def extract_many(self, pages: Iterable[tuple[Key, str | None]]) -> Iterator[tuple[Key, Extracted | Failure | None]]:
        """Results in the order of `pages`, of which a few are read before the first result is given.

        What has no HTML keeps its place among the others, with None for a result.
        """
        waiting: deque[tuple[Key, int, Future[Extracted | Failure] | None]] = deque()
        held = 0
        try:
            for key, html in pages:
                if html is None and not waiting:
                    yield key, None
                    continue
                waiting.append((key, len(html or ""), None if html is None else self.threads.submit(self._one, html)))
                held += waiting[-1][1]
                while len(waiting) > len(self.sandboxes) + 1 or (waiting and held > AHEAD_CHARS):
                    key_done, size, result = waiting.popleft()
                    held -= size
                    yield key_done, None if result is None else result.result()
            for key_done, _, result in waiting:
                yield key_done, None if result is None else result.result()
        finally:
            for _, _, result in waiting:
                if result is not None:
                    result.cancel()

    def _one(self, html: str) -> Extracted | Failure:
        sandbox = self.free.get()
        try:
            result = sandbox.extract(html)
            if self.closed:  # the child was killed, and not by its page
                raise RuntimeError("The extractors were closed while a page was being extracted.")
            return result
        finally:
            self.free.put(sandbox)
