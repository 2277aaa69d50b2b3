"""Golden cases of the rules about verifiers that the policy, a plan or the tenant names."""

import json
from typing import Any

from keymaker import certificate, ec_key, entry, okp_key, public_jwk, rsa_key, x5c

from .trees import Case, Edit, change

GLOBEX = "eu/globex/keyset.yaml"
BEGINNING = "plan: starter\ndomains: [id.globex.example]\n"
ROOMY = (
    Edit(old="keys: 10, document_bytes: 20000", new="keys: 90, document_bytes: 90000", file="policy.yaml"),
    Edit(old="limits: {custom_keys: 10", new="limits: {custom_keys: 90", file="policy.yaml"),
    Edit(old="starter: {custom_keys: 1}", new="starter: {custom_keys: 90}", file="policy.yaml"),
    Edit(old="EdDSA]", new="EdDSA, ES256K]", file="policy.yaml"),
)
FROM_JULY = "    publish: {from: 2026-07-01T00:00:00Z}\n    signs: {from: 2026-07-03T00:00:00Z}\n"
RSA = entry("RS256", kid="g-rsa", jwk=public_jwk(rsa_key(5)))
EC = entry("ES256", kid="g-ec", jwk=public_jwk(ec_key(41)))
KOBLITZ = entry("ES256K", kid="g-koblitz", jwk=public_jwk(ec_key(42, "secp256k1")))
ED = entry("EdDSA", kid="g-ed", jwk=public_jwk(okp_key(43)))


def _globex(consumers: str, *keys: str) -> tuple[Edit, ...]:
    """The tenant with these keys, and verifiers that its own file names."""
    text = f"{BEGINNING}consumers: [{consumers}]\ncustom_keys:\n{''.join(keys)}"
    return (*change(BEGINNING, text, GLOBEX), *ROOMY)


def _marked(key: str) -> str:
    return key.replace("  - ", "  - ▸")


def _many(count: int) -> list[str]:
    return [entry("ES256", kid=f"g{number:02}", jwk=public_jwk(ec_key(60 + number))) for number in range(count)]


def _certified(number: int) -> dict[str, Any]:
    key = ec_key(60 + number)
    return {"kid": f"g{number:0254}", **public_jwk(key), "x5c": x5c(certificate(key, "c" * 64))}


CERTIFIED = [_certified(number) for number in range(60)]
PLAIN = {"kid": "g-ec", **public_jwk(ec_key(41))}
LENGTH = len(
    json.dumps({"keys": [{**jwk, "use": "sig", "alg": "ES256"} for jwk in [*CERTIFIED, PLAIN]]}, separators=(",", ":"))
)
LARGE = [
    entry("ES256", jwk=jwk, publish={"until": "2039-01-01T00:00:00Z"}, signs={"until": "2038-12-01T00:00:00Z"})
    for jwk in CERTIFIED
]

