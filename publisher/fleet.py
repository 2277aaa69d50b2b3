"""All tenants of a source: each folder read, checked and compiled, in a stream; then what only all together show."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from datetime import datetime
from types import MappingProxyType

from publisher.against import Against
from publisher.compile import Compiled, compile_keyset
from publisher.conditions import Conditions, conditions, longest
from publisher.diagnostic import Diagnostic, Finding, clean
from publisher.jwk import identity
from publisher.keyset import KeySet, Revoked, read_keyset
from publisher.memory import NOTHING, Memory, kept
from publisher.policy import Policy
from publisher.policyfile import MISSING_POLICY, read_policy
from publisher.record import KeyRecord, key_record
from publisher.rules import CHECKS, changes, consumers, rotation, settings, upstream
from publisher.rules.fleet import CUT, DOMAIN_OWNER, KEY_SHARED, TENANT_TWICE, Conflict, Facts, Index, facts
from publisher.rules.limits import check_documents
from publisher.secrets import private_key_places
from publisher.source import POLICY, Folder, Source, inside
from publisher.wanted import Wanted, wanted
from publisher.yamlfile import locate

CHUNK = 32
"""Folders that go to a worker together: enough that handing them over costs little."""
ALONE = 512
"""Folders that are done before any worker is started, as fewer are done sooner than one has started."""
WAITING = 16
"""Chunks under way at once: what bounds the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Two instants: when the documents are served, and when the files are checked, which judges what is in the future.

    They differ where somebody asks for the documents of another time: a revocation of today is none of a mistake then.
    """

    served: datetime
    checked: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """One folder, checked. `compiled` is None where there are diagnostics."""

    keyset: KeySet | None
    compiled: Compiled | None
    diagnostics: tuple[Diagnostic, ...]
    warnings: tuple[Diagnostic, ...] = ()
    conditions: Conditions | None = None
    kept: Mapping[str, datetime] = field(default_factory=dict)
    """Until when keys stay past their windows, by thumbprint."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """What the fleet needs of a checked folder: its mistakes, its claims, and what its domains serve now.

    `tree` is the folder's Git tree id; `keys` are all keys of its files, as a release records them.
    """

    folder: str
    tree: str | None
    diagnostics: tuple[Diagnostic, ...]
    facts: Facts | None
    wanted: tuple[Wanted, ...]
    keys: tuple[KeyRecord, ...] = ()
    revoked: frozenset[str] = frozenset()
    """Thumbprints of the keys that are revoked, also where mistakes keep the tenant from being compiled."""
    warnings: tuple[Diagnostic, ...] = ()
    conditions: Conditions | None = None
    kept: Mapping[str, datetime] = field(default_factory=dict)
    """Until when keys stay past their windows, by thumbprint."""


def check_folder(folder: Folder, policy: Policy, now: datetime, memory: Memory = NOTHING) -> Checked:
    """Read, check and compile one tenant. `now` judges what is in the future, and nothing else.

    `memory` is what the published state knows: keys that were revoked after these files were written count as revoked
    in them, and those that leave too early stay.
    """
    read = read_keyset(folder)
    keyset, diagnostics = read.keyset, list(read.diagnostics)
    if keyset is None:
        return Checked(keyset=None, compiled=None, diagnostics=tuple(diagnostics))
    holds = conditions(policy, keyset.plan, keyset)
    base = None if memory.base is None else _comparable(memory.base, keyset, diagnostics)
    judged = keyset if base is None else _base_first(keyset, base)
    findings = [finding for check in CHECKS for finding in check(judged, policy, now)]
    findings += rotation.check(keyset, holds, now)
    findings += changes.returned(keyset, memory.struck)
    terms = holds if memory.terms is None else longest(holds, memory.terms)
    if base is not None:
        findings += changes.check(base, keyset, holds, terms, now)
    compiled = None
    if not findings and not diagnostics:
        keyset = _without(keyset, memory, now)
        compiled = compile_keyset(keyset, policy, folder.tree)
        findings = [
            *check_documents(compiled, policy),
            *consumers.check(compiled, policy, now),
            *rotation.check_documents(compiled, holds, now),
        ]
    stay = kept(memory, holds) if memory.leaving else {}
    if findings:
        diagnostics.extend(_located(findings, folder))
        compiled = None
    elif compiled is not None and stay:
        compiled = compile_keyset(_longer(keyset, stay), policy, folder.tree)
    warned = [*upstream.check(keyset, policy.sync_within, now)]
    if base is not None:
        warned += changes.warn(base, keyset, terms, now)
    return Checked(
        keyset=keyset,
        compiled=compiled,
        diagnostics=tuple(diagnostics),
        warnings=tuple(_located(warned, folder)) if warned else (),
        conditions=holds,
        kept=stay,
    )


def _comparable(base: KeySet, keyset: KeySet, diagnostics: Iterable[Diagnostic]) -> KeySet:
    """The base without keys that may be missing for a mistake alone: those of files that are not read as a whole."""
    unread = {one.path.rpartition("/")[2] for one in diagnostics}
    there = {identity(key.jwk) for key in keyset.keys}
    keys = (key for key in base.keys if key.file.rpartition("/")[2] not in unread or identity(key.jwk) in there)
    return replace(base, keys=tuple(keys)) if unread else base


def _base_first(keyset: KeySet, base: KeySet) -> KeySet:
    """With the entries that the base has before others: of two that clash, the new one is to blame."""
    old = {(key.origin, key.kid, identity(key.jwk)) for key in base.keys}
    ordered = sorted(keyset.keys, key=lambda key: (key.origin, key.kid, identity(key.jwk)) not in old)
    return replace(keyset, keys=tuple(ordered))


def _without(keyset: KeySet, memory: Memory, now: datetime) -> KeySet:
    revoked = memory.revoked
    if not revoked:
        return keyset
    mark = Revoked(at=now, reason="revoked later")
    keys = (
        replace(key, revoked=mark) if key.revoked is None and key.jwk.thumbprint in revoked else key
        for key in keyset.keys
    )
    return replace(keyset, keys=tuple(keys))


def _longer(keyset: KeySet, stay: Mapping[str, datetime]) -> KeySet:
    keys = (
        replace(key, window=replace(key.window, publish_until=max(key.window.publish_until, until)))
        if (until := stay.get(key.jwk.thumbprint)) is not None
        else key
        for key in keyset.keys
    )
    return replace(keyset, keys=tuple(keys))


def tenant(folder: Folder, policy: Policy, times: Times, memory: Memory = NOTHING) -> Tenant:
    """One tenant, checked and compiled, as far as the fleet needs it."""
    checked = check_folder(folder, policy, times.checked, memory)
    keyset, compiled = checked.keyset, checked.compiled
    return Tenant(
        folder=folder.path,
        tree=folder.tree,
        diagnostics=checked.diagnostics,
        facts=None if keyset is None else facts(keyset),
        wanted=() if compiled is None else wanted(compiled, times.served),
        keys=()
        if compiled is None or keyset is None
        else tuple(key_record(key, identity(key.jwk)) for key in keyset.keys),
        revoked=frozenset(
            key.jwk.thumbprint
            for key in (() if keyset is None else keyset.keys)
            if key.revoked is not None or key.jwk.thumbprint in memory.revoked
        ),
        warnings=checked.warnings,
        conditions=checked.conditions,
        kept=checked.kept,
    )


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
    stream = iter(folders)
    for one in itertools.islice(stream, ALONE):
        yield _checked(one, policy, times, memories)
    following = next(stream, None)
    if following is None:
        return
    stream = itertools.chain([following], stream)
    workers = start()
    if workers is None:
        yield from (_checked(one, policy, times, memories) for one in stream)
        return
    pending: deque[Future[list[Tenant | Finding]]] = deque()
    while chunk := list(itertools.islice(stream, CHUNK)):
        paths = {one.path for one in chunk if isinstance(one, Folder)}
        some = {path: memories[path] for path in paths & memories.keys()}
        pending.append(workers.submit(_chunk, chunk, policy, times, some))
        if len(pending) >= WAITING:
            yield from pending.popleft().result()
    for future in pending:
        yield from future.result()


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


class Fleet:
    """Takes tenants as they come, counts them, and tells at the end what they claim from each other."""

    def __init__(self, source: Source, against: Against | None = None) -> None:
        self._source, self._against = source, against
        self._index = Index()
        self._conflicts: list[Conflict] = []
        self.tenants = 0
        self.domains = 0
        self.keys = 0

    def add(self, one: Tenant) -> None:
        """Take a tenant's claims."""
        self.tenants += 1
        if one.facts is not None:
            self._conflicts.extend(self._index.add(one.folder, one.facts))
            self.domains += len(one.facts.domains)
            self.keys += len(one.facts.keys) // CUT

    def conflicts(self) -> list[Diagnostic]:
        """The mistakes that all tenants show together. Reads those that have some again, for the places."""
        by_folder: dict[str, list[Conflict]] = {}
        for conflict in itertools.chain(self._conflicts, self._index.shared_keys()):
            blamed = _blamed(conflict, self._against)
            by_folder.setdefault(blamed.folder, []).append(blamed)
        return located(self._source.folders(by_folder.__contains__), by_folder) if by_folder else []


