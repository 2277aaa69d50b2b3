"""Debian's nginx and Varnish, started on the loopback with what `cdn-config` prints, and asked over raw connections."""

import http.client
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

Kind: TypeAlias = Literal["nginx", "varnish"]
PATH = "/.well-known/jwks.json"
_PATHS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
_WRAPPED = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log info;
{user}
worker_processes 1;
events {{ worker_connections 128; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    fastcgi_temp_path {folder}/fastcgi;
    proxy_temp_path {folder}/proxy;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    include {folder}/jwks.conf;
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """A running edge."""

    kind: Kind
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def get(self, host: str, target: str = PATH, method: str = "GET", **headers: str) -> Answer:
        """Ask as a client does that sends exactly this."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
            connection.putheader("Host", host)
            for name, value in headers.items():
                connection.putheader(name.replace("_", "-"), value)
            connection.endheaders()
            reply = connection.getresponse()
            names = {name.lower(): value for name, value in reply.getheaders()}
            return Answer(status=reply.status, headers=names, body=reply.read())
        finally:
            connection.close()

    def raw(self, request: bytes) -> bytes:
        """All that comes back for these bytes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            received = b""
            while chunk := connection.recv(65536):
                received += chunk
            return received


def program(name: str) -> str:
    """The path of nginx or varnishd, which are in no user's PATH on Debian."""
    found = shutil.which(name, path=_PATHS)
    assert found is not None, f"{name} is not installed: `make test-cdn` says how"
    return found


def free_port() -> int:
    """A port that nobody listened on just now."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@contextmanager
def running(kind: Kind, port: int, folder: Path, config: str) -> Iterator[Edge]:
    """The edge with this configuration. It ends with the block."""
    folder.mkdir(parents=True, exist_ok=True)
    command = _nginx(folder, config) if kind == "nginx" else _varnish(folder, config, port)
    log = folder / "output.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        try:
            _await(process, port, log)
            yield Edge(kind=kind, port=port)
        finally:
            process.terminate()
            process.wait(30)


def _nginx(folder: Path, config: str) -> list[str]:
    (folder / "jwks.conf").write_text(config)
    # The temporary folder of a test belongs to whoever runs it; nginx as root would use another user.
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_WRAPPED.format(folder=folder, user=user))
    return [program("nginx"), "-p", str(folder), "-e", str(folder / "error.log"), "-c", str(folder / "nginx.conf")]


def _varnish(folder: Path, config: str, port: int) -> list[str]:
    (folder / "jwks.vcl").write_text(config)
    small = ["-s", "malloc,32m", "-p", "vsl_space=16m", "-p", "thread_pools=1", "-p", "thread_pool_min=20"]
    place = ["-n", str(folder / "work"), "-a", f"127.0.0.1:{port}", "-f", str(folder / "jwks.vcl")]
    return [program("varnishd"), "-F", "-j", "none", "-T", "none", *small, *place]


def _await(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(600):
        assert process.poll() is None, log.read_text()
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"no edge on port {port}: {log.read_text()}")
