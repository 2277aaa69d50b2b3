"""Many small asynchronous jobs, a bounded number at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def gather(
    job: Callable[[Item], Awaitable[Result]], items: Iterable[Item], parallel: int
) -> AsyncIterator[Result]:
    """The results of `job` on each item, as they come, with at most `parallel` at work and few waiting.

    The first exception ends it: the jobs under way are cancelled and awaited, then it is raised.
    """
    pending: set[asyncio.Future[Result]] = set()
    remaining = iter(items)
    try:
        while True:
            while len(pending) < parallel and (item := next(remaining, _END)) is not _END:
                pending.add(asyncio.ensure_future(job(item)))  # type: ignore[arg-type]  # not the end mark
            if not pending:
                return
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                yield one.result()
    finally:
        for one in pending:
            one.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


_END = object()
