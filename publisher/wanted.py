"""What each domain is to serve at an instant: the part of a compiled tenant that is compared with a store."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from publisher.compile import Compiled
from publisher.jwk import identity
from publisher.keyset import ALWAYS, Origin
from publisher.timeline import Phase, Published, phase


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyFact:
    """A key in a document, as plans and reports name it."""

    kid: str
    thumbprint: str
    identity: str
    """`jwk.identity`, lower-case hexadecimal: the same for every key of one private half."""
    alg: str
    origin: Origin
    phase: Phase
    publish_from: datetime = ALWAYS
    signs_from: datetime = ALWAYS


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A domain's document at an instant. `digest` is the SHA-256 of `body`, lower-case hexadecimal.

    `canonical`: the domain is the tenant's canonical one, for generated keys alone.
    """

    domain: str
    tenant: str
    body: bytes
    digest: str
    keys: tuple[KeyFact, ...]
    next_change: datetime | None
    ended: Mapping[str, tuple[str, Phase]] = field(default_factory=dict)
    """The keys of the tenant's files that are withdrawn or revoked by now: thumbprint and phase, by kid."""
    canonical: bool = False


def wanted(compiled: Compiled, now: datetime) -> tuple[Wanted, ...]:
    """What a tenant's domains are to serve at `now`."""
    phases = ((key, phase(key, now)) for key in compiled.keyset.keys)
    identities = {id(key): identity(key.jwk).hex() for key in compiled.keyset.keys}
    ended = {key.kid: (key.jwk.thumbprint, at) for key, at in phases if at in {"withdrawn", "revoked"}}
    facts: dict[tuple[int, Phase], KeyFact] = {}  # domains share them: there may be very many

    def fact(item: Published) -> KeyFact:
        known = facts.get((id(item.key), item.phase))
        if known is None:
            known = facts[id(item.key), item.phase] = KeyFact(
                kid=item.key.kid,
                thumbprint=item.key.jwk.thumbprint,
                identity=identities[id(item.key)],
                alg=item.key.alg,
                origin=item.key.origin,
                phase=item.phase,
                publish_from=item.key.window.publish_from,
                signs_from=item.key.window.signs_from,
            )
        return known

    return tuple(
        Wanted(
            domain=one.domain,
            tenant=compiled.keyset.tenant,
            body=document.body,
            digest=document.digest,
            keys=tuple(map(fact, document.keys)),
            next_change=one.next_change(now),
            ended=ended,
            canonical=one.canonical,
        )
        for one in compiled.domains
        for document in (one.at(now),)
    )
