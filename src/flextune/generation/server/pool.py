"""Many requests in flight at once, for a caller that just iterates."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Generic, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")
Client = TypeVar("Client")

#: Answers one job; open for as long as all of them take.
Ask = Callable[[Job], Awaitable[Result]]


@dataclass(frozen=True)
class _Ended:
    """All is done, or something failed."""

    error: BaseException | None = None


class _InFlight(Generic[Job, Result]):
    """A thread with an event loop of its own: a notebook's own loop is running already."""

    def __init__(
        self, jobs: Sequence[Job], opened: AbstractAsyncContextManager[Ask[Job, Result]], most: int
    ) -> None:
        self.finished: SimpleQueue[tuple[Job, Result] | _Ended] = SimpleQueue()
        self._jobs, self._opened = iter(jobs), opened
        self._workers = min(most, len(jobs))
        self._loop = asyncio.new_event_loop()
        self._task: asyncio.Task[None] | None = None
        self._thread = threading.Thread(target=self._run, name="requests", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End everything that is still in flight."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._cancel)
        self._thread.join()
        self._loop.close()

    def _cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _run(self) -> None:
        try:
            self._task = self._loop.create_task(self._all())
            self._loop.run_until_complete(self._task)
        except asyncio.CancelledError:
            self.finished.put(_Ended())
        except BaseException as error:
            self.finished.put(_Ended(_first(error)))
        else:
            self.finished.put(_Ended())

    async def _all(self) -> None:
        async with self._opened as ask, asyncio.TaskGroup() as group:
            for _ in range(self._workers):
                group.create_task(self._work(ask))

    async def _work(self, ask: Ask[Job, Result]) -> None:
        for job in self._jobs:
            self.finished.put((job, await ask(job)))


def _first(error: BaseException) -> BaseException:
    """The failure itself, out of the group that a task group makes of it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def side_by_side(
    jobs: Sequence[Job], opened: AbstractAsyncContextManager[Ask[Job, Result]], most: int
) -> Iterator[list[tuple[Job, Result]]]:
    """Answers of all jobs as they come, those that came together in one list.

    Args:
        jobs: What is asked; begun in this order.
        opened: What answers one job.
        most: Jobs at once.

    Raises:
        Exception: The first of a job; what was answered before it is handed out first.
    """
    flight = _InFlight(jobs, opened, most)
    try:
        while True:
            group, ended = _waiting(flight.finished)
            if group:
                yield group
            if ended is not None:
                if ended.error is not None:
                    raise ended.error
                return
    finally:
        flight.stop()


def _waiting(
    finished: SimpleQueue[tuple[Job, Result] | _Ended],
) -> tuple[list[tuple[Job, Result]], _Ended | None]:
    """Everything in the queue, once something is."""
    group: list[tuple[Job, Result]] = []
    item = finished.get()
    while not isinstance(item, _Ended):
        group.append(item)
        try:
            item = finished.get_nowait()
        except Empty:
            return group, None
    return group, item


@asynccontextmanager
async def answering(
    client: AbstractAsyncContextManager[Client], ask: Callable[[Client, Job], Awaitable[Result]]
) -> AsyncIterator[Ask[Job, Result]]:
    """What answers jobs through a client that is open meanwhile."""
    async with client as opened:

        async def one(job: Job) -> Result:
            return await ask(opened, job)

        yield one


def apart(work: Callable[[], Awaitable[Result]]) -> Result:
    """What one piece of work returns, in an event loop of its own."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[Ask[None, Result]]:
        async def one(job: None) -> Result:
            return await work()

        yield one

    ((_, result),) = next(side_by_side([None], opened(), 1))
    return result
