"""The wait for a document: what counts as arrived, and that it ends in time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from publisher.arrival import Late, late
from publisher.reply import FetchFault, Reply
from publisher.wanted import KeyFact, Wanted

KEY = KeyFact(kid="k", thumbprint="t", identity="i", alg="ES256", origin="custom", phase="active")
NEW, OLD = b'{"keys":[{"kid":"k"}]}', b'{"keys":[]}'


def _wanted(domain: str, body: bytes = NEW, keys: tuple[KeyFact, ...] = (KEY,)) -> Wanted:
    return Wanted(domain=domain, tenant="t", body=body, digest="", keys=keys, next_change=None)


def _late(fetch: Callable[[str], Awaitable[Reply]], *wanted: Wanted, seconds: float = 30) -> list[Late]:
    async def collect() -> list[Late]:
        return [one async for one in late(fetch, wanted, seconds=seconds, parallel=2)]

    return asyncio.run(collect())


def _answers(*replies: Reply | FetchFault) -> Callable[[str], Awaitable[Reply]]:
    """Each reply in turn, then the last one again."""
    left = list(replies)

    async def fetch(domain: str) -> Reply:
        reply = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(reply, FetchFault):
            raise reply
        return reply

    return fetch


def _reply(body: bytes, status: int = 200) -> Reply:
    return Reply(status=status, headers={}, body=body)


def test_faults_and_old_bytes_are_asked_for_again() -> None:
    fetch = _answers(FetchFault("no connection"), _reply(b"", 503), _reply(OLD), _reply(NEW))
    assert _late(fetch, _wanted("a.example")) == []


def test_an_empty_set_may_be_missing() -> None:
    assert _late(_answers(_reply(b"", 404)), _wanted("a.example", OLD, ())) == []
    assert len(_late(_answers(_reply(b"", 404)), _wanted("a.example"), seconds=0.1)) == 1


def test_what_was_seen_last_is_told() -> None:
    (one,) = _late(_answers(_reply(b"", 503), _reply(OLD)), _wanted("a.example"), seconds=0.5)
    assert one.domain == "a.example"
    assert "missing keys `k`" in one.fault


def test_an_edge_that_never_answers_does_not_hold_it_up() -> None:
    async def fetch(domain: str) -> Reply:
        await asyncio.sleep(3600)
        raise AssertionError

    started = time.monotonic()
    found = _late(fetch, *[_wanted(f"d{number}.example") for number in range(7)], seconds=0.2)
    assert time.monotonic() - started < 60, "all of them share the time"
    assert {one.fault for one in found} == {"it was not asked in time"}
    assert len(found) == 7
