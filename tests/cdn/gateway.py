"""What stands between an edge and a private bucket: signs GET requests and forwards them, and can fail on demand."""

import http.client
import threading
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Literal, Self, TypeAlias
from urllib.parse import urlsplit

from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

Mode: TypeAlias = Literal["up", "ceph", "307", "400", "403", "500", "503"]
"""`ceph`: 304 without Cache-Control, as Ceph's RGW answers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as it arrived. Header names in lower case."""

    method: str
    target: str
    headers: dict[str, str]


class Gateway:
    """A server on one port, which stays the same over `stop` and `start`."""

    def __init__(self, endpoint_url: str) -> None:
        self.asked: list[Asked] = []
        self.mode: Mode = "up"
        self.store = urlsplit(endpoint_url)
        self.port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listen."""
        handler = type("Handler", (_Handler,), {"gateway": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), handler)
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        """Listen no more: connections are refused."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Handler(BaseHTTPRequestHandler):
    gateway: Gateway

    def do_GET(self) -> None:
        gateway = self.gateway
        headers = {name.lower(): value for name, value in self.headers.items()}
        gateway.asked.append(Asked(method=self.command, target=self.path, headers=headers))
        if gateway.mode.isdigit():
            body = b"<Error><Bucket>secret-bucket-name</Bucket></Error>"
            self._answer(int(gateway.mode), {"Location": "http://secret-bucket-name.example/"}, body)
            return
        connection = http.client.HTTPConnection(gateway.store.hostname or "", gateway.store.port, timeout=20)
        try:
            connection.request("GET", self.path, headers=self._signed(headers))
            reply = connection.getresponse()
            body = reply.read()
        finally:
            connection.close()
        kept = {name: value for name, value in reply.getheaders() if name.lower() not in _OWN}
        if gateway.mode == "ceph" and reply.status == 304:
            kept = {name: value for name, value in kept.items() if name.lower() != "cache-control"}
        self._answer(reply.status, kept, body)

    def _signed(self, headers: dict[str, str]) -> dict[str, str]:
        """The conditions of the request, and the gateway's own credentials."""
        conditions = {name: value for name, value in headers.items() if name.startswith("if-")}
        request = AWSRequest("GET", f"{self.gateway.store.geturl()}{self.path}", headers=conditions)
        S3SigV4Auth(Credentials("gateway", "secret"), "s3", "us-east-1").add_auth(request)
        return dict(request.headers.items())

    def _answer(self, status: int, headers: dict[str, str], body: bytes) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        pass


_OWN = frozenset({"connection", "content-length", "date", "server", "transfer-encoding"})
