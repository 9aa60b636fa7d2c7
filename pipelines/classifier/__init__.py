"""Training a text classifier from two heaps of texts, and judging one on labelled texts.

It is a job, so it lives with the jobs: it reads data sets and writes one, and knows neither a run nor Prefect. It does
not use Beam, as its examples fit in memory; what it makes is loaded by `filters.scores`.
"""

from pipelines.classifier.evaluate import evaluate
from pipelines.classifier.options import Training
from pipelines.classifier.train import train

__all__ = ["Training", "evaluate", "train"]
