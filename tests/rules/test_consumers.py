"""Rules about named verifiers: which documents are judged, what is told once, and where."""

from datetime import UTC, datetime

import pytest
from keymaker import ec_key, entry, okp_key, public_jwk, rsa_key

from publisher.policy import Plan, Policy

from .trees import HEAD, lines, mistakes, rules

ED = entry("EdDSA", kid="ed", jwk=public_jwk(okp_key(0)))
RSA = entry("RS256", kid="rsa", jwk=public_jwk(rsa_key(0)))
EC = entry("ES256", kid="ec", jwk=public_jwk(ec_key(0)))
ALB = Policy(consumers=frozenset({"aws-alb"}))
TWO = HEAD.replace("[a.acme.example]", "[a.acme.example, b.acme.example]")


def _custom(*keys: str, head: str = HEAD) -> str:
    return f"{head}custom_keys:\n{''.join(keys)}"


def test_nothing_is_told_where_no_verifier_is_named() -> None:
    assert mistakes(_custom(ED, RSA, EC)) == []


@pytest.mark.parametrize(
    ("policy", "head"),
    [
        (ALB, HEAD),
        (Policy(plans={"enterprise": Plan(custom_keys=9, consumers=frozenset({"aws-alb"}))}), HEAD),
        (Policy(), f"{HEAD}consumers: [aws-alb]\n"),
        (ALB, f"{HEAD}consumers: [aws-alb]\n"),
    ],
    ids=["policy", "plan", "tenant", "both"],
)
def test_policy_plan_and_tenant_name_verifiers(policy: Policy, head: str) -> None:
    (found,) = mistakes(_custom(RSA, EC, head=head), policy=policy)
    assert found.rule == "consumer-algorithm"
    assert found.message == "`aws-alb` refuses tokens of `ec`: it knows no ES256 (in `a.acme.example` from the start)"


def test_another_plan_is_no_concern() -> None:
    plans = {"enterprise": Plan(custom_keys=9), "free": Plan(custom_keys=9, consumers=frozenset({"aws-alb"}))}
    assert mistakes(_custom(EC), policy=Policy(plans=plans)) == []


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ("until: 2026-06-01T00:00:00Z", None),
        ("until: 2026-06-01T00:00:01Z", "from 2026-05-15T00:00:00Z on"),
        ("from: 2026-05-01T00:00:00Z, until: 2026-06-02T00:00:00Z", "from 2026-05-15T00:00:00Z on"),
        ("from: 2030-01-01T00:00:00Z", "from 2030-01-01T00:00:00Z on"),
    ],
)
def test_documents_of_now_and_later_are_judged_and_past_ones_not(window: str, told: str | None) -> None:
    signs = "from: 2030-01-03T00:00:00Z" if "2030" in window else "until: 2026-05-15T00:00:00Z"
    found = mistakes(_custom(RSA, EC, f"    publish: {{{window}}}\n    signs: {{{signs}}}\n"), policy=ALB)
    assert rules(found) == ["consumer-algorithm"] * (told is not None)
    assert all(one.message.endswith(f"(in `a.acme.example` {told})") for one in found)


def test_what_is_accepted_stays_accepted_by_waiting() -> None:
    text = _custom(RSA, EC, "    publish: {until: 2026-06-01T00:00:00Z}\n    signs: {until: 2026-05-15T00:00:00Z}\n")
    assert rules(mistakes(text, policy=ALB, now=datetime(2026, 5, 31, tzinfo=UTC))) == ["consumer-algorithm"]
    for year in (2026, 2027, 2090):
        assert mistakes(text, policy=ALB, now=datetime(year, 6, 1, tzinfo=UTC)) == []


def test_a_revoked_key_is_no_concern() -> None:
    revoked = "    revoked: {at: 2026-01-01T00:00:00Z, reason: lost}\n"
    assert mistakes(_custom(RSA, EC, revoked), policy=ALB) == []


def test_a_key_is_told_once_for_each_verifier_at_its_own_alg() -> None:
    changes = "    signs: {from: 2027-01-01T00:00:00Z, until: 2028-01-01T00:00:00Z}\n"
    policy = Policy(consumers=frozenset({"aws-alb", "spring"}))
    found = [one for one in mistakes(_custom(EC, changes, head=TWO), policy=policy) if one.rule != "no-active-key"]
    assert lines(found) == [
        f"7:10: consumer-algorithm: `{name}` refuses tokens of `ec`: it knows no ES256 "
        "(in `a.acme.example` from the start); sign with one of RS256"
        for name in ("aws-alb", "spring")
    ]


def test_a_document_is_told_for_each_domain_at_the_domain() -> None:
    keys = [entry("RS256", kid=f"k{number:02}", jwk=public_jwk(rsa_key(number))) for number in range(11)]
    generated = f"version: 1\ngenerated_keys:\n{''.join(keys)}"
    policy = Policy(consumers=frozenset({"oci-api-gateway"}), canonical_suffix=".idp.example")
    hint = "withdraw keys earlier, or limit them to domains"
    assert lines(mistakes(TWO, generated, policy=policy)) == [
        f"{place}: consumer-keys: `oci-api-gateway` takes no more than 10 keys, and there are 11 "
        f"(in `{domain}` from the start); {hint}"
        for place, domain in [("2:9", "acme.idp.example"), ("4:11", "a.acme.example"), ("4:27", "b.acme.example")]
    ]


def test_keys_of_several_types_break_python_jose_and_domains_of_their_own_mend_it() -> None:
    policy = Policy(consumers=frozenset({"python-jose"}))
    (found,) = mistakes(_custom(RSA, EC, head=TWO), policy=policy)
    assert (found.rule, found.line) == ("consumer-order", 9)
    assert found.message == (
        "`python-jose` tries keys in turn, and fails at `ec` for tokens of `rsa` after it "
        "(in `a.acme.example` from the start)"
    )
    apart = (RSA, "    domains: [a.acme.example]\n", EC, "    domains: [b.acme.example]\n")
    assert mistakes(_custom(*apart, head=TWO), policy=policy) == []


def test_generated_keys_are_told_in_their_own_file() -> None:
    found = mistakes(_custom(RSA), f"version: 1\ngenerated_keys:\n{EC}", policy=ALB)
    assert [(one.path, one.line, one.rule) for one in found] == [("acme/generated.yaml", 4, "consumer-algorithm")]


def test_an_unknown_verifier_is_told_once_and_the_others_are_not_asked() -> None:
    found = mistakes(_custom(EC, head=f"{HEAD}consumers: [aws-albb, envoy]\n"), policy=ALB)
    assert lines(found) == [
        "5:13: consumer-unknown: `aws-albb` is not a verifier that is known here; did you mean `aws-alb`?"
    ]
