"""Make a review: check and compile both sides of each tenant that differs, compare them, see what a new policy touches.

The side before is compiled by the base's policy, the side after by the one that will hold when it is merged. Mistakes
are judged by the base's policy, and by a changed one as well: what only a policy of the same change allows is refused.
"""

from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from datetime import datetime

from publisher.breakage import breaks
from publisher.checking import Checked, check_folder
from publisher.conditions import Conditions, conditions
from publisher.diagnostic import Diagnostic, clean
from publisher.documentchange import document_changes
from publisher.exposure import spoken
from publisher.keychange import Terms, key_changes
from publisher.keyset import KeySet, read_keyset
from publisher.memory import Memory
from publisher.policy import Policy
from publisher.review import Setting, TenantReview, Touched
from publisher.source import Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What tenants are judged by. `policy` is the base's, `merged` the one that holds when the change is merged.

    `struck` are the identities of keys that earlier revisions revoked. `found` are mistakes that only the tenants
    together show, by folder.
    """

    policy: Policy
    merged: Policy
    now: datetime
    struck: AbstractSet[bytes] = frozenset()
    found: Mapping[str, tuple[Diagnostic, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One tenant's folder before and after, None where it is not there. A folder that moved is one tenant's."""

    before: Folder | None
    after: Folder | None

    @property
    def tenant(self) -> str:
        """The folder's name, which is to be the tenant's."""
        found = self.after or self.before
        assert found is not None  # noqa: S101 - one of the two is there
        return found.name


def pairs(before: Iterable[Folder], after: Iterable[Folder]) -> tuple[Pair, ...]:
    """The folders of both sides, together by path, then by name where that is the only one left, in order of paths."""
    old, new = {one.path: one for one in before}, {one.path: one for one in after}
    found = [Pair(before=old[path], after=new[path]) for path in old.keys() & new.keys()]
    left = [one for path, one in old.items() if path not in new]
    come = [one for path, one in new.items() if path not in old]
    for gone in left:
        moved = [one for one in come if one.name == gone.name]
        alone = len(moved) == 1 and sum(one.name == gone.name for one in left) == 1
        found.append(Pair(before=gone, after=moved[0] if alone else None))
    taken = {one.after.path for one in found if one.after is not None}
    found += [Pair(before=None, after=one) for one in come if one.path not in taken]
    return tuple(sorted(found, key=lambda one: (one.after or one.before or Folder(path="", tree=None, files={})).path))


def review_tenant(pair: Pair, grounds: Grounds) -> TenantReview:
    """One tenant's review, without the hazards that a publish would meet."""
    now, old, new = grounds.now, grounds.policy, grounds.merged
    before = None if pair.before is None else check_folder(pair.before, old, now)
    after, mistakes = _after(pair, before, grounds)
    was, will = _keyset(before), _keyset(after)
    holds = conditions(new, "" if will is None else will.plan, will)
    compared = (before is None or before.compiled is not None) and (after is None or after.compiled is not None)
    held = (None if before is None else before.compiled, None if after is None else after.compiled)
    return TenantReview(
        tenant=pair.tenant,
        before=None if pair.before is None else pair.before.path,
        after=None if pair.after is None else pair.after.path,
        read=compared,
        settings=_settings(was, will, (old, new)),
        keys=key_changes(was, will, (_terms(old, was), _terms(new, will or was)), now),
        documents=document_changes(*held, now) if compared else (),
        breaks=breaks(*held, holds.consumers, now) if compared else (),
        mistakes=mistakes,
        warnings=() if after is None else after.warnings,
    )


def _after(pair: Pair, before: Checked | None, grounds: Grounds) -> tuple[Checked | None, tuple[Diagnostic, ...]]:
    """The changed side, and its mistakes."""
    if pair.after is None:
        return None, ()
    was = _keyset(before)
    terms = None if was is None else conditions(grounds.policy, was.plan, was)
    memory = Memory(at=grounds.now, base=was, terms=terms, struck=grounds.struck)
    after = check_folder(pair.after, grounds.merged, grounds.now, memory)
    found = {*after.diagnostics, *grounds.found.get(pair.after.path, ())}
    if grounds.merged != grounds.policy:
        found |= {*check_folder(pair.after, grounds.policy, grounds.now, memory).diagnostics}
    return after, tuple(sorted(found))


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
    domains = ", ".join(map(clean, keyset.domains))
    return {
        "tenant": clean(keyset.tenant),
        "plan": clean(keyset.plan),
        "domains": domains,
        **times,
        "upstream": "(none)" if upstream is None else clean(upstream.url),
    }


def _times(holds: Conditions) -> dict[str, str]:
    """What the tenant's keys are held to, as text."""
    return {
        "token_lifetime": spoken(holds.token_lifetime),
        "rotation.every": spoken(holds.every),
        "rotation.lead": spoken(holds.lead),
        "rotation.alg": holds.alg,
        "consumers": ", ".join(sorted(map(clean, holds.consumers))) or "(none)",
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
