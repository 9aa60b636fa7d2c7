"""A synthetic crawl with known truth: what tests, benchmarks and newcomers try Winnow on, at any size."""

from pipelines.sample.crawl import SampleSummary, write_sample
from pipelines.sample.opt_outs import write_opt_outs

__all__ = ["SampleSummary", "write_opt_outs", "write_sample"]
