"""Who claims which domain and which key: read from the shards for what a tenant has not had before, and brought on.

A key's claim stays for ever. A domain's ends with its withdrawal, and another tenant may have it once no copy of the
old document is usable and no token of the old tenant is valid any more.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from publisher.checking import Tenant
from publisher.diagnostic import Diagnostic
from publisher.fleet import located
from publisher.policy import Policy
from publisher.record import TenantRecord
from publisher.release import Terms
from publisher.releaselog import Log, Tip
from publisher.rules.fleet import Conflict
from publisher.shard import Claim, Shard, domain_claim, key_claim, slot
from publisher.source import Revision
from publisher.survey import Task


@dataclass(slots=True, kw_only=True)
class Claims:
    """`shards` are those read so far. After `take`, `domains` are the claims of others to domains that tasks want;
    after `settle`, `new` are the claims that the release records."""

    log: Log
    tip: Tip
    shards: dict[int, Shard]
    domains: dict[str, Claim] = field(default_factory=dict)
    new: dict[str, Claim] = field(default_factory=dict)
    _free_from: dict[str, Claim] = field(default_factory=dict)
    _keys: dict[str, tuple[str, ...]] = field(default_factory=dict)

    async def take(
        self,
        tasks: Sequence[Task],
        made: Mapping[str, Tenant],
        revision: Revision,
        policy: Policy,
        terms: Sequence[Terms],
        now: datetime,
    ) -> dict[str, list[Diagnostic]]:
        """Look up what is claimed anew. Returns the mistakes, by folder: keys that are another tenant's.

        `made` are the tenants without mistakes, by folder.
        """
        free = now + max(one.lifetime for one in terms) + policy.token_lifetime + policy.clock_skew
        pairs = [(task, None if task.listing is None else made.get(task.listing.path)) for task in tasks]
        left = {domain for task, tenant in pairs for domain in _left(task, tenant)}
        asked = {domain for task, tenant in pairs for domain in _asked(task, tenant)}
        keys = {task.tenant: _new_keys(task, tenant) for task, tenant in pairs}
        names = [domain_claim(one) for one in left | asked] + [key_claim(one) for some in keys.values() for one in some]
        await self._read({slot(name) for name in names})
        self._keys = keys
        conflicts = self._conflicts(pairs)
        # Who keeps its document for a mistake gives nothing up, and takes nothing over.
        sound = [(task, tenant) for task, tenant in pairs if tenant is None or tenant.folder not in conflicts]
        self._pass_on(sound, free)
        if not conflicts:
            return {}
        listings = [task.listing for task in tasks if task.listing is not None and task.listing.path in conflicts]
        found: dict[str, list[Diagnostic]] = {}
        for mistake in located(revision.read(listings), conflicts):
            found.setdefault(mistake.path.rpartition("/")[0], []).append(mistake)
        return found

    def settle(self, records: Iterable[tuple[Task, TenantRecord]]) -> None:
        """Take over what the plan grants: the claims of records as they will be."""
        kept = list(records)
        for task, record in kept:
            serving = {one.domain for one in record.domains}
            for one in () if task.record is None else task.record.domains:
                if one.domain not in serving and one.domain in self._free_from:
                    self.new[domain_claim(one.domain)] = self._free_from[one.domain]
        for task, record in kept:
            before = set() if task.record is None else {one.domain for one in task.record.domains}
            for one in record.domains:
                if one.domain not in before:
                    self.new[domain_claim(one.domain)] = Claim(tenant=task.tenant)
            if record.quarantine is None or record.quarantine.domains is not None:
                for key in self._keys.get(task.tenant, ()):
                    self.new[key_claim(key)] = Claim(tenant=task.tenant)

    def _pass_on(self, sound: Sequence[tuple[Task, Tenant | None]], free: datetime) -> None:
        """Who gives which domain up, until when it stays reserved, and who asks for one that another tenant has."""
        for task, tenant in sound:
            for domain in _left(task, tenant):
                self._free_from[domain] = Claim(tenant=task.tenant, free_from=free)
        granted: dict[str, Claim] = {}
        for task, tenant in sound:
            for domain in _asked(task, tenant):
                claim = self._free_from.get(domain) or self._known(domain_claim(domain)) or granted.get(domain)
                if claim is None or claim.tenant == task.tenant:
                    granted[domain] = Claim(tenant=task.tenant)
                else:
                    self.domains[domain] = claim

    def _conflicts(self, pairs: Iterable[tuple[Task, Tenant | None]]) -> dict[str, list[Conflict]]:
        """Keys that are another tenant's, by the folder of whoever comes second."""
        granted: dict[str, str] = {}
        conflicts: dict[str, list[Conflict]] = {}
        for task, tenant in pairs:
            for one in () if tenant is None else self._keys[task.tenant]:
                known = self._known(key_claim(one))
                owner = granted.setdefault(one, task.tenant) if known is None else known.tenant
                if tenant is not None and owner != task.tenant:
                    conflict = Conflict(what="key", folder=tenant.folder, owner=owner, claim=bytes.fromhex(one))
                    conflicts.setdefault(tenant.folder, []).append(conflict)
        return conflicts

    def _known(self, name: str) -> Claim | None:
        return self.shards[slot(name)].claims.get(name)

    async def _read(self, slots: set[int]) -> None:
        self.shards.update(await self.log.shards(self.tip.base, slots - self.shards.keys()))


def _left(task: Task, tenant: Tenant | None) -> list[str]:
    """The domains that the tenant gives up. Of a tenant with mistakes nothing is known."""
    if task.record is None or (tenant is None and task.listing is not None):
        return []
    wanted = set() if tenant is None else {one.domain for one in tenant.wanted}
    return [one.domain for one in task.record.domains if one.domain not in wanted]


def _asked(task: Task, tenant: Tenant | None) -> list[str]:
    """The domains that the tenant does not serve yet, and will."""
    served = set() if task.record is None else {one.domain for one in task.record.domains}
    return [one.domain for one in (() if tenant is None else tenant.wanted) if one.keys and one.domain not in served]


def _new_keys(task: Task, tenant: Tenant | None) -> tuple[str, ...]:
    """The keys, by identity, that the tenant did not have before."""
    known = set() if task.record is None else {one.identity for one in task.record.keys}
    own = () if tenant is None else tenant.keys
    return tuple(sorted({one.identity for one in own} - known))
