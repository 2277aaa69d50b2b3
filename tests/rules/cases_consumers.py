"""Golden cases of the rules about verifiers that the policy, a plan or the tenant names."""

import json

from keymaker import ec_key, entry, public_jwk, rsa_key

from .trees import Case, Edit, change

GLOBEX = "eu/globex/keyset.yaml"
START = "plan: starter\ndomains: [id.globex.example]\n"
RS256 = "  - kid: {}\n    alg: RS256\n    jwk: {}\n"


def _globex(consumers: str, keys: str) -> tuple[Edit, ...]:
    """The tenant with these keys, and verifiers that its own file names."""
    text = f"{START}consumers: [{consumers}]\ncustom_keys:\n{keys}"
    roomy = change("starter: {custom_keys: 1}", "starter: {custom_keys: 20}", "policy.yaml")
    return (*change(START, text, GLOBEX), *roomy)


def _keys(count: int) -> str:
    return "".join(entry("ES256", kid=f"g{number:02}", jwk=public_jwk(ec_key(40 + number))) for number in range(count))


def _bytes(count: int) -> int:
    keys = [
        {"kid": f"g{number:02}", "use": "sig", "alg": "ES256", **public_jwk(ec_key(40 + number))}
        for number in range(count)
    ]
    return len(json.dumps({"keys": keys}, separators=(",", ":")))


RSA = entry("RS256", kid="g-rsa", jwk=public_jwk(rsa_key(5)))
EC = entry("ES256", kid="g-ec", jwk=public_jwk(ec_key(41)))
KOBLITZ = entry("ES256K", kid="g-k1", jwk=public_jwk(ec_key(42, "secp256k1")))
ALLOW = change("ES384, EdDSA]", "ES384, EdDSA, ES256K]", "policy.yaml")
FROM_JULY = "    publish: {from: 2026-07-01T00:00:00Z}\n"
LIMITED = "    domains: [id.globex.example]\n"
TWO_DOMAINS = change("[id.globex.example]", "[id.globex.example, ec.globex.example]", GLOBEX)
LISTED = "limits: {custom_keys: 10, keys: 10,"

CASES = (
    Case(
        rule="consumer-unknown",
        around=change("plan: enterprise\n", "plan: enterprise\nconsumers: [joserfc]\n"),
        edits=change("consumers: [joserfc]", "consumers: [jwcrypto, ▸joserfcc]"),
        says="`joserfcc` is not a verifier that is known here; did you mean `joserfc`?",
    ),
    Case(
        rule="consumer-unknown",
        around=change(
            "enterprise: {custom_keys: 10}", "enterprise: {custom_keys: 10, consumers: [pyjwt]}", "policy.yaml"
        ),
        edits=change("consumers: [pyjwt]", "consumers: [▸py-jwt]", "policy.yaml"),
        says="`py-jwt` is not a verifier that is known here; did you mean `pyjwt`?",
    ),
)
