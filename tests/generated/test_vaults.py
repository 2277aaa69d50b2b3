"""Vaults by the command line: a passphrase of the environment or a file, and AWS KMS by moto's server."""

import os
import uuid
from pathlib import Path

import pytest
from program import run as program
from s3server import S3Server, use_settings

from publisher.jwk import RsaJwk
from publisher.vaults.kms import open_kms

from .conftest import PASSPHRASE
from .running import DAY, NOW, World, at, generated, signing_since

pytestmark = pytest.mark.chaos

START = NOW - 100 * DAY


@pytest.fixture
def acme(world: World) -> World:
    world.tenant("acme", generated(signing_since(0, START)))
    return world


def secrets_of(world: World) -> list[str]:
    """What no output may hold: the passphrase, and the lines of private halves."""
    lines = [line for path in world.vault.rglob("*.pem") for line in path.read_text().splitlines()[1:-1]]
    return [PASSPHRASE, *lines]


def test_a_passphrase_of_the_environment(acme: World) -> None:
    ran = acme.do("rotate", "acme")
    assert ran.code == 0
    found = secrets_of(acme)
    assert len(found) > 4
    assert not [one for one in found if one in ran.out + ran.err + acme.text()]
    assert "PRIVATE" not in ran.out + ran.err + acme.text()


def test_a_passphrase_of_a_file_goes_before_that(acme: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "passphrase"
    file.write_text(f"{PASSPHRASE}\r\n")
    monkeypatch.setenv("JWKS_PUBLISHER_VAULT_PASSPHRASE", "another one of the tests")
    assert acme.do("rotate", "acme", "--vault-passphrase-file", str(file)).code == 0
    monkeypatch.setenv("JWKS_PUBLISHER_VAULT_PASSPHRASE", PASSPHRASE)
    assert acme.do("rotate", "acme", now=NOW + 90 * DAY).code == 0


def test_without_a_passphrase_the_error_says_where_to_give_it(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JWKS_PUBLISHER_VAULT_PASSPHRASE")
    ran = acme.do("rotate", "acme")
    assert ran.code == 3
    assert "give it in JWKS_PUBLISHER_VAULT_PASSPHRASE or --vault-passphrase-file" in ran.err
    assert acme.text() == generated(signing_since(0, START))


def test_a_passphrase_that_is_no_text_is_one_too(acme: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JWKS_PUBLISHER_VAULT_PASSPHRASE", os.fsdecode(b"\xff\xfe a passphrase of bytes"))
    assert acme.do("rotate", "acme").code == 0


@pytest.mark.parametrize("secret", ["tiny one", "a passphrase\nof two lines"])
def test_a_bad_passphrase_is_not_echoed(acme: World, monkeypatch: pytest.MonkeyPatch, secret: str) -> None:
    monkeypatch.setenv("JWKS_PUBLISHER_VAULT_PASSPHRASE", secret)
    ran = acme.do("rotate", "acme")
    assert ran.code == 3
    assert secret not in ran.out + ran.err


@pytest.mark.parametrize("vault", ["local:relative", "nowhere", "s3:bucket", "aws-kms:a b"])
def test_an_address_that_is_none_is_a_usage_error(acme: World, vault: str) -> None:
    assert acme.do("rotate", "acme", "--vault", vault, vault=False).code == 2
    assert acme.text() == generated(signing_since(0, START))


def test_new_rsa_keys_have_the_size_that_is_asked_for(acme: World) -> None:
    acme.done("rotate", "acme", "--alg", "RS256", "--bits", "3072")
    jwk = acme.made()[1].jwk
    assert isinstance(jwk, RsaJwk)
    assert len(jwk.n) == 3072 // 8 * 4 // 3


def test_keys_of_aws_kms_are_made_used_replaced_and_deleted(
    world: World, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = s3_server.endpoint_url
    settings = {name: text for name, text in s3_server.settings.items() if name != "AWS_ENDPOINT_URL"}
    world.tenant()
    given = ("--vault", f"aws-kms:p{uuid.uuid4().hex[:8]}", "--vault-endpoint-url", url)

    def do(command: str, *arguments: str, days: int = 0) -> str:
        moment = ("--now", at(NOW + days * DAY), "--jobs", "1")
        ran = program("generated", command, *arguments, *given, *moment, cwd=world.repo.path, **settings)
        assert ran.code == 0, ran.err
        return ran.out + ran.err

    said = do("rotate", "acme")
    do("rotate", "acme", days=90)
    do("rotate", "acme", days=90)
    first, second = world.made()
    assert first.vault is not None
    assert second.vault is not None
    assert first.vault.startswith("aws-kms:arn:aws:kms:us-east-1:")
    assert first.vault != second.vault
    assert f"{first.kid} is over, and its entry went" in do("rotate", "acme", days=180)
    assert first.kid not in world.text()
    third = world.made()[-1]
    said += do("revoke", "acme", second.kid, "--reason", "lost", "--emergency", "--replace", days=181)
    assert third.kid in world.text()
    assert world.mistakes(NOW + 181 * DAY) == []
    assert "testing" not in said  # the secret access key
    use_settings(monkeypatch, s3_server.settings)
    keys = open_kms("jwks").keys
    states = [
        keys.describe_key(KeyId=one.removeprefix("aws-kms:"))["KeyMetadata"]["KeyState"]
        for one in (first.vault, second.vault)
    ]
    keys.close()
    assert states == ["PendingDeletion", "Enabled"]
