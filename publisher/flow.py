"""Many small asynchronous jobs, a bounded number at a time."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


async def gather(
    job: Callable[[Item], Awaitable[Result]], items: Iterable[Item], parallel: int
) -> AsyncGenerator[Result, None]:
    """The results of `job` on each item, as they come, with at most `parallel` at work and few waiting.

    The first exception ends it: the jobs under way are cancelled and awaited, then it is raised. Closing does the same,
    so whoever may stop early holds it by `contextlib.aclosing`.
    """
    done: set[asyncio.Future[Result]] = set()
    pending: set[asyncio.Future[Result]] = set()
    remaining = iter(items)
    try:
        while True:
            while len(pending) < parallel and (item := next(remaining, _END)) is not _END:
                pending.add(asyncio.ensure_future(job(item)))  # type: ignore[arg-type]  # not the end mark
            if not pending:
                return
            done, pending = await asyncio.wait(pending, return_when=asyncio.FIRST_COMPLETED)
            while done:
                yield done.pop().result()
    finally:
        for one in pending:
            one.cancel()
        # Those that are done too: asyncio complains of exceptions that nobody has taken.
        await asyncio.gather(*pending, *done, return_exceptions=True)


_END = object()
