"""A small HTTP cache for tests: real requests over the loopback, copies of what a folder holds, and PURGE."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass(slots=True, kw_only=True)
class HttpCache:
    """Keeps the first copy of each `root`/live/HOST/PATH until it is purged. `answers` are statuses for PURGE, in turn;
    the last is repeated. `refuses` are hosts that PURGE is denied for. `purged` has (Host, target) of each PURGE."""

    root: Path
    answers: list[int] = field(default_factory=lambda: [200])
    refuses: frozenset[str] = frozenset()
    url: str = ""
    purged: list[tuple[str, str]] = field(default_factory=list)
    copies: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def get(self, host: str, path: str) -> bytes | None:
        """The copy, or what is there now."""
        file = self.root / "live" / host / path.removeprefix("/")
        if (host, path) not in self.copies and file.is_file():
            self.copies[host, path] = file.read_bytes()
        return self.copies.get((host, path))

    def purge(self, host: str, path: str) -> int:
        """Drop the copy, where the answer is to be 200."""
        self.purged.append((host, path))
        status = 403 if host in self.refuses else self.answers[0]
        self.answers = self.answers[1:] or self.answers
        if status == 200:
            self.copies.pop((host, path), None)
        return status


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    cache: HttpCache

    def do_GET(self) -> None:
        body = self.cache.get(self.headers["Host"], self.path)
        self._answer(404 if body is None else 200, body or b"")

    def do_PURGE(self) -> None:
        self._answer(self.cache.purge(self.headers["Host"], self.path), b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        pass


@contextmanager
def http_cache(
    root: Path, answers: list[int] | None = None, refuses: frozenset[str] = frozenset()
) -> Iterator[HttpCache]:
    """A running cache on a free port."""
    cache = HttpCache(root=root, answers=answers or [200], refuses=refuses)
    handler = type("Handler", (_Handler,), {"cache": cache})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    cache.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield cache
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
