"""Work on a stream of items, in this process and then in workers, with few items held at a time."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

CHUNK = 32
"""Items that go to a worker together: enough that handing them over costs little."""
ALONE = 512
"""Items that are done before any worker is started, as fewer are done sooner than one has started."""
WAITING = 16
"""Chunks under way at once: what bounds the memory."""


def spread(
    items: Iterable[Item], work: Callable[[list[Item]], list[Result]], start: Callable[[], Executor | None]
) -> Iterator[Result]:
    """The results of `work` on the items, in their order.

    `start` is called once there is enough work to share, and gives the workers for it, or None; what they are sent
    (`work`, items, results) can be pickled.
    """
    stream = iter(items)
    for one in itertools.islice(stream, ALONE):
        yield from work([one])
    following = next(stream, None)
    if following is None:
        return
    stream = itertools.chain([following], stream)
    workers = start()
    if workers is None:
        for one in stream:
            yield from work([one])
        return
    pending: deque[Future[list[Result]]] = deque()
    while chunk := list(itertools.islice(stream, CHUNK)):
        pending.append(workers.submit(work, chunk))
        if len(pending) >= WAITING:
            yield from pending.popleft().result()
    for future in pending:
        yield from future.result()
