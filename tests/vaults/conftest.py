"""Fixtures of the vault tests."""

import functools
import uuid
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from s3server import S3Server, use_settings

from publisher.vaults.kms import KmsVault, open_kms
from publisher.vaults.local import LocalVault

PASSPHRASE = b"a passphrase of the tests"
ROUNDS = 1000


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where a local vault will be; nothing is there yet."""
    return tmp_path / "vault"


@pytest.fixture
def local(place: Path) -> LocalVault:
    """A local vault that spends less time on each passphrase."""
    return reopened(place)


def reopened(place: Path, passphrase: bytes | Callable[[], bytes] = PASSPHRASE, bits: int = 2048) -> LocalVault:
    """The vault at a place, as another process would open it."""
    return LocalVault(place, passphrase=passphrase, bits=bits, rounds=ROUNDS)


@pytest.fixture
def kms(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> KmsVault:
    """A vault at moto's server, with a prefix of its own; the AWS variables of this test lead there."""
    use_settings(monkeypatch, s3_server.settings)
    return replace(_opened(), prefix=f"p{uuid.uuid4().hex[:12]}")


@pytest.fixture
def aws(kms: KmsVault) -> Any:
    """A client of KMS, to look at what is there or to tamper with it."""
    return kms.keys


@functools.cache
def _opened() -> KmsVault:
    """One for all tests of a process: clients take their time to make."""
    return open_kms("jwks")
