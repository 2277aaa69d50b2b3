"""The tenant in a repository."""

from pathlib import Path

import pytest
from keymaker import (
    public_pem,
    rsa_key,
)
from repos import Repo

from .acme import KEYSET, PATH


@pytest.fixture
def repo(tmp_path: Path) -> Repo:
    made = Repo(tmp_path / "repo")
    made.write("keysets/policy.yaml", "version: 1\nplans: {enterprise: {custom_keys: 3}, free: {custom_keys: 0}}\n")
    made.write(PATH, KEYSET).chmod(0o640)
    made.write("keysets/eu/acme/partner.pem", public_pem(rsa_key(0)))
    made.write("keysets/globex/keyset.yaml", "version: 1\ntenant: globex\nplan: free\ndomains: [id.globex.example]\n")
    made.commit("Add tenants")
    return made
