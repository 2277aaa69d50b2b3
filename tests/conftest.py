"""Fixtures that several rooms of the tests share."""

import signal
from pathlib import Path

import pytest
from azurite import azurite, container
from hypothesis import settings
from rclone import rclone
from repos import Repo
from s3server import careless_server, s3_bucket, s3_server
from signing import Signer, generated, keyset, make_signer

__all__ = ["azurite", "careless_server", "container", "rclone", "s3_bucket", "s3_server"]

# A shell ignores Ctrl-C for what it starts in the background, and children inherit that; here it is to count.
signal.signal(signal.SIGINT, signal.default_int_handler)

# The same examples in every run: a round that fails says something of the change. `make explore` draws others.
settings.register_profile("fixed", derandomize=True)
settings.register_profile("free", max_examples=2_000, print_blob=True)
settings.load_profile("fixed")

POLICY = 'version: 1\ncanonical_domain: "{tenant}.idp.example"\n'


@pytest.fixture(scope="session")
def signers() -> dict[str, Signer]:
    """Key pairs: three of acme's own, two that the platform generated for it, one of globex."""
    return {
        "own-rsa": make_signer("own-rsa", "RS256"),
        "own-ec": make_signer("own-ec"),
        "own-ed": make_signer("own-ed", "EdDSA"),
        "gen-now": make_signer("gen-now", "RS256"),
        "gen-next": make_signer("gen-next"),
        "globex": make_signer("globex-key"),
    }


@pytest.fixture
def repo(tmp_path: Path, signers: dict[str, Signer]) -> Repo:
    """A repository with two tenants, committed."""
    made = Repo(tmp_path / "repo")
    made.write("keysets/policy.yaml", POLICY)
    own = "".join(signers[name].entry() for name in ("own-rsa", "own-ec", "own-ed"))
    platform = signers["gen-now"].entry() + signers["gen-next"].entry(
        "publish: {from: 2026-01-01T00:00:00Z}\nsigns: {from: 2090-01-01T00:00:00Z}"
    )
    made.write("keysets/acme/keyset.yaml", keyset("acme", ["login.acme.example", "auth.acme.example"], own))
    made.write("keysets/acme/generated.yaml", generated(platform))
    made.write(
        "keysets/eu/globex/keyset.yaml",
        keyset("globex", ["id.globex.example"], signers["globex"].entry()),
    )
    made.commit("Add tenants")
    return made
