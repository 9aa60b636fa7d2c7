"""datatrove's DocumentTokenizer on texts, timed as it runs itself: one task, token files written and shuffled.

python datatrove_tokens.py TOKENIZER.json FOLDER_OF_PARQUET OUT LIMIT       (columns id, text; LIMIT -1 is all)

Prints `STAGE tokens cpu SECONDS`, the processor time of the whole process from before the executor's start, and
`TOKENS N`. The end-of-text is DeepSeek's, put after each document as ours is.
"""

import os
import shutil
import sys
import time
from pathlib import Path

os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("RAYON_NUM_THREADS", "1")

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.tokens import DocumentTokenizer


def main(tokenizer, source, out, limit):
    """Run it once."""
    shutil.rmtree(out, ignore_errors=True)
    steps = [
        ParquetReader(source, text_key="text", id_key="id", limit=int(limit)),
        DocumentTokenizer(
            f"{out}/tokens", tokenizer_name_or_path=tokenizer, eos_token="<｜end▁of▁sentence｜>", seed=0,
            local_working_dir=f"{out}/work",
        ),
    ]  # fmt: skip
    began, spent = time.time(), time.process_time()
    LocalPipelineExecutor(steps, tasks=1, workers=1, logging_dir=f"{out}/log").run()
    print(f"STAGE tokens cpu {time.process_time() - spent:.2f} wall {time.time() - began:.2f}", flush=True)
    size = sum(file.stat().st_size for file in Path(out, "tokens").rglob("*.ds"))
    print(f"BYTES {size}", flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
