"""Addresses of vaults."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from s3server import S3Server, use_settings

from publisher.vault import VaultError
from publisher.vaults import open_vault
from publisher.vaults.kms import KmsVault
from publisher.vaults.local import LocalVault

from .conftest import PASSPHRASE


def test_a_local_vault_by_its_address(place: Path) -> None:
    vault = open_vault(f"local:{place}", passphrase=PASSPHRASE)
    assert isinstance(vault, LocalVault)
    assert vault.name == f"local:{place}"
    assert not place.exists()
    assert vault.make("acme", "ES256", frozenset()).handle.startswith("local:")


@pytest.mark.parametrize(
    ("address", "name"),
    [("aws-kms:", "aws-kms:jwks"), ("aws-kms:prod", "aws-kms:prod"), ("aws-kms:idp/prod_1", "aws-kms:idp/prod_1")],
)
def test_a_kms_vault_by_its_prefix(
    address: str, name: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_settings(monkeypatch, s3_server.settings)
    vault = open_vault(address, bits=3072)
    assert isinstance(vault, KmsVault)
    assert (vault.name, vault.bits) == (name, 3072)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("", "write local:/absolute/folder or aws-kms:PREFIX"),
        ("/srv/vault", "write local:/absolute/folder or aws-kms:PREFIX"),
        ("hsm:x", "write local:/absolute/folder or aws-kms:PREFIX"),
        ("local", "write local:/absolute/folder or aws-kms:PREFIX"),
        ("local:", "named by an absolute path"),
        ("local:vault", "named by an absolute path"),
        ("local:/a\0b", "named by an absolute path"),
        ("aws-kms:/x", "cannot begin the names of keys in KMS"),
        ("aws-kms:x/", "cannot begin the names of keys in KMS"),
        ("aws-kms:x//y", "cannot begin the names of keys in KMS"),
        ("aws-kms:aws", "cannot begin the names of keys in KMS"),
        ("aws-kms:aws/x", "cannot begin the names of keys in KMS"),
        ("aws-kms:arn:aws", "cannot begin the names of keys in KMS"),
        ("aws-kms:" + "x" * 65, "cannot begin the names of keys in KMS"),
    ],
)
def test_addresses_that_name_no_vault(address: str, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        open_vault(address)


def test_options_that_do_not_go_together(place: Path) -> None:
    with pytest.raises(ValueError, match="an endpoint URL goes with aws-kms: only"):
        open_vault(f"local:{place}", endpoint_url="http://127.0.0.1:1")
    with pytest.raises(ValueError, match="RSA keys of 1024 bits are not made; write 2048, 3072 or 4096"):
        open_vault(f"local:{place}", bits=1024)


def test_an_endpoint_that_is_no_url(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use_settings(monkeypatch, s3_server.settings)
    with pytest.raises(ValueError, match="is no URL; write https://host"):
        open_vault("aws-kms:", endpoint_url="nonsense")


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "no AWS credentials; set AWS_PROFILE"),
        ({"AWS_DEFAULT_REGION": ""}, "no AWS region; set AWS_REGION"),
        ({"AWS_PROFILE": "nobody"}, "AWS_PROFILE names no profile"),
    ],
)
def test_settings_that_lead_nowhere(
    changed: dict[str, str], text: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_settings(monkeypatch, {name: value for name, value in {**s3_server.settings, **changed}.items() if value})
    with pytest.raises(VaultError, match=f"^aws-kms:jwks: {text}"):
        open_vault("aws-kms:")


def test_the_region_may_be_in_the_other_sdks_variable(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    use_settings(monkeypatch, {**s3_server.settings, "AWS_REGION": "eu-central-1"})
    vault = open_vault("aws-kms:")
    assert isinstance(vault, KmsVault)
    assert vault.keys.meta.region_name == "eu-central-1"


def test_a_local_vault_does_without_boto3(place: Path) -> None:
    program = (
        "import sys\nfrom publisher.vaults import open_vault\n"
        "open_vault(sys.argv[1], passphrase=b'x' * 20).make('acme', 'ES256', frozenset())\n"
        "assert not {'boto3', 'botocore', 'aiohttp', 'obstore'} & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", program, f"local:{place}"], check=True, env=dict(os.environ))
    assert place.is_dir()
