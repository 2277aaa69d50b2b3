"""Running asynchronous work in tests, with a look at what it leaves behind."""

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from typing import Any, TypeVar

import pytest

Result = TypeVar("Result")


@pytest.fixture(scope="module", autouse=True)
def quick_collections() -> Iterator[None]:
    """What is there before a module's tests is not looked through at each of their collections."""
    gc.collect()
    gc.freeze()
    yield
    gc.unfreeze()


def run(job: Coroutine[Any, Any, Result]) -> Result:
    """Run it to its end, and see that it leaves no task behind and no exception that nobody took."""
    complaints: list[Any] = []

    async def main() -> Result:
        asyncio.get_running_loop().set_exception_handler(lambda loop, context: complaints.append(context))
        try:
            return await job
        finally:
            assert asyncio.all_tasks() == {asyncio.current_task()}

    results: list[Result] = []
    failure: BaseException | None = None
    try:
        results.append(asyncio.run(main()))
    except BaseException as error:
        failure = error.with_traceback(None)  # which would keep the tasks alive
    gc.collect()
    assert complaints == []
    if failure is not None:
        raise failure
    return results[0]
