"""Who may ask: a token, known hosts, no foreign pages, bounded requests, and strict headers.

Every request passes `Gate`. The token comes once by the link that is printed at the start, and then
by a cookie, or as `Authorization: Bearer` from programs. `Host` must be one of ours, or a foreign
name could be bound to our address (DNS rebinding). What changes something, and every websocket,
must come from our own pages by `Origin`, or a foreign page could ask in the user's name.
"""

import hmac
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field

from starlette.datastructures import Headers
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; "
    "connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-src 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cache-Control": "no-store",
}
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
QUESTIONS = "/api/ask/"
"""What is asked by POST below this path changes nothing."""
UPLOADS = "/api/uploads/"
MOST_BYTES = 2 * 2**20
MOST_UPLOAD_BYTES = 8 * 2**30
_ENTER = "/enter"
_MOST_COOKIES = 8
_ONCE = ("host", "origin", "authorization", "content-length")
"""Headers of which two would leave open which one counts."""


@dataclass(frozen=True)
class Access:
    """The rules of one server."""

    port: int
    hosts: tuple[str, ...] = ("127.0.0.1", "localhost", "[::1]")
    is_read_only: bool = False
    token: str = field(default_factory=lambda: secrets.token_urlsafe(32), repr=False)

    @property
    def cookie(self) -> str:
        """Its name; cookies know no port, and two servers must not take each other's."""
        return f"icelens-{self.port}"

    @property
    def names(self) -> frozenset[str]:
        """What `Host` may say."""
        with_port = {f"{host}:{self.port}" for host in self.hosts}
        return frozenset(with_port | (set(self.hosts) if self.port == 80 else set()))

    def link(self, host: str) -> str:
        """What the user opens first."""
        return f"http://{host}:{self.port}{_ENTER}?token={self.token}"

    def knows(self, text: str) -> bool:
        """Whether a token is right; takes as long for any wrong one."""
        return hmac.compare_digest(text.encode(), self.token.encode())


class Gate:
    """Lets through what may pass, and puts the headers on every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        """Stand before an app."""
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or pass it on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        refusal = self._refusal(scope, Headers(scope=scope))
        if scope["type"] == "websocket":
            if refusal is not None:
                await send({"type": "websocket.close", "code": 1008})
                return
            await self._app(scope, receive, send)
            return
        sending = _with_headers(send)
        if refusal is not None:
            await refusal(scope, receive, sending)
            return
        most = MOST_UPLOAD_BYTES if scope["path"].startswith(UPLOADS) else MOST_BYTES
        await _Bounded(self._app, most)(scope, receive, sending)

    def _refusal(self, scope: Scope, headers: Headers) -> Response | None:
        """Why a request may not pass; None if it may."""
        path = scope["path"]
        if any(len(headers.getlist(name)) > 1 for name in _ONCE):
            return _refused(path, 400, "a header that may be given once came twice")
        if headers.get("host", "") not in self._access.names:
            return _refused(path, 421, "unknown host name; open the link printed at the start")
        if path == _ENTER:
            return self._enter(scope)
        if not self._has_token(headers):
            return _refused(path, 401, "no access; open the link that icelens serve printed")
        is_change = scope["type"] == "websocket" or scope["method"] not in SAFE_METHODS
        if is_change and not self._is_ours(headers, is_socket=scope["type"] == "websocket"):
            return _refused(path, 403, "came from a foreign page")
        if is_change and self._access.is_read_only and not _is_question(scope):
            return _refused(path, 403, "this workbench is for looking only")
        return None

    def _enter(self, scope: Scope) -> Response:
        """Take the token from the link and leave the cookie; the token is in no later address."""
        query = scope["query_string"].decode("latin-1")
        token = query.removeprefix("token=").partition("&")[0]
        if scope["method"] not in ("GET", "HEAD") or not self._access.knows(token):
            return _refused(_ENTER, 401, "this link is of an earlier start; use the latest one")
        # a redirect would count as coming from where the link was, and a strict cookie stay behind
        page = "<!doctype html><meta http-equiv=refresh content='0;url=/'><title>icelens</title>"
        page += "<link rel=icon href='data:,'>"
        answer = HTMLResponse(page)
        answer.set_cookie(
            self._access.cookie, self._access.token, httponly=True, samesite="strict", path="/"
        )
        return answer

    def _has_token(self, headers: Headers) -> bool:
        bearer = headers.get("authorization", "")
        if bearer.startswith("Bearer "):
            return self._access.knows(bearer.removeprefix("Bearer "))
        # a page of another port may leave a second cookie of our name, which must not shut us out
        pairs = ";".join(headers.getlist("cookie")).split(";")
        named = [pair.strip().partition("=") for pair in pairs]
        given = [value.strip() for name, _, value in named if name.strip() == self._access.cookie]
        return any(self._access.knows(value) for value in given[:_MOST_COOKIES])

    def _is_ours(self, headers: Headers, *, is_socket: bool) -> bool:
        """Whether one of our pages asks, or a program that has the token itself."""
        origin = headers.get("origin")
        if origin is not None:
            return origin == f"http://{headers.get('host', '')}"
        return not is_socket and headers.get("authorization", "").startswith("Bearer ")


class _Bounded:
    """Stops reading a request that is larger than it may be."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        length = Headers(scope=scope).get("content-length", "0")
        answer = _refused(scope["path"], 413, f"more than {self._most} bytes")
        if not length.isdigit() or int(length) > self._most:
            await answer(scope, receive, send)
            return
        seen, has_begun = 0, False

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self._most:
                raise _TooLargeError
            return message

        async def noted(message: Message) -> None:
            nonlocal has_begun
            if seen > self._most and not has_begun:
                return  # what the app makes of the broken body; ours follows
            has_begun = True
            await send(message)

        with suppress(_TooLargeError):
            await self._app(scope, counted, noted)
        if seen > self._most and not has_begun:
            await answer(scope, receive, send)


class _TooLargeError(Exception):
    """A request that says less than it sends."""


def _is_question(scope: Scope) -> bool:
    return scope["type"] == "websocket" or str(scope["path"]).startswith(QUESTIONS)


def _with_headers(send: Send) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = {name.lower() for name, _ in message["headers"]}
            message["headers"] = [*message["headers"], *_missing(given)]
        await send(message)

    return sending


def _missing(given: Iterable[bytes]) -> list[tuple[bytes, bytes]]:
    """Our headers, where an answer has not set stricter ones of its own."""
    have = set(given)
    pairs = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    return [(name, value) for name, value in pairs if name not in have]


def _refused(path: str, status: int, why: str) -> Response:
    if path.startswith("/api/"):
        return JSONResponse({"error": why}, status)
    return PlainTextResponse(f"icelens: {why}\n", status)
