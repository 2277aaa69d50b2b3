"""Keys that stay in the documents past their windows, as tokens of theirs may live: told by what was published when.

Tokens live for 24 h, clocks differ by 5 minutes, and the lead is 48 h.
"""

import asyncio
from collections.abc import Iterable
from hashlib import sha256

from history import History
from publishing import plan, publish, tip
from strategies import Entry, Tenant, entry, hour, window

from publisher.plan import Plan
from publisher.record import KeyRecord
from publisher.state import get_live, live_key
from publisher.store import Headers
from publisher.stores import open_store
from publisher.survey import Wish, idle

from .fleet import Counted

LOGIN, ID = "login.acme.example", "id.acme.example"
PLAIN = "version: 1\n"
THEIRS = Headers(content_type="application/json", cache_control="no-store")
SKEW = 5 / 60


def old(*hours: float | None) -> Entry:
    return entry(2, "old", **window(*(hours or (0, 0, 100, 130))))


NEW = entry(3, "new", **window(40, 100, None, None))
ROTATION = (old(), NEW)
"""`new` is to be published from 40 on, and takes over at 100; `old` stays until 130."""


class World:
    """A store that counts its requests, and the commits of one tenant that are published to it."""

    def __init__(self, *domains: str) -> None:
        self.store = Counted(open_store("memory://"))
        self.domains = domains or (LOGIN,)
        self.history = History()

    def publish(
        self, at: float, *keys: Entry, policy: str = PLAIN, allowed: Iterable[str] = (), custom: Iterable[Entry] = ()
    ) -> Plan | None:
        """Publish the tenant with these generated keys; the last commit again where there are none."""
        if keys:
            tenant = Tenant(domains=self.domains, generated=keys, custom=tuple(custom))
            self.history.commit(tenant, policy=policy)
        assert self.history.last is not None
        self.store.now = hour(at)
        return asyncio.run(publish(self.store, self.history.last, now=hour(at), allowed=allowed)).plan

    def plan(self, at: float, *keys: Entry) -> Plan:
        commit = self.history.commit(Tenant(domains=self.domains, generated=keys), policy=PLAIN)
        return asyncio.run(plan(self.store, commit, now=hour(at)))

    def idle(self, at: float) -> bool:
        """Whether a publish of the last commit has nothing to do, by the release alone."""
        assert self.history.last is not None
        digest = sha256(self.history.last.policy_file.data).hexdigest()
        return idle(asyncio.run(tip(self.store)), self.history.last, digest, hour(at), Wish())

    def kids(self, domain: str = LOGIN) -> list[str]:
        live = asyncio.run(get_live(self.store, domain))
        return [] if live is None else list(live.thumbprints())

    def meddle(self, domain: str) -> None:
        """Somebody else writes to a live object."""

        async def go() -> None:
            there = await self.store.get(live_key(domain))
            assert there is not None
            assert await self.store.put(live_key(domain), b"theirs", THEIRS, replaces=there.token) is not None

        asyncio.run(go())

    def leaves_at(self, at: float) -> None:
        """`old` is served until this hour, and an idle publish wakes for it to go."""
        assert not self.idle(at)
        assert self.idle(at - 0.01)
        self.publish(at - 0.01)
        assert "old" in self.kids()
        made = self.publish(at)
        assert made is not None
        assert [hazard for change in made.changes for hazard in change.hazards] == []
        assert "old" not in self.kids()


def open_hazards(made: Plan | None) -> list[str]:
    assert made is not None
    return [one.rule.id for change in made.changes for one in change.hazards if not one.waived]


def test_a_key_whose_successor_is_published_in_time_leaves_by_its_window() -> None:
    world = World()
    world.publish(0, *ROTATION)
    world.publish(40)
    world.publish(100)
    assert world.kids() == ["new", "old"]
    world.leaves_at(130)


def test_a_key_stays_until_the_tokens_of_its_late_successors_lead_have_expired() -> None:
    world = World()
    world.publish(0, *ROTATION)
    assert open_hazards(world.publish(120)) == []
    assert world.kids() == ["new", "old"]
    world.publish(130)
    assert world.kids() == ["new", "old"], "the issuer signs with it until 120 + 48"
    world.leaves_at(120 + 48 + 24 + SKEW)


def test_what_is_kept_is_not_dropped_by_files_either() -> None:
    world = World()
    world.publish(0, *ROTATION)
    world.publish(120)
    world.publish(130)
    assert open_hazards(world.plan(190, NEW)) == ["drops-retiring-key"]
    assert open_hazards(world.plan(120 + 48 + 24 + SKEW, NEW)) == []


