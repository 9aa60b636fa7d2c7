"""Winnow's own extraction by a plain loop over two threads: the same parts, sandboxes and files, no Beam, no Prefect.

python benchmarks/own_loop.py CRAWL.warc.gz [WORKERS]   prints a JSON line: records, seconds of the loop

What `winnow run` costs beyond this is what Beam and Prefect cost; what this costs beyond `benchmarks/bare_loop.py`
is what Winnow does with a page besides extracting it. So that not even importing Beam is counted here, its file
systems are stood in for by the few calls that the stage makes, on local files.
"""

from __future__ import annotations

import glob
import json
import os
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from types import ModuleType, SimpleNamespace
from typing import Any


class LocalFiles:
    """The calls of Beam's FileSystems that extraction makes, on a local disk."""

    exists = staticmethod(os.path.exists)
    join = staticmethod(os.path.join)
    split = staticmethod(os.path.split)

    @staticmethod
    def open(path: str, **_: Any) -> Any:
        """The file, to read."""
        return open(path, "rb")  # noqa: PTH123

    @staticmethod
    def create(path: str, **_: Any) -> Any:
        """The file, to write."""
        return open(path, "wb")  # noqa: PTH123

    @staticmethod
    def match(patterns: list[str]) -> list[Any]:
        """What the patterns find, with sizes."""
        found = [sorted(glob.glob(pattern)) for pattern in patterns]  # noqa: PTH207
        sized = [[SimpleNamespace(path=p, size_in_bytes=os.path.getsize(p)) for p in paths] for paths in found]  # noqa: PTH202
        return [SimpleNamespace(metadata_list=one) for one in sized]


def without_beam() -> None:
    """Put stand-ins where Beam's modules would be imported from."""
    names = ("", ".io", ".io.filesystem", ".io.filesystems", ".options", ".options.pipeline_options")
    modules = {f"apache_beam{name}": ModuleType(f"apache_beam{name}") for name in names}
    vars(modules["apache_beam.io.filesystem"])["CompressionTypes"] = SimpleNamespace(UNCOMPRESSED=None)
    vars(modules["apache_beam.io.filesystems"])["FileSystems"] = LocalFiles
    vars(modules["apache_beam.options.pipeline_options"]).update(PipelineOptions=object, DirectOptions=object)
    sys.modules.update(modules)


def main(crawl: str, workers: int) -> None:
    """Plan the crawl, extract every part, and say how many records there were."""
    without_beam()
    from pipelines.extract import close_sandboxes, extract_part, sandboxes
    from pipelines.sources import plan
    from recipes.load import load

    choices = load("zh-en-general").extract
    with tempfile.TemporaryDirectory() as run, ThreadPoolExecutor(workers) as threads:
        sandboxes(choices, workers)
        began = time.perf_counter()
        made = [threads.submit(extract_part, part, run, choices, workers) for part in plan([crawl], None)]
        records = sum(one.result()["records"] for one in made)
        seconds = time.perf_counter() - began
        close_sandboxes()
    print(json.dumps({"records": records, "seconds": round(seconds, 3)}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 2)
