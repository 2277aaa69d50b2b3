"""All tenants of a source: each folder read, checked and compiled, in a stream; then what only all together show."""

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from concurrent.futures import Executor
from datetime import datetime
from types import MappingProxyType
from typing import TypeAlias

from publisher.against import Against
from publisher.checking import Tenant, Times, placed, tenant
from publisher.diagnostic import Diagnostic, Finding, clean, ticked
from publisher.jwk import identity
from publisher.keyset import KeySet, read_keyset
from publisher.memory import NOTHING, Memory
from publisher.policy import Policy
from publisher.policyfile import MISSING_POLICY, read_policy
from publisher.rules import settings, waivers
from publisher.rules.fleet import CUT, DOMAIN_OWNER, KEY_SHARED, TENANT_TWICE, Conflict, Facts, Index
from publisher.secrets import private_key_places
from publisher.source import POLICY, WAIVERS, Folder, Source, inside
from publisher.spread import Task, spread
from publisher.waiver import Waivers
from publisher.waiverfile import read
from publisher.yamlfile import locate


def tenants(
    folders: Iterable[Folder | Finding],
    policy: Policy,
    times: Times,
    start: Callable[[], Executor | None] = lambda: None,
    memories: Mapping[str, Memory] = MappingProxyType({}),
) -> Iterator[Tenant | Finding]:
    """Every tenant of these folders in their order; findings pass. Holds few at a time.

    `start` is called once there is enough work to share, and gives the workers for it, or None. `memories` are by
    folder, see `check_folder`.
    """

    def task(chunk: list[Folder | Finding]) -> Task[Tenant | Finding]:
        paths = {one.path for one in chunk if isinstance(one, Folder)}
        return functools.partial(
            _chunk, chunk, policy, times, {path: memories[path] for path in paths & memories.keys()}
        )

    return spread(folders, task, start)


def policy_warnings(source: Source, policy: Policy) -> tuple[Diagnostic, ...]:
    """What a source's policy, which has no mistakes, is warned of."""
    path, file = inside(source.root, POLICY), source.policy()
    return () if file is None else tuple(locate(file.data, settings.warn_policy(policy, path)))


def source_policy(source: Source) -> tuple[Policy, tuple[Diagnostic, ...]]:
    """The policy of a source, and what is wrong with it."""
    path = inside(source.root, POLICY)
    file = source.policy()
    if file is None:
        missing = Finding(
            rule=MISSING_POLICY,
            file=path,
            where=(),
            message="there is no policy.yaml",
            hint="add one; `version: 1` takes every default",
        )
        return Policy(plans=None), tuple(locate(b"", [missing]))
    if file.kind != "file":
        return Policy(plans=None), ()  # the source names it among its findings
    policy, diagnostics = read_policy(file.data, path)
    if not diagnostics:
        diagnostics = tuple(locate(file.data, settings.check_policy(policy, path)))
    return policy, (*diagnostics, *private_key_places(path, file.data))


def owner_of(file: str, folders: AbstractSet[str]) -> str | None:
    """Which of these tenants' folders a file is in."""
    parts = file.split("/")
    return next((path for cut in range(len(parts), 0, -1) if (path := "/".join(parts[:cut])) in folders), None)


def source_waivers(source: Source, now: datetime) -> tuple[Waivers, tuple[Diagnostic, ...]]:
    """The waivers of a source, and what is wrong with them. What is wrong waives nothing, and stops nothing."""
    path, file = inside(source.root, WAIVERS), source.waivers()
    if file is None or file.kind != "file":
        return Waivers(), ()  # where it is no file, the source names it among its findings
    found, diagnostics = read(file.data, path)
    late = locate(file.data, waivers.check(found, path, now))
    return found, (*diagnostics, *late, *private_key_places(path, file.data))


