"""A synthetic crawl with known truth: what tests, benchmarks and newcomers try Winnow on, at any size."""

from pipelines.sample.crawl import SampleSummary, write_sample

__all__ = ["SampleSummary", "write_sample"]
