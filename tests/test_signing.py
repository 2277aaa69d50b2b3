"""Which generated key signs, and until when: by recorded publications, and not by windows alone."""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st
from strategies import hour

from publisher.keyset import ALWAYS, NEVER, Window
from publisher.signing import Candidate, Signing, later, ready, signing, signs_until

LEAD = timedelta(hours=48)


def moment(at: float | None, otherwise: datetime) -> datetime:
    return otherwise if at is None else hour(at)


def key(
    kid: str,
    start: float | None = None,
    end: float | None = None,
    *,
    seen: float | None = None,
    gone: float | None = None,
    founding: bool = False,
) -> Candidate:
    """A key that signs from `start` to `end`, and is published since `seen` (None: not yet). Hours."""
    window = Window(
        publish_from=ALWAYS,
        signs_from=moment(start, ALWAYS),
        signs_until=moment(end, NEVER),
        publish_until=moment(gone, NEVER),
    )
    since = None if seen is None else hour(seen)
    able = ready(window, since, LEAD, founding=founding)
    return Candidate(kid=kid, thumbprint=kid * 4, alg="ES256", window=window, ready=able, seen=since)


def who(found: Signing) -> tuple[str | None, bool, bool, str | None]:
    """The key, whether it is early, whether it is overdue, and the next one."""
    kid = None if found.key is None else found.key.kid
    return kid, found.early, found.overdue, None if found.following is None else found.following.kid


OLD = key("old", None, 100, seen=0, founding=True)


# From when a key may sign


def test_a_key_is_ready_a_lead_after_it_was_published_and_not_before_its_window() -> None:
    assert key("k", 100, seen=10).ready == hour(100)
    assert key("k", 50, seen=10).ready == hour(58)
    assert key("k", None, seen=10).ready == hour(58)
    assert key("k", 100).ready is None


def test_a_key_of_the_first_documents_is_ready_at_once() -> None:
    assert key("k", None, seen=10, founding=True).ready == ALWAYS
    assert key("k", 20, seen=10, founding=True).ready == hour(20)


def test_sums_stay_within_what_a_datetime_holds() -> None:
    assert later(NEVER, LEAD) == NEVER
    assert later(hour(1), LEAD) == hour(49)


# Who signs


def test_a_lone_key_signs() -> None:
    assert who(signing([OLD], hour(50))) == ("old", False, False, None)


def test_a_successor_takes_over_at_its_instant() -> None:
    keys = [OLD, key("new", 100, seen=40)]
    before, after = signing(keys, hour(99.9)), signing(keys, hour(100))
    assert who(before) == ("old", False, False, "new")
    assert before.not_before == hour(100)
    assert who(after) == ("new", False, False, None)
    assert after.not_before is None


def test_a_successor_that_was_published_late_is_waited_for() -> None:
    """Nomad#23577, hydra#3408: who signs with it at its instant has tokens refused."""
    keys = [OLD, key("new", 100, seen=90)]
    waiting = signing(keys, hour(137.9))
    assert who(waiting) == ("old", False, True, "new")
    assert waiting.not_before == hour(138)
    assert who(signing(keys, hour(138))) == ("new", False, False, None)


def test_a_successor_that_was_not_published_is_waited_for_without_an_instant() -> None:
    waiting = signing([OLD, key("new", 100)], hour(200))
    assert who(waiting) == ("old", False, True, "new")
    assert waiting.not_before is None


def test_a_key_without_a_successor_does_not_sign_past_its_end() -> None:
    assert who(signing([OLD], hour(100))) == (None, False, False, None)
    assert who(signing([OLD, key("new", 150)], hour(120))) == (None, False, False, "new")
    assert who(signing([OLD, key("new", 100, gone=110)], hour(120))) == (None, False, False, "new")


def test_of_two_that_overlap_the_later_one_signs() -> None:
    keys = [key("a", 0, 100, seen=0, founding=True), key("b", 50, 150, seen=0)]
    assert who(signing(keys, hour(49))) == ("a", False, False, "b")
    assert who(signing(keys, hour(60))) == ("b", False, False, None)
    assert who(signing(keys[::-1], hour(60))) == ("b", False, False, None)


def test_a_standby_key_far_ahead_changes_nothing() -> None:
    standby = key("standby", 10_000, seen=0)
    assert who(signing([OLD, standby], hour(50))) == ("old", False, False, "standby")
    assert who(signing([OLD, key("new", 100, seen=90), standby], hour(120)))[:3] == ("old", False, True)


def test_where_a_key_was_revoked_the_one_that_most_verifiers_have_signs_early() -> None:
    keys = [key("b", 1000, seen=60), key("a", 1000, seen=50), key("unpublished", 10)]
    assert who(signing(keys, hour(70)))[0] is None
    found = signing(keys, hour(70), bereft=True)
    assert who(found)[:3] == ("a", True, False)
    assert who(signing([key("unpublished", 10)], hour(70), bereft=True))[:3] == (None, False, False)
    assert who(signing([*keys, OLD], hour(70), bereft=True))[:3] == ("old", False, False), "one that may is better"


def test_nobody_signs_where_there_is_no_key() -> None:
    assert signing([], hour(0), bereft=True) == Signing(key=None)


# Until when


def test_a_key_signs_until_its_end_where_nothing_follows_or_all_is_in_time() -> None:
    assert signs_until([OLD], OLD, hour(200), LEAD) == hour(100)
    assert signs_until([OLD, key("new", 100, seen=40)], OLD, hour(200), LEAD) == hour(100)


def test_a_key_signs_until_its_late_successor_may() -> None:
    assert signs_until([OLD, key("new", 100, seen=90)], OLD, hour(200), LEAD) == hour(138)
    assert signs_until([OLD, key("new", 100)], OLD, hour(200), LEAD) == hour(248)


def test_the_first_of_several_successors_counts() -> None:
    keys = [OLD, key("new", 100, seen=90), key("next", 190, seen=100)]
    assert signs_until(keys, OLD, hour(200), LEAD) == hour(138)


def test_a_standby_key_is_no_successor_yet() -> None:
    assert signs_until([OLD, key("standby", 10_000, seen=0)], OLD, hour(200), LEAD) == hour(100)


HOURS = st.integers(0, 300)
KEYS = st.lists(st.tuples(HOURS, st.integers(1, 200), st.none() | HOURS, st.booleans()), min_size=1, max_size=5).map(
    lambda some: [
        key(f"k{number}", start, start + length, seen=seen, founding=founding)
        for number, (start, length, seen, founding) in enumerate(some)
    ]
)


@given(keys=KEYS, at=HOURS)
def test_who_signs_may(keys: list[Candidate], at: int) -> None:
    now = hour(at)
    found = signing(keys, now)
    if found.key is not None:
        assert found.key.ready is not None
        assert found.key.ready <= now
        assert found.overdue == (now >= found.key.window.signs_until)
    assert not found.early
    assert signing(keys[::-1], now) == found, "whatever the order"
    assert found.following is None or found.following is not found.key


@given(keys=KEYS, at=HOURS)
def test_who_signs_past_its_end_is_known_to_sign_until_then(keys: list[Candidate], at: int) -> None:
    """What is kept published by `signs_until` covers what `signing` lets sign, with the same records."""
    now = hour(at)
    found = signing(keys, now)
    if found.key is not None:
        assert signs_until(keys, found.key, now, LEAD) > now
