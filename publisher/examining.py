"""Both sides of each tenant that differs: read, checked and compiled, and compared; and what a new policy touches.

The side before is compiled by the base's policy, the side after by the one that will hold when it is merged. Mistakes
are judged by the base's policy, and by a changed one as well: what only a policy of the same change allows is refused.
"""

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from datetime import datetime

from publisher.breakage import breaks
from publisher.checking import Checked, check_folder
from publisher.compile import Compiled, DomainTimeline
from publisher.conditions import Conditions, conditions
from publisher.consumers import CONSUMERS
from publisher.diagnostic import Diagnostic, clean, quote
from publisher.documentchange import document_changes
from publisher.exposure import spoken
from publisher.jwk import identity
from publisher.keychange import Copies, Terms, key_changes
from publisher.keyset import KeySet, read_keyset
from publisher.memory import Memory
from publisher.policy import Policy
from publisher.review import Setting, TenantReview, Touched
from publisher.rules.domains import name_fault
from publisher.rules.fleet import Facts, facts
from publisher.rules.tenants import name_is_label
from publisher.source import Folder
from publisher.trespass import Holding


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What tenants are judged by. `policy` is the base's, `merged` the one that holds when the change is merged.

    `struck` are the identities of keys that earlier revisions revoked.
    """

    policy: Policy
    merged: Policy
    now: datetime
    struck: AbstractSet[bytes] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One tenant's folder before and after, None where it is not there. A folder that moved is one tenant's."""

    before: Folder | None
    after: Folder | None

    @property
    def tenant(self) -> str:
        """The folder's name, which is to be the tenant's."""
        if (found := self.after or self.before) is None:
            raise ValueError("a pair of no folders")
        return found.name


def pairs(before: Iterable[Folder], after: Iterable[Folder]) -> tuple[Pair, ...]:
    """The folders of both sides, together by path, then by name where that is the only one left, in order of paths."""
    old, new = {one.path: one for one in before}, {one.path: one for one in after}
    found = [Pair(before=old[path], after=new[path]) for path in old.keys() & new.keys()]
    left = [one for path, one in old.items() if path not in new]
    come = [one for path, one in new.items() if path not in old]
    gone, fresh = Counter(one.name for one in left), Counter(one.name for one in come)
    moved = {one.name: one for one in come if fresh[one.name] == gone[one.name] == 1}
    found += [Pair(before=one, after=moved.get(one.name)) for one in left]
    taken = {one.after.path for one in found if one.after is not None}
    found += [Pair(before=None, after=one) for one in come if one.path not in taken]
    return tuple(sorted(found, key=lambda one: (one.after or one.before or Folder(path="", tree=None, files={})).path))


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """A pair, checked and compiled. `mistakes` are those of the changed side, by either policy."""

    pair: Pair
    before: Checked | None
    after: Checked | None
    mistakes: tuple[Diagnostic, ...]

    @property
    def is_whole(self) -> bool:
        """Whether no mistake keeps one of the sides from being compiled."""
        return all(one is None or one.compiled is not None for one in (self.before, self.after))


def claims(examined: Iterable[Examined]) -> list[tuple[str, Facts]]:
    """What the changed sides claim for themselves, by folder, as far as they could be read."""
    sides = ((one.pair.after, _keyset(one.after)) for one in examined)
    return [(folder.path, facts(keyset)) for folder, keyset in sides if folder is not None and keyset is not None]


def blamed(examined: Iterable[Examined], mistakes: Mapping[str, Iterable[Diagnostic]]) -> tuple[Examined, ...]:
    """The same, with more mistakes of changed sides, by folder."""
    return tuple(
        one
        if one.pair.after is None or one.pair.after.path not in mistakes
        else replace(one, mistakes=tuple(sorted({*one.mistakes, *mistakes[one.pair.after.path]})))
        for one in examined
    )


def examine(pair: Pair, grounds: Grounds) -> Examined:
    """Read, check and compile."""
    now = grounds.now
    before = None if pair.before is None else check_folder(pair.before, grounds.policy, now)
    if pair.after is None:
        return Examined(pair=pair, before=before, after=None, mistakes=())
    was = _keyset(before)
    terms = None if was is None else conditions(grounds.policy, was.plan, was)
    memory = Memory(at=now, base=was, terms=terms, struck=grounds.struck)
    after = check_folder(pair.after, grounds.merged, now, memory)
    found = {*after.diagnostics}
    if grounds.merged != grounds.policy:
        found |= {*check_folder(pair.after, grounds.policy, now, memory).diagnostics}
    return Examined(pair=pair, before=before, after=after, mistakes=tuple(sorted(found)))


