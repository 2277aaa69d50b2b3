"""What a change does to policy.yaml, setting by setting, and which of it lets more pass than before. Pure."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, TypeAlias

from publisher.diagnostic import clean
from publisher.exposure import spoken
from publisher.policy import Plan, Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyChange:
    """A setting, as policy.yaml calls it (`cache.max_age`), before and after, as text.

    `weaker`: what the setting guards against is guarded against less; `why` says it, and is empty otherwise.
    """

    field: str
    before: str
    after: str
    weaker: bool
    why: str


_Judge: TypeAlias = Callable[[Any, Any], bool]


def _more(before: Any, after: Any) -> bool:
    return bool(after > before)


def _less(before: Any, after: Any) -> bool:
    return bool(after < before)


def _other(before: Any, after: Any) -> bool:
    return bool(before) and bool(after != before)


def _gains(before: frozenset[Any], after: frozenset[Any]) -> bool:
    return bool(after - before)


def _loses(before: frozenset[Any], after: frozenset[Any]) -> bool:
    return bool(before - after)


_WEAKER: Final[Mapping[str, tuple[_Judge, str]]] = {
    "algorithms": (_gains, "keys of more algorithms are allowed"),
    "rsa.min_bits": (_less, "shorter RSA keys are allowed"),
    "rsa.max_bits": (_more, "longer RSA keys are allowed, which cost verifiers time"),
    "rsa.exponents": (_gains, "more RSA exponents are allowed"),
    "cache.max_age": (_more, "a revoked key is accepted for longer"),
    "cache.stale_while_revalidate": (_more, "a revoked key is accepted for longer"),
    "cache.stale_if_error": (_more, "a revoked key is accepted for longer while the store is down"),
    "publish_interval": (_more, "publishes may come later, and revocations with them"),
    "token_lifetime": (_less, "keys leave sooner: tokens that live longer would be refused"),
    "clock_skew": (_less, "clocks that are apart meet keys too early or too late"),
    "limits.custom_keys": (_more, "a tenant may have more keys that mint tokens"),
    "limits.keys": (_more, "documents may outgrow what verifiers read"),
    "limits.document_bytes": (_more, "documents may outgrow what verifiers read"),
    "limits.removals": (_more, "one publish may take keys away from more domains"),
    "retention.releases": (_less, "fewer releases can be rolled back to"),
    "retention.documents": (_less, "documents of the past are kept for less long"),
    "require_proof": (_less, "custom keys come in without a proof of possession"),
    "rotation.every": (_more, "generated keys are in use for longer"),
    "rotation.at_most": (_more, "tenants may use generated keys for longer"),
    "rotation.lead": (_less, "keys sign sooner after they were published"),
    "rotation.sync_within": (_more, "an upstream may go unread for longer"),
    "consumers": (_loses, "documents are no longer checked for these verifiers"),
    "canonical_domain": (_other, "canonical domains are other ones: what is served at the old ones is withdrawn"),
    "custom_keys": (_more, "tenants on the plan may have more keys that mint tokens"),
}
"""When a setting has become weaker, and what that means. A plan's settings are judged as the policy's of that name."""


def policy_changes(before: Policy, after: Policy) -> tuple[PolicyChange, ...]:
    """The settings that differ, weaker ones first."""
    old, new = _settings(before), _settings(after)
    found = (_change(name, old.get(name), new.get(name)) for name in {**old, **new} if old.get(name) != new.get(name))
    plans = [*_plan_changes(before, after)]
    return tuple(sorted([*found, *plans], key=lambda one: (not one.weaker, one.field)))


def _change(name: str, before: Any, after: Any, setting: str | None = None) -> PolicyChange:
    rule = _WEAKER.get(setting or name)
    weaker = rule is not None and rule[0](before, after)
    why = rule[1] if rule is not None and weaker else ""
    return PolicyChange(field=name, before=_text(before), after=_text(after), weaker=weaker, why=why)


def _plan_changes(before: Policy, after: Policy) -> Iterator[PolicyChange]:
    """Plans that come and go, and settings that a plan states or stated: with what holds where it does not."""
    old, new = before.plans or {}, after.plans or {}
    for name in {**old, **new}:
        field = f"plans.{clean(name)}"
        if name not in old or name not in new:
            plan = _plan_text(new.get(name)), _plan_text(old.get(name))
            yield PolicyChange(field=field, before=plan[1], after=plan[0], weaker=False, why="")
            continue
        was, will = _plan_settings(name, before), _plan_settings(name, after)
        stated = _stated(old[name]) | _stated(new[name])
        for setting in stated:
            if was[setting] != will[setting]:
                yield _change(f"{field}.{setting}", was[setting], will[setting], setting)


def _settings(policy: Policy) -> dict[str, Any]:
    return {
        "algorithms": policy.algorithms,
        "rsa.min_bits": policy.rsa_min_bits,
        "rsa.max_bits": policy.rsa_max_bits,
        "rsa.exponents": policy.rsa_exponents,
        "cache.max_age": policy.cache.max_age,
        "cache.stale_while_revalidate": policy.cache.stale_while_revalidate,
        "cache.stale_if_error": policy.cache.stale_if_error,
        "publish_interval": policy.publish_interval,
        "token_lifetime": policy.token_lifetime,
        "clock_skew": policy.clock_skew,
        "limits.custom_keys": policy.max_custom_keys,
        "limits.keys": policy.max_keys,
        "limits.document_bytes": policy.max_document_bytes,
        "limits.removals": policy.max_removals,
        "retention.releases": policy.releases_kept,
        "retention.documents": timedelta.max if policy.documents_kept is None else policy.documents_kept,
        "require_proof": policy.require_proof,
        "rotation.every": policy.rotate_every,
        "rotation.at_most": policy.rotate_at_most,
        "rotation.lead": policy.lead,
        "rotation.alg": policy.generated_alg,
        "rotation.sync_within": policy.sync_within,
        "consumers": policy.consumers,
        "canonical_domain": "" if policy.canonical_suffix is None else "{tenant}" + policy.canonical_suffix,
    }


def _plan_settings(name: str, policy: Policy) -> dict[str, Any]:
    plan, rotation = (policy.plans or {})[name], policy.rotation_of(name)
    return {
        "custom_keys": plan.custom_keys,
        "consumers": plan.consumers,
        "rotation.every": rotation.every,
        "rotation.lead": rotation.lead,
        "rotation.alg": rotation.alg,
        "token_lifetime": policy.token_lifetime_of(name),
    }


def _stated(plan: Plan) -> set[str]:
    """The settings that a plan states itself; `custom_keys` it must."""
    own = {
        "consumers": plan.consumers or None,
        "rotation.every": plan.rotation.every,
        "rotation.lead": plan.rotation.lead,
        "rotation.alg": plan.rotation.alg,
        "token_lifetime": plan.token_lifetime,
    }
    return {"custom_keys"} | {name for name, value in own.items() if value is not None}


def _plan_text(plan: Plan | None) -> str:
    return "(not there)" if plan is None else f"custom_keys: {plan.custom_keys}"


def _text(value: Any) -> str:
    match value:
        case bool():
            return str(value).lower()
        case timedelta():
            return "for ever" if value == timedelta.max else spoken(value)
        case frozenset():
            return ", ".join(sorted(map(str, value))) or "(none)"
        case _:
            return clean(str(value)) or "(none)"
