"""A real S3 server on the loopback for tests: moto's, over HTTP.

    from s3server import S3Server, s3_bucket, s3_server  # in a conftest.py, so that pytest finds the fixtures

moto checks no credentials and lets strangers list; it holds If-None-Match and If-Match, one request at a time.
`careless_server` has the same buckets, and takes both conditions without holding them.
"""

import functools
import logging
import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import boto3
import pytest
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Server:
    """A running server. `settings` are the AWS variables that lead to it, for this process or another."""

    endpoint_url: str

    @property
    def settings(self) -> dict[str, str]:
        """The environment of a user of this server, apart from every profile and instance role."""
        return {
            "AWS_ACCESS_KEY_ID": "testing",
            "AWS_SECRET_ACCESS_KEY": "testing",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "NO_PROXY": "127.0.0.1",
        }

    def client(self) -> Any:
        """A boto3 client, to look at what is in a bucket, or to tamper with it."""
        return _client(self.endpoint_url)

    def make_bucket(self) -> str:
        """The name of a new, empty bucket."""
        name = f"bucket-{uuid.uuid4().hex}"
        self.client().create_bucket(Bucket=name)
        return name


@functools.cache
def _client(endpoint_url: str) -> Any:
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )


@functools.cache
def _started() -> S3Server:
    """One server a test process, however many modules import the fixture; its thread ends with the process."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    backend: Any = DomainDispatcherApplication(create_backend_app)
    lock = threading.Lock()

    def one_at_a_time(environ: dict[str, Any], respond: Any) -> Iterable[bytes]:
        # moto looks first and writes later: now and then, between two threads, both writers would win.
        with lock:
            answer: Iterable[bytes] = backend(environ, respond)
        return answer

    server = make_server("127.0.0.1", 0, one_at_a_time, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return S3Server(endpoint_url=f"http://127.0.0.1:{server.server_port}")


def use_settings(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str]) -> None:
    """Replace all AWS variables of this process by these."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def s3_server() -> S3Server:
    """The server. It changes nothing in the environment."""
    return _started()


@pytest.fixture
def careless_server(s3_server: S3Server) -> Iterator[S3Server]:
    """The same server behind something that drops the conditions of requests."""
    backend: Any = DomainDispatcherApplication(create_backend_app)

    def careless(environ: dict[str, Any], respond: Any) -> Iterable[bytes]:
        for name in ("HTTP_IF_MATCH", "HTTP_IF_NONE_MATCH"):
            environ.pop(name, None)
        answer: Iterable[bytes] = backend(environ, respond)
        return answer

    server = make_server("127.0.0.1", 0, careless, threaded=True, request_handler=MotoRequestHandler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield S3Server(endpoint_url=f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


@pytest.fixture
def s3_bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The name of a fresh bucket; for this test the AWS variables lead to it."""
    use_settings(monkeypatch, s3_server.settings)
    return s3_server.make_bucket()
