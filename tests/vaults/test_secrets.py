"""No private half and no passphrase gets into a log, a message, a repr or the output."""

import base64
import logging
import re
import traceback
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from keymaker import private_jwk

from publisher.vault import Made, VaultError
from publisher.vaults.kms import KmsVault
from publisher.vaults.local import LocalVault

from .conftest import PASSPHRASE, reopened

ALGORITHMS = ["RS256", "ES256", "ES512", "ES256K", "EdDSA", "Ed448"]


def secrets_of(place: Path) -> list[str]:
    """Every text by which the private halves of a vault could show: members, PEM lines, numbers, the passphrase."""
    found = [PASSPHRASE.decode()]
    for file in place.rglob("*.pem"):
        encrypted = file.read_text()
        private = load_pem_private_key(encrypted.encode(), PASSPHRASE)
        plain = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
        found += [line for pem in (encrypted, plain) for line in pem.splitlines() if not line.startswith("-----")]
        for name, value in private_jwk(private).items():  # type: ignore[arg-type]
            if name in ("d", "p", "q", "dp", "dq", "qi"):
                raw = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4))
                found += [value, raw.hex(), str(int.from_bytes(raw, "big"))]
    return [text for text in found if len(text) > 3]


def test_nothing_private_is_said_while_keys_are_made_and_retired(
    place: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    vault = reopened(place)
    said: list[str] = []
    for alg in ALGORITHMS:
        made = vault.make("acme", alg, frozenset())
        said += [repr(made), str(made), repr(dict(made.jwk)), made.handle]
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & made.jwk.keys()
    said += [repr(vault), str(vault), vault.name, caplog.text, *capfd.readouterr()]
    secrets = secrets_of(place)
    assert len(secrets) > 60
    assert [text for text in secrets if any(text in one for one in said)] == []
    vault.retire("acme", made.handle)
    assert [text for text in secrets if text in caplog.text + "".join(capfd.readouterr())] == []


def test_the_search_finds_what_it_looks_for(local: LocalVault, place: Path) -> None:
    made = local.make("acme", "ES256", frozenset())
    file = place / "acme" / f"{made.handle.removeprefix('local:')}.pem"
    private = load_pem_private_key(file.read_bytes(), PASSPHRASE)
    assert private_jwk(private)["d"] in secrets_of(place)  # type: ignore[arg-type]
    assert file.read_text().splitlines()[1] in secrets_of(place)


def test_errors_hold_no_key_and_no_passphrase(place: Path) -> None:
    """Neither the message, nor the traceback with its causes."""
    vault = reopened(place)
    made = vault.make("acme", "ES256", frozenset())
    file = place / "acme" / f"{made.handle.removeprefix('local:')}.pem"
    whole, secrets = file.read_text(), secrets_of(place)
    wrong = b"wrong horse battery staple"
    told: list[str] = []

    def fails(vault: LocalVault) -> None:
        with pytest.raises(VaultError) as raised:
            vault.make("acme", "ES256", frozenset())
        assert "\n" not in str(raised.value)
        told.append("".join(traceback.format_exception(raised.value)))
        told.append(repr((raised.value.args, raised.value.__cause__, raised.value.__context__)))

    fails(reopened(place, wrong))
    fails(reopened(place, b"short"))
    file.write_text(whole.replace("A", "B"))
    fails(vault)
    file.write_text(re.sub(r"-----BEGIN [^\n]*", "-----BEGIN RSA PRIVATE KEY-----", whole))
    fails(vault)
    file.write_text(whole)
    file.chmod(0o644)
    fails(vault)
    assert len(told) == 10
    body = [line for line in whole.splitlines() if not line.startswith("-")]
    assert [text for text in [*secrets, *body, wrong.decode(), "short"] if any(f"{text}" in one for one in told)] == [
        "short"
    ]
    assert all("b'short'" not in one for one in told)  # the word alone is the message's own: `too short`


def test_a_kms_vault_says_nothing_of_its_credentials(
    kms: KmsVault, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    made = kms.make("acme", "ES256", frozenset())
    assert isinstance(made, Made)
    said = [repr(kms), repr(made), caplog.text, *capfd.readouterr()]
    assert [one for one in said if "testing" in one] == []
