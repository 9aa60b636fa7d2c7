"""Which Beam runner does the work, and what every worker is told.

The embedded default is the runner inside Beam's Python SDK, with one operating-system process a worker.
It is named outright because the name `DirectRunner` first tries Prism, a Go program that it would download.
Any other name (FlinkRunner, SparkRunner, DataflowRunner...) is handed to Beam as it is, with its own flags.
"""

from __future__ import annotations

from collections.abc import Sequence

from apache_beam.options.pipeline_options import PipelineOptions

EMBEDDED = "apache_beam.runners.portability.fn_api_runner.FnApiRunner"


def beam_options(workers: int = 1, runner: str = "embedded", flags: Sequence[str] = ()) -> PipelineOptions:
    """Options for one Beam pipeline: `workers` processes on this machine, or another `runner` by name."""
    if workers < 1:
        raise ValueError(f"--workers {workers}: at least one worker is needed.")
    quiet = "--default_sdk_harness_log_level=ERROR"
    if runner not in ("embedded", "DirectRunner"):
        return PipelineOptions([f"--runner={runner}", f"--parallelism={workers}", quiet, *flags])
    mode = "in_memory" if workers == 1 else "multi_processing"
    return PipelineOptions(
        [
            f"--runner={EMBEDDED}",
            f"--direct_running_mode={mode}",
            f"--direct_num_workers={workers}",
            quiet,
            *flags,
        ]
    )
