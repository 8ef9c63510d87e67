"""Coroutines of one process that the other awaits.

The solution's coroutines run in one event loop, in a thread that is started for them; those of the tests
run in the loop of the tests. Whoever awaits a coroutine of the other end gets a coroutine of its own, which
ends when the other one does.
"""

from __future__ import annotations

import _thread
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import asyncio

    from flextune.judging.languages.runners.peer import Peer


class Loops:
    """The event loop of one end.

    Args:
        peer: The end.
    """

    def __init__(self, peer: Peer) -> None:
        self._peer = peer
        self._loop: asyncio.AbstractEventLoop | None = None

    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop in which coroutines of this end run; started if there is none."""
        import asyncio

        if self._loop is None or self._loop.is_closed():
            self._loop = asyncio.new_event_loop()
            _thread.start_new_thread(self._run, (self._loop,))
        return self._loop

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        import asyncio

        asyncio.set_event_loop(loop)
        loop.run_forever()

    def adopt(self) -> None:
        """From now on coroutines of this end run in the loop that runs in this thread."""
        import asyncio

        self._loop = asyncio.get_running_loop()

    def settle(self, target: Any, answer: Callable[[Callable[[], Any]], None]) -> None:
        """Await ``target`` in the loop of this end, and answer with what it gave."""
        import asyncio

        async def settled() -> None:
            try:
                value = await target
            except BaseException as error:
                caught = error
                answer(lambda: _raised(caught))
            else:
                answer(lambda: value)

        asyncio.run_coroutine_threadsafe(settled(), self.loop())

    def within(self, action: Callable[[], Any], answer: Callable[[Callable[[], Any]], None]) -> None:
        """Do ``action`` in the loop of this end, where it can start tasks."""
        self.loop().call_soon_threadsafe(answer, action)

    async def awaited(self, number: int) -> Any:
        """What the other end's awaitable ``number`` gives."""
        import asyncio

        peer, loop = self._peer, asyncio.get_running_loop()
        if peer.follows_loops:
            self.adopt()
        future = loop.create_future()

        def deliver(action: Callable[[], Any]) -> None:
            if future.done():
                return
            try:
                future.set_result(action())
            except BaseException as error:
                # A future cannot hold this one.
                future.set_exception(
                    RuntimeError("StopIteration") if isinstance(error, StopIteration) else error
                )

        peer.request_later("await", number, lambda action: loop.call_soon_threadsafe(deliver, action))
        return await future


def _raised(error: BaseException) -> Any:
    raise error


def running() -> bool:
    """Whether an event loop runs in this thread."""
    asyncio = sys.modules.get("asyncio")
    return asyncio is not None and asyncio._get_running_loop() is not None
