"""Fixtures of the store tests."""

from collections.abc import Iterator

import pytest
from s3server import s3_bucket, s3_server

from .stub import Stub

__all__ = ["s3_bucket", "s3_server", "stub"]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """The servers are on the loopback, wherever the machine's proxy is."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def stub() -> Iterator[Stub]:
    """An HTTP server that answers as it is told."""
    with Stub() as server:
        yield server
