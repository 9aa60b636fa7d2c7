"""Who may ask the explorer: a browser on this machine that was given the address, and no page of another site.

The server listens on 127.0.0.1 alone. That keeps other machines out, and no web page: any site may send requests to a
loopback address, or rebind its own name to one. So every request must name this very host and port (a rebound name is
another one), must carry the random token of the address, and must come from this origin where the browser says from
where; answers forbid frames, scripts and requests other than our own.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """ASGI middleware that answers for the app unless all of the above holds."""

    def __init__(self, app: ASGIApp, token: str, port: int) -> None:
        self.app, self.token = app, token
        self.hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on what may pass; 403 for another host or origin, 404 for another token."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        if scope["type"] != "http":
            return
        refused = self._refused(scope)
        if refused:
            await PlainTextResponse(refused[1], refused[0], HEADERS)(scope, receive, send)
            return

        async def hardened(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *((k.encode(), v.encode()) for k, v in HEADERS.items())]
            await send(message)

        await self.app(scope, receive, hardened)

    def _refused(self, scope: Scope) -> tuple[int, str] | None:
        hosts, origins = _named(scope["headers"], b"host"), _named(scope["headers"], b"origin")
        sites = _named(scope["headers"], b"sec-fetch-site")
        if len(hosts) != 1 or hosts[0] not in self.hosts:
            return 403, "This is not the host that the explorer was started for."
        wanted = [f"http://{hosts[0]}"]
        if (origins and origins != wanted) or (scope["method"] not in ("GET", "HEAD") and origins != wanted):
            return 403, "Requests of other sites are not answered."
        if any(site not in ("same-origin", "none") for site in sites):
            return 403, "Requests of other sites are not answered."
        given = scope["path"].split("/")[1]
        if not secrets.compare_digest(given.encode(), self.token.encode()):
            return 404, "Use the address that `winnow explore` printed: it has a token in it."
        return None


def _named(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in headers if key == name]
