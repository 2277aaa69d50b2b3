"""Revocations that pass: a document that stays as it is for a hazard or a mistake loses its revoked keys all the same.

Whoever stole a key must not go on minting tokens because somebody else's line in the same commit is wrong.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from hashlib import sha256

import orjson

from publisher.plan import Change
from publisher.record import DomainRecord, TenantRecord
from publisher.render import document
from publisher.setting import Setting
from publisher.state import Live, drift
from publisher.store import StoreError
from publisher.survey import Task
from publisher.timeline import phase_in
from publisher.wanted import KeyFact, Wanted


def passing(change: Change, revoked: AbstractSet[str], record: TenantRecord | None, setting: Setting) -> Change:
    """The change; where it is blocked, what revocations alone do to the document. `revoked` are thumbprints."""
    ours = change.drift != "foreign" and change.recorded is not None
    if not change.blocked or not ours or record is None or change.before is None:
        return change
    old = change.before.thumbprints()
    wanted = _without(change.before, change.tenant, revoked, record, setting)
    if wanted is None:
        return change
    return replace(
        change,
        wanted=wanted,
        effect="revoked",
        keys_in=(),
        keys_out=tuple(kid for kid, thumbprint in old.items() if thumbprint in revoked),
        moves=(),
        revokes=True,
        removes=False,
        stays=frozenset(old[kid] for kid in change.keys_out) - revoked,
    )


def rescued(
    task: Task, revoked: AbstractSet[str], live: Mapping[str, Live | StoreError], setting: Setting
) -> Iterator[Change]:
    """What revocations do to the documents of a tenant that its mistakes keep at what it serves."""
    for recorded in () if task.record is None else task.record.domains:
        before = live.get(recorded.domain)
        if not isinstance(before, Live) or task.record is None:
            continue
        drifted = drift(before, recorded, setting.tip)
        wanted = _without(before, task.tenant, revoked, task.record, setting)
        if wanted is None or drifted == "foreign":
            continue
        old = before.thumbprints()
        yield Change(
            domain=recorded.domain,
            tenant=task.tenant,
            wanted=wanted,
            cache=setting.cache,
            recorded=recorded,
            before=before,
            drift=drifted,
            effect="revoked",
            keys_in=(),
            keys_out=tuple(kid for kid, thumbprint in old.items() if thumbprint in revoked),
            moves=(),
            hazards=(),
            revokes=True,
            removes=False,
        )


def to_rescue(task: Task, revoked: AbstractSet[str]) -> tuple[str, ...]:
    """The domains of a tenant with mistakes that may serve a key which its files revoke.

    Also where the key is recorded as revoked by now: the last publish may not have reached the domain.
    """
    record = task.record
    if record is None or not any(key.thumbprint in revoked for key in record.keys):
        return ()
    return tuple(one.domain for one in record.domains)


def marked(record: TenantRecord, revoked: AbstractSet[str], stepped: Iterable[Change], sequence: int) -> TenantRecord:
    """The record of such a tenant, with these keys revoked and these documents written."""
    written = {one.domain: one for one in stepped}
    domains = (_written(one, written.get(one.domain), sequence) for one in record.domains)
    keys = (replace(one, revoked=one.revoked or one.thumbprint in revoked) for one in record.keys)
    return replace(record, domains=tuple(domains), keys=tuple(keys))


def _written(recorded: DomainRecord, change: Change | None, sequence: int) -> DomainRecord:
    if change is None or change.wanted is None:
        return recorded
    return replace(recorded, digest=change.digest, cache=change.cache, release=sequence, keys=len(change.wanted.keys))


def _without(
    before: Live, tenant: str, revoked: AbstractSet[str], record: TenantRecord, setting: Setting
) -> Wanted | None:
    """What is live without the revoked keys; None where it holds none of them."""
    old = before.thumbprints()
    if before.release is None or not revoked & set(old.values()):
        return None
    kept = [key for key in orjson.loads(before.body)["keys"] if old[key["kid"]] not in revoked]
    body = document(orjson.dumps(key) for key in kept)
    known = {key.thumbprint: key for key in record.keys}
    facts = (known.get(old[key["kid"]]) for key in kept)
    return Wanted(
        domain=before.domain,
        tenant=tenant,
        body=body,
        digest=sha256(body).hexdigest(),
        keys=tuple(
            KeyFact(
                kid=key.kid,
                thumbprint=key.thumbprint,
                identity=key.identity,
                alg=key.alg,
                origin=key.origin,
                phase=phase_in(key.window, setting.now),
            )
            for key in facts
            if key is not None
        ),
        next_change=None,
        ended={kid: (thumbprint, "revoked") for kid, thumbprint in old.items() if thumbprint in revoked},
    )
