"""How long work tells that it goes on; the command line decides what that looks like."""

from __future__ import annotations

from typing import Protocol


class Stage(Protocol):
    """One piece of work with a known size."""

    def update(self, done: int, total: int) -> None:
        """So much of it is done."""

    def close(self) -> None:
        """It has ended."""


class Reporter(Protocol):
    """Receives what happens in a run. Stages may overlap, from two threads."""

    def stage(self, label: str, total: int) -> Stage:
        """Work begins."""

    def note(self, text: str) -> None:
        """Something worth one line happened."""


class _SilentStage:
    def update(self, done: int, total: int) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


class Silent:
    """A reporter for callers that do not watch."""

    def stage(self, label: str, total: int) -> Stage:
        """A stage that tells nobody."""
        return _SilentStage()

    def note(self, text: str) -> None:
        """Nothing."""
