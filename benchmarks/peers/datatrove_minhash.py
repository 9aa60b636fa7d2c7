"""Pairs of texts that meet in a bucket of datatrove's MinHash, run by the interpreter of datatrove's environment.

python datatrove_minhash.py TEXTS.json BUCKETS ROWS SEED...      -> JSON lines on stdout, one list of pairs a seed

TEXTS.json is a list of texts. Shingles and signatures are made by datatrove's own signature step (5 words, English, its
default normalisation and hash); two texts meet if all rows of a bucket are equal, as its bucket step finds them.
"""

import json
import sys
import tempfile
from collections import defaultdict
from itertools import combinations
from pathlib import Path

from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature


def main(path, buckets, rows, *seeds):
    """Print the pairs of every seed."""
    texts = json.loads(Path(path).read_text("utf-8"))
    shingles = None
    for seed in seeds:
        config = MinhashConfig(n_grams=5, num_buckets=int(buckets), hashes_per_bucket=int(rows), seed=int(seed))
        step = MinhashDedupSignature(tempfile.mkdtemp(), config)
        if shingles is None:
            shingles = [step.get_shingles(text) for text in texts]
        met = defaultdict(list)
        for k, one in enumerate(shingles):
            if one.size:
                for bucket, signature in enumerate(step.get_signature(one)):
                    met[bucket, tuple(signature)].append(k)
        print(json.dumps(sorted({pair for members in met.values() for pair in combinations(members, 2)})), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
