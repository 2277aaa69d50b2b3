"""Golden cases of the rules about key sets: names, algorithms, strength, kids, windows, limits, and all tenants."""

import json
from datetime import UTC, datetime
from math import gcd, prod

from keymaker import certificate, certificate_pem, ec_key, entry, flow, public_jwk, rsa_key, rsa_numbers

from .trees import Case, change

GLOBEX = "eu/globex/keyset.yaml"
GLOBEX_DOMAINS = "domains: [id.globex.example]\n"
PRIMES = [number for number in range(2, 1000) if all(number % divisor for divisor in range(2, number))]
RFC8037 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
"""RFC 8037 appendix A.2."""


def without_factors(number: int) -> int:
    """The next number that no prime under 1000 divides."""
    while gcd(number, prod(PRIMES)) != 1:
        number += 1
    return number


def close_primes() -> int:
    """The product of two neighbours of 1024 bits."""
    first = without_factors(3 << 1022 | 0x1234567)
    return first * without_factors(first + 1)


def roca() -> int:
    """1 modulo every small prime of the fingerprint, as Infineon's library makes them for the exponent 0."""
    product = prod(prime for prime in PRIMES if 3 <= prime <= 167)
    k = ((1 << 2047) // product + 2) & ~1
    while gcd(k * product + 1, prod(PRIMES)) != 1:
        k += 2
    return k * product + 1


def _marked(text: str) -> str:
    return text.replace("  - ", "  - ▸")


def _entries(*numbers: int) -> str:
    """P-256 keys with kids as long as they may be."""
    keys = [entry("ES256", kid=f"k{number:0254}", jwk=public_jwk(ec_key(number))) for number in numbers]
    return "custom_keys:\n" + "".join(keys)


def _document_length(*numbers: int) -> int:
    """The bytes of the document with these keys."""
    keys = [
        {"kid": f"k{number:0254}", "use": "sig", "alg": "ES256", **public_jwk(ec_key(number))} for number in numbers
    ]
    return len(json.dumps({"keys": keys}, separators=(",", ":")))


def _many_domains(domains: int, keys: int) -> str:
    """A tenant of past keys, each for one of many domains."""
    names = "".join(f"  - d{number}.hooli.example\n" for number in range(domains)).replace("  - ", "  ▸- ", 1)
    past = {"domains": ["d0.hooli.example"], "publish": {"until": "2026-01-01T00:00:00Z"}}
    entries = [entry("ES256", kid=f"h{n:02}", jwk=public_jwk(ec_key(40 + n)), **past) for n in range(keys)]
    return f"version: 1\ntenant: hooli\nplan: starter\ndomains:\n{names}custom_keys:\n{''.join(entries)}"


def _members_length(count: int) -> int:
    """The bytes of their keys in a document."""
    common = {"use": "sig", "alg": "ES256"}
    keys = [{"kid": f"h{n:02}", **common, **public_jwk(ec_key(40 + n))} for n in range(count)]
    return sum(len(json.dumps(key, separators=(",", ":"))) for key in keys)


def _rsa(members: dict[str, str]) -> str:
    return f"  - ▸kid: own-rsa\n    alg: RS256\n    jwk: {flow(members)}\n"


OWN_RSA = "  - kid: own-rsa\n    alg: RS256\n    pem: partner.pem\n"
LARGE = range(20, 30)
TEN_KEYS = change("starter: {custom_keys: 1}", "starter: {custom_keys: 10}", "policy.yaml")
NUMBERS = rsa_key(4).public_key().public_numbers()

NAMES = (
    Case(
        rule="tenant-name",
        edits=change("tenant: acme", "tenant: ▸globex2"),
        says="the tenant `globex2` is not named as its folder `acme`; rename one of the two",
    ),
    Case(
        rule="tenant-name",
        edits=change("tenant: acme", "tenant: ▸Acme Inc."),
        says="`Acme Inc.` is not a tenant's name; write lower-case letters, digits and inner hyphens, at most 63",
    ),
    Case(
        rule="domain-name",
        edits=change("  - auth.acme.example\n", "  - ▸https://auth.acme.example/\n"),
        says="`https://auth.acme.example/` has a scheme; write the host name alone",
    ),
    Case(
        rule="domain-name",
        edits=change("  - auth.acme.example\n", "  - ▸bücher.acme.example\n"),
        says="`bücher.acme.example` is not in A-labels; write `xn--bcher-kva.acme.example`",
    ),
    Case(
        rule="domain-canonical",
        edits=change("  - auth.acme.example\n", "  - ▸globex.idp.example\n"),
        says="`globex.idp.example` lies under the platform's own idp.example; name a domain of the tenant's own",
    ),
    Case(
        rule="key-domain",
        edits=change("domains: [login.acme.example]", "domains: [▸logon.acme.example]"),
        says="`logon.acme.example` is not a custom domain of this tenant; did you mean `login.acme.example`?",
    ),
    Case(
        rule="key-domain",
        edits=change("domains: [login.acme.example]", "domains: ▸[]"),
        says="the key is limited to no domain at all, and so is published nowhere; "
        "name a domain, or leave `domains` out",
    ),
)

KEYS = (
    Case(
        rule="algorithm-unknown",
        edits=change("alg: EdDSA", "alg: ▸HS256"),
        says="`HS256` is not a signature algorithm for public keys; write one of EdDSA",
    ),
    Case(
        rule="algorithm-key",
        edits=change("  - kid: own-ec\n    alg: ES256", "  - kid: own-ec\n    alg: ▸RS256"),
        says="RS256 does not go with P-256 keys; write one of ES256",
    ),
    Case(
        rule="algorithm-key",
        around=change("  - alg: RS256\n    jwk:", "  - jwk:") + change("use: sig\n", "use: sig\n      alg: RS256\n"),
        edits=change("      alg: RS256\n      key_ops", "      alg: ▸ES256\n      key_ops"),
        says="ES256 does not go with RSA keys; write one of RS256, PS256",
    ),
    Case(
        rule="algorithm-not-allowed",
        edits=change("  - kid: own-rsa\n    alg: RS256", "  - kid: own-rsa\n    alg: ▸PS512"),
        says="the policy does not allow PS512; write one of RS256, PS256",
    ),
    Case(
        rule="rsa-size",
        edits=change(OWN_RSA, _rsa(public_jwk(rsa_key(0, 1024)))),
        says="the RSA modulus has 1024 bits; the policy takes 2048 to 4096",
    ),
    Case(
        rule="rsa-exponent",
        edits=change(OWN_RSA, _rsa(rsa_numbers(NUMBERS.n, 3))),
        says="the RSA exponent is 3; the policy takes 65537",
    ),
    Case(
        rule="rsa-factor",
        edits=change(OWN_RSA, _rsa(rsa_numbers(3 * (NUMBERS.n >> 1 | 1)))),
        says="the RSA modulus can be divided by 3; copy it again, or make a new key",
    ),
    Case(
        rule="rsa-close-primes",
        edits=change(OWN_RSA, _rsa(rsa_numbers(close_primes()))),
        says="the RSA primes are too close together: it is factored; make a new key",
    ),
    Case(
        rule="rsa-roca",
        edits=change(OWN_RSA, _rsa(rsa_numbers(roca()))),
        says="the RSA key is of the ROCA form and can be factored; make a new key elsewhere",
    ),
    Case(
        rule="known-private-key",
        edits=change(OWN_RSA, OWN_RSA + _marked(entry("EdDSA", kid="rfc", jwk=RFC8037))),
        says="the private half of this key is published (RFC 8037 appendix A.1, RFC 8032 section 7.1); "
        "make a key of your own",
    ),
    Case(
        rule="kid-twice",
        edits=change("kid: gen-now", "kid: ▸own-rsa", "acme/generated.yaml"),
        says="the kid `own-rsa` is already that of custom_keys[1] (`own-rsa`) in keyset.yaml; "
        "give each key a kid of its own",
    ),
    Case(
        rule="kid-twice",
        edits=change("kid: own-x5c", "kid: ▸own-rsa"),
        says="the kid `own-rsa` is already that of custom_keys[1] (`own-rsa`) in keyset.yaml; "
        "give each key a kid of its own",
    ),
    Case(
        rule="key-twice",
        edits=change(OWN_RSA, _marked(entry("ES256", kid="again", jwk=public_jwk(ec_key(0)))) + OWN_RSA),
        says="this is the key of custom_keys[0] (`own-ec`) in keyset.yaml under another kid; "
        "keep one entry; windows and domains say when and where it is published",
    ),
)

TIMES = (
    Case(
        rule="window-order",
        edits=change("from: 2026-02-01T00:00:00Z", "from: ▸2025-12-31T00:00:00Z"),
        says="signs.from is before publish.from; write 2026-01-01T00:00:00Z or later",
    ),
    Case(
        rule="window-order",
        edits=change("until: 2029-01-01T00:00:00Z", "until: 2031-01-01T00:00:00Z")
        + change("until: 2030-01-01T00:00:00Z", "until: ▸2030-01-01T00:00:00Z"),
        says="publish.until is before signs.until; write 2031-01-01T00:00:00Z or later",
    ),
    Case(
        rule="revoked-in-future",
        edits=change("at: 2026-05-01T00:00:00Z", "at: ▸2026-06-02T00:00:00Z"),
        says="revoked.at 2026-06-02T00:00:00Z is in the future; "
        "write when it was compromised; to end it later, use publish.until",
    ),
    Case(
        rule="certificate-validity",
        add={
            "acme/gateway.pem": certificate_pem(certificate(ec_key(2), end=datetime(2038, 1, 1, tzinfo=UTC))),
        },
        place="acme/keyset.yaml:23:22",
        says="the certificate is not valid after 2038-01-01T00:00:00Z; "
        "let publish.until be 2038-01-01T00:00:00Z at the latest, or give the key without certificates",
    ),
    Case(
        rule="certificate-validity",
        add={
            "acme/gateway.pem": certificate_pem(certificate(ec_key(2), start=datetime(2026, 6, 2, tzinfo=UTC))),
        },
        place="acme/keyset.yaml:23:14",
        says="the certificate is not valid before 2026-06-02T00:00:00Z; let publish.from be then or later",
    ),
)

LIMITS = (
    Case(
        rule="plan-unknown",
        edits=change("plan: enterprise", "plan: ▸enterprize"),
        says="`enterprize` is not a plan of policy.yaml; did you mean `enterprise`?",
    ),
    Case(
        rule="too-many-custom-keys",
        edits=change("plan: enterprise", "plan: starter"),
        place="acme/keyset.yaml:8:3",
        says="5 custom keys are more than the plan `starter` takes (1); remove keys, or choose another plan",
    ),
    Case(
        rule="document-keys",
        edits=change("keys: 10, document", "keys: 6, document", "policy.yaml"),
        place="acme/keyset.yaml:5:5",
        says="`login.acme.example` holds 7 keys from 2026-07-01T00:00:00Z on; "
        "the policy takes 6: withdraw keys earlier, or limit them to domains",
    ),
    Case(
        rule="document-bytes",
        around=change(GLOBEX_DOMAINS, GLOBEX_DOMAINS + _entries(*LARGE), GLOBEX) + TEN_KEYS,
        edits=change("document_bytes: 20000", "document_bytes: 4000", "policy.yaml"),
        place=f"{GLOBEX}:4:11",
        says=f"`id.globex.example` has a document of {_document_length(*LARGE)} bytes from the start; "
        "the policy takes 4000: fewer or smaller keys, no x5c",
    ),
    Case(
        rule="timeline-size",
        add={"hooli/keyset.yaml": _many_domains(200, 30)},
        says=f"the documents of this tenant over all time could take {201 * 121 * _members_length(30):,} bytes; "
        "remove past keys and x5c, and limit fewer keys to single domains",
    ),
    Case(
        rule="tenant-twice",
        add={"us/acme/keyset.yaml": "version: 1\ntenant: ▸acme\nplan: starter\ndomains: []\n"},
        says="the tenant `acme` is already in keysets/acme; give it another name",
    ),
    Case(
        rule="domain-owner",
        edits=change("[id.globex.example]", "[id.globex.example, ▸auth.acme.example]", GLOBEX),
        says="the domain `auth.acme.example` already belongs to keysets/acme; remove it from one of the two",
    ),
    Case(
        rule="key-shared",
        edits=change(
            GLOBEX_DOMAINS,
            f"{GLOBEX_DOMAINS}custom_keys:\n{_marked(entry('ES256', kid='g', jwk=public_jwk(ec_key(1))))}",
            GLOBEX,
        ),
        says="the key `g` is also a key of keysets/acme; make each tenant a key of its own",
    ),
)

CASES = (*NAMES, *KEYS, *TIMES, *LIMITS)
