"""Work on many small things in their order, shared among workers once there is enough of it; few are held at a time."""

import itertools
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from typing import TypeAlias, TypeVar

In = TypeVar("In")
Out = TypeVar("Out")

CHUNK = 32
"""Things that go to a worker together: enough that handing them over costs little."""
ALONE = 512
"""Things that are done before any worker is started, as fewer are done sooner than one has started."""
WAITING = 16
"""Chunks under way at once: what bounds the memory."""

Task: TypeAlias = Callable[[], list[Out]]
"""The work on a chunk, which a worker can be sent."""


def spread(
    things: Iterable[In], task: Callable[[list[In]], Task[Out]], start: Callable[[], Executor | None]
) -> Iterator[Out]:
    """What the work on each gives. `start` is called once there is enough to share; None: there are no workers."""
    stream = iter(things)
    for one in itertools.islice(stream, ALONE):
        yield from task([one])()
    following = next(stream, None)
    if following is None:
        return
    stream = itertools.chain([following], stream)
    workers = start()
    if workers is None:
        for one in stream:
            yield from task([one])()
        return
    pending: deque[Future[list[Out]]] = deque()
    while chunk := list(itertools.islice(stream, CHUNK)):
        pending.append(workers.submit(task(chunk)))
        if len(pending) >= WAITING:
            yield from pending.popleft().result()
    for future in pending:
        yield from future.result()
