"""The times that a tenant's keys are held to: the numbers of FACTS, section 3, and who may change them."""

from dataclasses import replace
from datetime import timedelta

import pytest
from strategies import Tenant

from publisher.conditions import Conditions, conditions, least_lead
from publisher.keyset import KeySet
from publisher.policy import Cache, Plan, Policy, Rotation
from publisher.policyfile import read_policy
from publisher.rules.settings import check_policy, warn_policy

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
CACHES = 11 * MINUTE
"""max-age 300 s at the CDN and once more at the verifier, and stale-while-revalidate 60 s."""


def own(*, rotation: Rotation | None = None, lifetime: timedelta | None = None, consumers: str = "") -> KeySet:
    """A tenant with settings of its own."""
    return replace(
        Tenant().read(),
        rotation=rotation or Rotation(),
        token_lifetime=lifetime,
        consumers=frozenset(consumers.split()),
    )


def of(policy: Policy, tenant: KeySet | None = None) -> Conditions:
    return conditions(policy, "enterprise", tenant)


def test_the_defaults() -> None:
    holds = conditions(Policy())
    assert (holds.lead, holds.every, holds.alg) == (48 * HOUR, 90 * 24 * HOUR, "RS256")
    assert holds.propagation == CACHES
    assert holds.spread == CACHES + 5 * MINUTE
    assert holds.least_lead == CACHES + HOUR
    assert holds.retention == 24 * HOUR + 5 * MINUTE


def test_the_least_lead_is_the_cache_terms_and_an_hour_or_all_that_a_late_publish_needs() -> None:
    assert least_lead(CACHES, 15 * MINUTE, CACHES + 5 * MINUTE) == CACHES + HOUR
    assert least_lead(CACHES, 2 * HOUR, CACHES + 5 * MINUTE) == 2 * HOUR + CACHES + 5 * MINUTE
    slow = Policy(cache=Cache(max_age=HOUR, stale_while_revalidate=MINUTE))
    assert conditions(slow).least_lead == 3 * HOUR + MINUTE


@pytest.mark.parametrize(
    ("consumers", "refresh"),
    [
        ("", timedelta(0)),
        ("istio", 20 * MINUTE),
        ("envoy", 10 * MINUTE),
        ("istio envoy", 20 * MINUTE),
        ("confluent-cloud", 5 * MINUTE),
        ("joserfc", 24 * HOUR),
        ("microsoft-identity", 5 * MINUTE),
        ("go-oidc", timedelta(0)),
    ],
)
def test_the_slowest_verifier_raises_it(consumers: str, refresh: timedelta) -> None:
    """A verifier that fetches for an unknown kid is as slow as it waits between two fetches; nobody knows joserfc's."""
    holds = of(Policy(), own(consumers=consumers))
    assert holds.spread == CACHES + refresh + 5 * MINUTE
    assert holds.least_lead == max(CACHES + HOUR, holds.spread + 15 * MINUTE)


def test_verifiers_of_policy_plan_and_tenant_count_together() -> None:
    plans = {"enterprise": Plan(custom_keys=10, consumers=frozenset({"istio"}))}
    holds = of(Policy(consumers=frozenset({"envoy"}), plans=plans), own(consumers="jose"))
    assert holds.consumers == {"envoy", "istio", "jose"}


def test_a_plan_and_a_tenant_override_what_is_above_them() -> None:
    rotation = Rotation(every=30 * 24 * HOUR, lead=72 * HOUR, alg="ES256")
    plans = {"enterprise": Plan(custom_keys=10, rotation=rotation, token_lifetime=8 * HOUR)}
    policy = Policy(plans=plans)
    planned = of(policy)
    assert (planned.every, planned.lead, planned.alg) == (30 * 24 * HOUR, 72 * HOUR, "ES256")
    assert planned.token_lifetime == 8 * HOUR
    asked = of(policy, own(rotation=Rotation(every=20 * 24 * HOUR, lead=96 * HOUR, alg="PS256"), lifetime=HOUR))
    assert (asked.every, asked.lead, asked.alg) == (20 * 24 * HOUR, 96 * HOUR, "PS256")
    assert asked.token_lifetime == HOUR
    assert conditions(policy, "free") == conditions(Policy())


def test_what_a_tenant_may_not_ask_for_does_not_hold() -> None:
    """It is a mistake in the file beside: nothing is reckoned with it."""
    asked = of(Policy(), own(rotation=Rotation(lead=HOUR), lifetime=48 * HOUR))
    assert (asked.lead, asked.token_lifetime) == (48 * HOUR, 24 * HOUR)
    assert of(Policy(lead=MINUTE)).lead == CACHES + HOUR, "no lead is under the least"


def test_a_lead_under_a_day_is_warned_of() -> None:
    def warned(text: str) -> list[tuple[str, ...]]:
        policy, mistakes = read_policy(f"version: 1\n{text}".encode(), "policy.yaml")
        assert mistakes == ()
        assert list(check_policy(policy, "policy.yaml")) == []
        return [tuple(map(str, one.where)) for one in warn_policy(policy, "policy.yaml")]

    assert warned("rotation: {lead: 24h}\n") == []
    assert warned("rotation: {lead: 23h}\n") == [("rotation", "lead")]
    plans = "plans:\n  free: {custom_keys: 0}\n  fast: {custom_keys: 1, rotation: {lead: 3h}}\n"
    assert warned(f"rotation: {{lead: 2h}}\n{plans}") == [("rotation", "lead"), ("plans", "fast", "rotation", "lead")]


def test_what_a_plan_has_from_the_policy_is_told_of_the_policy_alone() -> None:
    policy, mistakes = read_policy(
        b"version: 1\nrotation: {lead: 1h, alg: ES256K}\nplans: {a: {custom_keys: 1}}\n", "p"
    )
    assert mistakes == ()
    assert [one.where for one in check_policy(policy, "p")] == [("rotation", "lead"), ("rotation", "alg")]


@pytest.mark.parametrize(
    ("says", "alg"),
    [
        ("algorithms: [ES256, RS256]", "RS256"),
        ("algorithms: [EdDSA, ES256]", "ES256"),
        ("algorithms: [ES256, EdDSA]\nrotation: {alg: EdDSA}", "EdDSA"),
    ],
)
def test_new_keys_have_an_algorithm_that_is_allowed(says: str, alg: str) -> None:
    policy, mistakes = read_policy(f"version: 1\n{says}\n".encode(), "policy.yaml")
    assert mistakes == ()
    assert policy.generated_alg == alg
    assert list(check_policy(policy, "policy.yaml")) == []
