"""The world of a story: commits that a review accepts, publishes that come late, and what the origin serves meanwhile.

Events drive it: nothing happens between a change of the files or of what is due, and the publish that answers it. An
edit is merged where `check` finds no mistake in it at that instant (and the rules on changes none against the base).
Publishes are at most one interval late (`Late.prompt`) or later than that. With prompt ones an edit is not merged whose
plan is blocked either, as the review of a plan shows that: a blocked domain stays at what it serves, which is a publish
that does not come at all. Stories with late publishes merge those, too, and somebody waives `signs-before-published`
there: who signs goes by the recorded publication.
"""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from history import History, Snapshot

from publisher.apply import Copies
from publisher.checking import Times, check_folder
from publisher.chronicle import Reader
from publisher.conditions import Conditions, longest
from publisher.draft import Order
from publisher.fleet import source_policy
from publisher.keyset import KeySet
from publisher.memory import Memory, Publications
from publisher.plan import Plan
from publisher.policy import Cache, Policy
from publisher.publication import Outcome, Publisher
from publisher.publications import publications
from publisher.record import TenantRecord
from publisher.releaselog import Log, Open
from publisher.rules import changes
from publisher.shard import slot
from publisher.signing import later
from publisher.state import get_live, live_domains
from publisher.survey import Wish

