"""What goes on beside other work: tasks that end with a block of code, and computations that take long."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")

_COMPUTING = ThreadPoolExecutor(1, thread_name_prefix="computing")


async def computed(work: Callable[P, T], *arguments: P.args, **options: P.kwargs) -> T:
    """Compute something in the one thread for that; the event loop goes on meanwhile.

    Python runs one thread at a time. Two that compute would be done no sooner, and the loop would wait for both of them
    whenever it goes on.
    """
    return await asyncio.get_running_loop().run_in_executor(_COMPUTING, partial(work, *arguments, **options))


@asynccontextmanager
async def background_task(work: Coroutine[object, object, None]) -> AsyncIterator[None]:
    """Run `work` as long as the block lasts; what it raises before that is raised at the end of the block."""
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
