"""`publish` is killed at any moment, 200 times: no domain is ever torn, and the next publish puts everything right."""

import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest
from s3server import S3Server

from .world import Chain, Documents, Place, Running, check_serves, check_whole, place

pytestmark = pytest.mark.chaos

NOTHING: Documents = {}


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("kind", ["file", "s3"])
def test_killed_at_any_moment_and_run_again(
    chain: Chain, tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, kind: str, seed: int
) -> None:
    with (
        place(kind, tmp_path / "undisturbed", s3_server, monkeypatch) as scratch,
        place(kind, tmp_path / "killed", s3_server, monkeypatch) as target,
    ):
        first, later = _measured(scratch, chain, 0), _measured(scratch, chain, 1)
        chance = random.Random(f"{kind} {seed}")
        killed = 0
        for number in range(len(chain.commits)):
            killed += _kill(target, chain, number, later if number else first, chance)
            _converge(target, chain, number)
        assert killed > len(chain.commits) // 4  # a machine that grows faster or slower meanwhile misses some
        verified = target.verify(chain, len(chain.commits) - 1)
        assert verified.code == 0, verified


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How many seconds a publish takes that nobody disturbs: until it writes, and from then on."""

    reading: float
    writing: float


def _measured(target: Place, chain: Chain, number: int) -> Pace:
    began = time.monotonic()
    running = target.start(chain, number)
    _wait_for_a_write(target, running, target.writes())
    wrote = time.monotonic()
    ran = running.ended()
    assert ran.code == 0, ran
    return Pace(reading=wrote - began, writing=time.monotonic() - wrote)


def _kill(target: Place, chain: Chain, number: int, pace: Pace, chance: random.Random) -> bool:
    """Begin to publish, kill, and look at what is there. Whether there was still something to kill."""
    writes = target.writes()
    running = target.start(chain, number)
    # Writing is the shorter part, and the one that matters: two of three rounds end in it, or just past its end.
    if chance.random() < 1 / 3:
        time.sleep(chance.uniform(0, pace.reading))
    else:
        _wait_for_a_write(target, running, writes)
        time.sleep(chance.uniform(0, 1.1) * pace.writing)
    running.process.kill()
    code = running.ended().code
    assert code in (0, -signal.SIGKILL), code
    live = target.live()
    before = chain.commits[number - 1].documents if number else NOTHING
    check_whole(live, before, chain.commits[number].documents)
    for domain, stored in live.items():
        assert target.kept(stored.body), domain
    return code != 0


def _wait_for_a_write(target: Place, running: Running, writes: int) -> None:
    while target.writes() == writes and running.process.poll() is None:
        time.sleep(0.001)


def _converge(target: Place, chain: Chain, number: int) -> None:
    ran = target.publish(chain, number)
    assert ran.code == 0, ran
    check_serves(target.live(), chain.commits[number].documents)