def compare(examined: Examined, grounds: Grounds, copies: Copies | None = None) -> TenantReview:
    """One tenant's review, without the hazards that a publish would meet. `copies` are those of a store."""
    pair, now, old, new = examined.pair, grounds.now, grounds.policy, grounds.merged
    was, will = _keyset(examined.before), _keyset(examined.after)
    held = _compiled(examined.before), _compiled(examined.after)
    # Also those that the change names no more: otherwise `check` would refuse it.
    consumers = frozenset().union(*(_terms(*side).conditions.consumers for side in ((old, was), (new, will))))
    whole = examined.is_whole
    return TenantReview(
        tenant=pair.tenant,
        before=None if pair.before is None else pair.before.path,
        after=None if pair.after is None else pair.after.path,
        read=whole,
        settings=_settings(was, will, (old, new)),
        keys=key_changes(was, will, (_terms(old, was), _terms(new, will or was)), now, copies),
        documents=document_changes(*held, now) if whole else (),
        breaks=breaks(*held, consumers, now) if whole else (),
        mistakes=examined.mistakes,
        warnings=() if examined.after is None else examined.after.warnings,
    )


def holdings(examined: Iterable[Examined], grounds: Grounds) -> tuple[list[Holding], list[Holding]]:
    """What these tenants have before and after, for `trespass`."""
    old: list[Holding] = []
    new: list[Holding] = []
    for one in examined:
        if one.pair.before is not None:
            old.append(_holding(one.pair.before.path, one.before, grounds.policy))
        if one.pair.after is not None:
            new.append(_holding(one.pair.after.path, one.after, grounds.merged))
    return old, new


def _holding(folder: str, checked: Checked | None, policy: Policy) -> Holding:
    keyset, compiled = _keyset(checked), _compiled(checked)
    if keyset is None:
        return Holding(folder=folder, tenant=folder.rpartition("/")[2])
    return Holding(
        folder=folder,
        tenant=keyset.tenant,
        domains=keyset.domains,
        canonical=policy.canonical_domain(keyset.tenant),
        keys=frozenset(identity(key.jwk) for key in keyset.keys),
        documents={} if compiled is None else {one.domain: _digest(one) for one in compiled.domains},
    )


def _digest(timeline: DomainTimeline) -> str:
    text = "\n".join(f"{one.start.isoformat()} {one.digest}" for one in timeline.documents)
    return hashlib.sha256(text.encode()).hexdigest()


def _compiled(checked: Checked | None) -> Compiled | None:
    return None if checked is None else checked.compiled


def _keyset(checked: Checked | None) -> KeySet | None:
    return None if checked is None else checked.keyset


def _terms(policy: Policy, keyset: KeySet | None) -> Terms:
    holds = conditions(policy, "" if keyset is None else keyset.plan, keyset)
    canonical = None if keyset is None else policy.canonical_domain(keyset.tenant)
    return Terms(conditions=holds, cache=policy.cache, canonical=canonical)


def _settings(before: KeySet | None, after: KeySet | None, policies: tuple[Policy, Policy]) -> tuple[Setting, ...]:
    if before is None or after is None:
        return ()
    old, new = _stated(before, policies[0]), _stated(after, policies[1])
    return tuple(Setting(name=name, before=old[name], after=new[name]) for name in old if old[name] != new[name])


def _stated(keyset: KeySet, policy: Policy) -> dict[str, str]:
    upstream = keyset.upstream
    times = _times(conditions(policy, keyset.plan, keyset))
    # What is no name there may be anything, a private key too: it is told by its length, as messages do.
    domains = (clean(one) if name_fault(one) is None else quote(one) for one in keyset.domains)
    return {
        "tenant": clean(keyset.tenant) if name_is_label(keyset.tenant) else quote(keyset.tenant),
        "plan": clean(keyset.plan) if keyset.plan in (policy.plans or {}) else quote(keyset.plan),
        "domains": ", ".join(domains),
        **times,
        "upstream": "(none)" if upstream is None else _host(upstream.url),
    }


def _host(url: str) -> str:
    """Whom an upstream's address names; the rest of it may hold what is nobody's to read."""
    host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition("?")[0]
    return clean(host) if name_fault(host.partition(":")[0]) is None else quote(host)


def _times(holds: Conditions) -> dict[str, str]:
    """What the tenant's keys are held to, as text."""
    return {
        "token_lifetime": spoken(holds.token_lifetime),
        "rotation.every": spoken(holds.every),
        "rotation.lead": spoken(holds.lead),
        "rotation.alg": holds.alg,
        "consumers": ", ".join(sorted(one if one in CONSUMERS else quote(one) for one in holds.consumers)) or "(none)",
    }


def touched(folder: Folder, grounds: Grounds) -> Touched | None:
    """What a new policy does to a tenant whose files stay as they are; None for nothing but other cache terms."""
    old, new, now = grounds.policy, grounds.merged, grounds.now
    keyset = read_keyset(folder).keyset
    was, will = (check_folder(folder, policy, now) for policy in (old, new))
    mistakes = tuple(sorted({*will.diagnostics} - {*was.diagnostics}))
    documents = bool(document_changes(was.compiled, will.compiled, now)) if was.compiled and will.compiled else False
    times = () if keyset is None else tuple(_moved(_times_of(old, keyset), _times_of(new, keyset)))
    if not (mistakes or documents or times):
        return None
    return Touched(tenant=folder.name, documents=documents, times=times, mistakes=mistakes)


def _times_of(policy: Policy, keyset: KeySet) -> dict[str, str]:
    return _times(conditions(policy, keyset.plan, keyset))


def _moved(old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[Setting]:
    return (Setting(name=name, before=old[name], after=new[name]) for name in old if old[name] != new[name])
