"""A year of daily rotations: every rule holds on every day, one key signs at every instant, nothing is hazardous."""

import asyncio
import itertools
from datetime import datetime, timedelta

import pytest
from history import History
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st
from keymaker import ec_key, public_jwk, thumbprint
from publishing import publish

from publisher import rotate as rotation
from publisher.checking import check_folder
from publisher.cli.generated import _feed
from publisher.conditions import Conditions, conditions
from publisher.feed import Feed
from publisher.generatedfile import read, written
from publisher.keyset import NEVER, KeySet
from publisher.policy import Policy
from publisher.policyfile import read_policy
from publisher.releaselog import Log, Open
from publisher.source import GENERATED, KEYSET, File, Folder
from publisher.state import Live, get_live
from publisher.store import Store
from publisher.stores import open_store

from .running import DAY, NOW, active

POLICY = """\
version: 1
canonical_domain: "{tenant}.idp.example"
rotation: {every: 14d}
plans: {enterprise: {custom_keys: 1}}
"""
OWN = "version: 1\ntenant: acme\nplan: enterprise\ndomains: [login.acme.example]\n"


class Story:
    """A tenant whose files live in memory; keys come from `keymaker`, by their number."""

    def __init__(self, policy: str = POLICY, own: str = OWN) -> None:
        self.text, self.own, self.made = b"", own, itertools.count()
        self.policy_text = policy
        self.policy: Policy = read_policy(policy.encode(), "policy.yaml")[0]

    @property
    def folder(self) -> Folder:
        files = {KEYSET: self.own.encode(), **({GENERATED: self.text} if self.text else {})}
        return Folder(
            path="keysets/acme", tree=None, files={name: File(kind="file", data=data) for name, data in files.items()}
        )

    def check(self, now: datetime) -> tuple[KeySet, Conditions]:
        """The key set, in which there is no mistake."""
        found = check_folder(self.folder, self.policy, now)
        assert found.diagnostics == (), (now, found.diagnostics)
        assert found.keyset is not None
        return found.keyset, conditions(self.policy, found.keyset.plan, found.keyset)

    def new(self) -> rotation.New:
        key = ec_key(next(self.made))
        kid = thumbprint(key)
        return rotation.New(kid=kid, fields={"kid": kid, "alg": "ES256", "jwk": dict(public_jwk(key))})

    def found(self, now: datetime) -> None:
        """The tenant's first key."""
        self._rotate(*self.check(now), now)

    def rotate(self, now: datetime) -> bool:
        """`rotate --all-due`, and what the next run would do: nothing."""
        keyset, holds = self.check(now)
        due = rotation.due_at(rotation.succession(keyset, now, holds.lead), holds)
        if due is None or due > now:
            return False
        self._rotate(keyset, holds, now)
        after, _ = self.check(now)
        again = rotation.due_at(rotation.succession(after, now, holds.lead), holds)
        assert again is None or again > now
        return True

    def _rotate(self, keyset: KeySet, holds: Conditions, now: datetime) -> None:
        content = read(self.text)
        gone = rotation.over(keyset, holds, now)
        rotated = rotation.rotate(content, keyset, holds, now, self.new)
        assert rotated is not None
        self.text = written(rotation.without(rotated.content, gone), self.text)

    def revoke(self, now: datetime) -> None:
        """The key that signs."""
        keyset, _ = self.check(now)
        key = next(one for one in keyset.keys if one.kid in active(keyset.keys, now))
        struck = rotation.revoke(read(self.text), keyset, key, now, "lost", now, self.new)
        assert struck.heir is not None
        self.text = written(struck.content, self.text)


@pytest.mark.parametrize("minutes", [0, 433])
def test_a_year_of_days_keeps_every_rule(minutes: int) -> None:
    story, rotations = Story(), 0
    began = NOW + timedelta(minutes=minutes)
    story.found(began)
    for day in range(366):
        now = began + day * DAY
        rotations += story.rotate(now)
        if now.day % 3 and not rotations:
            continue
        keyset, holds = story.check(now)
        ends = {now, *(one for key in keyset.keys for one in (key.window.signs_from, key.window.signs_until))}
        for instant in ends - {NEVER}:
            assert instant < now or len(active(keyset.keys, instant)) == 1
        assert len(keyset.keys) <= 3
        stays = (key.window for key in keyset.keys if key.window.signs_until != NEVER)
        assert all(window.publish_until - window.signs_until >= holds.retention for window in stays)
    assert rotations == 26  # the first after 12 days, the next ones every 14


STEPS = st.lists(
    st.tuples(st.sampled_from(["days", "days", "days", "outage", "revoke"]), st.integers(1, 20)), min_size=1, max_size=8
)


@example(steps=[("days", 16), ("revoke", 1)], minutes=0)
@example(steps=[("days", 12), ("outage", 20), ("days", 2), ("revoke", 1), ("days", 20)], minutes=0)
@given(steps=STEPS, minutes=st.integers(0, 10_000))
@settings(max_examples=8, deadline=None, phases=(Phase.explicit, Phase.generate))  # to shrink takes minutes
def test_no_token_is_refused_and_nothing_is_hazardous(steps: list[tuple[str, int]], minutes: int) -> None:
    """Days on which all is rotated and published, and outages: nothing is published for less than the lead."""
    shop = Shop(Story(), NOW + timedelta(minutes=minutes))
    shop.story.found(shop.now)
    shop.publish()
    for what, count in steps:
        if what == "revoke":
            shop.story.revoke(shop.now)
            shop.forget()
            shop.publish()
            continue
        for _ in range(count if what == "days" else 1):
            shop.now += DAY if what == "days" else timedelta(hours=2 * count)
            shop.look()
            shop.story.rotate(shop.now)
            shop.publish()


class Shop:
    """A store, an issuer that goes by the feed, and until when its tokens are valid, by kid."""

    def __init__(self, story: Story, now: datetime) -> None:
        self.story, self.now = story, now
        self.store: Store = open_store("memory://")
        self.history = History()
        self.alive: dict[str, datetime] = {}
        self.told: Feed | None = None

    def publish(self) -> None:
        texts = {KEYSET: self.story.own, GENERATED: self.story.text.decode()}
        commit = self.history.commit(("acme", texts), policy=self.story.policy_text)
        outcome = asyncio.run(publish(self.store, commit, now=self.now))
        found = [] if outcome.plan is None else [one for each in outcome.plan.changes for one in each.hazards]
        assert [one.message for one in found if not one.waived] == []
        assert {kid for kid, until in self.alive.items() if self.now < until} <= self.live().thumbprints().keys()
        self.look()

    def look(self) -> None:
        """Ask which key signs, and sign a token with it that lives as long as tokens may."""
        keyset, holds = self.story.check(self.now)
        told = _feed(keyset, self.story.policy, self.now, Log(self.store, Open()))
        key, before = told.signing.key, self.told
        assert key is not None
        assert key.kid in self.live().thumbprints()
        if before is not None and self.now < before.fresh_until:
            assert before.signing.key is not None
            assert before.signing.key.kid == key.kid
        self.told = told
        self.alive[key.kid] = self.now + holds.retention

    def live(self) -> Live:
        found = asyncio.run(get_live(self.store, "login.acme.example"))
        assert found is not None
        return found

    def forget(self) -> None:
        """A key was revoked: its tokens do not count, nor what was said before."""
        self.told = None
        revoked = {key.kid for key in self.story.check(self.now)[0].keys if key.revoked is not None}
        self.alive = {kid: until for kid, until in self.alive.items() if kid not in revoked}
