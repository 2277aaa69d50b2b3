"""One tenant: its folder read, checked against every rule and compiled, with what is known of it beyond its files."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from publisher.compile import Compiled, compile_keyset
from publisher.conditions import Conditions, conditions, longest
from publisher.diagnostic import Diagnostic, Finding
from publisher.jwk import identity
from publisher.keyset import KeySet, Revoked, read_keyset
from publisher.memory import NOTHING, Memory, kept
from publisher.policy import Policy
from publisher.record import KeyRecord, key_record
from publisher.rules import CHECKS, changes, consumers, rotation, upstream
from publisher.rules.fleet import Facts, facts
from publisher.rules.limits import check_documents
from publisher.source import Folder
from publisher.wanted import Wanted, wanted
from publisher.yamlfile import locate


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
    terms = holds if memory.terms is None else longest(holds, memory.terms)
    base = None if memory.base is None else _comparable(memory.base, keyset, diagnostics)
    judged = keyset if base is None else _base_first(keyset, base)
    findings = [finding for check in CHECKS for finding in check(judged, policy, now)]
    findings += rotation.check(keyset, holds, now)
    findings += changes.returned(keyset, memory.struck)
    warned = [*upstream.check(keyset, policy.sync_within, now)]
    if base is not None:
        findings += changes.check(base, keyset, holds, terms, now)
        warned += changes.warn(base, keyset, terms, now)
    compiled = None
    if not findings and not diagnostics:
        keyset = _without(keyset, memory, now)
        compiled = compile_keyset(keyset, policy, folder.tree)
        findings = [*_document_findings(compiled, policy, holds, now)]
    stay = kept(memory, holds, _records(keyset)) if memory.leaving else {}
    if findings:
        diagnostics.extend(placed(findings, folder))
        compiled = None
    elif compiled is not None and stay:
        compiled = compile_keyset(_longer(keyset, stay), policy, folder.tree)
    return Checked(
        keyset=keyset,
        compiled=compiled,
        diagnostics=tuple(diagnostics),
        warnings=tuple(placed(warned, folder)) if warned else (),
        conditions=holds,
        kept=stay,
    )


def _document_findings(compiled: Compiled, policy: Policy, holds: Conditions, now: datetime) -> Iterator[Finding]:
    yield from check_documents(compiled, policy)
    yield from consumers.check(compiled, policy, now)
    yield from rotation.check_documents(compiled, holds, now)


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


def _records(keyset: KeySet) -> tuple[KeyRecord, ...]:
    return tuple(key_record(key, identity(key.jwk)) for key in keyset.keys)


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
        keys=() if compiled is None or keyset is None else _records(keyset),
        revoked=frozenset(
            key.jwk.thumbprint
            for key in (() if keyset is None else keyset.keys)
            if key.revoked is not None or key.jwk.thumbprint in memory.revoked
        ),
        warnings=checked.warnings,
        conditions=checked.conditions,
        kept=checked.kept,
    )


def placed(findings: Iterable[Finding], folder: Folder) -> list[Diagnostic]:
    """The findings with their places in this folder's files."""
    by_file: dict[str, list[Finding]] = {}
    for finding in findings:
        by_file.setdefault(finding.file, []).append(finding)
    found: list[Diagnostic] = []
    for path, some in by_file.items():
        file = folder.files.get(path.rsplit("/", 1)[-1])
        found.extend(locate(b"" if file is None else file.data, some))
    return found
