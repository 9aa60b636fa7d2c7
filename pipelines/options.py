"""Which Beam runner does the work, and what every worker is told.

The embedded default is the runner inside Beam's Python SDK, with one operating-system process a worker
(`pipelines.forked`).
It is named outright because the name `DirectRunner` first tries Prism, a Go program that it would download.
Any other name (FlinkRunner, SparkRunner, DataflowRunner...) is handed to Beam as it is, with its own flags.
"""

from __future__ import annotations

from collections.abc import Sequence

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions

import pipelines.asked_once  # noqa: F401 - before any pipeline is made

# Extraction burns its time in one sandbox process a worker; the worker itself needs about 7 % of a core. Threads
# are enough to keep so many sandboxes busy, and start at once.
MOST_THREADS = 8
EMBEDDED = "pipelines.forked.ForkedRunner"


def beam_options(
    workers: int = 1, runner: str = "embedded", flags: Sequence[str] = (), threads: bool = False
) -> PipelineOptions:
    """Options for one Beam pipeline: `workers` processes on this machine, or another `runner` by name.

    `threads` says that threads can be the job's workers, since its work is done by processes of its own or by kernels
    that let go of the interpreter's lock.
    """
    if workers < 1:
        raise ValueError(f"--workers {workers}: at least one worker is needed.")
    quiet = "--default_sdk_harness_log_level=ERROR"
    if runner not in ("embedded", "DirectRunner"):
        return PipelineOptions([f"--runner={runner}", f"--parallelism={workers}", quiet, *flags])
    several = "multi_threading" if threads and workers <= MOST_THREADS else "multi_processing"
    mode = "in_memory" if workers == 1 else several
    return PipelineOptions(
        [
            f"--runner={EMBEDDED}",
            f"--direct_running_mode={mode}",
            f"--direct_num_workers={workers}",
            quiet,
            *flags,
        ]
    )


def fitting(options: PipelineOptions, elements: int) -> PipelineOptions:
    """The same options with no more workers than there are elements: each process takes seconds to import what it
    needs, and a single element is worked on in the command's own process.

    >>> fitting(beam_options(4), 2).view_as(DirectOptions).direct_num_workers
    2
    >>> fitting(beam_options(4), 1).view_as(DirectOptions).direct_running_mode
    'in_memory'
    """
    given = options.view_as(DirectOptions)
    if given.direct_num_workers <= max(elements, 1):  # a runner that is not embedded has one here, and decides itself
        return options
    mode = given.direct_running_mode if elements > 1 else "in_memory"
    fewer = {"direct_num_workers": max(elements, 1), "direct_running_mode": mode}
    return PipelineOptions.from_dictionary({**options.get_all_options(drop_default=True), **fewer})


def sandboxes_shared(options: PipelineOptions) -> int:
    """How many sandboxes the threads of one process share; 0 where each thread is to have one of its own."""
    direct = options.view_as(DirectOptions)
    return direct.direct_num_workers if direct.direct_running_mode == "multi_threading" else 0
