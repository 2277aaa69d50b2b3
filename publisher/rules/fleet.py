"""What only all tenants together show: one owner for each name, domain and key.

An `Index` takes the facts of one tenant after the other and keeps under 200 bytes a key: 16 bytes of each key,
and no text but names and domains. Whoever finds a conflict reads the two tenants again for its place.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from publisher.diagnostic import Rule
from publisher.jwk import identity
from publisher.keyset import KeySet
from publisher.rules.domains import name_fault
from publisher.rules.tenants import name_is_label

TENANT_TWICE = Rule(
    id="tenant-twice",
    doc="A tenant's name stands once in the repository, whatever the grouping folders: it names the canonical domain.",
)
DOMAIN_OWNER = Rule(
    id="domain-owner",
    doc="A domain has one owner in the whole repository: a second one could publish its own keys for the first one's "
    "tokens.",
)
KEY_SHARED = Rule(
    id="key-shared",
    doc="A key belongs to one tenant: in two, each could mint the other's tokens. Revoked keys count, for ever.",
)
RULES = (TENANT_TWICE, DOMAIN_OWNER, KEY_SHARED)

What: TypeAlias = Literal["tenant", "domain", "key"]
CUT = 16
"""Bytes of a key's identity: a collision by chance among a billion keys has a chance of 10^-21."""
_HOLDER = 4
"""Bytes of a folder's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a tenant claims for itself. `keys`: the keys' identities (`jwk.identity`, 16 bytes each) in a row."""

    tenant: str | None
    domains: tuple[str, ...]
    keys: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """`folder` claims what `owner`, which comes before it, has: a tenant's name, a domain, or a key (its identity)."""

    what: What
    folder: str
    owner: str
    claim: str | bytes


class Index:
    """The claims of all tenants. Folders are added in the order of their paths; the first claim of a thing owns it."""

    def __init__(self) -> None:
        self._folders: list[str] = []
        self._tenants: dict[str, int] = {}
        self._domains: dict[str, int] = {}
        # Records of a key and its folder's number, apart by their first byte: one part is sorted at a time.
        self._keys = [bytearray() for _ in range(256)]

    def add(self, folder: str, facts: Facts) -> Iterator[Conflict]:
        """Take a tenant's claims; the conflicts over its name and domains, at once."""
        number = len(self._folders)
        self._folders.append(folder)
        owner = number if facts.tenant is None else self._tenants.setdefault(facts.tenant, number)
        if facts.tenant is not None and owner != number:
            yield Conflict(what="tenant", folder=folder, owner=self._folders[owner], claim=facts.tenant)
        for domain in facts.domains:
            owner = self._domains.setdefault(domain, number)
            if owner != number:
                yield Conflict(what="domain", folder=folder, owner=self._folders[owner], claim=domain)
        holder = number.to_bytes(_HOLDER, "big")
        for start in range(0, len(facts.keys), CUT):
            self._keys[facts.keys[start]] += facts.keys[start : start + CUT] + holder

    def shared_keys(self) -> Iterator[Conflict]:
        """The conflicts over keys, when all tenants have been added."""
        size = CUT + _HOLDER
        for part in self._keys:
            first = b""
            for record in sorted(bytes(part[start : start + size]) for start in range(0, len(part), size)):
                if record[:CUT] != first[:CUT]:
                    first = record
                elif record != first:
                    yield Conflict(
                        what="key", folder=self._folder(record), owner=self._folder(first), claim=record[:CUT]
                    )

    def _folder(self, record: bytes) -> str:
        return self._folders[int.from_bytes(record[CUT:], "big")]


def facts(keyset: KeySet) -> Facts:
    """The claims of a tenant. What is no name is none: it is refused by itself, and may be anything, a key too."""
    return Facts(
        tenant=keyset.tenant if name_is_label(keyset.tenant) else None,
        domains=tuple(domain for domain in keyset.domains if name_fault(domain) is None),
        keys=b"".join(identity(key.jwk) for key in keyset.keys),
    )