def test_a_key_stays_while_its_successor_is_not_published_everywhere() -> None:
    world = World(LOGIN, ID)
    world.publish(0, *ROTATION)
    world.meddle(ID)
    for at in (40, 130, 200, 400):
        world.publish(at)
        assert "old" in world.kids()
        assert "new" in world.kids()
    world.publish(410, allowed=["foreign-object"])
    assert "new" in world.kids(ID)
    world.publish(411)
    world.leaves_at(410 + 48 + 24 + SKEW)


def test_a_shorter_lifetime_binds_when_the_last_longer_token_has_expired() -> None:
    world = World()
    world.publish(0, old(0, 0, 100, 125), NEW)
    world.publish(40)
    assert open_hazards(world.publish(99, old(0, 0, 100, 102), NEW, policy=f"{PLAIN}token_lifetime: 1h\n")) == []
    world.publish(102)
    assert world.kids() == ["new", "old"]
    world.leaves_at(99 + 24 + SKEW)


def test_a_shorter_lifetime_binds_for_what_is_signed_later() -> None:
    world = World()
    world.publish(0, old(0, 0, 100, 125), NEW)
    world.publish(40)
    world.publish(50, old(0, 0, 100, 102), NEW, policy=f"{PLAIN}token_lifetime: 1h\n")
    world.publish(100)
    world.leaves_at(102)


def test_an_end_of_signing_that_is_dated_back_takes_nothing_away() -> None:
    """Until the release that says so it signed, whatever the files say afterwards."""
    world = World()
    world.publish(0, old(0, 0, None, None), entry(3, "new", **window(0, 48, None, None)))
    assert open_hazards(world.publish(50, old(0, 0, 10, 51), entry(3, "new", **window(0, 48, None, None)))) == []
    world.publish(51)
    assert world.kids() == ["new", "old"]
    world.leaves_at(50 + 24 + SKEW)


def test_a_custom_key_leaves_by_its_window_as_nobody_here_signs_with_it() -> None:
    world = World()
    world.publish(0, *ROTATION, custom=[entry(4, "mine", **window(0, 0, 100, 130))])
    world.publish(120)
    world.publish(130)
    assert "mine" not in world.kids()


def test_a_window_that_ends_while_mistakes_keep_the_tenant_is_judged_afterwards() -> None:
    world = World()
    world.publish(0, *ROTATION)
    world.publish(120)
    made = world.publish(131, *ROTATION, entry(4, "old"))
    assert made is not None
    assert made.quarantined == ("acme",)
    world.publish(132)
    world.publish(135, *ROTATION)
    assert world.kids() == ["new", "old"]
    world.leaves_at(120 + 48 + 24 + SKEW)


def test_a_revoked_key_does_not_stay() -> None:
    world = World()
    world.publish(0, *ROTATION)
    world.publish(120)
    revoked = {"revoked": {"at": "2026-01-06T00:00:00Z", "reason": "stolen"}}
    world.publish(130)
    world.publish(131, {**old(), **revoked}, NEW)
    assert world.kids() == ["new"]


def test_the_record_says_until_when() -> None:
    world = World()
    world.publish(0, *ROTATION)
    world.publish(120)
    made = world.publish(130)
    assert made is not None
    (record,) = made.records
    kept: dict[str, KeyRecord] = {key.kid: key for key in record.keys}
    assert (kept["old"].kept, kept["new"].kept) == (hour(192) + (hour(SKEW) - hour(0)), None)
    assert made.next_change == kept["old"].kept


def requests(world: World, at: float, *keys: Entry) -> list[str]:
    """What a publish reads of the log."""
    world.store.requests.clear()
    world.publish(at, *keys)
    return [key for what, key in world.store.requests if what == "get" and key.startswith("releases/")]


def test_where_nothing_leaves_no_release_is_read_for_it() -> None:
    world = World()
    world.publish(0, *ROTATION)
    first = requests(world, 1, *ROTATION, entry(4, "more", **window(5, 200, None, None)))
    for at in range(5, 30, 5):
        more = [entry(4, "more", **window(5, 200 + at, None, None))]
        assert len(requests(world, at, *ROTATION, *more)) == len(first)
    assert len(requests(world, 130)) > len(first), "here `old` may leave"


def test_a_key_that_comes_back_counts_as_published_anew() -> None:
    """While it was away, every cache let go of it."""
    world = World()
    world.publish(0, old(0, 0, 10, 40), entry(3, "new", **window(0, 0, None, None)))
    world.publish(40)
    assert world.kids() == ["new"]
    made = world.publish(200, old(200, 260, None, None), entry(3, "new", **window(0, 0, None, None)))
    assert made is not None
    (key,) = (one for record in made.records for one in record.keys if one.kid == "old")
    assert key.first == made.sequence
    assert world.kids() == ["new", "old"]
