"""The platform's policy for every tenant, with its defaults. How policy.yaml is read is in `policyfile`."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from publisher.algorithm import DEFAULT_ALGORITHMS

_DAY = timedelta(days=1)
GENERATED_ALG = "RS256"
"""Of new generated keys by default: the one that every verifier knows (Spring's default, AWS ALB's only one)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cache:
    """Cache-Control of the live documents. Defaults as in `policy.yaml`'s description; whole seconds."""

    max_age: timedelta = timedelta(seconds=300)
    stale_while_revalidate: timedelta = timedelta(seconds=60)
    stale_if_error: timedelta = timedelta(seconds=86_400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """How a tenant's generated keys are rotated. None: as the plan says, or the policy.

    `every`: from one rotation to the next. `lead`: least time that a key is published before it signs. `alg`: of new
    keys.
    """

    every: timedelta | None = None
    lead: timedelta | None = None
    alg: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a plan allows its tenants, how their keys rotate, and the verifiers that read their documents."""

    custom_keys: int
    consumers: frozenset[str] = frozenset()
    rotation: Rotation = field(default_factory=Rotation)
    token_lifetime: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """What is allowed, and the times that safety is reckoned with."""

    algorithms: frozenset[str] = frozenset(DEFAULT_ALGORITHMS)
    rsa_min_bits: int = 2048
    rsa_max_bits: int = 8192
    rsa_exponents: frozenset[int] = frozenset({65537})
    cache: Cache = field(default_factory=Cache)
    publish_interval: timedelta = timedelta(minutes=15)
    token_lifetime: timedelta = _DAY
    clock_skew: timedelta = timedelta(minutes=5)
    max_custom_keys: int = 10
    max_keys: int = 20
    max_document_bytes: int = 51_200
    max_removals: int = 100
    """Domains that files may take keys or documents away from in one publish."""
    releases_kept: timedelta = timedelta(days=90)
    """How long every release is kept; of older ones, one a day."""
    documents_kept: timedelta | None = None
    """How long documents are kept that no kept release serves; None for ever."""
    require_proof: bool = False
    """Whether every custom key that is not revoked needs a proof of possession."""
    rotate_every: timedelta = timedelta(days=90)
    """Duende's default (FACTS: rotation numbers)."""
    rotate_at_most: timedelta = timedelta(days=366)
    """The longest time between rotations that a plan or a tenant may ask for."""
    lead: timedelta = timedelta(hours=48)
    """FACTS: 48 h by default; 14 d at Duende, weeks at Okta, five minutes at Zitadel."""
    generated_alg: str = GENERATED_ALG
    """Of new generated keys."""
    sync_within: timedelta = timedelta(days=7)
    """How old the last sync with an upstream may be before `check` warns."""
    consumers: frozenset[str] = frozenset()
    """Names of `consumers.CONSUMERS`: verifiers that read the documents of every tenant."""
    plans: Mapping[str, Plan] | None = field(default_factory=lambda: {"enterprise": Plan(custom_keys=10)})
    """Plans by name; None where the file does not tell, so that no tenant is blamed for it."""
    canonical_suffix: str | None = None
    """`.idp.example` for the pattern `{tenant}.idp.example`."""

    def canonical_domain(self, tenant: str) -> str | None:
        """The tenant's domain under the platform's own, where the policy has a pattern."""
        return None if self.canonical_suffix is None else tenant + self.canonical_suffix

    def consumers_of(self, plan: str, own: frozenset[str]) -> frozenset[str]:
        """The verifiers that a tenant on this plan is checked for, with those that its own file names."""
        return self.consumers | self._plan(plan).consumers | own

    def rotation_of(self, plan: str) -> "Rotation":
        """How tenants on a plan rotate; nothing of it is None."""
        own = self._plan(plan).rotation
        return Rotation(
            every=own.every or self.rotate_every,
            lead=self.lead if own.lead is None else own.lead,
            alg=own.alg or self.generated_alg,
        )

    def token_lifetime_of(self, plan: str) -> timedelta:
        """The longest lifetime of a token of a plan's tenants."""
        own = self._plan(plan).token_lifetime
        return self.token_lifetime if own is None else own

    def _plan(self, name: str) -> Plan:
        return (self.plans or {}).get(name, Plan(custom_keys=0))
