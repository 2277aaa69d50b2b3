"""Any sequence of an upstream's sets, at any instants: what always holds."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from strategies import BOUNDED

from publisher.generatedfile import Content, moment
from publisher.incoming import RefusedError
from publisher.keyset import Key
from publisher.offer import Offer, read_offer
from publisher.policy import Policy
from publisher.rules import windows
from publisher.upstream import Followed, Terms

from .sets import EMPTY, START, jwk, jwks, keys, keyset, sync, with_fields

KIDS, NUMBERS = ("a", "b", "c", "d"), range(5)
HOURS = st.sampled_from([0, 0.5, 1, 3, 24, 60])
# Mostly the n-th key under the n-th kid; at times another, as an upstream that errs or is not what it was.
PAIRS = st.integers(0, 3).map(lambda number: (KIDS[number], number)) | st.tuples(
    st.sampled_from(KIDS), st.sampled_from(NUMBERS)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Hours since the last step, what is offered, whether losses are allowed, and what is revoked before that."""

    hours: float
    offered: tuple[tuple[str, int], ...]
    allow_loss: bool
    revokes: str | None


STEPS = st.lists(
    st.builds(
        Step,
        hours=HOURS,
        offered=st.lists(PAIRS, max_size=4).map(tuple),
        allow_loss=st.booleans(),
        revokes=st.none() | st.none() | st.sampled_from(KIDS),
    ),
    min_size=1,
    max_size=10,
)


@dataclass
class Story:
    """What was seen so far. `due` is until when a key that was published has to be."""

    terms: Terms
    content: Content = EMPTY
    names: dict[str, str] = field(default_factory=dict)
    due: dict[str, datetime] = field(default_factory=dict)
    revoked: set[str] = field(default_factory=set)

    def revoke(self, kid: str, now: datetime) -> None:
        if kid in keys(self.content):
            self.content = with_fields(self.content, kid, revoked={"at": moment(now), "reason": "lost"})
            self.revoked.add(keys(self.content)[kid].jwk.thumbprint)

    def sync(self, offer: Offer, allow_loss: bool, now: datetime) -> None:
        terms = Terms(lead=self.terms.lead, retention=self.terms.retention, allow_loss=allow_loss)
        before = keys(self.content)
        try:
            followed = sync(self.content, offer, now, terms)
        except RefusedError as refused:
            assert str(refused).isprintable()
            return
        self.content = followed.content
        self.check(before, followed, offer, now)
        for later in (now, now + timedelta(hours=1)):
            again = sync(self.content, offer, later, terms)
            assert again.content.entries == self.content.entries
            assert (again.announced, again.returned, again.vanished) == ((), (), ())

    def check(self, before: dict[str, Key], followed: Followed, offer: Offer, now: datetime) -> None:
        after = keys(self.content)
        assert list(after)[: len(before)] == list(before)  # nothing leaves the file, which is the ledger
        assert not list(windows.check(keyset(self.content), Policy(), now))
        offered = {one.kid for one in offer.keys if one.material.jwk.thumbprint not in self.revoked}
        for kid, key in after.items():
            assert self.names.setdefault(kid, key.jwk.thumbprint) == key.jwk.thumbprint
            window = key.window
            if key.revoked is not None or key.jwk.thumbprint in self.revoked:
                assert key.revoked is not None
                assert before[kid] == key
                continue
            if kid in offered:
                assert window.publish_from <= now
                assert window.publish_until.year == 9999
                self.due[kid] = datetime.max.replace(tzinfo=now.tzinfo)
            elif self.due[kid].year == 9999:
                self.due[kid] = now + self.terms.retention
            assert window.publish_until >= self.due[kid]
            if kid in before and now < before[kid].window.publish_until:
                assert window.publish_from == before[kid].window.publish_from
            if kid not in before and not followed.first:
                waits = any(signs(one, now) and one.window.signs_from < now for one in after.values())
                assert window.signs_from in {now + self.terms.lead, now if not waits else now + self.terms.lead}
        assert not offered or any(signs(one, now) for one in after.values())


def signs(key: Key, now: datetime) -> bool:
    return key.revoked is None and key.window.signs_from <= now < key.window.signs_until


@given(STEPS, st.integers(0, 48), st.integers(1, 48))
@BOUNDED
def test_what_always_holds(steps: list[Step], lead: int, retention: int) -> None:
    story = Story(Terms(lead=timedelta(hours=lead), retention=timedelta(hours=retention)))
    now = START
    for step in steps:
        now += timedelta(hours=step.hours)
        if step.revokes is not None:
            story.revoke(step.revokes, now)
        story.sync(read_offer(jwks(*(jwk(number, kid) for kid, number in step.offered))), step.allow_loss, now)
