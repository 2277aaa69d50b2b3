"""Golden cases of the rules about proofs of possession."""

from keymaker import ec_key, okp_key, rsa_key
from proofs import payload, proof, sign, unsigned

from .trees import Case, Edit, change

ANEW = "make it anew, from `custom challenge`"
OWN_EC, OWN_ED, OWN_RSA = ec_key(0), okp_key(0), rsa_key(0)
GOOD = proof("acme", OWN_EC, "ES256")
OTHER = proof("acme", OWN_EC, "ES256", "2026-06-09T00:00:00Z")
PROVEN = change("  - kid: own-rsa\n", f"    proof: {GOOD}\n  - kid: own-rsa\n")
LATE = proof("acme", OWN_EC, "ES256", "2026-07-02T00:00:00Z")
OLD = proof("acme", OWN_EC, "ES256", "2020-01-01T00:00:00Z")
"""An expiry that has passed is no mistake: the key was merged before."""
PADDED = unsigned("ES256", payload("acme", OWN_EC)) + "." + GOOD.rpartition(".")[2] + "=="
ES384 = unsigned("ES384", payload("acme", OWN_EC)) + "." + GOOD.rpartition(".")[2]
SWAPPED = unsigned("ES256", payload("acme", OWN_EC)) + "." + OTHER.rpartition(".")[2]
REQUIRED = (
    Edit(old="token_lifetime: 24h\n", new="token_lifetime: 24h\nrequire_proof: true\n", file="policy.yaml"),
    Edit(old="  - kid: own-rsa\n", new=f"    proof: {OLD}\n  - kid: own-rsa\n"),
    Edit(old="  - kid: own-ed\n", new=f"    proof: {proof('acme', OWN_RSA, 'PS384')}\n  - kid: own-ed\n"),
    Edit(old="  - kid: own-cert\n", new=f"    proof: {proof('acme', OWN_ED, 'EdDSA')}\n  - kid: own-cert\n"),
    Edit(old="gateway.pem\n", new=f"gateway.pem\n    proof: {proof('acme', ec_key(2), 'ES256')}\n"),
    Edit(old="  - kid: lost\n", new=f"    proof: {proof('acme', rsa_key(1), 'RS256')}\n  - kid: lost\n"),
)
"""Every custom key is proven but the revoked one, and the generated ones need no proof."""


def _bad(text: str, message: str, hint: str = ANEW) -> Case:
    return Case(rule="proof-invalid", around=PROVEN, edits=change(GOOD, f"▸{text}"), says=f"{message}; {hint}")


CASES = (
    Case(
        rule="proof-invalid",
        around=PROVEN,
        edits=change(GOOD, f"▸{LATE}"),
        says=f"the proof expires more than 30 days ahead; {ANEW}",
    ),
    _bad(proof("globex", OWN_EC, "ES256"), "the proof is for another tenant"),
    _bad(proof("acme", ec_key(7), "ES256"), "the proof is for another key"),
    _bad(
        sign(ec_key(7), "ES256", payload("acme", OWN_EC)),
        "the signature of the proof is not this key's",
        "sign exactly what `custom challenge` prints, without a line's end",
    ),
    _bad(
        SWAPPED,
        "the signature of the proof is not this key's",
        "sign exactly what `custom challenge` prints, without a line's end",
    ),
    _bad(ES384, "the proof's alg ES384 does not go with P-256 keys"),
    _bad(PADDED, "the proof is not a compact JWS: three parts of base64url without padding, with dots between"),
    _bad(sign(OWN_EC, "ES256", '{"sub": "ann"}'), "the proof is not made over a tenant, a thumbprint and an expiry"),
    _bad(sign(OWN_EC, "ES256", payload("acme", OWN_EC), typ="JWT"), "the proof's `typ` is not jwks-key-proof+jws"),
    _bad(
        sign(OWN_EC, "ES256", payload("acme", OWN_EC), jku="https://evil.example"),
        "the proof's header has not the members alg and typ, and perhaps kid, and no other",
    ),
    Case(
        rule="proof-missing",
        around=REQUIRED,
        edits=(
            Edit(old=f"    proof: {REQUIRED[3].new.split()[1]}\n", new=""),
            Edit(old="  - kid: own-ed\n", new="  - ▸kid: own-ed\n"),
        ),
        says="the key has no proof; add `proof:`, as `custom challenge` tells",
    ),
)
