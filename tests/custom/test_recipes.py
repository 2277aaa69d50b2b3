"""The commands that sign a challenge, run as they are printed, and the proofs that come of it."""

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from keymaker import key_of, private_pem, public_jwk

from publisher.fields import Reading
from publisher.proof import ProofError, challenge, read_proof, verify
from publisher.publickey import parse
from publisher.recipes import signing_commands

EXPIRES = datetime(2026, 6, 1, tzinfo=UTC)
KINDS = {
    **dict.fromkeys(("RS256", "RS512", "PS256", "PS384"), "RSA"),
    "ES256": "P-256",
    "ES384": "P-384",
    "ES512": "P-521",
    "ES256K": "secp256k1",
    "EdDSA": "Ed25519",
    "Ed25519": "Ed25519",
    "Ed448": "Ed448",
}


@pytest.mark.parametrize("tool", ["openssl", "python", "node"])
@pytest.mark.parametrize("alg", KINDS)
def test_a_printed_command_makes_a_proof(alg: str, tool: str, tmp_path: Path) -> None:
    if tool != "python" and shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    key = key_of(KINDS[alg])
    (tmp_path / "key.pem").write_text(private_pem(key))
    jwk = parse(dict(public_jwk(key)), (), Reading(file=""))
    assert jwk is not None
    text = challenge("acme", jwk, alg, EXPIRES)
    done = subprocess.run(
        ["/bin/sh", "-c", signing_commands(alg)[tool].replace("python3 ", f"{sys.executable} ", 1)],
        cwd=tmp_path,
        env={**os.environ, "TEXT": text},
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    proof = read_proof(f"{text}.{done.stdout.decode().strip()}")
    verify(proof, "acme", jwk)
    assert (proof.tenant, proof.thumbprint, proof.expires, proof.alg) == ("acme", jwk.thumbprint, EXPIRES, alg)
    with pytest.raises(ProofError, match="another tenant"):
        verify(proof, "globex", jwk)


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", "a.b", "a.b.c.d", "e30.e30.e30", "W10.W10.W10", "NQ.NQ.NQ", "bnVsbA.e30.AA", "IiI.AA.AA"),
        "eyJhbGciOlsxXSwidHlwIjoiandrcy1rZXktcHJvb2YrandzIn0.AA.AA",
        "eyJhbGciOiJub25lIiwidHlwIjoiandrcy1rZXktcHJvb2YrandzIn0.AA.AA",
    ],
)
def test_what_is_no_proof_is_refused(text: str) -> None:
    with pytest.raises(ProofError):
        read_proof(text)