CASES = (
    Case(
        rule="consumer-unknown",
        around=change("plan: enterprise\n", "plan: enterprise\nconsumers: [joserfc]\n"),
        edits=change("consumers: [joserfc]", "consumers: [jwcrypto, ▸joserfcc]"),
        says="`joserfcc` is not a verifier that is known here; did you mean `joserfc`?",
    ),
    Case(
        rule="consumer-unknown",
        around=change("enterprise: {", "enterprise: {consumers: [joserfc], ", "policy.yaml"),
        edits=change("consumers: [joserfc]", "consumers: [▸jose-rfc]", "policy.yaml"),
        says="`jose-rfc` is not a verifier that is known here; did you mean `joserfc`?",
    ),
    Case(
        rule="consumer-unknown",
        around=change("token_lifetime: 24h", "token_lifetime: 24h\nconsumers: [joserfc]", "policy.yaml"),
        edits=change("consumers: [joserfc]", "consumers: [▸spring-boot]", "policy.yaml"),
        says="`spring-boot` is not a verifier that is known here; did you mean `spring`?",
    ),
    Case(
        rule="consumer-keys",
        around=_globex("cloudflare-api-shield", *_many(17), "    publish: {until: 2026-05-31T00:00:00Z}\n"),
        edits=change(
            "publish: {until: 2026-05-31T00:00:00Z}",
            "publish: {from: 2026-07-01T00:00:00Z}\n    signs: {from: 2026-07-03T00:00:00Z}",
            GLOBEX,
        )
        + change("domains: [id.", "domains: [▸id.", GLOBEX),
        says="`cloudflare-api-shield` takes no more than 16 keys, and there are 17 "
        "(in `id.globex.example` from 2026-07-01T00:00:00Z on); withdraw keys earlier, or limit them to domains",
    ),
    Case(
        rule="consumer-bytes",
        around=_globex("joserfc", *LARGE, EC),
        edits=change("consumers: [joserfc]", "consumers: [joserfc, nimbus]", GLOBEX)
        + change("domains: [id.", "domains: [▸id.", GLOBEX),
        says=f"`nimbus` takes no more than 51200 bytes, and there are {LENGTH} "
        "(in `id.globex.example` from the start); publish fewer or smaller keys, or no x5c",
    ),
    Case(
        rule="consumer-algorithm",
        around=_globex("aws-alb, oci-api-gateway", RSA),
        edits=change(RSA, RSA.replace("RS256", "▸PS256"), GLOBEX)
        + change("consumers: [aws-alb, oci-api-gateway]", "consumers: [aws-alb]", GLOBEX),
        says="`aws-alb` refuses tokens of `g-rsa`: it knows no PS256 (in `id.globex.example` from the start); "
        "sign with one of RS256",
    ),
    Case(
        rule="consumer-algorithm",
        around=_globex("jwks-rsa-java", RSA, EC),
        edits=change(EC, EC + ED.replace("alg: ", "alg: ▸") + FROM_JULY, GLOBEX),
        says="`jwks-rsa-java` refuses tokens of `g-ed`: it knows no Ed25519 keys "
        "(in `id.globex.example` from 2026-07-01T00:00:00Z on); sign with a key of another kind",
    ),
    Case(
        rule="consumer-whole-set",
        around=_globex("pyjwt", RSA)
        + change("starter: {custom_keys: 90", "starter: {consumers: [go-jose], custom_keys: 90", "policy.yaml"),
        edits=change(RSA, RSA + _marked(KOBLITZ) + FROM_JULY, GLOBEX),
        says="`go-jose` refuses every document with a key of secp256k1, as `g-koblitz` is "
        "(in `id.globex.example` from 2026-07-01T00:00:00Z on); give the tenant a key of another kind",
    ),
    Case(
        rule="consumer-whole-set",
        around=change("token_lifetime: 24h", "token_lifetime: 24h\nconsumers: [keyfunc]", "policy.yaml")
        + _globex("pyjwt", RSA),
        edits=change(RSA, RSA + _marked(KOBLITZ), GLOBEX),
        says="`keyfunc` refuses every document with a key of secp256k1, as `g-koblitz` is "
        "(in `id.globex.example` from the start); give the tenant a key of another kind",
    ),
    Case(
        rule="consumer-order",
        around=_globex(
            "python-jose", RSA, "    domains: [id.globex.example]\n", EC, "    domains: [ec.globex.example]\n"
        )
        + change(
            "domains: [id.globex.example]\nconsumers",
            "domains: [id.globex.example, ec.globex.example]\nconsumers",
            GLOBEX,
        ),
        edits=change(f"{EC}    domains: [ec.globex.example]\n", _marked(EC), GLOBEX),
        says="`python-jose` tries keys in turn, and fails at `g-ec` for tokens of `g-rsa` after it "
        "(in `id.globex.example` from the start); "
        "publish keys of one type alone in this domain: limit the others to domains of their own",
    ),
)
