"""The sandbox's child: reads HTML frames, writes result frames, ends when its parent's pipe does.

Run as `python -m filters.extract.worker OPTIONS_JSON MEMORY_BYTES [FACTORY]`; FACTORY is "module:name" of a
function from options to an Extractor, for extractors of one's own. There is one child a worker, and a new one after
each page that had to be stopped: so it imports little, and neither Arrow nor pydantic.
"""

from __future__ import annotations

import gc
import logging
import os
import pkgutil
import resource
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import orjson

from filters.extract.frames import receive, send
from filters.extract.interface import Extractor

if TYPE_CHECKING:
    from recipes.model import Extract

SHIPPED = "filters.extract.interface:make_extractor"
# A parsed page makes tens of thousands of containers and next to no cycles, so looking for cycles after every 700 of
# them is work for nothing. Caches are emptied, and everything is collected, every few hundred pages all the same.
COLLECT_AFTER = (20_000, 20, 100)
SPARE = 60  # seconds past its time after which a page ends its process, in case nobody is left to do that


def serve(extractor: Extractor, seconds: float) -> None:
    """Answer every page with its result, or with the reason why there is none.

    A page may take `seconds`; the parent sees to that. If the parent has been killed meanwhile, the alarm does: its
    signal ends the process even while a library loops.
    """
    pages, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up among the answers
    while (page := receive(pages)) is not None:
        signal.setitimer(signal.ITIMER_REAL, seconds + SPARE)
        try:
            result = asdict(extractor.extract(page.decode("utf-8", "replace")))
            result["text"] = result["text"].encode("utf-8", "replace").decode()
        except MemoryError:
            result = {"reason": "extract.memory", "detail": "The extractor ran out of memory on this page."}
        except Exception as error:  # noqa: BLE001 - the process boundary: a page's fault becomes its reason
            result = {
                "reason": "extract.crash",
                "detail": f"The extractor failed with {type(error).__name__}.",
            }
        signal.setitimer(signal.ITIMER_REAL, 0)
        send(answers, orjson.dumps(result))


def main(arguments: list[str]) -> None:
    """Set limits, make the extractor, serve."""
    gc.set_threshold(*COLLECT_AFTER)
    memory = int(arguments[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    logging.disable(logging.CRITICAL)
    # The recipe's model checked them before they were sent; here they need only be read.
    options = cast("Extract", SimpleNamespace(**orjson.loads(arguments[0])))
    factory: Callable[[Extract], Extractor] = pkgutil.resolve_name(arguments[2] if len(arguments) > 2 else SHIPPED)
    extractor = factory(options)
    gc.collect()
    gc.freeze()  # what was imported is never garbage
    serve(extractor, options.timeout_s)


if __name__ == "__main__":
    main(sys.argv[1:])
