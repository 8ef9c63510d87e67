"""Problems and completions in, verdicts out, over a pool of workers."""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import threading
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from flextune.errors import FlextuneError
from flextune.judging.cache import VerdictCache
from flextune.judging.comparing import TOLERANCE, checked_tolerance
from flextune.judging.judgement import Judgement
from flextune.judging.languages import language as language_of
from flextune.judging.languages import languages
from flextune.judging.languages.base import Language
from flextune.judging.libraries import needed
from flextune.judging.packages import Packages, packages_in
from flextune.judging.sandbox.command import Interrupted
from flextune.judging.sandbox.isolation import Isolation
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.probe import check_isolation
from flextune.judging.worker import Program, Worker, write_program
from flextune.records import UNKNOWN_OUTCOMES, Completion, Problem, Verdict

#: Programs handed out ahead for every worker.
_AHEAD = 4


def judge(
    pairs: Iterable[tuple[Problem, Completion]],
    *,
    limits: Limits | None = None,
    workers: int | None = None,
    sandbox: bool = True,
    strict: bool = False,
    cache: Path | None = None,
    tolerance: float = TOLERANCE,
    site_packages: Path | str | None = None,
    on_verdict: Callable[[Verdict], None] | None = None,
    keep_programs: Path | None = None,
) -> Generator[Verdict, None, None]:
    """Judge completions by running their programs, with a ``Judge`` for this call alone.

    Isolation is checked at the call, before the first verdict is read.

    Args:
        pairs: Problems and completions; the two names of a pair agree.
        limits: As for ``Judge``.
        workers: As for ``Judge``.
        sandbox: As for ``Judge``.
        strict: As for ``Judge``.
        cache: As for ``Judge``.
        tolerance: As for ``Judge``.
        site_packages: As for ``Judge``.
        on_verdict: As for ``Judge.verdicts``.
        keep_programs: As for ``Judge.verdicts``.

    Returns:
        One verdict for every pair, in the order in which they become known.

    Raises:
        FlextuneError: As for ``Judge`` and ``Judge.verdicts``.
    """
    own = Judge(
        limits=limits,
        workers=workers,
        sandbox=sandbox,
        strict=strict,
        cache=cache,
        tolerance=tolerance,
        site_packages=site_packages,
    )
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

    ::

        with Judge(workers=8) as judge:
            verdicts = judge(problems, texts)

    Identical programs run once: the last ones are remembered, and with ``cache`` all of them, also between
    processes. A fault of the sandbox is tried again twice before it is reported. Leaving the context ends
    every process and leaves no file.

    Args:
        limits: What each program may use; by default ``Limits()``.
        workers: Programs to judge in parallel; by default one per core.
        sandbox: Run programs in the sandbox. False leaves only the limits: programs then run with the
            caller's rights, so this is for programs that you would run yourself. It is ``--no-sandbox`` of
            the command line.
        strict: Run solution and tests in separate processes where the language can (``strict_languages``).
        cache: File in which verdicts are kept for later judges.
        tolerance: How far a printed number may be from a fraction that a case expects, absolutely or relative
            to it; 0 compares texts.
        site_packages: Folder of packages that Python programs may import; by default they have the standard
            library alone.

    Raises:
        FlextuneError: If programs cannot be isolated here, ``cache`` is no cache of verdicts, or
            ``site_packages`` holds no packages for this Python.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        workers: int | None = None,
        sandbox: bool = True,
        strict: bool = False,
        cache: Path | None = None,
        tolerance: float = TOLERANCE,
        site_packages: Path | str | None = None,
    ) -> None:
        self._tolerance = checked_tolerance(tolerance)
        self._packages = None if site_packages is None else packages_in(site_packages)
        self._isolation = check_isolation() if sandbox else Isolation("none")
        self._limits = limits or Limits()
        self._size = workers or processors()
        self._strict = strict
        self._pool: _Pool | None = None
        self._known = VerdictCache(cache)

    def __enter__(self) -> Judge:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, problems: Iterable[Problem], texts: Iterable[str]) -> list[Verdict]:
        """Judge one text for each problem.

        Args:
            problems: One may come several times; its texts are then its samples 0, 1, ...
            texts: What follows each problem's prompt.

        Returns:
            Verdicts in the order of ``texts``.

        Raises:
            FlextuneError: If there are not as many texts as problems, or a problem's language is unknown.
        """
        pairs = _numbered(list(problems), list(texts))
        verdicts = {(v.language, v.name, v.sample): v for v in self.verdicts(pairs)}
        return [verdicts[problem.language, problem.name, c.sample] for problem, c in pairs]

    def close(self) -> None:
        """End every process now; a later call starts new ones."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
        self._known.close()

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
        # A cached judgement holds for one toolchain and these limits.
        limits = replace(self._limits, wall_seconds=self._limits.wall_limit)
        context = f"{self._isolation.kind}\n{limits}"
        shift = _Shift(
            self._pool,
            self._known,
            context,
            self._strict,
            keep_programs,
            tolerance=self._tolerance,
            packages=self._packages,
        )
        try:
            for verdict in shift.verdicts(iter(pairs)):
                if on_verdict is not None:
                    on_verdict(verdict)
                yield verdict
        except BaseException:
            # What is still running belongs to a call that nobody reads any more.
            self.close()
            raise


def processors() -> int:
    """Processors that this process may use."""
    return len(os.sched_getaffinity(0))


def strict_languages() -> list[str]:
    """Languages whose solution and tests can run in separate processes."""
    problem, completion = Problem("", "", "", "", ""), Completion("", 0, "")
    return [name for name, entry in languages().items() if entry.parts(problem, completion) is not None]


def not_strict(problems: Iterable[Problem]) -> list[str]:
    """Languages of problems whose solutions share a process with their tests, strict or not."""
    # What is tested by its output never shares a process with its tests.
    return sorted({problem.language for problem in problems if not problem.cases} - set(strict_languages()))


def _numbered(problems: list[Problem], texts: list[str]) -> list[tuple[Problem, Completion]]:
    """Each text as a completion, numbered within its problem."""
    if len(problems) != len(texts):
        raise FlextuneError(
            f"judge: {len(problems)} problems and {len(texts)} texts; give one text for each problem"
        )
    samples: Counter[tuple[str, str]] = Counter()
    pairs = []
    for problem, text in zip(problems, texts, strict=True):
        key = (problem.language, problem.name)
        pairs.append((problem, Completion(problem.name, samples[key], text)))
        samples[key] += 1
    return pairs


@dataclass
class _Shift:
    """One call of ``verdicts``: what was handed out and who waits for it."""

    pool: _Pool
    known: VerdictCache
    context: str
    strict: bool
    keep_programs: Path | None
    tolerance: float = TOLERANCE
    packages: Packages | None = None
    _waiting: dict[bytes, list[tuple[str, str, int]]] = field(default_factory=dict)
    _versions: dict[str, str] = field(default_factory=dict)

    def verdicts(self, pairs: Iterator[tuple[Problem, Completion]]) -> Generator[Verdict, None, None]:
        """One verdict for every pair, in the order in which they become known."""
        waiting, more = self._waiting, True
        while more or waiting:
            while more and len(waiting) < self.pool.capacity:
                pair = next(pairs, None)
                if pair is None:
                    more = False
                elif (verdict := self._hand_out(*pair)) is not None:
                    yield verdict
            if waiting:
                key, judgement = self.pool.result()
                # A fault says nothing about the program, so a later twin gets a run of its own.
                if judgement.outcome not in UNKNOWN_OUTCOMES:
                    self.known.put(key, judgement)
                for identity in waiting.pop(key):
                    yield judgement.verdict(*identity)

    def _hand_out(self, problem: Problem, completion: Completion) -> Verdict | None:
        """Submit one program, or return the verdict of an identical one; ``_waiting`` learns who asked."""
        language = language_of(problem.language)
        program = self._program(language, problem, completion)
        if self.keep_programs is not None:
            write_program(
                self.keep_programs, completion.name, completion.sample, language.file_name(), program.source
            )
        key, identity = self._key(language, program), (language.name, completion.name, completion.sample)
        if (judgement := self.known.get(key)) is not None:
            return judgement.verdict(*identity)
        if key not in self._waiting:
            self._waiting[key] = []
            self.pool.submit(key, language.name, program)
        self._waiting[key].append(identity)
        return None

    def _program(self, language: Language, problem: Problem, completion: Completion) -> Program:
        source = language.source(problem, completion)
        program = Program(
            source,
            problem.cases,
            tests_at=None if problem.cases else len(source) - len(problem.tests),
            packages=self.packages if language.name == "py" else None,
            needs=needed(language.name, problem.prompt, problem.tests),
        )
        if problem.cases:
            return replace(program, tolerance=self.tolerance)
        return replace(program, parts=language.parts(problem, completion)) if self.strict else program

    def _key(self, language: Language, program: Program) -> bytes:
        if language.name not in self._versions:
            self._versions[language.name] = language.toolchain().version
        content = (language.name, self._versions[language.name], self.context, program)
        return hashlib.sha256(repr(content).encode("utf-8", "replace")).digest()


@dataclass
class _Pool:
    """Worker threads; each has a sandbox of its own and does little but wait for it."""

    isolation: Isolation
    limits: Limits
    size: int
    _tasks: queue.SimpleQueue[tuple[bytes, str, Program] | None] = field(default_factory=queue.SimpleQueue)
    _results: queue.SimpleQueue[tuple[bytes, Judgement | BaseException]] = field(
        default_factory=queue.SimpleQueue
    )
    _threads: list[threading.Thread] = field(default_factory=list)
    _workers: list[Worker] = field(default_factory=list)

    @property
    def capacity(self) -> int:
        """Programs that may be handed out at once."""
        return self.size * _AHEAD

    def interrupt(self) -> None:
        """Make ``result`` raise ``Interrupted``, also where it waits already."""
        self._results.put((b"", Interrupted()))

    def close(self) -> None:
        """Interrupt what runs and wait for every thread."""
        for worker in self._workers:
            worker.interrupt()
        for _thread in self._threads:
            self._tasks.put(None)
        for thread in self._threads:
            thread.join()

    def submit(self, key: bytes, name: str, program: Program) -> None:
        """Hand out a program; starts a worker while there are fewer than allowed."""
        self._tasks.put((key, name, program))
        if len(self._threads) < self.size:
            worker = Worker(self.isolation, self.limits)
            arguments = (worker, self._core(len(self._threads)))
            thread = threading.Thread(target=self._work, args=arguments, daemon=True, name="judge")
            self._workers.append(worker)
            self._threads.append(thread)
            thread.start()

    def result(self) -> tuple[bytes, Judgement]:
        """The key of the next program that is done, and its judgement; raises what its worker raised."""
        key, judgement = self._results.get()
        if isinstance(judgement, BaseException):
            raise judgement
        return key, judgement

    def _core(self, number: int) -> int | None:
        """The processor that worker ``number`` keeps to, where there is a worker for each; None: any.

        A worker's processes wait for one another in turn. On one processor they wake each other at once, and
        a machine that is full has no better place for them.
        """
        cores = sorted(os.sched_getaffinity(0))
        return cores[number % len(cores)] if self.size >= len(cores) else None

    def _work(self, worker: Worker, core: int | None) -> None:
        if core is not None:
            with contextlib.suppress(OSError):
                # Of this thread alone, and of all that it starts.
                os.sched_setaffinity(0, {core})
        with worker:
            while (task := self._tasks.get()) is not None:
                key, name, program = task
                try:
                    self._results.put((key, worker.judge(language_of(name), program)))
                except Interrupted:
                    return
                except BaseException as error:
                    self._results.put((key, error))
