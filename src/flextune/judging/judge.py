"""Problems and completions in, verdicts out, over a pool of workers."""

from __future__ import annotations

import hashlib
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from flextune.judging.languages import language
from flextune.judging.sandbox.command import Interrupted
from flextune.judging.sandbox.isolation import Isolation, check_isolation
from flextune.judging.sandbox.limits import Limits
from flextune.judging.worker import Worker, write_program
from flextune.records import Completion, Problem, Verdict

#: Programs handed out ahead for every worker.
_AHEAD = 4


def judge(
    pairs: Iterable[tuple[Problem, Completion]],
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    accept_risk: bool = False,
    on_verdict: Callable[[Verdict], None] | None = None,
    keep_programs: Path | None = None,
) -> Generator[Verdict, None, None]:
    """Judge completions by running their programs, with a ``Judge`` of its own; see there.

    Isolation is checked at the call, before the first verdict is read.
    """
    own = Judge(limits=limits, workers=workers, accept_risk=accept_risk)
    return _once(own, pairs, on_verdict, keep_programs)


def _once(
    own: Judge,
    pairs: Iterable[tuple[Problem, Completion]],
    on_verdict: Callable[[Verdict], None] | None,
    keep_programs: Path | None,
) -> Generator[Verdict, None, None]:
    with own:
        yield from own.verdicts(pairs, on_verdict=on_verdict, keep_programs=keep_programs)


class Judge:
    """A pool of workers that stays warm between calls, and never runs a program twice.

    Identical programs run once. A fault of the sandbox is tried again twice before it is reported.
    Leaving the context ends every process and leaves no file.

    Args:
        limits: What each program may use.
        workers: Programs at once; by default one for each processor.
        accept_risk: Run without isolation, with limits only. Never for programs of unknown origin.

    Raises:
        FlextuneError: If programs cannot be isolated here.
    """

    def __init__(
        self, *, limits: Limits | None = None, workers: int | None = None, accept_risk: bool = False
    ) -> None:
        self._isolation = Isolation("none") if accept_risk else check_isolation()
        self._limits = limits or Limits()
        self._size = workers or processors()
        self._pool: _Pool | None = None
        self._known: dict[bytes, Verdict] = {}

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End every process now."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def interrupt(self) -> None:
        """Make ``verdicts`` raise ``Interrupted`` wherever it waits; callable from any thread."""
        if (pool := self._pool) is not None:
            pool.interrupt()

    def verdicts(
        self,
        pairs: Iterable[tuple[Problem, Completion]],
        *,
        on_verdict: Callable[[Verdict], None] | None = None,
        keep_programs: Path | None = None,
    ) -> Generator[Verdict, None, None]:
        """One verdict for every pair, in the order in which they become known.

        Closing the iterator, or an exception such as KeyboardInterrupt while it is read, ends every process
        at once.

        Args:
            pairs: Read as the work proceeds; the two names of a pair agree.
            on_verdict: Called with every verdict, in the caller's thread.
            keep_programs: Folder in which every program is written as ``<name>/<sample>/<source file>``.

        Raises:
            FlextuneError: While reading, if a problem's language is unknown.
        """
        if self._pool is None:
            self._pool = _Pool(self._isolation, self._limits, self._size)
        try:
            yield from _verdicts(iter(pairs), self._pool, self._known, on_verdict, keep_programs)
        except BaseException:
            # What is still running belongs to a call that nobody reads any more.
            self.close()
            raise


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def _verdicts(
    pairs: Iterator[tuple[Problem, Completion]],
    pool: _Pool,
    known: dict[bytes, Verdict],
    on_verdict: Callable[[Verdict], None] | None,
    keep_programs: Path | None,
) -> Generator[Verdict, None, None]:
    waiting: dict[bytes, list[tuple[str, int]]] = {}
    more = True
    while more or waiting:
        ready: list[Verdict] = []
        while more and not ready and len(waiting) < pool.capacity:
            pair = next(pairs, None)
            if pair is None:
                more = False
            else:
                ready = _hand_out(*pair, pool, known, waiting, keep_programs)
        if not ready and waiting:
            key, verdict = pool.result()
            # A fault says nothing about the program, so a later twin gets a run of its own.
            if verdict.outcome != "sandbox_fault":
                known[key] = verdict
            ready = [replace(verdict, name=name, sample=sample) for name, sample in waiting.pop(key)]
        for verdict in ready:
            if on_verdict is not None:
                on_verdict(verdict)
            yield verdict


def _hand_out(
    problem: Problem,
    completion: Completion,
    pool: _Pool,
    known: dict[bytes, Verdict],
    waiting: dict[bytes, list[tuple[str, int]]],
    keep_programs: Path | None,
) -> list[Verdict]:
    """Submit one program, or return the verdict of an identical one; ``waiting`` learns who asked."""
    tongue = language(problem.language)
    source = tongue.source(problem, completion)
    if keep_programs is not None:
        write_program(keep_programs, completion.name, completion.sample, tongue.file_name(), source)
    key = hashlib.sha256(f"{problem.language}\n{source}".encode("utf-8", "replace")).digest()
    if key in known:
        return [replace(known[key], name=completion.name, sample=completion.sample)]
    if key not in waiting:
        waiting[key] = []
        pool.submit(key, problem.language, source)
    waiting[key].append((completion.name, completion.sample))
    return []


@dataclass
class _Pool:
    """Worker threads; each has a sandbox of its own and does little but wait for it."""

    isolation: Isolation
    limits: Limits
    size: int
    _tasks: queue.SimpleQueue[tuple[bytes, str, str] | None] = field(default_factory=queue.SimpleQueue)
    _results: queue.SimpleQueue[tuple[bytes, Verdict | BaseException]] = field(
        default_factory=queue.SimpleQueue
    )
    _threads: list[threading.Thread] = field(default_factory=list)
    _workers: list[Worker] = field(default_factory=list)

    @property
    def capacity(self) -> int:
        """Programs that may be handed out at once."""
        return self.size * _AHEAD

    def interrupt(self) -> None:
        """Wake up who waits for a result."""
        self._results.put((b"", Interrupted()))

    def close(self) -> None:
        """Interrupt what runs and wait for every thread."""
        for worker in self._workers:
            worker.interrupt()
        for _thread in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, key: bytes, name: str, source: str) -> None:
        """Hand out a program; starts a worker while there are fewer than allowed."""
        self._tasks.put((key, name, source))
        if len(self._threads) < self.size:
            worker = Worker(self.isolation, self.limits)
            thread = threading.Thread(target=self._work, args=(worker,), daemon=True, name="judge")
            self._workers.append(worker)
            self._threads.append(thread)
            thread.start()

    def result(self) -> tuple[bytes, Verdict]:
        """The next program that is done, by its key, with its verdict; raises what its worker raised."""
        key, outcome = self._results.get()
        if isinstance(outcome, BaseException):
            raise outcome
        return key, outcome

    def _work(self, worker: Worker) -> None:
        with worker:
            while (task := self._tasks.get()) is not None:
                key, name, source = task
                try:
                    self._results.put((key, worker.judge(language(name), source)))
                except Interrupted:
                    return
                except BaseException as error:
                    self._results.put((key, error))