def waiver_warnings(
    source: Source, found: Waivers, now: datetime, there: Mapping[str, waivers.Names | None] | None = None
) -> tuple[Diagnostic, ...]:
    """What a source's waivers are warned of. `there` is what the tenants have that they name, where that was read."""
    path, file = inside(source.root, WAIVERS), source.waivers() if found.by_target else None
    if file is None:
        return ()
    warned = [*waivers.warn(found, path, now)]
    warned += () if there is None else waivers.warn_unused(found, path, now, there)
    return tuple(locate(file.data, warned)) if warned else ()


def names_of(tenant: Tenant) -> waivers.Names | None:
    """What a tenant's files have that waivers may name; None where they have mistakes."""
    if tenant.diagnostics:
        return None
    kids, domains = (key.kid for key in tenant.keys), (one.domain for one in tenant.wanted)
    return waivers.Names(kids=frozenset(kids), domains=frozenset(domains))


Others: TypeAlias = Callable[[list[tuple[str, Facts]]], list[Conflict]]
"""What some tenants, by folder, claim of all: the conflicts of which they are to blame."""


class Fleet:
    """Takes tenants as they come, counts them, and tells at the end what they claim from each other.

    With `others` they are not all tenants, and it tells what they claim from the rest.
    """

    def __init__(self, source: Source, against: Against | None = None, others: Others | None = None) -> None:
        self._source, self._against, self._others = source, against, others
        self._held: list[tuple[str, Facts]] = []
        self._index = Index()
        self._conflicts: list[Conflict] = []
        self.tenants = 0
        self.domains = 0
        self.keys = 0

    def add(self, one: Tenant) -> None:
        """Take a tenant's claims."""
        self.tenants += 1
        if one.facts is not None:
            if self._others is None:
                self._conflicts.extend(self._index.add(one.folder, one.facts))
            else:
                self._held.append((one.folder, one.facts))
            self.domains += len(one.facts.domains)
            self.keys += len(one.facts.keys) // CUT

    def conflicts(self) -> list[Diagnostic]:
        """The mistakes that all tenants show together. Reads those that have some again, for the places."""
        by_folder: dict[str, list[Conflict]] = {}
        for conflict in self._all() if self._others is None else self._others(self._held):
            by_folder.setdefault(conflict.folder, []).append(conflict)
        return located(self._source.folders(by_folder.__contains__), by_folder) if by_folder else []

    def _all(self) -> Iterator[Conflict]:
        for conflict in itertools.chain(self._conflicts, self._index.shared_keys()):
            yield conflict if self._against is None else self._against.blamed(conflict)


def located(folders: Iterable[Folder | Finding], conflicts: Mapping[str, list[Conflict]]) -> list[Diagnostic]:
    """Conflicts by folder, with their places in these folders' files."""
    diagnostics: list[Diagnostic] = []
    for folder in folders:
        if isinstance(folder, Folder) and (keyset := read_keyset(folder).keyset) is not None:
            found = [one for conflict in conflicts[folder.path] for one in _conflict_findings(conflict, keyset)]
            diagnostics.extend(placed(found, folder))
    return diagnostics


def _chunk(
    chunk: list[Folder | Finding], policy: Policy, times: Times, memories: Mapping[str, Memory]
) -> list[Tenant | Finding]:
    return [
        one if isinstance(one, Finding) else tenant(one, policy, times, memories.get(one.path, NOTHING))
        for one in chunk
    ]


def _conflict_findings(conflict: Conflict, keyset: KeySet) -> Iterator[Finding]:
    owner = clean(conflict.owner)
    match conflict.what:
        case "tenant":
            message = f"the tenant {ticked(keyset.tenant)} is already in {owner}"
            yield keyset.finding(TENANT_TWICE, message, "give it another name", "tenant")
        case "domain":
            message = f"the domain {ticked(str(conflict.claim))} already belongs to {owner}"
            yield keyset.finding(DOMAIN_OWNER, message, "remove it from one of the two", "domains", str(conflict.claim))
        case "key":
            for key in keyset.keys:
                if identity(key.jwk) == conflict.claim:
                    message = f"the key {ticked(key.kid)} is also a key of {owner}"
                    yield key.finding(KEY_SHARED, message, "make each tenant a key of its own")
