"""Encrypted private keys: what other programs read of them, and how hard a passphrase is to guess."""

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from keymaker import private_jwk

from publisher.vaults.pkcs8 import ROUNDS, decrypted, encrypted_pem, generate

PASSPHRASE = "twelve or more, schön".encode()
KINDS = ["RSA", "P-256", "P-384", "P-521", "secp256k1", "Ed25519", "Ed448"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_key_comes_back_as_it_was(kind: str) -> None:
    key = generate(kind, 2048)
    pem = encrypted_pem(key, PASSPHRASE, rounds=1000)
    again, theirs = decrypted(pem, PASSPHRASE), load_pem_private_key(pem, PASSPHRASE)
    assert again is not None
    assert again.public_key() == key.public_key() == theirs.public_key()
    assert decrypted(pem, PASSPHRASE + b".") is None


@pytest.mark.parametrize("kind", ["RSA", "P-521", "Ed25519"])
def test_openssl_reads_it(kind: str, tmp_path: Path) -> None:
    key = generate(kind, 2048)
    file = tmp_path / "key.pem"
    file.write_bytes(encrypted_pem(key, PASSPHRASE))
    shown = subprocess.run(
        ["openssl", "pkey", "-in", file, "-passin", "stdin"], input=PASSPHRASE + b"\n", capture_output=True, check=True
    )
    plain = load_pem_private_key(shown.stdout, None)
    assert plain.public_key() == key.public_key()
    parsed = subprocess.run(["openssl", "asn1parse", "-in", file], capture_output=True, check=True, text=True).stdout
    assert "PBKDF2" in parsed
    assert "hmacWithSHA256" in parsed
    assert "aes-256-cbc" in parsed
    assert f"{ROUNDS:06X}" in parsed
    assert ROUNDS >= 600_000


@pytest.mark.parametrize(
    "data", [b"", b"junk", b"-----BEGIN ENCRYPTED PRIVATE KEY-----\n-----END ENCRYPTED PRIVATE KEY-----\n"]
)
def test_what_is_no_key_is_none(data: bytes) -> None:
    assert decrypted(data, PASSPHRASE) is None


def test_a_cut_file_is_none() -> None:
    pem = encrypted_pem(generate("P-256", 0), PASSPHRASE, rounds=1000)
    assert [size for size in range(0, len(pem) - 30, 7) if decrypted(pem[:size], PASSPHRASE) is not None] == []


def test_a_key_that_signs_nothing_is_none() -> None:
    pem = X25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSPHRASE)
    )
    assert decrypted(pem, PASSPHRASE) is None


def test_nothing_of_the_key_is_in_the_file() -> None:
    key = generate("P-256", 0)
    pem = encrypted_pem(key, PASSPHRASE, rounds=1000)
    assert private_jwk(key)["d"].encode() not in pem
    assert encrypted_pem(key, PASSPHRASE, rounds=1000) != pem
