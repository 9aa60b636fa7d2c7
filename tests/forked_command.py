"""The command line for tests: each call is a fork of one process that has imported what commands need.

A `winnow run` of a few pages spends more time on imports than on pages, and the suite makes many. A call is a process
of its own all the same, with its own working directory, streams and exit status. It waits for its threads and calls
its exit handlers as any interpreter does, but what it leaves in memory is not taken apart piece by piece: for all that
was imported, that took three seconds a call.
Traded away: a call shares what was imported with those before it, so tests of how a command starts, ends, is killed or
leaves processes behind start `python -m flows.cli` themselves; and several workers are forks of what was imported here,
not of what `pipelines.forked` names.

Told on standard input, a line of JSON a call: {"arguments", "folder", "out", "err", "more"}, the last to be added to the
environment; answered by the process's number and, when it has ended, its exit status.
"""

from __future__ import annotations

import atexit
import gc
import json
import os
import runpy
import socket
import sys
import threading
from importlib import import_module
from multiprocessing import connection, forkserver
from pathlib import Path
from typing import Any, NoReturn

IMPORTED = (
    "prefect.server.api.server",
    "flows.curate",
    "flows.commands.run",
    "pipelines.extract",
    "pipelines.rights",
    "pipelines.annotate",
    "pipelines.dedup",
    "pipelines.decide",
    "pipelines.scrub",
    "pipelines.tokenize",
    "stats.verify",
    "stats.report.write",
)
FORKS_WELL = "jemalloc_bg_thd"  # pyarrow's allocator holds its locks while a fork is made, and starts this anew


def main() -> None:
    """Fork for every line; a fork takes its arguments and goes on as the command."""
    from flows import settings

    settings.apply()
    for name in IMPORTED:
        import_module(name)
    use_once()
    threads = sorted((task / "comm").read_text().strip() for task in Path("/proc/self/task").iterdir())
    assert len([name for name in threads if name != FORKS_WELL]) == 1, (
        f"{threads}: a fork would take locks along that nobody lets go of"
    )
    gc.freeze()  # or calls would look through all that was imported, and copy the pages that hold it
    for line in iter(sys.stdin.readline, ""):
        call = json.loads(line)
        if call["arguments"][:1] == ["train"]:
            import_module("training.loop")  # PyTorch, which takes four seconds; most sessions train nothing
        child = os.fork()
        if child == 0:
            become(call)
            do()
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
    os._exit(0)


def use_once() -> None:
    """Measure a few words in several scripts, with numbers and addresses: what is compiled is then in memory, and so are
    the tables and the report's template; no call reads them from disk.
    """
    import pyarrow as pa

    from filters.annotate import Annotator, final_text
    from filters.pii import scrub
    from pipelines.code import code_version
    from pipelines.schemas import DOCUMENTS
    from recipes.load import load
    from stats.report.write import environment

    texts = [
        "The old town was fine. It was good.",
        "今天天气很好，我们去公园。",
        "先日、商標法違反の疑いで。",
        "สวัสดีครับ ผมชื่อ",
        "l'eau",
        "身份证 11010519491231002X，手机 13800138000，a.person@example.com, 4111 1111 1111 1111, +44 20 7946 0958, 10.0.0.1",
    ]
    rows = [{"doc_id": str(k), "text": text, "charset_from": "given"} for k, text in enumerate(texts)]
    given = {name: [row.get(name) for row in rows] for name in DOCUMENTS.names}
    columns = [pa.array(given[field.name], field.type) for field in DOCUMENTS]
    batch, recipe = pa.RecordBatch.from_arrays(columns, names=DOCUMENTS.names), load("zh-en-general")
    measured = Annotator([recipe])(batch)
    scrub(final_text(batch["text"], measured["lang"], recipe), recipe.scrub.policy)
    code_version()
    environment().get_template("report.html.j2")


def become(call: dict[str, Any]) -> None:
    """Take on a call's streams, folder, environment and arguments, in a session of its own."""
    os.setsid()
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(os.open(call["out"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 1)
    os.dup2(os.open(call["err"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC), 2)
    os.chdir(call["folder"])
    os.environ.update(call["more"])
    sys.argv[1:] = call["arguments"]
    if "--workers" in sys.argv[:-1] and sys.argv[sys.argv.index("--workers") + 1] != "1":
        serve_forks()


def serve_forks() -> None:
    """Have the server that this call's workers are forked from; it would import for four seconds what is here already."""
    watched, lifeline = os.pipe()
    with socket.socket(socket.AF_UNIX) as listening:
        address = connection.arbitrary_address("AF_UNIX")
        listening.bind(address)
        listening.listen()
        server = os.fork()
        if server == 0:
            os.close(lifeline)
            try:
                forkserver.main(listening.fileno(), watched, [])
            finally:
                os._exit(0)
    os.close(watched)
    made = forkserver._forkserver  # type: ignore[attr-defined]
    made._forkserver_address, made._forkserver_alive_fd, made._forkserver_pid = address, lifeline, server


def do() -> NoReturn:
    """Be the command, and end as the interpreter does: threads, exit handlers, streams; but leave memory as it is."""
    status: Any = None
    try:
        runpy.run_module("flows.cli", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code
    except BaseException:  # noqa: BLE001 - told as any interpreter tells it
        sys.excepthook(*sys.exc_info())
        status = 1
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else int(status is not None))


if __name__ == "__main__":
    main()
