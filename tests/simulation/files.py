"""A tenant's files and the policy as values that edits change, and their texts."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from history import ROOT
from keymaker import ec_key, public_jwk

from publisher.conditions import Conditions, conditions
from publisher.consumers import CONSUMERS
from publisher.generatedfile import Content, written
from publisher.keyset import KeySet, read_keyset
from publisher.policy import Policy
from publisher.policyfile import read_policy
from publisher.rotate import New
from publisher.source import File, Folder

TENANT = "acme"
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

NAMED = tuple(
    sorted(
        name
        for name, one in CONSUMERS.items()
        if one.keeps is not None
        and (one.algorithms is None or "ES256" in one.algorithms)
        and (one.kinds is None or "P-256" in one.kinds)
    )
)
"""Verifiers that know the keys of the simulation (P-256, as they are made quickly), and of whom a time is known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What policy.yaml says, in seconds."""

    max_age: int = 300
    while_revalidate: int = 60
    if_error: int = 86_400
    lifetime: int = 86_400
    lead: int = 172_800
    interval: int = 900
    consumers: tuple[str, ...] = ()

    def text(self) -> str:
        """policy.yaml."""
        cache = {
            "max_age": f"{self.max_age}s",
            "stale_while_revalidate": f"{self.while_revalidate}s",
            "stale_if_error": f"{self.if_error}s",
        }
        value = {
            "version": 1,
            "canonical_domain": "{tenant}.idp.example",
            "cache": cache,
            "token_lifetime": f"{self.lifetime}s",
            "publish_interval": f"{self.interval}s",
            "rotation": {"lead": f"{self.lead}s", "alg": "ES256"},
            "consumers": list(self.consumers),
            "plans": {"enterprise": {"custom_keys": 10}},
        }
        return json.dumps(value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Files:
    """One revision. Times in custom entries are text, as in `generatedfile` for generated ones."""

    terms: Terms
    domains: tuple[str, ...] = ("login.acme.example",)
    custom: tuple[Mapping[str, Any], ...] = ()
    generated: Content = field(default_factory=lambda: Content(entries=()))

    def texts(self) -> dict[str, str]:
        """The tenant's files."""
        keyset = {
            "version": 1,
            "tenant": TENANT,
            "plan": "enterprise",
            "domains": list(self.domains),
            "custom_keys": list(self.custom),
        }
        return {"keyset.yaml": json.dumps(keyset), "generated.yaml": written(self.generated).decode()}

    def folder(self) -> Folder:
        """The files, to be read."""
        held = {name: File(kind="file", data=text.encode()) for name, text in self.texts().items()}
        return Folder(path=f"{ROOT}/{TENANT}", tree=None, files=held)

    def policy(self) -> Policy:
        """The policy, in which there is no mistake of form."""
        policy, problems = read_policy(self.terms.text().encode(), "policy.yaml")
        assert problems == ()
        return policy

    def keyset(self) -> KeySet | None:
        """The key set; None where it cannot be read without a mistake."""
        read = read_keyset(self.folder())
        return None if read.diagnostics else read.keyset

    def holds(self) -> Conditions:
        """What the tenant is held to."""
        return conditions(self.policy(), "enterprise", self.keyset())


def settled(terms: Terms) -> Terms:
    """The terms, with a lead that their policy's own rules allow."""
    least = int(Files(terms=terms).holds().least_lead.total_seconds())
    return replace(terms, lead=max(terms.lead, least))


@cache
def _public(number: int) -> dict[str, str]:
    return public_jwk(ec_key(5000 + number))


def fields_of(number: int) -> dict[str, Any]:
    """The kid, algorithm and JWK of a key of the pool; each story takes them in turn."""
    return {"kid": f"k{number}", "alg": "ES256", "jwk": dict(_public(number))}


def maker(number: int) -> Callable[[], New]:
    """A vault that hands out a key of the pool."""
    fields = fields_of(number)
    return lambda: New(kid=str(fields["kid"]), fields=fields)


def told(moment: datetime) -> str:
    """An instant as files have it."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
