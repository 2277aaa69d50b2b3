"""Several publishers at once, of the same commit and of different ones: the newest commit is what is served."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from program import Ran
from s3server import S3Server

from .world import Chain, Place, check_clear, check_serves, check_whole, place

pytestmark = pytest.mark.chaos

ROUNDS = 4


@pytest.mark.parametrize("count", [2, 8])
@pytest.mark.parametrize("kind", ["file", "s3"])
def test_publishers_of_one_commit(
    short_chain: Chain, tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, kind: str, count: int
) -> None:
    with place(kind, tmp_path, s3_server, monkeypatch) as target:
        for number in range(ROUNDS):
            ends = _race(target, short_chain, [number] * count)
            assert any(ran.code == 0 for ran in ends), ends
            check_serves(target.live(), short_chain.commits[number].documents)
            _settled(target, short_chain, number)


@pytest.mark.parametrize("seed", range(ROUNDS))
@pytest.mark.parametrize("count", [2, 8])
@pytest.mark.parametrize("kind", ["file", "s3"])
def test_publishers_of_different_commits(
    short_chain: Chain,
    tmp_path: Path,
    s3_server: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
    count: int,
    seed: int,
) -> None:
    with place(kind, tmp_path, s3_server, monkeypatch) as target:
        # In every second round the store is a new one for all of them.
        if seed % 2:
            _settled(target, short_chain, 0)
        numbers = random.Random(seed).sample(range(1, 9), count)
        ends = _race(target, short_chain, numbers)
        newest = max(numbers)
        assert ends[numbers.index(newest)].code == 0, ends
        check_serves(target.live(), short_chain.commits[newest].documents)
        _settled(target, short_chain, newest)


@pytest.mark.parametrize("kind", ["file", "s3"])
def test_an_older_commit_is_refused(
    short_chain: Chain, tmp_path: Path, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    with place(kind, tmp_path, s3_server, monkeypatch) as target:
        _settled(target, short_chain, 2)
        late = target.publish(short_chain, 1)
        assert (late.code, "not-a-descendant" in late.out + late.err) == (1, True), late
        check_serves(target.live(), short_chain.commits[2].documents)


def _race(target: Place, chain: Chain, numbers: Sequence[int]) -> list[Ran]:
    """Publish all of these commits at once. While they are at it, every domain serves a whole document of one."""
    before = {domain: stored.body for domain, stored in target.live().items()}
    running = [target.start(chain, number) for number in numbers]
    known: dict[str, set[bytes]] = {domain: {body} for domain, body in before.items()}
    for number in numbers:
        for domain, body in chain.commits[number].documents.items():
            known.setdefault(domain, set()).add(body)
    while any(one.process.poll() is None for one in running):
        for domain, stored in target.live().items():
            assert stored.body in known[domain] or stored.body == b'{"keys":[]}', (domain, stored)
    ends = [one.ended() for one in running]
    for ran in ends:
        check_clear(ran)
    return ends


def _settled(target: Place, chain: Chain, number: int) -> None:
    """A plain publish leaves exactly what the commit renders."""
    ran = target.publish(chain, number)
    assert ran.code == 0, ran
    live = target.live()
    check_serves(live, chain.commits[number].documents)
    check_whole(live, chain.commits[number].documents, chain.commits[number].documents)
