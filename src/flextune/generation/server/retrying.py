"""Which failures of a request are worth another try, and how long to wait for it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from time import time
from typing import Any, TypeVar

from flextune.generation.server.asks import GarbledReplyError

T = TypeVar("T")

#: Statuses below 500 that may be gone at the next try: timeout, too early, too many requests.
_PASSING = frozenset({408, 425, 429})


@dataclass(frozen=True)
class Patience:
    """How often a request is tried again, and when.

    Attributes:
        retries: Tries after the first.
        first: Seconds before the second try; each further wait is twice as long.
        longest: Seconds that it waits at most of its own accord.
        longest_told: Seconds that it waits at most when the server says for how long (Retry-After).
    """

    retries: int
    first: float = 0.5
    longest: float = 30.0
    longest_told: float = 300.0

    def seconds(self, attempt: int, told: float | None) -> float:
        """Before the try after the one numbered ``attempt``, from 0."""
        if told is not None:
            return min(told, self.longest_told)
        # Requests that failed together must not come back together.
        return min(self.longest, self.first * 2.0**attempt) * random.uniform(0.5, 1.0)


async def patiently(send: Callable[[], Awaitable[T]], patience: Patience) -> T:
    """The first try that succeeds.

    Raises:
        Exception: Of the last try, or one that another try would not mend.
    """
    attempt = 0
    while True:
        try:
            return await send()
        except Exception as error:
            if attempt >= patience.retries or not passes(error):
                raise
            await asyncio.sleep(patience.seconds(attempt, told_to_wait(error)))
        attempt += 1


def passes(error: Exception) -> bool:
    """Whether another try may succeed: a busy or broken server, a cut or late or garbled reply."""
    import openai

    if isinstance(error, openai.APIStatusError):
        return error.status_code in _PASSING or error.status_code >= 500
    # A body that is no JSON is a ValueError.
    return isinstance(error, (openai.APIConnectionError, GarbledReplyError, ValueError))


def told_to_wait(error: Exception) -> float | None:
    """Seconds that the server asks to wait for; None where it does not say."""
    response: Any = getattr(error, "response", None)
    text = response.headers.get("retry-after") if response is not None else None
    if not text:
        return None
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time())
    except (TypeError, ValueError):
        return None
