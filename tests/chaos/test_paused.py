"""A publisher is paused in the middle, a newer commit is published, and it wakes: the newer one stays on every domain.

It is stopped (SIGSTOP) while one request of its is on the way: the server has the request only when all is over, or it
has carried it out and the answer comes when all is over.
"""

import signal
import time

import pytest
from s3server import S3Server

from .proxy import Hold, Proxy, Side
from .world import Chain, Place, Running, bucket, check_clear, check_serves

pytestmark = pytest.mark.chaos

OBJECTS = ("documents/", "shards/", "releases/", "live/", "HEAD.json")


@pytest.mark.parametrize("number", [2, 4])
@pytest.mark.parametrize("side", ["before", "after"])
@pytest.mark.parametrize("prefix", OBJECTS)
def test_a_newer_commit_stays(
    short_chain: Chain, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, prefix: str, side: Side, number: int
) -> None:
    """The second commit renders what was there before the first: no ETag tells whether anybody was there."""
    with Proxy(s3_server) as proxy:
        target = bucket(s3_server, proxy, monkeypatch)
        _published(target, short_chain, 0)
        with proxy.holding("PUT", prefix, side) as hold:
            paused = target.start(short_chain, 1)
            _wait(hold, paused)
            paused.process.send_signal(signal.SIGSTOP)
            newer = target.publish(short_chain, number)
            hold.release()
            # What was on the way comes to the server, whose answer nobody reads yet.
            time.sleep(0.3)
            paused.process.send_signal(signal.SIGCONT)
            older = paused.ended()
        check_clear(older)
        assert newer.code == 0, newer
        check_serves(target.live(), short_chain.commits[number].documents)
        _published(target, short_chain, number)
        assert target.verify(short_chain, number).code == 0


@pytest.mark.parametrize("prefix", OBJECTS)
def test_an_answer_that_comes_late_without_anybody_in_between_is_no_harm(
    short_chain: Chain, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, prefix: str
) -> None:
    with Proxy(s3_server) as proxy:
        target = bucket(s3_server, proxy, monkeypatch)
        _published(target, short_chain, 0)
        with proxy.holding("PUT", prefix, "after") as hold:
            paused = target.start(short_chain, 1)
            _wait(hold, paused)
            time.sleep(1)
            hold.release()
            ran = paused.ended()
        assert ran.code == 0, ran
        check_serves(target.live(), short_chain.commits[1].documents)


def _wait(hold: Hold, running: Running) -> None:
    """Wait until the program has sent the request that is held back; a failure where it ends without."""
    while not hold.reached(0.05):
        if running.process.poll() is not None:
            pytest.fail(f"no {hold.method} below {hold.prefix}: {running.ended()}")


def _published(target: Place, chain: Chain, number: int) -> None:
    ran = target.publish(chain, number)
    assert ran.code == 0, ran
    check_serves(target.live(), chain.commits[number].documents)
