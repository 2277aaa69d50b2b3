"""policy.yaml: its fields, and how they become a `Policy`."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from publisher.algorithm import FITS
from publisher.consumers import CONSUMERS
from publisher.diagnostic import Diagnostic, Rule, Where, quote
from publisher.fields import (
    BAD_VALUE,
    Duration,
    Field,
    Flag,
    Integer,
    ListOf,
    MapOf,
    Reading,
    Shape,
    Text,
    suggest,
)
from publisher.policy import GENERATED_ALG, Cache, Plan, Policy, Rotation
from publisher.shapes import CONSUMER_NAMES, ROTATION
from publisher.yamlfile import load, locate

MISSING_POLICY = Rule(
    id="policy-missing",
    doc="The key sets have a policy.yaml at their top. `version: 1` alone takes every default; its absence is more "
    "likely a deletion by accident than a wish.",
)
ALGORITHM_NAME = Rule(
    id="policy-algorithm",
    doc="A policy allows asymmetric signature algorithms by their registered names. `none` and the HS family never: "
    "with them everybody who can read a public document can mint tokens (RFC 8725 section 3.1).",
)
CANONICAL_PATTERN = Rule(
    id="policy-canonical-domain",
    doc="`canonical_domain` is `{tenant}.` before a domain of the platform's own: `{tenant}.idp.example`.",
)
CONSUMER_NAME = Rule(
    id="consumer-unknown",
    doc="`consumers` names verifiers that the program knows, in policy.yaml, in a plan and in keyset.yaml; for a "
    f"misspelt one nothing would be checked. They are {', '.join(sorted(CONSUMERS))}.",
)
RULES = (MISSING_POLICY, ALGORITHM_NAME, CANONICAL_PATTERN, CONSUMER_NAME)

_DAY, _YEAR = timedelta(days=1), timedelta(days=366)
_CANONICAL = re.compile(r"\{tenant\}(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){2,}", re.ASCII)
_PLAN_NAME = Text(what="a plan's name (lower-case letters, digits, -)", pattern=re.compile(r"[a-z][a-z0-9-]{0,31}"))


RSA = Shape(
    fields={
        "min_bits": Field(kind=Integer(least=2048, most=8192), doc="least modulus length, 2048"),
        "max_bits": Field(kind=Integer(least=2048, most=8192), doc="longest modulus, 8192"),
        "exponents": Field(
            kind=ListOf(item=Integer(least=3, most=2**32 - 1), most=8, distinct=True), doc="public exponents, [65537]"
        ),
    }
)
CACHE = Shape(
    fields={
        "max_age": Field(kind=Duration(most=_DAY), doc="max-age of live documents, 300"),
        "stale_while_revalidate": Field(kind=Duration(most=_DAY), doc="stale-while-revalidate, 60"),
        "stale_if_error": Field(kind=Duration(most=_DAY * 7), doc="stale-if-error, 86400"),
    }
)
LIMITS = Shape(
    fields={
        "custom_keys": Field(kind=Integer(least=0, most=100), doc="most custom keys of a tenant, 10"),
        "keys": Field(kind=Integer(least=1, most=100), doc="most keys in a document, 20"),
        "document_bytes": Field(kind=Integer(least=1024, most=1_048_576), doc="most bytes of a document, 51200"),
        "removals": Field(
            kind=Integer(least=0, most=10_000_000),
            doc="most domains that a publish may take keys or documents away from, 100",
        ),
    }
)
RETENTION = Shape(
    fields={
        "releases": Field(kind=Duration(most=_YEAR * 10), doc="how long `gc` keeps every release, 90d; then one a day"),
        "documents": Field(
            kind=Duration(most=_YEAR * 10), doc="how long `gc` keeps documents that no release serves; for ever"
        ),
    }
)
ROTATION_DEFAULTS = Shape(
    fields={
        **ROTATION.fields,
        "at_most": Field(kind=Duration(most=_YEAR * 10), doc="longest `every` of a plan or a tenant, 366d"),
        "sync_within": Field(kind=Duration(most=_YEAR), doc="how old the last `generated sync` may be, 7d"),
    }
)
PLAN = Shape(
    fields={
        "custom_keys": Field(kind=Integer(least=0, most=100), doc="most custom keys on this plan", required=True),
        "consumers": Field(kind=CONSUMER_NAMES, doc="verifiers that read the documents of this plan's tenants"),
        "rotation": Field(kind=ROTATION, doc="how generated keys of this plan's tenants rotate"),
        "token_lifetime": Field(kind=Duration(most=_YEAR), doc="longest lifetime of their tokens"),
    }
)
POLICY = Shape(
    fields={
        "version": Field(kind=Integer(least=1, most=1), doc="the format's version, 1", required=True),
        "algorithms": Field(
            kind=ListOf(item=Text(what="an algorithm's name", max_length=16), most=20, distinct=True),
            doc="allowed algorithms",
        ),
        "rsa": Field(kind=RSA, doc="bounds of RSA keys"),
        "cache": Field(kind=CACHE, doc="Cache-Control of live documents"),
        "publish_interval": Field(kind=Duration(most=_DAY), doc="time between scheduled publishes, 15m"),
        "token_lifetime": Field(kind=Duration(most=_YEAR), doc="longest lifetime of a token, 24h"),
        "clock_skew": Field(kind=Duration(most=timedelta(hours=1)), doc="clock skew between parties, 5m"),
        "limits": Field(kind=LIMITS, doc="limits of every tenant"),
        "retention": Field(kind=RETENTION, doc="what `gc` keeps"),
        "require_proof": Field(kind=Flag(), doc="whether custom keys need a proof of possession, false"),
        "consumers": Field(kind=CONSUMER_NAMES, doc="verifiers that read every tenant's documents, []"),
        "rotation": Field(kind=ROTATION_DEFAULTS, doc="how generated keys rotate"),
        "plans": Field(kind=MapOf(name=_PLAN_NAME, item=PLAN, most=50), doc="plans by name"),
        # 253 with the longest tenant's name
        "canonical_domain": Field(kind=Text(what="a domain pattern", max_length=198), doc="{tenant}.idp.example"),
    }
)


def read_policy(data: bytes, file: str) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """The policy that `data` states, with defaults for what it leaves out or gets wrong, and all mistakes."""
    loaded = load(data, file)
    reading = Reading(file=file)
    values = None if loaded.value is None else reading.shape(POLICY, loaded.value, ())
    policy = Policy() if values is None else Policy(**_arguments(values, reading))
    if values is None or not reading.is_clean(("plans",)):
        policy = replace(policy, plans=None)
    return policy, (*loaded.diagnostics, *locate(data, reading.findings))


def _arguments(values: Mapping[str, Any], reading: Reading) -> dict[str, Any]:
    rsa, limits, retention, rotation = (values.get(name, {}) for name in ("rsa", "limits", "retention", "rotation"))
    arguments = {
        "algorithms": _algorithms(values.get("algorithms"), reading),
        "rsa_min_bits": rsa.get("min_bits"),
        "rsa_max_bits": rsa.get("max_bits"),
        "rsa_exponents": frozenset(rsa["exponents"]) if "exponents" in rsa else None,
        "cache": Cache(**values.get("cache", {})),
        "publish_interval": values.get("publish_interval"),
        "token_lifetime": values.get("token_lifetime"),
        "clock_skew": values.get("clock_skew"),
        "max_custom_keys": limits.get("custom_keys"),
        "max_keys": limits.get("keys"),
        "max_document_bytes": limits.get("document_bytes"),
        "max_removals": limits.get("removals"),
        "releases_kept": retention.get("releases"),
        "documents_kept": retention.get("documents"),
        "require_proof": values.get("require_proof"),
        "rotate_every": rotation.get("every"),
        "rotate_at_most": rotation.get("at_most"),
        "lead": rotation.get("lead"),
        "generated_alg": rotation.get("alg") or _usual(values.get("algorithms")),
        "sync_within": rotation.get("sync_within"),
        "consumers": _consumers(values.get("consumers"), ("consumers",), reading),
        "plans": _plans(values.get("plans"), reading),
        "canonical_suffix": _canonical_suffix(values.get("canonical_domain"), reading),
    }
    exponents = rsa.get("exponents", (65537,))
    if reading.is_clean(("rsa", "exponents")) and (not exponents or any(not one & 1 for one in exponents)):
        reading.note(BAD_VALUE, ("rsa", "exponents"), "RSA exponents are odd, and one at least", "write [65537]")
    if rsa.get("min_bits", 2048) > rsa.get("max_bits", 8192):
        reading.note(BAD_VALUE, ("rsa", "min_bits"), "min_bits is over max_bits", "lower min_bits or raise max_bits")
    return {name: value for name, value in arguments.items() if value is not None}


def _algorithms(names: tuple[str, ...] | None, reading: Reading) -> frozenset[str] | None:
    if names is None:
        return None
    for name in names:
        if name not in FITS:
            why = "would let every reader mint tokens" if name == "none" or name.startswith("HS") else "is not known"
            reading.note(ALGORITHM_NAME, ("algorithms", name), f"{quote(name)} {why}", suggest(name, FITS))
    if not names and reading.is_clean(("algorithms",)):
        reading.note(BAD_VALUE, ("algorithms",), "no algorithm is allowed", "name at least one, or leave the field out")
    return frozenset(names)


def _usual(names: tuple[str, ...] | None) -> str | None:
    """The algorithm of new keys where the policy names none, and does not allow the default."""
    if names is None or GENERATED_ALG in names:
        return None
    return next((one for one in FITS if one in names), None)


def _consumers(names: tuple[str, ...] | None, where: Where, reading: Reading) -> frozenset[str] | None:
    if names is None:
        return None
    for name in names:
        if name not in CONSUMERS:
            reading.note(CONSUMER_NAME, (*where, name), *unknown_consumer(name))
    return frozenset(names)


def unknown_consumer(name: str) -> tuple[str, str]:
    """Message and hint for a name that is not in `CONSUMERS`."""
    return f"{quote(name)} is not a verifier that is known here", suggest(name, CONSUMERS)


def _plans(plans: Mapping[str, Mapping[str, Any]] | None, reading: Reading) -> Mapping[str, Plan] | None:
    if plans is None:
        return None
    return {
        name: Plan(
            custom_keys=plan.get("custom_keys", 0),
            consumers=_consumers(plan.get("consumers"), ("plans", name, "consumers"), reading) or frozenset(),
            rotation=Rotation(**plan.get("rotation", {})),
            token_lifetime=plan.get("token_lifetime"),
        )
        for name, plan in plans.items()
    }


def _canonical_suffix(pattern: str | None, reading: Reading) -> str | None:
    if pattern is None:
        return None
    if _CANONICAL.fullmatch(pattern) is None:
        message = f"{quote(pattern)} is not a pattern for canonical domains"
        reading.note(CANONICAL_PATTERN, ("canonical_domain",), message, 'write it as "{tenant}.idp.example"')
        return None
    return pattern.removeprefix("{tenant}")
