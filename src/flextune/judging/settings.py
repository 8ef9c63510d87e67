"""How programs are judged, and what to say where something for it is missing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from flextune.config import JudgeConfig
from flextune.judging import Judge, Limits, language, strict_languages
from flextune.progress import Reporter
from flextune.records import Problem


def limits_of(config: JudgeConfig) -> Limits:
    """The judge's limits in its own units."""
    return Limits(
        cpu_seconds=config.cpu_seconds,
        wall_seconds=config.wall_limit,
        memory_bytes=config.memory_mib * 2**20,
    )


def note_missing_toolchains(names: Iterable[str], reporter: Reporter) -> None:
    """Say once for each language without its tools that its programs get no score, and what to install.

    Raises:
        FlextuneError: A language that nothing here can judge.
    """
    for name in dict.fromkeys(names):
        tool = language(name).toolchain()
        if not tool.found:
            reporter.note(
                f"{name} programs cannot be judged here and are not scored: {tool.missing} not found; "
                f"install it with: {tool.install}"
            )


def note_not_strict(problems: Iterable[Problem], reporter: Reporter) -> None:
    """Say which languages are judged in the default mode although strict was asked for."""
    strict = set(strict_languages())
    # What is tested by its output never shares a process with its tests.
    names = sorted({problem.language for problem in problems if not problem.cases} - strict)
    if names:
        reporter.note(
            f"--strict: {', '.join(names)} cannot run solution and tests in separate processes; "
            "these programs are judged in the default mode (docs/judging.md says what it catches)"
        )


@dataclass(frozen=True)
class JudgeSettings:
    """How programs are judged.

    Attributes:
        limits: What each program may use.
        workers: Programs at a time; one per processor if None.
        accept_risk: Whether they run without a sandbox.
        strict: Whether solution and tests run in separate processes, where the language can.
        cache: File of verdicts that are kept for later judges.
    """

    limits: Limits
    workers: int | None = None
    accept_risk: bool = False
    strict: bool = False
    cache: Path | None = None

    def judge(self) -> Judge:
        """A judge with these settings."""
        return Judge(
            limits=self.limits,
            workers=self.workers,
            accept_risk=self.accept_risk,
            strict=self.strict,
            cache=self.cache,
        )
