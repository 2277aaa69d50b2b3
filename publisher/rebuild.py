"""Shards made anew from what is live, from Git, and from the shards that are left, where others are lost.

What only a lost shard knew is lost: keys that are neither live nor in the files (revoked ones among them), when a key
was first published, holds. So a key counts as first published when the repair is complete; one that is live and in no
file counts as signing without end, so that nothing drops it unasked; and a domain that was given up counts as given up
now. What was revoked by the store alone, releases say.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import orjson

from publisher.fields import Reading
from publisher.flow import gather
from publisher.jwk import MEMBERS, identity
from publisher.keyset import ALWAYS, NEVER, Window, read_keyset
from publisher.publickey import parse
from publisher.record import DomainRecord, KeyRecord, TenantRecord, key_record, to_json
from publisher.shard import Claim, Shard, domain_claim, key_claim, slot
from publisher.source import Folder, Listing, Revision
from publisher.state import OF_ONE_OBJECT, Live, get_live, live_domains
from publisher.store import Store, StoreError

PARALLEL = 64
HIGHEST = 10**9
"""Live objects that say a later release are not believed."""
_OPEN = Window(publish_from=ALWAYS, signs_from=ALWAYS, signs_until=NEVER, publish_until=NEVER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Glimpse:
    """What a live object of ours says of itself."""

    domain: str
    tenant: str
    record: DomainRecord
    withdrawn: bool
    keys: tuple[KeyRecord, ...]


@dataclass(slots=True, kw_only=True)
class Remains:
    """What is known of lost slots, as it is gathered. `taken` are the domains that records which are left have."""

    lost: AbstractSet[int]
    claims: dict[str, Claim] = field(default_factory=dict)
    taken: set[str] = field(default_factory=set)

    def keep(self, records: Iterable[TenantRecord]) -> None:
        """Take what records tell of lost claims."""
        for record in records:
            for domain in record.domains:
                self.taken.add(domain.domain)
                self._claim(domain_claim(domain.domain), record.tenant)
            for key in record.keys:
                self._claim(key_claim(key.identity), record.tenant)

    def gone(self, domain: str, tenant: str, free_from: datetime) -> None:
        """Take that a domain was withdrawn."""
        name = domain_claim(domain)
        if slot(name) in self.lost and domain not in self.taken:
            self.claims[name] = Claim(tenant=tenant, free_from=free_from)

    def _claim(self, name: str, tenant: str) -> None:
        if slot(name) in self.lost:
            self.claims[name] = Claim(tenant=tenant)


async def glimpses(store: Store, wanted: Callable[[str], bool]) -> AsyncIterator[Glimpse]:
    """The live objects of ours that can be read, with the keys of those whose tenant is wanted."""

    async def look(domain: str) -> Glimpse | None:
        try:
            live = await get_live(store, domain)
        except StoreError as error:
            if error.trouble in OF_ONE_OBJECT:
                return None
            raise
        return None if live is None else _glimpse(live, wanted)

    async with aclosing(gather(look, sorted(await live_domains(store)), PARALLEL)) as results:
        async for one in results:
            if one is not None and one.record.release < HIGHEST:
                yield one


def rebuilt(
    remains: Remains,
    seen: Iterable[Glimpse],
    revision: Revision,
    free_from: datetime,
    struck: Iterable[tuple[str, KeyRecord]] = (),
) -> dict[int, Shard]:
    """The lost shards, made anew. `struck` are keys that releases revoked by the store alone, by tenant."""
    by_tenant: dict[str, list[Glimpse]] = {}
    gone: list[Glimpse] = []
    for one in seen:
        if one.withdrawn:
            gone.append(one)
        elif slot(one.tenant) in remains.lost and one.domain not in remains.taken:
            by_tenant.setdefault(one.tenant, []).append(one)
    ledgers: dict[str, dict[str, KeyRecord]] = {}
    for tenant, key in struck:
        if slot(tenant) in remains.lost:
            ledgers.setdefault(tenant, {})[key.thumbprint] = key
    records = list(_records(by_tenant, ledgers, revision))
    remains.keep(records)
    for one in gone:
        remains.gone(one.domain, one.tenant, free_from)
    shards: dict[int, tuple[dict[str, Mapping[str, Any]], dict[str, Claim]]] = {}
    for record in records:
        shards.setdefault(slot(record.tenant), ({}, {}))[0][record.tenant] = to_json(record)
    for name, claim in remains.claims.items():
        shards.setdefault(slot(name), ({}, {}))[1][name] = claim
    return {one: Shard(tenants=tenants, claims=claims) for one, (tenants, claims) in shards.items()}


def live_keys(body: bytes) -> tuple[KeyRecord, ...]:
    """The keys of a document, as far as it tells of them; those that are none of ours are left out."""
    try:
        return tuple(found for key in orjson.loads(body)["keys"] if (found := _live_key(key)) is not None)
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError):
        return ()


def _live_key(key: Mapping[str, Any]) -> KeyRecord | None:
    names = ("kty", *MEMBERS.get(str(key.get("kty")), ()))
    jwk = parse({name: key[name] for name in names if name in key}, (), Reading(file=""))
    if jwk is None:
        return None
    return KeyRecord(
        kid=str(key["kid"]),
        thumbprint=jwk.thumbprint,
        identity=identity(jwk).hex(),
        alg=str(key["alg"]),
        origin="custom",
        window=_OPEN,
    )


def _glimpse(live: Live, wanted: Callable[[str], bool]) -> Glimpse | None:
    if live.release is None:
        return None
    tenant = dict(live.headers.metadata).get("tenant", "")
    served = live.thumbprints()
    record = DomainRecord(
        domain=live.domain,
        digest=live.digest,
        cache=live.headers.cache_control,
        release=live.release,
        keys=len(served),
    )
    keys = live_keys(live.body) if wanted(tenant) else ()
    return Glimpse(domain=live.domain, tenant=tenant, record=record, withdrawn=live.tombstone, keys=keys)


def _records(
    by_tenant: Mapping[str, list[Glimpse]], ledgers: Mapping[str, Mapping[str, KeyRecord]], revision: Revision
) -> Iterator[TenantRecord]:
    """Records of tenants by what they serve; of their keys, what the files say holds."""
    listed = {one.path.rpartition("/")[2]: one for one in revision.listed() if isinstance(one, Listing)}
    folders = (listed[tenant] for tenant in sorted(by_tenant) if tenant in listed)
    known: dict[str, dict[str, KeyRecord]] = {}
    for folder in revision.read(folders):
        if isinstance(folder, Folder):
            keyset = read_keyset(folder).keyset
            filed = () if keyset is None else keyset.keys
            known[folder.name] = {key.jwk.thumbprint: key_record(key, identity(key.jwk)) for key in filed}
    for tenant in sorted({*by_tenant, *ledgers}):
        seen = by_tenant.get(tenant, [])
        live = {key.thumbprint: key for one in seen for key in one.keys}
        own = known.get(tenant, {})
        # A key of no file had a kid that must not return with another key: it counts as published.
        keys = tuple(
            own.get(name) or replace(key, first=max(one.record.release for one in seen)) for name, key in live.items()
        )
        keys += tuple(key for name, key in ledgers.get(tenant, {}).items() if name not in live)
        domains = tuple(one.record for one in sorted(seen, key=lambda one: one.domain))
        folder_path = listed[tenant].path if tenant in listed else ""
        yield TenantRecord(tenant=tenant, folder=folder_path, tree=None, seen=None, domains=domains, keys=keys)
