"""The world of `generated`: a repository and a local vault that spends less time on its passphrase."""

import os
from pathlib import Path

import pytest
from repos import Repo

from publisher.vaults.local import LocalVault

from .running import POLICY, World

PASSPHRASE = "a passphrase of the tests"


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setenv("JWKS_PUBLISHER_VAULT_PASSPHRASE", PASSPHRASE)
    monkeypatch.setattr(os, "fsync", lambda _: None)  # the vaults' own tests see to that
    monkeypatch.setitem(LocalVault.__init__.__kwdefaults__, "rounds", 1000)
    made = World(repo=Repo(tmp_path / "repo"), vault=tmp_path / "vault")
    made.repo.write("keysets/policy.yaml", POLICY)
    return made
