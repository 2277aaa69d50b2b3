"""Bounded parallelism: never more at work than asked for, nothing left behind, whatever ends it."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator
from contextlib import aclosing, suppress
from typing import Any, TypeVar

import pytest
from loops import quick_collections, run

from publisher.flow import gather

__all__ = ["quick_collections"]

Result = TypeVar("Result")


def collect(results: AsyncGenerator[Result, None]) -> Coroutine[Any, Any, list[Result]]:
    async def main() -> list[Result]:
        async with aclosing(results):
            return [one async for one in results]

    return main()


@pytest.mark.parametrize("parallel", [1, 2, 7, 30, 100])
def test_no_more_than_so_many_are_at_work_and_none_too_few(parallel: int) -> None:
    at_work = most = pulled = ended = 0

    def items() -> Iterator[int]:
        nonlocal pulled
        for number in range(30):
            pulled += 1
            assert pulled - ended <= parallel
            yield number

    async def job(number: int) -> int:
        nonlocal at_work, most, ended
        at_work += 1
        most = max(most, at_work)
        for _ in range(1 + number % 4):
            await asyncio.sleep(0)
        at_work -= 1
        ended += 1
        return number * 2

    assert sorted(run(collect(gather(job, items(), parallel)))) == [number * 2 for number in range(30)]
    assert most == min(parallel, 30)


def test_of_nothing_comes_nothing() -> None:
    async def job(number: int) -> int:
        return number

    assert run(collect(gather(job, [], 4))) == []


def test_results_come_as_they_are_ready_and_a_slow_job_holds_up_nobody() -> None:
    async def main() -> list[int]:
        last = asyncio.Event()

        async def job(number: int) -> int:
            if number == 0:
                await last.wait()
            return number

        order = []
        async with aclosing(gather(job, range(10), 2)) as results:
            async for one in results:
                order.append(one)
                if one == 9:
                    last.set()
        return order

    order = run(main())
    assert sorted(order) == list(range(10))
    assert order[-1] == 0


class Witness:
    """A job that waits for ever where it is not told to end, and takes a moment to clean up when it is cancelled."""

    def __init__(self, ends: Callable[[int], Awaitable[int]]) -> None:
        self.ends = ends
        self.begun: list[int] = []
        self.fourth = asyncio.Event()
        self.cleaned: list[int] = []

    async def __call__(self, number: int) -> int:
        self.begun.append(number)
        if len(self.begun) == 4:
            self.fourth.set()
        try:
            return await self.ends(number)
        finally:
            await asyncio.sleep(0)
            self.cleaned.append(number)


async def _waits_but_first(number: int) -> int:
    if number > 0:
        await asyncio.Event().wait()
    return number


async def _fails_third(number: int) -> int:
    if number == 2:
        raise LookupError(number)
    return await _waits_but_first(number)


async def _all_fail(number: int) -> int:
    await asyncio.sleep(0)
    raise LookupError(number)


@pytest.mark.parametrize("ends", [_fails_third, _all_fail])
def test_the_first_exception_ends_and_awaits_the_others(ends: Callable[[int], Awaitable[int]]) -> None:
    witness = Witness(ends)
    with pytest.raises(LookupError):
        run(collect(gather(witness, range(9), 4)))
    assert 4 <= len(witness.begun) <= 5
    assert sorted(witness.cleaned) == witness.begun


def test_exceptions_of_the_items_and_of_the_call_end_it_too() -> None:
    def items() -> Iterator[int]:
        yield 1
        yield 2
        raise LookupError("items")

    def refuses(number: int) -> Awaitable[int]:
        if number == 3:
            raise LookupError("call")
        return witness(number)

    witness = Witness(_waits_but_first)
    with pytest.raises(LookupError, match="items"):
        run(collect(gather(witness, items(), 4)))
    with pytest.raises(LookupError, match="call"):
        run(collect(gather(refuses, range(1, 9), 4)))
    assert sorted(witness.cleaned) == sorted(witness.begun)


def test_closing_early_cancels_and_awaits() -> None:
    async def main() -> int:
        async with aclosing(gather(witness, range(9), 3)) as results:
            return await anext(results)

    witness = Witness(_waits_but_first)
    assert run(main()) == 0
    assert witness.begun == [0, 1, 2] == sorted(witness.cleaned)


def test_closing_between_results_that_came_together_leaves_nothing() -> None:
    """Jobs that failed in the same moment as the one whose result was taken are not complained of later."""

    async def job(number: int) -> int:
        if number % 2:
            raise LookupError(number)
        return number

    async def main() -> None:
        for _ in range(20):  # which of them comes first is by chance
            with suppress(LookupError):
                async with aclosing(gather(job, range(6), 6)) as results:
                    await anext(results)

    run(main())


def test_cancelling_the_consumer_cancels_and_awaits() -> None:
    async def main() -> None:
        task = asyncio.create_task(collect(gather(witness, range(9), 3)))
        await witness.fourth.wait()  # the first has ended, the fourth has taken its place
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    witness = Witness(_waits_but_first)
    run(main())
    assert witness.begun == [0, 1, 2, 3] == sorted(witness.cleaned)
