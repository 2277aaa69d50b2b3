"""RSA keys that can be factored, and keys whose private half is known."""

from collections.abc import Iterator
from datetime import datetime

from publisher.diagnostic import Finding, Rule
from publisher.jwk import RsaJwk, negative_thumbprint
from publisher.keyset import Key, KeySet
from publisher.known_keys import KNOWN
from publisher.policy import Policy
from publisher.weakness import FERMAT_ROUNDS, close_primes, roca, small_factor

SIZE = Rule(
    id="rsa-size",
    doc="An RSA modulus has at least the policy's bits (2048: RFC 7518 section 3.3, NIST SP 800-131A) and at most "
    "its longest (8192), over which verifiers get slow or refuse.",
)
EXPONENT = Rule(
    id="rsa-exponent",
    doc="The public exponent is 65537, or one that the policy lists (FIPS 186-5 section A.1.1). With 1 or an even one "
    "there is no signature to speak of; small ones have a history of forgeries.",
)
FACTOR = Rule(
    id="rsa-factor",
    doc="The modulus is odd and has no small prime factor. One that has is damaged, or was made to be factored.",
)
CLOSE_PRIMES = Rule(
    id="rsa-close-primes",
    doc=f"The two primes are not close together: {FERMAT_ROUNDS} rounds of Fermat's method do not factor the modulus "
    "(CVE-2022-26320).",
)
ROCA = Rule(
    id="rsa-roca",
    doc="The modulus does not have the form of keys made by Infineon's library, which can be factored "
    "(CVE-2017-15361, ROCA).",
)
KNOWN_PRIVATE = Rule(
    id="known-private-key",
    doc="The private half of this key is public: it is an example of an RFC or comes with a library's tests. Everybody "
    "can mint tokens with it.",
)
RULES = (SIZE, EXPONENT, FACTOR, CLOSE_PRIMES, ROCA, KNOWN_PRIVATE)


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on each key by itself."""
    for key in keyset.keys:
        known = KNOWN.get(key.jwk.thumbprint) or KNOWN.get(negative_thumbprint(key.jwk) or "")
        if known is not None:
            message = f"the private half of this key is published ({known})"
            yield key.finding(KNOWN_PRIVATE, message, "make a key of your own")
        elif isinstance(key.jwk, RsaJwk):
            yield from _rsa(key, key.jwk, policy)


def _rsa(key: Key, jwk: RsaJwk, policy: Policy) -> Iterator[Finding]:
    bits = jwk.modulus.bit_length()
    if not policy.rsa_min_bits <= bits <= policy.rsa_max_bits:
        span = f"{policy.rsa_min_bits} to {policy.rsa_max_bits}"
        yield key.finding(SIZE, f"the RSA modulus has {bits} bits", f"the policy takes {span}")
        return  # what follows is costly for huge numbers and says nothing more for small ones
    if jwk.exponent not in policy.rsa_exponents:
        listed = ", ".join(str(one) for one in sorted(policy.rsa_exponents))
        shown = jwk.exponent if jwk.exponent < 2**32 else f"one of {jwk.exponent.bit_length()} bits"
        yield key.finding(EXPONENT, f"the RSA exponent is {shown}", f"the policy takes {listed}")
    factor = small_factor(jwk.modulus)
    if factor is not None:
        yield key.finding(FACTOR, f"the RSA modulus can be divided by {factor}", "copy it again, or make a new key")
    elif close_primes(jwk.modulus):
        yield key.finding(CLOSE_PRIMES, "the RSA primes are too close together: it is factored", "make a new key")
    elif roca(jwk.modulus):
        yield key.finding(ROCA, "the RSA key is of the ROCA form and can be factored", "make a new key elsewhere")
