"""Prefect's server as `winnow serve` runs it: on loopback, and with two faults of Prefect 3.8 mended.

`python -m flows.deployed.server PORT`. Both come of libraries newer than Prefect was tried with. Its client writes null
for a limit, an offset or an order that was not given; FastAPI took that for "not given" until it began to validate it,
and the server now answers 422, also to `prefect deploy` after its first deployment. Such nulls are left out here before
the server sees them. And SQLAlchemy 2.1 refuses an insert of many rows that sets a hybrid attribute, which 2.0 passed
over: so no scheduled run was ever made. Here it is passed over again; the scheduler writes states by themselves.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
NOT_GIVEN = ("limit", "offset", "sort")
MOST_BYTES = 1 << 20  # no filter is longer; what is goes through as it is


class NullsLeftOut:
    """ASGI middleware: a filter's null limit, offset and sort are as if they had not been written."""

    def __init__(self, app: Callable[[Message, Receive, Send], Awaitable[None]]) -> None:
        self.app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass everything on, filters without nulls."""
        if scope["type"] != "http" or scope["method"] != "POST" or not scope["path"].endswith("/filter"):
            await self.app(scope, receive, send)
            return
        body, more = b"", True
        while more and len(body) <= MOST_BYTES:
            message = await receive()
            if message["type"] != "http.request":
                return  # the client has gone
            body, more = body + message.get("body", b""), message.get("more_body", False)
        body = body if more else without_nulls(body)
        headers = [(name, value) for name, value in scope["headers"] if name != b"content-length"]
        if not more:
            headers.append((b"content-length", str(len(body)).encode()))
        first: list[Message] = [{"type": "http.request", "body": body, "more_body": more}]

        async def again() -> Message:
            return first.pop() if first else await receive()

        await self.app({**scope, "headers": headers}, again, send)


def without_nulls(body: bytes) -> bytes:
    """A JSON object without the keys that stand for "not given"; anything else as it is.

    >>> without_nulls(b'{"limit": null, "sort": null, "workers": null}')
    b'{"workers": null}'
    """
    try:
        given = json.loads(body)
    except ValueError:  # the server says what is wrong with it
        return body
    if not isinstance(given, dict):
        return body
    return json.dumps(
        {key: value for key, value in given.items() if value is not None or key not in NOT_GIVEN}
    ).encode()


def pass_state_over() -> None:
    """Let inserts of many flow runs carry the key `state`, which is no column, without a meaning."""
    from prefect.server.database.orm_models import FlowRun
    from sqlalchemy import inspect

    hybrid = inspect(FlowRun).all_orm_descriptors["state"]
    if hasattr(hybrid, "bulk_dml_setter"):  # SQLAlchemy 2.1 and later
        hybrid.bulk_dml_setter = lambda _cls, _row, _value: None


def main(port: int) -> None:
    """Serve until SIGTERM."""
    import uvicorn
    from prefect.server.api.server import create_app

    pass_state_over()
    app = NullsLeftOut(create_app(final=True))
    uvicorn.run(
        app, host="127.0.0.1", port=port, log_level="warning", timeout_keep_alive=5, timeout_graceful_shutdown=3
    )


if __name__ == "__main__":
    main(int(sys.argv[1]))
