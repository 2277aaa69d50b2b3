"""An HTTP server on the loopback that answers as it is told, for the faults that a good S3 server does not have."""

import socket
import ssl
import struct
import threading
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar, Literal, Self, TypeAlias

BODY = b"stub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer in full. `headers` come after the stub's own."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Answer: TypeAlias = tuple[int, str] | Reply | Literal["drop", "reset", "hang"]
"""A status and an S3 error code (empty for a success); or all of an answer; or cut the connection, by FIN or by RST; or
never answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What was asked."""

    method: str
    path: str
    headers: dict[str, str]
    """By names in lower case."""
    body: bytes


@dataclass(slots=True)
class Stub:
    """`answers` are given one after the other, and the last of them from then on. With `tls`, over https."""

    answers: list[Answer] = field(default_factory=lambda: [(200, "")])
    requests: list[Request] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    _server: ThreadingHTTPServer = field(init=False)
    _released: threading.Event = field(default_factory=threading.Event)

    @property
    def endpoint_url(self) -> str:
        return f"{'https' if self.tls else 'http'}://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        handler = type("Handler", (_Handler,), {"stub": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        if self.tls:
            self._server.socket = self.tls.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._released.set()
        self._server.shutdown()
        self._server.server_close()

    def next_answer(self, request: Request) -> Answer:
        self.requests.append(request)
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def wait(self) -> None:
        self._released.wait()


class _Handler(BaseHTTPRequestHandler):
    stub: ClassVar[Stub]
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(method=self.command, path=self.path, headers=headers, body=body)
        answer = self.stub.next_answer(request)
        if isinstance(answer, str):
            if answer == "hang":
                self.stub.wait()
            if answer == "reset":
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                # socketserver would send a FIN first.
                self.rfile.close()
                self.connection.close()
            self.close_connection = True
            return
        reply = answer if isinstance(answer, Reply) else self._reply(*answer)
        self.send_response(reply.status)
        self.send_header("ETag", '"stub"')
        self.send_header("x-goog-generation", "7")
        self.send_header("Last-Modified", "Mon, 01 Jan 2024 00:00:00 GMT")
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(reply.body)

    def _reply(self, status: int, code: str) -> Reply:
        error = f"<Error><Code>{code}</Code><Message>two\nlines token request</Message></Error>"
        return Reply(status=status, body=error.encode() if code else BODY if self.command == "GET" else b"")

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - the base class's names
