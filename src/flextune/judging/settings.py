"""How programs are judged, and what to say where something for it is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterable
from contextlib import closing
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path

from flextune.judging.comparing import TOLERANCE
from flextune.judging.judge import Judge, not_strict
from flextune.judging.languages import language
from flextune.judging.sandbox.limits import Limits
from flextune.progress import Reporter
from flextune.records import Problem, Verdict

#: Reasons that a person will read.
_REASONS_SHOWN = 5


@dataclass(frozen=True)
class JudgeSettings:
    """What ``Judge`` takes, to be handed on before there is one.

    All but ``limits`` is given by name, so that no value for another setting can switch the sandbox off.

    Attributes:
        limits: What each program may use.
        workers: Programs to judge in parallel; one per core if None.
        sandbox: Whether programs run in the sandbox; see ``Judge``.
        strict: Whether solution and tests run in separate processes, where the language can.
        cache: File of verdicts that are kept for later judges.
        tolerance: How far a printed number may be from one that a case expects; see ``Judge``.
        site_packages: Packages that Python programs may import; see ``Judge``.
    """

    limits: Limits = field(default_factory=Limits)
    _: KW_ONLY
    workers: int | None = None
    sandbox: bool = True
    strict: bool = False
    cache: Path | None = None
    tolerance: float = TOLERANCE
    site_packages: Path | None = None

    def judge(self) -> Judge:
        """A judge with these settings.

        Raises:
            FlextuneError: As for ``Judge``.
        """
        return Judge(
            limits=self.limits,
            workers=self.workers,
            sandbox=self.sandbox,
            strict=self.strict,
            cache=self.cache,
            tolerance=self.tolerance,
            site_packages=self.site_packages,
        )


def with_progress(
    verdicts: Generator[Verdict, None, None],
    reporter: Reporter,
    label: str,
    total: int,
    *,
    done: int = 0,
) -> Generator[Verdict, None, None]:
    """Hand on verdicts and report each once it was dealt with.

    Args:
        verdicts: Closed with this iterator.
        reporter: Gets a stage for them.
        label: The stage's.
        total: Verdicts in all.
        done: Those that are known already.
    """
    with reporter.stage(label, total) as stage, closing(verdicts):
        for number, verdict in enumerate(verdicts, start=done + 1):
            yield verdict
            stage.update(number, total)


def note_missing_toolchains(names: Iterable[str], reporter: Reporter) -> None:
    """Report once for each language without its tools that its programs get no score, and what to install.

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


def note_missing_libraries(verdicts: Iterable[Verdict], reporter: Reporter) -> None:
    """Report once for each library that is not here how many programs get no score, and what to install."""
    lacking = [verdict for verdict in verdicts if verdict.outcome == "library_missing"]
    for advice, count in Counter(verdict.message.partition("\n")[0] for verdict in lacking).most_common():
        programs = "1 program is" if count == 1 else f"{count} programs are"
        reporter.note(f"{advice} ({programs} not scored)")


def note_faults(verdicts: Iterable[Verdict], reporter: Reporter) -> None:
    """Report why programs could not be judged by the sandbox, each reason once for a language."""
    faults = [verdict for verdict in verdicts if verdict.outcome == "sandbox_fault"]
    reasons = Counter((v.language, v.message.strip().rpartition("\n")[2]) for v in faults)
    for (name, reason), count in reasons.most_common(_REASONS_SHOWN):
        programs = "1 program was" if count == 1 else f"{count} programs were"
        reporter.note(f"{name}: {programs} not judged: {reason or 'the sandbox gave no reason'}")


def note_not_strict(problems: Iterable[Problem], reporter: Reporter) -> None:
    """Report which languages are judged in the default mode although strict was asked for."""
    names = not_strict(problems)
    if names:
        reporter.note(
            f"--strict: {', '.join(names)} cannot run solution and tests in separate processes; "
            "these programs are judged in the default mode (docs/judging.md says what it catches)"
        )


def note_unsupported(verdicts: Iterable[Verdict], reporter: Reporter) -> None:
    """Report how many programs strict mode cannot judge, with the first reason, and how they get a score."""
    found = [verdict for verdict in verdicts if verdict.outcome == "strict_unsupported"]
    if found:
        first = found[0]
        reason = first.message.strip().rpartition("\n")[2]
        count = len({(verdict.language, verdict.name) for verdict in found})
        problems = "1 problem" if count == 1 else f"{count} problems"
        reporter.note(
            f"--strict: {len(found)} programs for {problems} cannot be judged and are not scored "
            f"({first.name}: {reason}); judge without --strict to score them"
        )
