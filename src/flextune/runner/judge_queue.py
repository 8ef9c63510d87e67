"""Judging in the background: programs run while the next adapter trains."""

from __future__ import annotations

import contextlib
import queue
import threading
from types import TracebackType

from flextune.config import JudgeConfig
from flextune.judging import Judge, Limits
from flextune.judging.sandbox.limits import MIB
from flextune.judging.settings import JudgeSettings, with_progress
from flextune.progress import Reporter
from flextune.records import as_row
from flextune.runner.plan import Evaluation
from flextune.runs.run import RunDirectory


def limits_of(config: JudgeConfig) -> Limits:
    """The judge's limits in its own units."""
    return Limits(
        cpu_seconds=config.cpu_seconds,
        wall_seconds=config.wall_seconds,
        memory_bytes=config.memory_mib * MIB,
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
        total, label = len(completions), f"judge {evaluation.label}"
        known = total - len(pending)
        verdicts = with_progress(judge.verdicts(pending), self._reporter, label, total, done=known)
        with folder.verdict_writer() as writer, contextlib.closing(verdicts):
            for verdict in verdicts:
                writer.write([as_row(verdict)])
                if self._stop.is_set():
                    return
