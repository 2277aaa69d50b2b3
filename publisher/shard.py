"""Shards: the records of a slice of the tenants, and a slice of who claims which domain and which key.

A tenant's records stand in the slot of its name, a claim in the slot of what is claimed. So a changed tenant touches
one shard, and one more for each domain or key that it never had before, however many tenants there are; and whether a
domain or a key belongs to another tenant is known without reading that tenant.
"""

import gzip
import hashlib
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from publisher.record import TenantRecord, from_json, read_instant, to_json, write_instant

SLOTS: Final = 256
FORMAT: Final = 1
LIMIT_BYTES: Final = 256 * 1024 * 1024
"""Unpacked: a million tenants have about 8 MB a shard."""


class Damaged(Exception):  # noqa: N818 - a fault of stored data, which its reader reports
    """Stored state that cannot be what was written. The message names the object and says what to do."""


class Missing(Damaged):
    """A shard that a release names is not there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """Whose a domain or a key is. `free_from` is set where a domain was given up: when another tenant may have it."""

    tenant: str
    free_from: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a release says of a shard, so that most need not be read.

    `digest`: SHA-256 of the object's bytes. `fingerprint`: of the (folder, tree) pairs of its tenants, see
    `fingerprint`. `attention`: its tenants that every publish must look at; `held`: those that are held.
    """

    digest: str
    fingerprint: str
    next_change: datetime | None
    tenants: int
    domains: int
    attention: int
    held: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """One slice. `tenants` holds JSON values, which are read one by one as they are asked for."""

    tenants: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)

    def record(self, tenant: str) -> TenantRecord | None:
        """A tenant's record."""
        value = self.tenants.get(tenant)
        return None if value is None else _record(tenant, value)

    def records(self) -> Iterable[TenantRecord]:
        """All records, in the order of their names."""
        return (_record(tenant, value) for tenant, value in sorted(self.tenants.items()))

    def pressing(self, now: datetime) -> Iterable[TenantRecord]:
        """The records that every publish must look at, and those whose documents have changed by `now`."""
        for tenant, value in sorted(self.tenants.items()):
            change = read_instant(value.get("next_change"))
            if "quarantine" in value or (change is not None and change <= now):
                yield _record(tenant, value)

    def held(self) -> Iterable[TenantRecord]:
        """The records of tenants that are held."""
        return (_record(tenant, value) for tenant, value in sorted(self.tenants.items()) if "hold" in value)

    def changed(self, records: Iterable[TenantRecord], claims: Mapping[str, Claim]) -> "Shard":
        """The shard with other records and claims beside its own, or in their place."""
        tenants = {**self.tenants, **{one.tenant: to_json(one) for one in records}}
        return Shard(tenants=tenants, claims={**self.claims, **claims})

    def summary(self, digest: str) -> Summary:
        """What a release says of it."""
        changes = [at for one in self.tenants.values() if (at := read_instant(one["next_change"])) is not None]
        pairs = [(one["folder"], one["seen"]) for one in self.tenants.values() if one["seen"] is not None]
        return Summary(
            digest=digest,
            fingerprint=fingerprint(pairs),
            next_change=min(changes, default=None),
            tenants=len(pairs),
            domains=sum(len(one["domains"]) for one in self.tenants.values()),
            attention=sum("quarantine" in one for one in self.tenants.values()),
            held=sum("hold" in one for one in self.tenants.values()),
        )


def changed_shards(
    shards: Mapping[int, Shard], records: Iterable[TenantRecord], claims: Mapping[str, Claim]
) -> Iterator[tuple[int, Shard]]:
    """The shards that these records and claims change, with their slots, one at a time; `shards` holds all of them."""
    by_slot: dict[int, tuple[list[TenantRecord], dict[str, Claim]]] = {}
    for record in records:
        by_slot.setdefault(slot(record.tenant), ([], {}))[0].append(record)
    for name, claim in claims.items():
        by_slot.setdefault(slot(name), ([], {}))[1][name] = claim
    for one, some in by_slot.items():
        yield one, shards.get(one, Shard()).changed(*some)


def slot(name: str) -> int:
    """Where a tenant or a claim stands."""
    return hashlib.sha256(name.encode()).digest()[0]


def domain_claim(domain: str) -> str:
    """The claim to a domain."""
    return f"domain {domain}"


def key_claim(identity: str) -> str:
    """The claim to a key, by `jwk.identity` in hexadecimal digits."""
    return f"key {identity}"


def fingerprint(pairs: Iterable[tuple[str, str]]) -> str:
    """SHA-256 of (folder, tree id) pairs, whatever their order; of none, the empty text."""
    lines = sorted(f"{folder}\0{tree}\n" for folder, tree in pairs)
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest() if lines else ""


def shard_key(digest: str) -> str:
    """The object that keeps a shard for ever, by the SHA-256 of its bytes."""
    return f"shards/{digest}.json.gz"


def encode(shard: Shard) -> bytes:
    """The object's bytes. The same shard gives the same bytes with the same zlib."""
    claims = {
        name: one.tenant if one.free_from is None else [one.tenant, write_instant(one.free_from)]
        for name, one in shard.claims.items()
    }
    value = {"format": FORMAT, "tenants": dict(shard.tenants), "claims": claims}
    return gzip.compress(orjson.dumps(value, option=orjson.OPT_SORT_KEYS), 6, mtime=0)


def decode(data: bytes, name: str) -> Shard:
    """The shard of an object's bytes. Raises Damaged, which names the object."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        raw = unpacker.decompress(data, LIMIT_BYTES)
        value = orjson.loads(raw)
        if unpacker.unconsumed_tail or value["format"] != FORMAT:
            raise ValueError
        claims = {
            name: Claim(tenant=one) if isinstance(one, str) else Claim(tenant=one[0], free_from=read_instant(one[1]))
            for name, one in value["claims"].items()
        }
        return Shard(tenants=dict(value["tenants"]), claims=claims)
    except (zlib.error, ValueError, KeyError, TypeError, IndexError, AttributeError):
        raise damaged(name) from None


def damaged(name: str) -> Damaged:
    """An object of the state that is not what was written there."""
    return Damaged(f"{name} is damaged, or something else wrote it: `jwks-publisher repair` makes the state anew")


def _record(tenant: str, value: Mapping[str, Any]) -> TenantRecord:
    try:
        return from_json(tenant, value)
    except (ValueError, KeyError, TypeError, AttributeError):
        raise damaged(f"the record of tenant {tenant!r}") from None
