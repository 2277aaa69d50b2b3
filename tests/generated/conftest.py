"""The world of `generated`: a repository and a local vault that spends less time on its passphrase."""

import os
from pathlib import Path

import pytest
from repos import Repo

from publisher.vaults import local
from publisher.vaults.pkcs8 import PrivateKey, encrypted_pem

from .running import POLICY, World

PASSPHRASE = "a passphrase of the tests"


def quick(key: PrivateKey, passphrase: bytes, *, rounds: int) -> bytes:
    return encrypted_pem(key, passphrase, rounds=min(rounds, 1000))


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("JWKS_PUBLISHER_VAULT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the vaults' own tests see to that
    monkeypatch.setattr(local, "encrypted_pem", quick)
    made = World(repo=Repo(tmp_path / "repo"), vault=tmp_path / "vault")
    made.repo.write("keysets/policy.yaml", POLICY)
    return made
