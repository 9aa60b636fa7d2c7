"""Worker processes that are forked from one that has imported what they need.

Beam's embedded runner starts a fresh interpreter for every worker of every pipeline, and each spends seconds on the
same imports: a run of five jobs with two workers imported Beam ten times over. Here the standard library's fork server
imports once, and a worker is a fork of it; to Beam it is one more environment, with Beam's own harness inside. The fork
server has a single thread, so no lock is forked while it is held.

Traded away: this leans on names of Beam that are not documented (environments and handlers register themselves by
URN); a worker's standard streams are the command's own.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Iterable, Mapping
from typing import Any

from apache_beam.options.pipeline_options import DirectOptions, PipelineOptions
from apache_beam.portability.api import beam_fn_api_pb2, endpoints_pb2
from apache_beam.runners.portability.fn_api_runner import worker_handlers
from apache_beam.runners.portability.fn_api_runner.fn_runner import FnApiRunner
from apache_beam.transforms import environments
from google.protobuf import json_format, text_format

URN = "winnow:env:forked:v1"
IMPORTED = (
    "pipelines.beam",
    "apache_beam.runners.worker.sdk_worker_main",
    "pipelines.annotate",
    "pipelines.scrub",
    "pipelines.shuffle",
)
PATIENCE = 10  # seconds a worker may take to end by itself once its pipeline has

FORKS_LOST = 255  # what multiprocessing calls the status of a process whose fork server is gone
PARENT_DEATH = 1  # PR_SET_PDEATHSIG of prctl(2)

LOST: list[str] = []  # what became of workers of the pipeline that runs; there is one at a time

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(list(IMPORTED))


@environments.Environment.register_urn(URN, bytes)
class ForkedEnvironment(environments.Environment):
    """Names this module's workers in a pipeline; it has no settings."""

    def to_runner_api_parameter(self, context: Any) -> tuple[str, bytes]:
        """The URN and an empty payload."""
        return URN, b""

    @staticmethod
    def from_runner_api_parameter(
        payload: bytes, capabilities: Iterable[str], artifacts: Iterable[Any], hints: Mapping[str, bytes], context: Any
    ) -> ForkedEnvironment:
        """The environment that a pipeline names."""
        return ForkedEnvironment(capabilities, artifacts, hints)


@worker_handlers.WorkerHandler.register_environment(URN, bytes)
class ForkedHandler(worker_handlers.GrpcWorkerHandler):  # type: ignore[misc]
    """One worker: a fork in which Beam's harness talks to the runner over gRPC on loopback."""

    def __init__(self, payload: bytes, state: Any, provision_info: Any, grpc_server: Any) -> None:
        super().__init__(state, provision_info, grpc_server)

    def start_worker(self) -> None:
        """Fork, and tell the harness where the runner listens."""
        control = endpoints_pb2.ApiServiceDescriptor(url=self.control_address)
        told = {
            "CONTROL_API_SERVICE_DESCRIPTOR": text_format.MessageToString(control),
            "LOGGING_API_SERVICE_DESCRIPTOR": text_format.MessageToString(self.logging_api_service_descriptor()),
            "PIPELINE_OPTIONS": json_format.MessageToJson(self.provision_info.provision_info.pipeline_options),
            "WORKER_ID": self.worker_id,
        }
        self.worker = _forks.Process(target=serve, args=(told,), name=f"winnow-{self.worker_id}")
        self.worker.start()
        self.stopping, self.killed = threading.Event(), False
        self.watcher = threading.Thread(target=self._watch, name=f"watch-{self.worker_id}", daemon=True)
        self.watcher.start()

    def stop_worker(self) -> None:
        """Wait for the worker, which ends when its control connection does; one that does not is killed."""
        self.stopping.set()
        told_to_stop = not isinstance(
            sys.exception(), Exception | None
        )  # Ctrl-C or SIGTERM: what is in hand is dropped
        self.watcher.join(0 if told_to_stop else PATIENCE)
        if self.watcher.is_alive():
            self.killed = True
            self.worker.kill()
            self.watcher.join()

    def _watch(self) -> None:
        """Answer for a worker that has died, in place of which Beam would wait for ever."""
        self.worker.join()
        fault = (
            f"A worker process was lost, with exit status {self.worker.exitcode}: killed, or out of memory? Give the "
            "same command again to go on; if memory is short, with fewer --workers."
        )
        by_signal = (self.worker.exitcode or 0) < 0 or self.worker.exitcode == FORKS_LOST
        if by_signal and not self.killed:  # and not from here
            LOST.append(fault)
        while not self.stopping.wait(0.1):
            for asked in list(self.control_conn._futures_by_id.values()):
                if not asked.is_done():
                    asked.set(beam_fn_api_pb2.InstructionResponse(instruction_id=asked.instruction_id, error=fault))


def serve(told: Mapping[str, str]) -> None:
    """What a fork does: be Beam's harness until the runner hangs up, or the command or the fork server is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PARENT_DEATH, signal.SIGKILL)  # of the fork server
    threading.Thread(target=_end_with_the_command, daemon=True).start()
    from apache_beam.runners.worker import sdk_worker_main

    os.environ.update(told)
    sdk_worker_main.main([])


def _end_with_the_command() -> None:
    """A harness whose runner was killed can wait for ever, and the fork server waits for its forks."""
    command = multiprocessing.parent_process()
    if command is not None:
        command.join()
        os._exit(1)


class ForkedRunner(FnApiRunner):  # type: ignore[misc]
    """Beam's embedded runner, with forks where it would start interpreters."""

    def run_pipeline(self, pipeline: Any, options: PipelineOptions) -> Any:
        """Run as the embedded runner does."""
        direct = options.view_as(DirectOptions)
        if direct.direct_running_mode != "multi_processing":
            return super().run_pipeline(pipeline, options)
        self._default_environment = ForkedEnvironment(environments.python_sdk_capabilities(), ())
        direct.direct_running_mode = None  # or the embedded runner would put its own environment in place of this one
        LOST.clear()
        try:
            return super().run_pipeline(pipeline, options)
        except Exception as error:
            if LOST:  # what Beam raises then depends on what it was waiting for
                raise RuntimeError(LOST[0]) from error
            raise
        finally:
            direct.direct_running_mode = "multi_processing"
