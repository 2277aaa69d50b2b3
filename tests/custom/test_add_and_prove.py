"""`custom add`, `challenge` and `prove` as a user runs them, and private keys, of which nothing is shown."""

import json

import pytest
from keymaker import (
    certificate,
    certificate_pem,
    ec_key,
    flow,
    okp_key,
    private_jwk,
    private_pem,
    public_jwk,
    public_pem,
    rsa_key,
    thumbprint,
)
from program import run
from proofs import proof
from repos import Repo

from .acme import KEYSET, NEW, PATH, custom, jwks, own, text


@pytest.mark.parametrize("form", ["pem", "jwk", "certificate"])
def test_add_takes_each_form(repo: Repo, form: str) -> None:
    key = ec_key(9)
    texts = {
        "pem": public_pem(key).replace("\n", "\r\n"),
        "jwk": json.dumps(public_jwk(key)),
        "certificate": certificate_pem(certificate(key)),
    }
    repo.write("key.txt", texts[form])
    ran = custom(repo, "add", "acme", "key.txt", "--kid", "nine", "--now", "2026-06-01T00:00:00Z")
    if form == "certificate":  # an open end outlives every certificate
        assert ran.code == 1
        assert "certificate-validity" in ran.out
        return
    assert ran.code == 0, ran.out + ran.err
    assert own(repo)[-1] == {"kid": "nine", "kty": "EC", "use": "sig", "alg": "ES256", **public_jwk(key)}


def test_add_asks_for_the_algorithm_where_several_fit(repo: Repo) -> None:
    ran = custom(repo, "add", "acme", "-", given=public_pem(rsa_key(2)))
    assert (ran.code, text(repo)) == (1, KEYSET)
    assert "name the algorithm with --alg: RS256, RS384, RS512, PS256, PS384, PS512" in ran.err
    assert custom(repo, "add", "acme", "-", "--alg", "PS256", given=public_pem(rsa_key(2))).code == 0
    assert own(repo)[-1]["kid"] == thumbprint(rsa_key(2))


def test_add_refuses_what_differs_from_the_jwk(repo: Repo) -> None:
    ran = custom(repo, "add", "acme", "-", "--kid", "other", given=json.dumps(NEW))
    assert ran.code == 1
    assert "key-disagrees" in ran.out


def test_a_private_key_is_never_shown(repo: Repo) -> None:
    secret = private_pem(ec_key(5))
    ran = custom(repo, "add", "acme", "-", given=secret)
    assert ran.code == 1
    assert "private-key" in ran.out
    assert secret.splitlines()[1][:20] not in ran.out + ran.err


def test_a_proof_from_challenge_to_check(repo: Repo) -> None:
    repo.write(
        "keysets/policy.yaml",
        "version: 1\nrequire_proof: true\nplans: {enterprise: {custom_keys: 3}, free: {custom_keys: 0}}\n",
    )
    repo.write(PATH, KEYSET.replace("  # A partner's.\n  - alg: RS256\n    pem: partner.pem\n\n", ""))
    assert "proof-missing" in run("check", cwd=repo.path).out
    ran = custom(repo, "challenge", "acme", "--now", "2026-06-01T00:00:00Z")
    assert ran.out.startswith("now\tey")
    assert ran.err == "to come in before 2026-06-08T00:00:00Z\n"
    stale = custom(repo, "prove", "acme", proof("acme", ec_key(0), "ES256"), "--now", "2026-06-08T00:00:00Z")
    assert (stale.code, "expired" in stale.err) == (1, True)
    made = proof("acme", ec_key(0), "ES256")
    done = custom(repo, "prove", "acme", made, "--now", "2026-06-01T00:00:00Z")
    assert done.code == 0, done
    assert f"2026-01-01T00:00:00Z}}\n    proof: {made}\n" in text(repo)
    assert run("check", "--now", "2099-01-01T00:00:00Z", cwd=repo.path).code == 0
    refused = custom(repo, "put", "acme", "-", "--now", "2026-06-01T00:00:00Z", given=jwks(NEW))
    assert "proof-missing" in refused.out
    proven = ("--proof", proof("acme", okp_key(0), "EdDSA"), "--now", "2026-06-01T00:00:00Z")
    assert custom(repo, "put", "acme", "-", *proven, given=jwks(NEW)).code == 0
    stray = ("--proof", proof("acme", ec_key(3), "ES256"), "--now", "2026-06-01T00:00:00Z")
    ran = custom(repo, "put", "acme", "-", *stray, given=jwks(NEW))
    assert "a proof is for none of these keys" in ran.err


def test_a_private_key_that_goes_is_not_shown(repo: Repo) -> None:
    secret = private_jwk(ec_key(5))
    entry = f"  - kid: bad\n    alg: ES256\n    jwk: {flow(secret)}\n"
    repo.write(PATH, KEYSET.replace("# Ask", f"{entry}# Ask"))
    kept = json.dumps({"keys": [{**public_jwk(ec_key(0)), "kid": "now"}, public_jwk(rsa_key(0))]})
    got = custom(repo, "get", "acme")
    assert (got.code, "private-key" in got.out) == (1, True)
    ran = custom(repo, "put", "acme", "-", given=kept)
    assert ran.code == 0, ran
    assert "so that the difference is not shown" in ran.out
    assert secret["d"][:10] not in ran.out + ran.err + got.out + got.err
    assert text(repo) == KEYSET
