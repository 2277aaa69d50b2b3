"""Which signature algorithms there are, and which keys they go with.

RFC 7518 section 3.1 (RS, PS, ES), RFC 8812 (ES256K), RFC 8037 (EdDSA), RFC 9864 (Ed25519, Ed448 as `alg`).
"""

from collections.abc import Mapping
from types import MappingProxyType

CURVES: Mapping[str, tuple[str, int]] = MappingProxyType(
    {
        "P-256": ("EC", 32),
        "P-384": ("EC", 48),
        "P-521": ("EC", 66),
        "secp256k1": ("EC", 32),
        "Ed25519": ("OKP", 32),
        "Ed448": ("OKP", 57),
    }
)
"""Curve -> (kty, bytes of a coordinate): RFC 7518 section 6.2.1.2, RFC 8812 section 3.1, RFC 8037 section 2."""

FITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), ("RSA",)),
        "ES256": ("P-256",),
        "ES384": ("P-384",),
        "ES512": ("P-521",),
        "ES256K": ("secp256k1",),
        "EdDSA": ("Ed25519", "Ed448"),
        "Ed25519": ("Ed25519",),
        "Ed448": ("Ed448",),
    }
)
"""alg -> what it goes with: `RSA`, or the curves."""

DEFAULT_ALGORITHMS = (
    *("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"),
    *("ES256", "ES384", "ES512", "EdDSA"),
)
"""What a policy allows where it names nothing. `EdDSA` is Ed25519 alone; Ed448 is allowed by its own name."""


def permission(alg: str, fits: str) -> str:
    """The name under which a policy allows this algorithm on this kind of key (`RSA` or a curve)."""
    return "Ed448" if fits == "Ed448" else alg


def algorithms_for(fits: str) -> tuple[str, ...]:
    """The algorithms that go with a kind of key (`RSA` or a curve)."""
    return tuple(alg for alg, kinds in FITS.items() if fits in kinds)
