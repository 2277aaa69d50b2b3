"""Which algorithm goes with which key, and which ones the policy allows."""

from collections.abc import Iterator
from datetime import datetime

from publisher.algorithm import FITS, algorithms_for, permission
from publisher.diagnostic import Finding, Rule, quote
from publisher.jwk import kind
from publisher.keyset import KeySet
from publisher.policy import Policy

UNKNOWN = Rule(
    id="algorithm-unknown",
    doc="`alg` is a registered asymmetric signature algorithm. `none` and HS256/384/512 never: a public document "
    "cannot hold a secret (RFC 8725 sections 2.1 and 3.1).",
)
KEY = Rule(
    id="algorithm-key",
    doc="`alg` goes with the key's type and curve: RS and PS with RSA, ES256 with P-256, ES384 with P-384, ES512 with "
    "P-521, ES256K with secp256k1, EdDSA with Ed25519 or Ed448 (RFC 7518 section 3.1, RFC 8812, RFC 8037).",
)
NOT_ALLOWED = Rule(
    id="algorithm-not-allowed",
    doc="`alg` is one that policy.yaml allows. Ed448 is allowed under the name Ed448, whatever its `alg`.",
)
RULES = (UNKNOWN, KEY, NOT_ALLOWED)


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on each key by itself."""
    for key in keyset.keys:
        fits = kind(key.jwk)
        possible = FITS.get(key.alg)
        allowed = [alg for alg in algorithms_for(fits) if permission(alg, fits) in policy.algorithms]
        hint = f"write one of {', '.join(allowed)}" if allowed else f"the policy allows no algorithm for {fits} keys"
        if possible is None:
            yield key.finding(
                UNKNOWN, f"{quote(key.alg)} is not a signature algorithm for public keys", hint, *key.alg_at
            )
        elif fits not in possible:
            yield key.finding(KEY, f"{key.alg} does not go with {fits} keys", hint, *key.alg_at)
        elif permission(key.alg, fits) not in policy.algorithms:
            name = permission(key.alg, fits)
            yield key.finding(NOT_ALLOWED, f"the policy does not allow {name}", hint, *key.alg_at)
