"""Environment for Prefect, set before it is imported: offline, quiet, no telemetry.

Everything is a default: what the user has set (PREFECT_API_URL for a real server, a log level) stays.
"""

from __future__ import annotations

import gc
import logging
import os

OFFLINE = {
    "DO_NOT_TRACK": "1",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_CLOUD_ENABLE_ORCHESTRATION_TELEMETRY": "false",
}
DEFAULTS = {
    **OFFLINE,
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "90",
    "PREFECT_LOGGING_LEVEL": "CRITICAL",  # faults reach the user as one sentence from the command line
    "PREFECT_LOGGING_TO_API_ENABLED": "false",
    "PREFECT_RESULTS_PERSIST_BY_DEFAULT": "false",  # the run's own parts are the results
    "PREFECT_SERVER_LOGGING_LEVEL": "CRITICAL",
}

# Imports make a million containers and no garbage; looking for some after every 700 takes a sixth of their time.
COLLECT_AFTER = (100_000, 20, 100)


def apply() -> None:
    """Set every default that the environment does not set already."""
    gc.set_threshold(*COLLECT_AFTER)
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)
    logging.getLogger().setLevel(logging.ERROR)  # Beam warns of a missing Google client while it is imported
