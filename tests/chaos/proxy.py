"""What stands between the program and an S3 server: passes requests on as they are, loses some, and holds some back.

Writes of one key come to the server one after the other, because moto, under load, now and then lets two of them win.
"""

import http.client
import socket
import struct
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal, Self, TypeAlias
from urllib.parse import unquote, urlsplit

from s3server import S3Server

from .faults import REFUSALS, Dice, Fault, Request

Side: TypeAlias = Literal["before", "after"]
"""A request is held back before the server has it, or after it has been carried out, in place of the answer."""

LATE_SECONDS = 0.4
# Of the connection, and not of the request (RFC 9110 section 7.6.1).
_OF_THE_CONNECTION = frozenset({"connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "upgrade"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What the server said. `headers` are as they came, but for those of the connection."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(slots=True, kw_only=True)
class Hold:
    """The first request of a method to keys with a prefix waits until it is released; the others pass."""

    method: str
    prefix: str
    side: Side
    _taken: threading.Event = field(default_factory=threading.Event)
    _reached: threading.Event = field(default_factory=threading.Event)
    _released: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def takes(self, request: Request) -> bool:
        """Whether this is the request; only one is."""
        with self._turn:
            if self._taken.is_set() or request.method != self.method or not request.key.startswith(self.prefix):
                return False
            self._taken.set()
            return True

    def keep(self) -> None:
        """In the request's thread: wait for the release."""
        self._reached.set()
        self._released.wait()

    def reached(self, seconds: float) -> bool:
        """Wait until the request is held back; False where none has come by then."""
        return self._reached.wait(seconds)

    def release(self) -> None:
        """Let it go on."""
        self._released.set()


class Proxy:
    """A server on the loopback in front of another, as long as the context lasts."""

    def __init__(self, behind: S3Server, dice: Dice | None = None) -> None:
        self.behind = urlsplit(behind.endpoint_url)
        self.dice = dice
        self.requests: list[tuple[str, str]] = []
        self._holds: list[Hold] = []
        self._turns: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)
        handler = type("Handler", (_Handler,), {"proxy": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    @property
    def server(self) -> S3Server:
        """The server as the program sees it."""
        return S3Server(endpoint_url=f"http://127.0.0.1:{self._server.server_port}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for hold in self._holds:
            hold.release()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def count(self, method: str, prefix: str = "") -> int:
        """How many requests there were of a method to keys with a prefix, in whatever way they ended."""
        return sum(known == method and key.startswith(prefix) for known, key in self.requests)

    def counts(self) -> Counter[tuple[str, str]]:
        """How many requests there were, by method and first part of the key."""
        return Counter((method, key.partition("/")[0]) for method, key in self.requests)

    @contextmanager
    def holding(self, method: str, prefix: str, side: Side) -> Iterator[Hold]:
        """Hold back the first such request from now on; with the context it is released."""
        hold = Hold(method=method, prefix=prefix, side=side)
        self._holds.append(hold)
        try:
            yield hold
        finally:
            self._holds.remove(hold)
            hold.release()

    def carry(self, request: Request) -> tuple[Answer | None, Fault | None]:
        """The answer to a request, and what goes wrong with it. No answer: the connection is to break."""
        self.requests.append((request.method, request.key))
        hold = next((one for one in list(self._holds) if one.takes(request)), None)
        if hold is not None and hold.side == "before":
            hold.keep()
        fault = self.dice.throw(request) if self.dice is not None else None
        if fault == "reset":
            return None, fault
        if fault is not None and fault in REFUSALS:
            refusal = REFUSALS[fault]
            kind = ("Content-Type", "application/xml")
            return Answer(status=refusal.status, headers=(kind,), body=refusal.body(request.key)), fault
        answer = self._ask(request)
        if hold is not None and hold.side == "after":
            hold.keep()
        if fault == "late":
            time.sleep(LATE_SECONDS)
        return (None if fault == "lost" else answer), fault

    def _ask(self, request: Request) -> Answer:
        if request.method == "GET":
            return self._pass_on(request)
        with self._turns[request.target]:
            return self._pass_on(request)

    def _pass_on(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self.behind.hostname or "", self.behind.port, timeout=60)
        try:
            connection.putrequest(request.method, request.target, skip_host=True, skip_accept_encoding=True)
            for name, value in request.headers:
                if name not in _OF_THE_CONNECTION:
                    connection.putheader(name, value)
            connection.endheaders(request.body or None)
            reply = connection.getresponse()
            body = reply.read()
        finally:
            connection.close()
        kept = tuple((name, value) for name, value in reply.getheaders() if name.lower() not in _OF_THE_CONNECTION)
        return Answer(status=reply.status, headers=kept, body=body)


class _Server(ThreadingHTTPServer):
    """The program opens 64 connections at once, and whoever was killed leaves his in the middle of a request."""

    request_queue_size = 256
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: a client that is gone is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    proxy: Proxy
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        headers = tuple((name.lower(), value) for name, value in self.headers.items())
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        # Path style: /bucket/key?query
        key = unquote(urlsplit(self.path).path.removeprefix("/").partition("/")[2])
        request = Request(method=self.command, target=self.path, key=key, headers=headers, body=body)
        answer, fault = self.proxy.carry(request)
        if answer is None:
            self._break_off(reset=fault == "reset")
        else:
            self._answer(answer)

    do_HEAD = do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 - the base class's names

    def _answer(self, answer: Answer) -> None:
        if self.command != "HEAD":
            lengthless = tuple(pair for pair in answer.headers if pair[0].lower() != "content-length")
            answer = replace(answer, headers=(*lengthless, ("Content-Length", str(len(answer.body)))))
        self.send_response_only(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(answer.body)

    def _break_off(self, *, reset: bool) -> None:
        """End the connection, by RST or by FIN."""
        self.close_connection = True
        if reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # socketserver would send a FIN first (`shutdown`); this way the RST is all that the client sees.
            self.rfile.close()
            self.connection.close()
            return
        self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        pass
