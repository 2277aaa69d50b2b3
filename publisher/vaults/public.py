"""What all vaults have in common: which kind of key an algorithm takes, whose keys there are, and public halves."""

from collections.abc import Callable
from types import MappingProxyType
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.types import PublicKeyTypes

from publisher.algorithm import FITS
from publisher.diagnostic import quote
from publisher.fields import Reading
from publisher.jwk import Jwk, members
from publisher.publickey import from_public_key
from publisher.rules.tenants import name_is_label
from publisher.vault import Made, VaultError

Passphrase: TypeAlias = bytes | Callable[[], bytes]
"""The passphrase of a local vault, or what asks for it."""

RSA_BITS = (2048, 3072, 4096)
"""Sizes of RSA keys that are made. AWS KMS has the same ones."""


def kind_for(alg: str) -> str:
    """`RSA`, or the curve of the keys that are made for an algorithm; Ed25519 for `EdDSA`."""
    if alg not in FITS:
        raise VaultError(f"no key can be made for {quote(alg)}; name one of {', '.join(FITS)}")
    return FITS[alg][0]


def check_tenant(tenant: str) -> None:
    """Raise VaultError unless the text may be a tenant's name, which goes into paths and names of keys."""
    if not name_is_label(tenant):
        raise VaultError(f"{quote(tenant)} is not a tenant's name; write lower-case letters, digits and inner hyphens")


def public_half(key: PublicKeyTypes) -> Jwk:
    """The Jwk of a key that a vault made. Raises VaultError for one that no JWKS can hold."""
    jwk = from_public_key(key, (), Reading(file=""))
    if jwk is None:
        raise VaultError("the vault has a key of a kind that no JWKS can hold; make another one")
    return jwk


def made(jwk: Jwk, handle: str) -> Made:
    """The public half with where the private one is."""
    return Made(jwk=MappingProxyType(members(jwk)), handle=handle)
