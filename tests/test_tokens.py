"""How long tokens live where the lifetime was changed: a shorter one binds when the last longer token has expired."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from strategies import hour

from publisher.record import Lifetime
from publisher.tokens import alive_until, lifetimes

HOUR = timedelta(hours=1)
SKEW = timedelta(minutes=5)


def present(hours: float) -> Lifetime:
    return Lifetime(lifetime=hours * HOUR, until=None)


def former(hours: float, until: float) -> Lifetime:
    return Lifetime(lifetime=hours * HOUR, until=hour(until))


def test_the_first_lifetime_is_the_only_one() -> None:
    assert lifetimes((), 24 * HOUR, hour(0)) == (present(24),)


def test_the_same_lifetime_stays_as_it_is() -> None:
    assert lifetimes((present(24),), 24 * HOUR, hour(5)) == (present(24),)


def test_a_longer_lifetime_binds_at_once() -> None:
    assert lifetimes((present(24),), 48 * HOUR, hour(5)) == (present(48),)


def test_a_shorter_lifetime_leaves_the_longer_one_until_its_last_token_has_expired() -> None:
    known = lifetimes((present(24),), HOUR, hour(5))
    assert known == (former(24, 29), present(1))
    assert lifetimes(known, HOUR, hour(28.9)) == known
    assert lifetimes(known, HOUR, hour(29)) == (present(1),)


def test_a_lifetime_that_grows_beyond_the_former_one_replaces_it() -> None:
    assert lifetimes((former(24, 29), present(1)), 24 * HOUR, hour(6)) == (present(24),)


def test_tokens_of_a_key_live_on_after_it_signed_last() -> None:
    assert alive_until((present(24),), 24 * HOUR, hour(10), SKEW) == hour(34) + SKEW
    assert alive_until((), 24 * HOUR, hour(10), SKEW) == hour(34) + SKEW


def test_the_former_lifetime_counts_for_what_was_signed_under_it() -> None:
    known = (former(24, 29), present(1))
    assert alive_until(known, HOUR, hour(4), SKEW) == hour(28) + SKEW, "signed at 4 for 24 hours"
    assert alive_until(known, HOUR, hour(10), SKEW) == hour(29) + SKEW, "none of the longer ones lives on after 29"
    assert alive_until(known, HOUR, hour(40), SKEW) == hour(41) + SKEW, "all of them are of the shorter kind"


CHANGES = st.lists(st.tuples(st.integers(1, 48), st.integers(0, 30)), min_size=1, max_size=6)


@given(changes=CHANGES, after=st.integers(0, 30))
def test_no_token_outlives_what_is_told_of_it(changes: list[tuple[int, int]], after: int) -> None:
    """Lifetimes in turn, each for some hours; a token is signed at every hour, with the lifetime of then."""
    known: tuple[Lifetime, ...] = ()
    at, tokens, lifetime = 0, [], 0
    for lifetime, hours in changes:
        known = lifetimes(known, lifetime * HOUR, hour(at))
        tokens += [(signed, signed + lifetime) for signed in range(at, at + hours + 1)]
        at += hours
    now = at + after
    known = lifetimes(known, lifetime * HOUR, hour(now))
    for last in range(now + 1):
        ends = [expires for signed, expires in tokens if signed <= last and expires > now]
        told = alive_until(known, lifetime * HOUR, hour(last), SKEW)
        assert all(hour(end) + SKEW <= told for end in ends)
