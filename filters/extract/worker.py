"""The sandbox's child: reads HTML frames, writes result frames, ends when its parent's pipe does.

Run as `python -m filters.extract.worker OPTIONS_JSON MEMORY_BYTES [FACTORY]`; FACTORY is "module:name" of a
function from options to an Extractor, for extractors of one's own.
"""

from __future__ import annotations

import importlib
import logging
import os
import resource
import sys
from collections.abc import Callable
from dataclasses import asdict

import orjson

from filters.extract.frames import receive, send
from filters.extract.interface import Extractor
from recipes.model import Extract


def serve(extractor: Extractor) -> None:
    """Answer every page with its result, or with the reason why there is none."""
    pages, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not end up among the answers
    while (page := receive(pages)) is not None:
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
        send(answers, orjson.dumps(result))


def main(arguments: list[str]) -> None:
    """Set limits, make the extractor, serve."""
    options, memory = Extract.model_validate_json(arguments[0]), int(arguments[1])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    logging.disable(logging.CRITICAL)
    module, _, name = (arguments[2] if len(arguments) > 2 else "filters.extract.libraries:make_extractor").partition(
        ":"
    )
    factory: Callable[[Extract], Extractor] = getattr(importlib.import_module(module), name)
    serve(factory(options))


if __name__ == "__main__":
    main(sys.argv[1:])
