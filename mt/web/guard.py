"""What stands before the service: who may ask, how much, and what a browser may do with the answers."""

import json
import secrets
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Receive, Send], Awaitable[None]]

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
MOST_BYTES = 1 << 20
"""Of a request."""
POLICY = "content-security-policy"
HEADERS = {
    POLICY: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}
"""Of every answer. A page may load what comes from here, and nothing else; nobody may frame it."""
REPORT = "/report"
REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Of a report, which has no script, and whose own policy names its only style."""
PAGE, FILES = "/", "/static/"
"""They need no token: the page asks for it, and holds nothing of any run."""


@dataclass(frozen=True)
class Guard:
    """Refuses what may not be asked, before anything reads it.

    A page of another site can make a browser ask this machine: by its own name for it, which the header Host tells (DNS
    rebinding), or by this one, which Origin tells (CSRF). Both must be among `hosts`.
    """

    app: App
    hosts: frozenset[str] = LOOPBACK
    token: str | None = None
    """What an Authorization header must bear. None: nothing, for who asks from this machine."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_guarded(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message.get("headers", []) if name.decode() not in HEADERS]
                own = HEADERS | ({POLICY: REPORT_POLICY} if scope["path"] == REPORT else {})
                message["headers"] = kept + [(name.encode(), value.encode()) for name, value in own.items()]
            await send(message)

        headers = {name.decode("latin1").lower(): value.decode("latin1") for name, value in scope["headers"]}
        if refusal := self._refuse(scope["path"], headers):
            await _fail(send_guarded, *refusal)
            return
        body = await _read(receive)
        if body is None:
            await _fail(send_guarded, 413, f"a request has at most {MOST_BYTES:,} bytes")
            return
        await self.app(scope, _once(body, receive), send_guarded)

    def _refuse(self, path: str, headers: MutableMapping[str, str]) -> tuple[int, str] | None:
        """Return the status and the reason where this may not be asked."""
        if _host(f"//{headers.get('host', '')}") not in self.hosts:
            return 403, "this name of the host is not served: use the address that `mt serve` has printed"
        if "origin" in headers and _host(headers["origin"]) not in self.hosts:
            return 403, "a page of another site may not ask"
        length = headers.get("content-length", "0")
        if not length.isascii() or not length.isdigit() or len(length) > 20 or int(length) > MOST_BYTES:
            return 413, f"a request has at most {MOST_BYTES:,} bytes"
        if path == PAGE or path.startswith(FILES):
            return None
        wanted = f"Bearer {self.token}".encode()
        if self.token and not secrets.compare_digest(headers.get("authorization", "").encode(), wanted):
            return 401, "a token is needed: send the header `Authorization: Bearer TOKEN`"
        return None


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:
        return None


async def _read(receive: Receive) -> bytes | None:
    """Return the body of a request; None where it is too long."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if len(body) > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return body


def _once(body: bytes, receive: Receive) -> Receive:
    """Return what gives the body again, and then what else comes: that the client has gone."""
    given = False

    async def again() -> MutableMapping[str, Any]:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


async def _fail(send: Send, status: int, error: str) -> None:
    body = json.dumps({"error": error}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
