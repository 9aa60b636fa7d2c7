"""The lock of a run on an object store: an object that only one can create, with a beat that shows its holder alive.

Created by a conditional PUT (If-None-Match: *; S3 since August 2024, MinIO, moto), so of two that begin at once one is
refused. Its holder writes it anew every few seconds. Whoever finds it there watches it: one whose beat does not change
is of a holder that died, and is taken over; so is one of a dead process of this machine, at once. Clocks are never
compared, since two machines' need not agree.

Traded away: a holder that sleeps for longer than PATIENCE loses its claim; it finds that out at its next beat, and
before it publishes, and stops. Where a store knows no conditional PUT (fsspec's other file systems), there is no lock.
"""

from __future__ import annotations

import json
import os
import socket
import threading
import time
import uuid
from typing import Any, NoReturn

import psutil

NAME = ".lock"
BEAT = 5.0  # seconds
PATIENCE = 30.0  # seconds without a beat after which a holder is taken for dead


class Claim:
    """Held while the block runs. ValueError if another holds it; `lost` is set if it was taken over meanwhile."""

    def __init__(self, system: Any, root: str) -> None:
        self.system, self.path = system, f"{root}/{NAME}"
        self.owner = {"host": socket.gethostname(), "pid": os.getpid(), "token": uuid.uuid4().hex}
        self.beats = 0
        self.conditional = "s3" in system.protocol
        self.lost, self.ended = threading.Event(), threading.Event()
        self.beater = threading.Thread(target=self._beat, daemon=True)

    def __enter__(self) -> Claim:
        if self.conditional:
            if not self._create():
                self._take_over()
            self.beater.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        if self.conditional:
            self.beater.join(BEAT)
            if self._mine():
                self.system.rm_file(self.path)

    def sure(self) -> None:
        """ValueError if the claim was lost, so that nothing more may be written."""
        if self.conditional and (self.lost.is_set() or not self._mine()):
            raise ValueError(f"{self.path} is another process's now, as this one did not answer for too long. Give the "
                             "same command again when that has ended.")  # fmt: skip

    def _beat(self) -> None:
        while not self.ended.wait(BEAT):
            try:
                if not self._mine():
                    self.lost.set()
                    return
                self.beats += 1
                self.system.pipe_file(self.path, self._told())
            except Exception:  # noqa: BLE001 - the store may answer again before anyone's patience ends
                continue

    def _told(self) -> bytes:
        return json.dumps({**self.owner, "beat": self.beats}).encode()

    def _create(self) -> bool:
        try:
            self.system.pipe_file(self.path, self._told(), mode="create")
        except FileExistsError:
            return False
        except OSError as error:
            if "PreconditionFailed" in str(error) or "pre-condition" in str(error):
                return False
            raise
        return True

    def _read(self) -> dict[str, Any]:
        try:
            found: dict[str, Any] = json.loads(self.system.cat_file(self.path))
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def _mine(self) -> bool:
        return self._read().get("token") == self.owner["token"]

    def _take_over(self) -> None:
        """Replace the claim of a holder that is dead; ValueError if it lives."""
        found = self._read()
        here = found.get("host") == self.owner["host"]
        dead = here and not psutil.pid_exists(int(found.get("pid", 0)))
        end = time.monotonic() + PATIENCE
        while found and not dead and time.monotonic() < end:
            time.sleep(0.5)
            if (now := self._read()) != found:
                self._refuse(now or found)
        if found:
            self.system.rm_file(self.path)
        if not self._create():  # another was waiting as well
            self._refuse(self._read())

    def _refuse(self, holder: dict[str, Any]) -> NoReturn:
        raise ValueError(
            f"{self.path} is held by process {holder.get('pid')} on {holder.get('host')}, which is at work. Wait for "
            "it, or choose another --out."
        )
