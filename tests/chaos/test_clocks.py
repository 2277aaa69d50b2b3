"""Clocks that jump: nothing is published by a clock that runs behind the last publish, or ahead of the store's."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from s3server import S3Server

from .world import Chain, check_serves, place, served

pytestmark = pytest.mark.chaos


@pytest.mark.parametrize("kind", ["file", "s3"])
@pytest.mark.parametrize(
    ("jump", "hazard"), [(timedelta(hours=-1), "clock-behind"), (timedelta(days=1), "clock-ahead")]
)
def test_a_clock_that_jumps_publishes_nothing(
    short_chain: Chain,
    tmp_path: Path,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    jump: timedelta,
    hazard: str,
) -> None:
    with place(kind, tmp_path, s3_server, monkeypatch) as target:
        assert target.publish(short_chain, 0).code == 0
        before = served(target.live())
        jumped = target.publish(short_chain, 1, "--now", f"{datetime.now(UTC) + jump:%Y-%m-%dT%H:%M:%SZ}")
        assert (jumped.code, hazard in jumped.out + jumped.err) == (1, True), jumped
        assert served(target.live()) == before
        right = target.publish(short_chain, 1)
        assert right.code == 0, right
        check_serves(target.live(), short_chain.commits[1].documents)