from .edge import Edge
from .edits import Desk, Edit, made, pauses
from .files import TENANT, Files, maker
from .memory import MemoryStore

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
AGES = timedelta(days=3650)
_CANONICAL = "the canonical domain"
_EARLY = re.compile(r"not every verifier has it before (?P<since>\S+)$")
_WIDENED = re.compile(
    r"the key comes to (?P<domain>.+), and it signs already; sign there with it from (?P<since>\S+) on"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What an issuer can know from an instant on: the files of the last commit, and the state of the last publish."""

    at: datetime
    keyset: KeySet
    holds: Conditions
    policy: Policy
    record: TenantRecord | None
    known: Publications


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A key that was revoked by a commit; `published` is the publish that answered it. `purged`: the CDN was, then.

    `left`: it had left the documents, and that publish purges nothing, as the revocation says.

    `caches` are the cache terms of the policy now, and before.
    """

    kid: str
    thumbprint: str
    committed: datetime
    caches: tuple[Cache, ...]
    consumers: frozenset[str]
    left: bool
    published: datetime | None = None
    purged: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Lateness:
    """By how much each publish is late, in turn; `prompt`: as shares of an interval, else in hours beyond one."""

    prompt: bool
    numbers: tuple[int, ...] = (0,)

    def of(self, count: int, holds: Conditions) -> timedelta:
        """How late the publish of this number is."""
        number = self.numbers[count % len(self.numbers)]
        if self.prompt:
            return holds.interval * (number % 5) / 4
        return timedelta(0) if number == 0 else holds.interval + timedelta(hours=number)


@dataclass(slots=True, kw_only=True)
class World:
    """One tenant, its repository, its store and the CDN before that."""

    files: Files
    late: Lateness
    purges: bool = False
    now: datetime = START
    number: int = 1
    due: datetime | None = None
    count: int = 0
    history: History = field(default_factory=History)
    edge: Edge = field(default_factory=Edge)
    states: list[State] = field(default_factory=list)
    revocations: list[Revocation] = field(default_factory=list)
    spared: dict[str, datetime] = field(default_factory=dict)
    """By thumbprint, until when a key that took the place of a revoked one may be unknown somewhere."""
    warned: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """By thumbprint and domain, from when on a key may sign there, as the domain was removed and has come back."""
    widened: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """The same of a key that came to a domain while it signed elsewhere, for who does not go by the feed."""
    told: list[str] = field(default_factory=list)
    store: MemoryStore = field(init=False)
    snapshot: Snapshot = field(init=False)

    def __post_init__(self) -> None:
        self.store = MemoryStore(now=self.now)
        self._merge(self.files)
        self._publish()

    def edit(self, edit: Edit) -> bool:
        """Wait, make an edit, and merge it if its review accepts it. Whether it was."""
        before = self.states[-1]
        options = pauses(before.holds)
        self.advance(self.now + options[edit.pause % len(options)])
        before = self.states[-1]
        desk = Desk(files=self.files, keyset=before.keyset, holds=before.holds, now=self.now, number=self.number)
        found = made(edit, desk)
        if found is None or not self._accepts(found.files):
            return False
        self.number += 1
        self._note_revocations(before.keyset, found.files, found.heir)
        self._note_warnings(before.keyset, found.files)
        self._merge(found.files)
        self.told.append(f"{self.now:%m-%d %H:%M:%S} {edit}")
        return True

    def advance(self, until: datetime) -> None:
        """Let the time pass, with the publishes that are due."""
        while self.due is not None and self.due <= until:
            self.now = max(self.now, self.due)
            self._publish()
        self.now = max(self.now, until)

    def _accepts(self, files: Files) -> bool:
        now, old = self.now, self.states[-1].keyset
        snapshot = History().commit((TENANT, files.texts()), policy=files.terms.text())
        policy, problems = source_policy(snapshot)
        if problems or check_folder(files.folder(), policy, now, Memory(at=now, base=old)).diagnostics:
            return False
        # Also where hazards let a revocation alone pass: what is to take the key's place is held back with the rest.
        return not self.late.prompt or not self._planned(files).blocked

    def _planned(self, files: Files) -> Plan:
        """The plan that the review of these files shows."""
        past = self.history.last
        snapshot = self.history.commit((TENANT, files.texts()), policy=files.terms.text())
        self.history.last = past
        log = Log(self.store, Open())
        self.store.now = self.now

        async def plan() -> Plan:
            return await self._publisher().plan(await log.tip(), self._order(snapshot))

        return asyncio.run(plan())

    def _merge(self, files: Files) -> None:
        self.files = files
        self.snapshot = self.history.commit((TENANT, files.texts()), policy=files.terms.text())
        keyset = files.keyset()
        assert keyset is not None
        last = self.states[-1] if self.states else None
        state = State(
            at=self.now,
            keyset=keyset,
            holds=files.holds(),
            policy=files.policy(),
            record=None if last is None else last.record,
            known=Publications() if last is None else last.known,
        )
        self.states.append(state)
        self._owe(self.now)

    def _owe(self, moment: datetime) -> None:
        """A publish is to answer what happens at this instant, however late."""
        if moment > self.now + AGES:
            return
        when = moment + self.late.of(self.count, self.states[-1].holds)
        self.due = when if self.due is None else min(self.due, when)

    def _order(self, snapshot: Snapshot) -> Order:
        policy, problems = source_policy(snapshot)
        assert problems == ()
        return Order(
            revision=snapshot,
            policy=policy,
            policy_digest=hashlib.sha256(snapshot.policy_file.data).hexdigest(),
            times=Times(served=self.now, checked=self.now),
            wish=Wish(),
            allowed=frozenset() if self.late.prompt else frozenset({"signs-before-published"}),
        )

    def _publisher(self) -> Publisher:
        copies: Copies = "named" if self.purges else "unnamed"
        return Publisher(
            log=Log(self.store, Open()),
            start=lambda: None,
            approve=lambda plan: True,
            clock=lambda: self.now,
            note=self.told.append,
            step=lambda: None,
            copies=copies,
            patience=0.0,
            ask_first=False,
        )

    def _publish(self) -> None:
        self.count += 1
        self.due = None
        self.store.now = self.now
        asyncio.run(self._published())

    async def _published(self) -> None:
        outcome: Outcome = await self._publisher().publish(self._order(self.snapshot))
        plan, log = outcome.plan, Log(self.store, Open())
        self.told.append(f"{self.now:%m-%d %H:%M:%S} publish {self.count}")
        if plan is not None:
            self._note_returns(plan)
            self.told += [f"  {one.rule.id}: {one.message}" for change in plan.changes for one in change.hazards]
            self.told += [f"  mistake: {one}" for one in plan.mistakes]
        await self._serve()
        tip = await log.tip()
        shards = await log.shards(tip.base, {slot(TENANT)})
        record = shards[slot(TENANT)].record(TENANT)
        known = await publications(Reader(log=log, tip=tip), record)
        self.states.append(replace(self.states[-1], at=self.now, record=record, known=known))
        purged = set() if tip.head is None else {one.domain for one in tip.head.purges}
        for domain in purged if self.purges else ():
            self.edge.purges.setdefault(domain, []).append(self.now)
        self.revocations = [
            one if one.published is not None else replace(one, published=self.now, purged=self.purges and not one.left)
            for one in self.revocations
        ]
        change = None if record is None else record.next_change
        if change is not None:
            self._owe(change)

    async def _serve(self) -> None:
        for domain in await live_domains(self.store):
            live = await get_live(self.store, domain)
            assert live is not None
            served: Mapping[str, str] = live.thumbprints()
            self.edge.serve(domain, self.now, served, live.headers.cache_control)

    def _note_revocations(self, old: KeySet, files: Files, heir: str | None) -> None:
        keyset, holds, policy = files.keyset(), files.holds(), files.policy()
        assert keyset is not None
        valid = {key.jwk.thumbprint for key in old.keys if key.revoked is None}
        for key in keyset.keys:
            if key.revoked is not None and key.jwk.thumbprint in valid:
                self.revocations.append(
                    Revocation(
                        kid=key.kid,
                        thumbprint=key.jwk.thumbprint,
                        committed=self.now,
                        caches=(policy.cache, *(one.policy.cache for one in self.states)),
                        consumers=holds.consumers,
                        left=key.window.publish_until <= self.now,
                    )
                )
            replaces = key.revoked is None and changes._replaces(old, keyset, key, self.now)
            if key.kid == heir or (replaces and key.jwk.thumbprint not in valid):
                # Former cache terms had a lead of their own.
                leads = (holds.lead, *(one.holds.least_lead for one in self.states))
                self.spared[key.jwk.thumbprint] = later(max(self.now, key.window.publish_from), max(leads))

    def _note_returns(self, plan: Plan) -> None:
        """Nobody uses a domain that was removed, also where its document stayed, and from its return on who uses it
        does as the plan says."""
        for change in plan.changes:
            if change.wanted is None or not self._has_returned(change.domain):
                continue
            names = {key.kid: key.thumbprint for key in change.wanted.keys}
            for one in change.hazards:
                if one.waived and one.kid is not None and (told := _EARLY.search(one.message)):
                    self.warned[names[one.kid], change.domain] = datetime.fromisoformat(told["since"])

    def _has_returned(self, domain: str) -> bool:
        """Whether the last commit has a domain that one before it had not, and one before that had."""
        had = [domain in state.keyset.domains for state in self.states]
        return had[-1] and False in had[had.index(True) :]

    def _note_warnings(self, old: KeySet, files: Files) -> None:
        """Whoever signs by the files does as `key-widened` says, which no date of theirs could."""
        keyset, before = files.keyset(), {key.jwk.thumbprint: key for key in old.keys}
        assert keyset is not None
        terms = longest(files.holds(), self.states[-1].holds)
        for key in keyset.keys:
            known = before.get(key.jwk.thumbprint)
            if known is None or key.revoked is not None:
                continue
            for one in changes._widened(old, keyset, known, key, terms, self.now):
                told = _WIDENED.fullmatch(f"{one.message}; {one.hint}")
                assert told is not None
                domain = told["domain"].strip("`") if told["domain"] != _CANONICAL else f"{TENANT}.idp.example"
                self.widened[key.jwk.thumbprint, domain] = datetime.fromisoformat(told["since"])


def begin(files: Files, late: Lateness, *, purges: bool = False) -> World:
    """A world in which a tenant has one generated key, which signs."""
    made_key = maker(0)()
    content = replace(files.generated, entries=(dict(made_key.fields),))
    return World(files=replace(files, generated=content), late=late, purges=purges)