def located(folders: Iterable[Folder | Finding], conflicts: Mapping[str, list[Conflict]]) -> list[Diagnostic]:
    """Conflicts by folder, with their places in these folders' files."""
    diagnostics: list[Diagnostic] = []
    for folder in folders:
        if isinstance(folder, Folder) and (keyset := read_keyset(folder).keyset) is not None:
            found = [one for conflict in conflicts[folder.path] for one in _conflict_findings(conflict, keyset)]
            diagnostics.extend(_located(found, folder))
    return diagnostics


def _blamed(conflict: Conflict, against: Against | None) -> Conflict:
    """The conflict with the side to blame as its `folder`: the one that the base did not have."""
    if against is None or against.had(conflict.owner, conflict.what, conflict.claim):
        return conflict
    if not against.had(conflict.folder, conflict.what, conflict.claim):
        return conflict
    return replace(conflict, folder=conflict.owner, owner=conflict.folder)


def _chunk(
    chunk: list[Folder | Finding], policy: Policy, times: Times, memories: Mapping[str, Memory]
) -> list[Tenant | Finding]:
    return [_checked(one, policy, times, memories) for one in chunk]


def _checked(one: Folder | Finding, policy: Policy, times: Times, memories: Mapping[str, Memory]) -> Tenant | Finding:
    return one if isinstance(one, Finding) else tenant(one, policy, times, memories.get(one.path, NOTHING))


def _conflict_findings(conflict: Conflict, keyset: KeySet) -> Iterator[Finding]:
    owner = clean(conflict.owner)
    match conflict.what:
        case "tenant":
            message = f"the tenant `{clean(keyset.tenant)}` is already in {owner}"
            yield keyset.finding(TENANT_TWICE, message, "give it another name", "tenant")
        case "domain":
            message = f"the domain `{clean(str(conflict.claim))}` already belongs to {owner}"
            yield keyset.finding(DOMAIN_OWNER, message, "remove it from one of the two", "domains", str(conflict.claim))
        case "key":
            for key in keyset.keys:
                if identity(key.jwk) == conflict.claim:
                    message = f"the key `{clean(key.kid)}` is also a key of {owner}"
                    yield key.finding(KEY_SHARED, message, "make each tenant a key of its own")


def _located(findings: Iterable[Finding], folder: Folder) -> list[Diagnostic]:
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        by_file.setdefault(finding.file, []).append(finding)
    found: list[Diagnostic] = []
    for path, some in by_file.items():
        file = folder.files.get(path.rsplit("/", 1)[-1])
        found.extend(locate(b"" if file is None else file.data, some))
    return found
