"""How long work reports its progress; the command line decides what that looks like."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Protocol


class Stage(Protocol):
    """One piece of work with a known size."""

    def update(self, done: int, total: int, detail: str = "") -> None:
        """Report that ``done`` of ``total`` steps are finished.

        Args:
            done: Finished steps.
            total: All of them.
            detail: How it goes, in a few words: ``loss 0.412``, ``310 tokens/s``.
        """


class Reporter(Protocol):
    """Receives what happens in a run. Stages may overlap, from two threads."""

    def stage(self, label: str, total: int) -> AbstractContextManager[Stage]:
        """A piece of work that lasts as long as the ``with`` block.

        ::

            with reporter.stage("judge", len(pairs)) as stage:
                stage.update(1, len(pairs))

        Args:
            label: What the work is called.
            total: Its number of steps.
        """

    def note(self, text: str) -> None:
        """Report something that is worth one line."""


class Pace:
    """How fast a stage works, from what it has done since it began: a continued one begins with a part done.

    Args:
        clock: Seconds that only grow.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._begun: tuple[float, int] | None = None
        self._seconds, self._steps, self._left = 0.0, 0, 0

    def update(self, done: int, total: int) -> None:
        """Take note of a report."""
        now = self._clock()
        if self._begun is None or done < self._begun[1]:
            self._begun = now, done
        self._seconds, self._steps = now - self._begun[0], done - self._begun[1]
        self._left = total - done

    @property
    def rate(self) -> str:
        """``3.2/s`` or ``4.1/min``; empty while nothing is known."""
        if self._steps <= 0 or self._seconds <= 0:
            return ""
        rate = self._steps / self._seconds
        if rate < 0.1:
            return f"{60 * rate:.2g}/min"
        return f"{rate:.0f}/s" if rate >= 100 else f"{rate:.3g}/s"

    @property
    def left(self) -> str:
        """``12 min left``; empty while nothing is known, and at the end."""
        if self._steps <= 0 or self._left <= 0:
            return ""
        return f"{duration(self._left * self._seconds / self._steps)} left"


def duration(seconds: float) -> str:
    """``50 s``, ``4 min``, ``3 h 20 min`` or ``2 days``."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"{minutes} min"
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest} min" if hours < 48 else f"{hours / 24:.0f} days"


class _SilentStage:
    def update(self, done: int, total: int, detail: str = "") -> None:
        pass


class Silent:
    """A reporter for callers that do not watch."""

    @contextmanager
    def stage(self, label: str, total: int) -> Iterator[Stage]:
        """A stage that reports to nobody."""
        yield _SilentStage()

    def note(self, text: str) -> None:
        """Drop ``text``."""
