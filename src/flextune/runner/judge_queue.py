"""Judging in the background: programs run while the next adapter trains."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable
from types import TracebackType

from flextune.config import JudgeConfig
from flextune.data.answers import judged_pair
from flextune.judging import Judge, Limits
from flextune.judging.settings import note_faults, note_missing_libraries, with_progress
from flextune.progress import Reporter
from flextune.records import as_row
from flextune.runner.work import Evaluation
from flextune.runs.run import Run


def limits_of(config: JudgeConfig) -> Limits:
    """The judge's limits in its own units."""
    return Limits.of(**config.model_dump(exclude={"tolerance", "site_packages"}))


class JudgeQueue:
    """A context in which ``submit`` returns at once and leaving waits for every verdict.

    Leaving it by an error, Ctrl-C included, ends the running programs and keeps the verdicts so far.

    Args:
        run: Receives the verdicts.
        make_judge: A judge with an evaluation's limits.
        reporter: Told of the progress.
    """

    def __init__(self, run: Run, make_judge: Callable[[JudgeConfig], Judge], reporter: Reporter) -> None:
        self._run, self._make_judge, self._reporter = run, make_judge, reporter
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
        judges: dict[JudgeConfig, Judge] = {}
        try:
            # One judge for all evaluations of the same limits: its compilers stay warm, and it knows every
            # program it ran.
            with contextlib.ExitStack() as stack:
                while (evaluation := self._work.get()) is not None and not self._stop.is_set():
                    limits = evaluation.judge
                    if limits not in judges:
                        judges[limits] = stack.enter_context(self._make_judge(limits))
                    self._judge = judges[limits]
                    self._evaluate(self._judge, evaluation)
        except BaseException as error:
            self._error = error

    def _evaluate(self, judge: Judge, evaluation: Evaluation) -> None:
        generation, judged = evaluation.generation, self._run.judged(evaluation.key)
        judged.describe(evaluation.row())
        problems = {problem.name: problem for problem in generation.problems}
        known = judged.known_verdicts()
        completions = self._run.generated(generation.key).completions()
        pending = [
            judged_pair(problems[c.name], c, whole=evaluation.whole)
            for sample, c in completions.items()
            if sample not in known
        ]
        if not pending:
            return
        total, label = len(completions), f"judge {evaluation.label}"
        verdicts = with_progress(
            judge.verdicts(pending), self._reporter, label, total, done=total - len(pending)
        )
        lacking = []
        with judged.writer() as writer, contextlib.closing(verdicts):
            for verdict in verdicts:
                writer.write([as_row(verdict)])
                if verdict.outcome in ("library_missing", "sandbox_fault"):
                    lacking.append(verdict)
                if self._stop.is_set():
                    return
        note_missing_libraries(lacking, self._reporter)
        note_faults(lacking, self._reporter)
