"""Judging in the background: programs run while the next adapter trains."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from flextune.config import JudgeConfig
from flextune.judging import Judge, Limits, language, strict_languages
from flextune.pipeline.plan import Evaluation
from flextune.pipeline.progress import Reporter
from flextune.records import Problem, as_row
from flextune.runs.directory import RunDirectory


def limits_of(config: JudgeConfig) -> Limits:
    """The judge's limits in its own units."""
    return Limits(
        cpu_seconds=config.cpu_seconds,
        wall_seconds=config.wall_seconds,
        memory_bytes=config.memory_mb * 2**20,
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


class JudgeQueue:
    """A context in which ``submit`` returns at once and leaving waits for every verdict.

    Leaving it by an error, Ctrl-C included, ends the running programs and keeps the verdicts so far.
    """

    def __init__(self, run: RunDirectory, settings: JudgeSettings, reporter: Reporter) -> None:
        self._run, self._settings, self._reporter = run, settings, reporter
        self._work: queue.SimpleQueue[Evaluation | None] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._judge: Judge | None = None
        self._thread = threading.Thread(target=self._serve, name="judge", daemon=True)

    def submit(self, evaluation: Evaluation) -> None:
        """Judge an evaluation whose completions are written.

        Raises:
            Exception: What stopped the judging of an earlier one.
        """
        self._raise()
        self._work.put(evaluation)

    def __enter__(self) -> JudgeQueue:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._interrupt()
        self._work.put(None)
        try:
            self._thread.join()
        except KeyboardInterrupt:
            self._interrupt()
            self._thread.join()
            raise
        if error is None:
            self._raise()

    def _interrupt(self) -> None:
        self._stop.set()
        if self._judge is not None:
            self._judge.interrupt()

    def _raise(self) -> None:
        if self._error is not None:
            raise self._error

    def _serve(self) -> None:
        try:
            # One judge for all evaluations: its compilers stay warm, and it knows every program it ran.
            with self._settings.judge() as self._judge:
                while (evaluation := self._work.get()) is not None and not self._stop.is_set():
                    self._evaluate(self._judge, evaluation)
        except BaseException as error:
            self._error = error

    def _evaluate(self, judge: Judge, evaluation: Evaluation) -> None:
        folder = self._run.evaluated(evaluation.key)
        problems = {problem.name: problem for problem in evaluation.problems}
        done = folder.verdicts()
        completions = folder.completions()
        pending = [(problems[c.name], c) for key, c in completions.items() if key not in done]
        if not pending:
            return
        stage = self._reporter.stage(f"judge {evaluation.label}", len(completions))
        finished = len(completions) - len(pending)
        try:
            with folder.verdict_writer() as writer, contextlib.closing(judge.verdicts(pending)) as verdicts:
                for verdict in verdicts:
                    writer.write([as_row(verdict)])
                    finished += 1
                    stage.update(finished, len(completions))
                    if self._stop.is_set():
                        return
        finally:
            stage.close()
