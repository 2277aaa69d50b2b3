"""A fifth of all requests goes wrong, in every way that S3 knows: what is published is what is published without."""

from collections.abc import Iterator

import pytest
from s3server import S3Server

from .faults import FAULTS, Dice, Fault
from .proxy import Proxy
from .world import Chain, Place, bucket, check_serves, served

pytestmark = pytest.mark.chaos

RATE = 0.2
STEPS = (0, 1, 2)
"""A first publish; a key more; a key revoked."""


@pytest.fixture(scope="module")
def undisturbed(short_chain: Chain, s3_server: S3Server) -> Iterator[list[dict[str, object]]]:
    """What readers see after each step, when nothing goes wrong."""
    with pytest.MonkeyPatch.context() as monkeypatch, Proxy(s3_server) as proxy:
        place = bucket(s3_server, proxy, monkeypatch)
        yield [_published(place, short_chain, number) for number in STEPS]


def _published(place: Place, chain: Chain, number: int) -> dict[str, object]:
    ran = place.publish(chain, number)
    assert ran.code == 0, ran
    live = place.live()
    check_serves(live, chain.commits[number].documents)
    return served(live)


@pytest.mark.parametrize("seed", range(8))
def test_all_faults_mixed(
    short_chain: Chain,
    s3_server: S3Server,
    undisturbed: list[dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    dice = Dice(seed=seed, rate=RATE)
    with Proxy(s3_server, dice) as proxy:
        place = bucket(s3_server, proxy, monkeypatch)
        for number, expected in zip(STEPS, undisturbed, strict=True):
            assert _published(place, short_chain, number) == expected
        assert sum(dice.thrown.values()) > 10, (dice.thrown, proxy.counts())
        again = place.publish(short_chain, STEPS[-1])
        assert (again.code, again.out[:18]) == (0, "Nothing to change:"), again


@pytest.mark.parametrize("fault", FAULTS)
def test_one_kind_of_fault(
    short_chain: Chain,
    s3_server: S3Server,
    undisturbed: list[dict[str, object]],
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
) -> None:
    dice = Dice(seed=7, rate=RATE, faults=(fault,))
    with Proxy(s3_server, dice) as proxy:
        place = bucket(s3_server, proxy, monkeypatch)
        for number, expected in zip(STEPS, undisturbed, strict=True):
            assert _published(place, short_chain, number) == expected
        assert dice.thrown[fault] > 3, (dice.thrown, proxy.counts())


@pytest.mark.parametrize("fault", ["error", "slow-down", "unavailable", "reset"])
def test_a_store_that_only_fails_is_one_line_and_touches_nothing(
    short_chain: Chain, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    with Proxy(s3_server) as proxy:
        place = bucket(s3_server, proxy, monkeypatch)
        before = _published(place, short_chain, 0)
        proxy.dice = Dice(seed=1, rate=1.0, faults=(fault,))
        ran = place.publish(short_chain, 1)
        assert (ran.code, ran.err.count("\n"), ran.err[:7]) == (3, 1, "error: "), ran
        assert served(place.live()) == before
        proxy.dice = None
        _published(place, short_chain, 1)
