"""What running a program showed, before anybody says whose answer it was."""

from __future__ import annotations

from dataclasses import dataclass

from flextune.judging.languages.base import Finding
from flextune.judging.sandbox.command import Result
from flextune.records import Outcome, Stage, Verdict


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a worker says about a program; identical programs share one.

    The fields are those of ``Verdict`` that do not name a problem or a sample.
    """

    outcome: Outcome
    stage: Stage
    message: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_memory_bytes: int = 0

    @classmethod
    def of(cls, finding: Finding, result: Result) -> Judgement:
        """A finding, with what the run that led to it used."""
        return cls(
            outcome=finding.outcome,
            stage=finding.stage,
            message=finding.message,
            cpu_seconds=round(result.cpu_seconds, 4),
            wall_seconds=round(result.wall_seconds, 4),
            peak_memory_bytes=result.peak_memory_bytes,
        )

    @property
    def passed(self) -> bool:
        """Whether the program ran all tests and ended well."""
        return self.outcome == "passed"

    def verdict(self, language: str, name: str, sample: int) -> Verdict:
        """The verdict on a sample whose program this is about."""
        # ``asdict`` copies deeply, which takes a tenth of a millisecond.
        fields = {field: getattr(self, field) for field in self.__slots__}
        return Verdict(name, sample, **fields, language=language)
