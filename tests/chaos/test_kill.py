"""`publish` is killed at any moment, 200 times: no domain is ever torn, and the next publish puts everything right."""

import random
import signal
import time
from pathlib import Path

import pytest
from s3server import S3Server

from .world import Chain, Documents, Place, check_serves, check_whole, place

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
        first, later = _seconds(scratch, chain, 0), _seconds(scratch, chain, 1)
        chance = random.Random(f"{kind} {seed}")
        killed = 0
        for number in range(len(chain.commits)):
            # Past the end, too: then it is the end itself that is tried.
            killed += _kill(target, chain, number, chance.uniform(0, 1.1) * (later if number else first))
            _converge(target, chain, number)
        assert killed > len(chain.commits) // 2
        verified = target.verify(chain, len(chain.commits) - 1)
        assert verified.code == 0, verified


def _seconds(target: Place, chain: Chain, number: int) -> float:
    """How long a publish takes that nobody disturbs."""
    began = time.monotonic()
    ran = target.publish(chain, number)
    assert ran.code == 0, ran
    return time.monotonic() - began


def _kill(target: Place, chain: Chain, number: int, seconds: float) -> bool:
    """Begin to publish, kill, and look at what is there. Whether there was still something to kill."""
    running = target.start(chain, number)
    time.sleep(seconds)
    running.process.kill()
    code = running.ended().code
    assert code in (0, -signal.SIGKILL), code
    live = target.live()
    before = chain.commits[number - 1].documents if number else NOTHING
    check_whole(live, before, chain.commits[number].documents)
    for domain, stored in live.items():
        assert target.kept(stored.body), domain
    return code != 0


def _converge(target: Place, chain: Chain, number: int) -> None:
    ran = target.publish(chain, number)
    assert ran.code == 0, ran
    check_serves(target.live(), chain.commits[number].documents)
