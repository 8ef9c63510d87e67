"""What a study is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from flextune.report.run_data import RunData
from flextune.report.sections import Chart, Section

T = TypeVar("T")


class Study(ABC):
    """One way of looking at a run; what it does not override it does not have.

    ``flextune.studies.registry.STUDIES`` knows it by a name, which is also the folder of its pictures.
    """

    @abstractmethod
    def applies(self, run: RunData) -> bool:
        """Whether the run has what the study is about; nothing else is asked of it where it has not."""

    @abstractmethod
    def sections(self, run: RunData) -> list[Section]:
        """Sections of the run's page; their place is ``Section.order``."""

    def summary(self, run: RunData) -> dict[str, Any] | None:
        """What a command prints as one line of JSON; None: nothing."""
        return None

    def pictures(self, run: RunData) -> list[Chart]:
        """Charts that are written as files where it is not those of its sections."""
        return []

    def documents(self, run: RunData, files: Mapping[str, str]) -> dict[str, str]:
        """Files beside the page.

        Args:
            run: The run.
            files: Ids of the pictures that were written to their paths, relative to the run's folder.

        Returns:
            Name of each file to its text.
        """
        return {}

    def arms_drawn(self, run: RunData) -> frozenset[str]:
        """Arms whose training curves the study draws; other sections then leave them out."""
        return frozenset()


def once_per_run(function: Callable[[RunData], T]) -> Callable[[RunData], T]:
    """Remember the result for the run that was asked about last: a page asks several times."""
    last: list[tuple[RunData, T]] = []

    def remembered(run: RunData) -> T:
        if not last or last[0][0] is not run:
            last[:] = [(run, function(run))]
        return last[0][1]

    remembered.__doc__ = function.__doc__
    return remembered
