"""How long work reports its progress; the command line decides what that looks like."""

from __future__ import annotations

from collections.abc import Iterator
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
