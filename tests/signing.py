"""Issuers for tests: key pairs made in memory, their entries in key-set files, and tokens signed with them."""

from dataclasses import dataclass

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """A key pair with its kid and algorithm."""

    kid: str
    alg: str
    private: PrivateKey

    def token(self, subject: str) -> str:
        """A signed token."""
        return jwt.encode({"sub": subject}, self.private, algorithm=self.alg, headers={"kid": self.kid})

    def entry(self, more: str = "") -> str:
        """The key's entry in keyset.yaml or generated.yaml; `more` holds further fields, a line each."""
        pem = self.private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        body = "".join(f"      {line}\n" for line in pem.splitlines())
        extra = "".join(f"    {line}\n" for line in more.splitlines())
        return f"  - kid: {self.kid}\n    alg: {self.alg}\n    pem: |\n{body}{extra}"


def make_signer(kid: str, alg: str = "ES256") -> Signer:
    """A fresh key pair: RS256 with 2048 bits, ES256 or EdDSA."""
    private: PrivateKey
    if alg == "RS256":
        private = rsa.generate_private_key(65537, 2048)
    elif alg == "ES256":
        private = ec.generate_private_key(ec.SECP256R1())
    else:
        private = ed25519.Ed25519PrivateKey.generate()
    return Signer(kid=kid, alg=alg, private=private)


def keyset(tenant: str, domains: list[str], entries: str = "", plan: str = "enterprise") -> str:
    """The text of a keyset.yaml."""
    listed = "".join(f"  - {domain}\n" for domain in domains) or "  []\n"
    custom = f"custom_keys:\n{entries}" if entries else ""
    return f"version: 1\ntenant: {tenant}\nplan: {plan}\ndomains:\n{listed}{custom}"


def generated(entries: str) -> str:
    """The text of a generated.yaml."""
    return f"version: 1\ngenerated_keys:\n{entries}"
