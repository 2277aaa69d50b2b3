"""Proofs of possession: that a tenant has the private half of a key that it gives.

Nothing here becomes wrong by waiting: an expiry in the past is no mistake, as the proof was made before it, and a key
that was merged with it stays proven. Whether a proof is fresh is judged where it comes in (`custom put`, `custom add`,
`custom prove`), and by who reviews it; here only that it was not made to be fresh for ever.
"""

from collections.abc import Iterator
from datetime import datetime

from publisher.diagnostic import Finding, Rule
from publisher.keyset import KeySet
from publisher.policy import Policy
from publisher.proof import LONGEST, ProofError, read_proof, verify

INVALID = Rule(
    id="proof-invalid",
    doc="`proof` is a compact JWS that the key itself has made, over this tenant, the key's RFC 7638 thumbprint and an "
    f"expiry at most {LONGEST.days} days ahead (`custom challenge` prints what to sign). A proof that does not hold "
    "may come with a key that somebody else has: its tokens would pass for this tenant's. An expiry that has passed "
    "is no mistake here: it bounds when a proof may come in, and a key that was merged with it stays proven.",
)
MISSING = Rule(
    id="proof-missing",
    doc="Where the policy says `require_proof: true`, every custom key that is not revoked has a proof that its tenant "
    "holds the private half. Without one a tenant could publish the key of somebody else, whose tokens would then pass "
    "for its own, or keep that one from giving it, as a key belongs to one tenant.",
)
RULES = (INVALID, MISSING)


def check(keyset: KeySet, policy: Policy, now: datetime) -> Iterator[Finding]:
    """Findings on each key by itself."""
    latest = now + LONGEST + policy.clock_skew
    for key in keyset.keys:
        if key.proof is None:
            if policy.require_proof and key.origin == "custom" and key.revoked is None:
                yield key.finding(MISSING, "the key has no proof", "add `proof:`, as `custom challenge` tells")
        elif key.proof:
            try:
                proof = read_proof(key.proof)
                verify(proof, keyset.tenant, key.jwk)
                if proof.expires > latest:
                    raise ProofError(f"the proof expires more than {LONGEST.days} days ahead")
            except ProofError as error:
                yield key.finding(INVALID, error.message, error.hint, "proof")
