"""One worker: compiles and runs programs one after another and says what each showed."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType

from flextune.files.names import file_name as safe_name
from flextune.judging.cases import case_finding
from flextune.judging.comparing import TOLERANCE
from flextune.judging.judgement import Judgement
from flextune.judging.languages.base import (
    MESSAGE_CHARACTERS,
    RUNNING,
    STARTED,
    Finding,
    Language,
    Parts,
    Toolchain,
    classify_parts,
    ends,
)
from flextune.judging.libraries import with_libraries
from flextune.judging.packages import Packages
from flextune.judging.runtime import runtime, with_runtime
from flextune.judging.sandbox.command import Command, Held, Result, SandboxFault
from flextune.judging.sandbox.isolation import Isolation
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.sandbox import Sandbox, Session
from flextune.records import Case, Completion, Problem, Stage

#: A program's run is tried this often before a fault of the sandbox is reported. It is the program's own
#: doing if it meets one again while another program, before and after it, runs well.
ATTEMPTS = 3
#: Start-up is ours, so a tight limit on programs does not apply to it.
_STARTING = Limits(cpu_seconds=60, wall_seconds=180)


@dataclass(frozen=True, slots=True)
class Program:
    """What is judged.

    Attributes:
        source: The program as a whole.
        cases: The runs that test it, where it does not test itself.
        parts: Solution and tests, to be run apart; ``source`` is not run then.
        tolerance: How far a number may be from one that a case expects.
        packages: What it may import beyond its language's own library.
        needs: Libraries that its prompt or its tests import, by the names that they have there.
        tests_at: The character of ``source`` at which its tests begin; None where ``cases`` test it.
    """

    source: str
    cases: tuple[Case, ...] = ()
    parts: Parts | None = None
    tolerance: float = TOLERANCE
    packages: Packages | None = None
    needs: tuple[str, ...] = ()
    tests_at: int | None = None


@dataclass
class _Compiler:
    """A compile server and what must be closed with it."""

    session: Session
    resources: contextlib.ExitStack


class Worker:
    """Judges programs in sandboxes of its own; use it from one thread.

    Args:
        isolation: How programs are kept apart.
        limits: What each may use.
    """

    def __init__(self, isolation: Isolation, limits: Limits) -> None:
        self._isolation, self._limits = isolation, limits
        self._opened: list[Sandbox] = []
        # Programs of one language see the same files, so one helper serves them all.
        self._sandboxes: dict[tuple[str, Stage], Sandbox] = {}
        self._compilers: dict[str, _Compiler] = {}
        self._toolchains: dict[str, Toolchain] = {}
        self._runtimes: dict[str, Path | None] = {}
        self._interrupted = False

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def interrupt(self) -> None:
        """Make the running judgement raise ``Interrupted``; callable from any thread."""
        self._interrupted = True
        for sandbox in list(self._opened):
            # One that is being closed needs no interruption.
            with contextlib.suppress(OSError):
                sandbox.interrupt()

    def judge(self, language: Language, program: Program) -> Judgement:
        """Compile and run one program.

        Raises:
            Interrupted: If ``interrupt`` was called.
        """
        if language.name not in self._toolchains:
            self._toolchains[language.name] = language.toolchain()
        toolchain = self._toolchains[language.name]
        if not toolchain.found:
            message = f"{toolchain.missing} not found; install it with: {toolchain.install}"
            return Judgement("toolchain_missing", "toolchain", message)
        judgement, fault = self._attempt(language, program)
        attempts = 1
        while fault is not None and attempts < ATTEMPTS:
            # Its helper may be what failed; the next attempt gets a new one.
            self._close()
            if self._is_well(language, program):
                judgement, fault = self._attempt(language, program)
                if fault is not None and self._is_well(language, program):
                    return _own_doing(fault)
            attempts += 1
        return judgement if fault is not None else with_libraries(judgement, language.name, program.needs)

    def _attempt(self, language: Language, program: Program) -> tuple[Judgement, SandboxFault | None]:
        """A judgement, and the fault that is all it says."""
        try:
            return self._judge_once(language, program), None
        except SandboxFault as fault:
            return Judgement("sandbox_fault", "run", str(fault)[-MESSAGE_CHARACTERS:]), fault

    def _is_well(self, language: Language, program: Program) -> bool:
        """Whether a right program passes in the sandbox in which ``program`` met a fault."""
        canary = Program(language.canary, tests_at=len(language.canary))
        if program.parts is not None:
            nothing = Problem("", "", language.name, "", "")
            canary = replace(canary, parts=language.parts(nothing, Completion("", 0, "")))
        return self._attempt(language, canary)[0].passed

    def _judge_once(self, language: Language, program: Program) -> Judgement:
        if program.parts is not None:
            return self._run_parts(language, program, program.parts)
        if (complaint := _ended_by_character(language, program)) is not None:
            return complaint
        source = language.marked(program.source, program.tests_at)
        # Lone surrogates cannot be written; a program that has them is judged with "?" in their place.
        compiled = self._compile(language, source.encode("utf-8", "replace"))
        if isinstance(compiled, Judgement):
            return compiled
        sandbox = self._sandbox(language, "run")
        if isinstance(compiled, Held):
            command = language.run_compiled(compiled, self._limits)
        else:
            command = language.run(compiled, self._limits)
        command = self._with_runtime(command, language, sandbox)
        if program.packages is not None:
            command = program.packages.added_to(command)
        if program.cases:
            return self._run_cases(language, command, program)
        secret = _secret()
        result = sandbox.run(command, self._limits, secret)
        return Judgement.of(_finding(language, result, secret), result)

    def _run_parts(self, language: Language, program: Program, parts: Parts) -> Judgement:
        sandbox, secret = self._sandbox(language, "run"), _secret()
        tests, solution = language.run_parts(parts, self._limits)
        if program.packages is not None:
            tests, solution = program.packages.added_to(tests), program.packages.added_to(solution)
        result = sandbox.run(tests, self._limits, secret, companion=solution)
        return Judgement.of(classify_parts(_finding(language, result, secret), result), result)

    def _run_cases(self, language: Language, command: Command, program: Program) -> Judgement:
        """Run a program once for each case, until one fails; usage is the sum, memory the peak."""
        spent, waited, peak = 0.0, 0.0, 0
        judgement = Judgement("passed", "run")
        for number, case in enumerate(program.cases, start=1):
            secret = _secret()
            result = self._sandbox(language, "run").run(
                command, self._limits, secret, stdin=case.input.encode("utf-8", "replace")
            )
            finding = _finding(language, result, secret)
            finding = case_finding(finding, result, case, number, program.tolerance)
            judgement = Judgement.of(finding, result)
            spent, waited = spent + judgement.cpu_seconds, waited + judgement.wall_seconds
            peak = max(peak, judgement.peak_memory_bytes)
            if not judgement.passed:
                break
        return replace(
            judgement, cpu_seconds=round(spent, 4), wall_seconds=round(waited, 4), peak_memory_bytes=peak
        )

    def _compile(self, language: Language, source: bytes) -> bytes | Held | Judgement:
        """The program to run, or what is to be said where there is none."""
        limits = self._limits.for_compiling()
        if (command := language.compiler(limits)) is not None:
            return self._ask_compiler(language, command, source)
        if (command := language.compile(source, limits)) is None:
            return source
        sandbox = self._sandbox(language, "compile")
        command = self._with_runtime(command, language, sandbox)
        result = sandbox.run(command, limits, reply_bytes=limits.file_bytes, hold=True)
        if result.status == 0 and result.breach is None and result.held and result.held.size:
            return result.held
        return Judgement.of(_compiler_ended(result), result)

    def _ask_compiler(self, language: Language, command: Command, source: bytes) -> bytes | Judgement:
        fresh = language.name not in self._compilers
        answer = self._compiler(language, command).request(source, self._limits.for_compiling())
        if isinstance(answer, Result) or answer[:1] == b"M":
            self._drop_compiler(language.name)
            if not fresh:
                # What broke may have piled up over earlier programs: ask a new one.
                return self._ask_compiler(language, command, source)
            if isinstance(answer, Result):
                return Judgement.of(_compiler_ended(answer), answer)
            return Judgement("memory_limit", "compile", "the compiler's memory was exhausted")
        if answer[:1] == b"O":
            return answer[1:]
        return Judgement("compile_error", "compile", ends(answer[1:]))

    def _compiler(self, language: Language, command: Command) -> Session:
        """The language's compile server, started if need be."""
        if language.name not in self._compilers:
            with contextlib.ExitStack() as resources:
                sandbox = self._new_sandbox()
                resources.callback(self._close_sandbox, sandbox)
                command = self._with_runtime(command, language, sandbox)
                session = resources.enter_context(sandbox.session(command, self._limits.for_compiling()))
                greeting = session.request(None, _STARTING)
                if isinstance(greeting, Result):
                    raise SandboxFault(
                        f"the compiler did not start: {ends(greeting.errors) or greeting.breach}"
                    )
                self._compilers[language.name] = _Compiler(session, resources.pop_all())
        return self._compilers[language.name].session

    def _close(self) -> None:
        for name in list(self._compilers):
            self._drop_compiler(name)
        for sandbox in self._sandboxes.values():
            self._close_sandbox(sandbox)
        self._sandboxes.clear()

    def _with_runtime(self, command: Command, language: Language, sandbox: Sandbox) -> Command:
        """``command`` with the language's artifacts, which are built if need be."""
        if language.name not in self._runtimes:
            self._runtimes[language.name] = runtime(language, sandbox)
        return with_runtime(command, self._runtimes[language.name])

    def _drop_compiler(self, name: str) -> None:
        self._compilers.pop(name).resources.close()

    def _sandbox(self, language: Language, stage: Stage) -> Sandbox:
        key = (language.name, stage)
        if key not in self._sandboxes:
            self._sandboxes[key] = self._new_sandbox()
        return self._sandboxes[key]

    def _new_sandbox(self) -> Sandbox:
        sandbox = Sandbox(self._isolation)
        self._opened.append(sandbox)
        if self._interrupted:
            sandbox.interrupt()
        return sandbox

    def _close_sandbox(self, sandbox: Sandbox) -> None:
        self._opened.remove(sandbox)
        sandbox.close()


class _NotStarted(SandboxFault):
    """The runner did not say that it started."""

    def __init__(self, message: str, started: Finding, result: Result) -> None:
        super().__init__(message)
        #: What would be said of the program if the runner had started, and how it ended.
        self.started, self.result = started, result


def _finding(language: Language, result: Result, secret: bytes) -> Finding:
    """What a run means.

    Raises:
        _NotStarted: If the language cannot tell.
    """
    finding = language.classify(result, secret)
    if finding.outcome != "sandbox_fault":
        return finding
    started = language.classify(replace(result, reply=STARTED + RUNNING), secret)
    raise _NotStarted(finding.message, started, result)


def _own_doing(fault: SandboxFault) -> Judgement:
    """The judgement on a program that meets a fault again and again where other programs run well."""
    reason = f"it does not start, and other programs do: {fault}"[:MESSAGE_CHARACTERS]
    if isinstance(fault, _NotStarted):
        return Judgement.of(replace(fault.started, message=reason), fault.result)
    return Judgement("exception", "run", reason)


def write_program(folder: Path, name: str, sample: int, file_name: str, source: str) -> None:
    """Keep a program as ``folder/name/sample/file_name``.

    Args:
        folder: Made if need be.
        name: The problem's name, any text. Its slashes make folders; it cannot lead outside ``folder``.
        sample: The completion's number.
        file_name: The source file's name, as the language's tools expect it.
        source: The program.
    """
    path = folder.joinpath(*map(safe_name, name.split("/")), str(sample), file_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source.encode("utf-8", "replace"))


def _ended_by_character(language: Language, program: Program) -> Judgement | None:
    """What is to be said of a source that ends, for its compiler, at a character before the tests."""
    if program.tests_at is None:
        return None
    for character in language.ends_source:
        place = program.source.find(character, 0, program.tests_at)
        if place >= 0:
            line = program.source.count("\n", 0, place) + 1
            message = f"line {line}: the character U+{ord(character):04X} ends the source before the tests"
            return Judgement("compile_error", "compile", message)
    return None


def _secret() -> bytes:
    return secrets.token_hex(16).encode()


def _compiler_ended(result: Result) -> Finding:
    message = ends(result.errors)
    if result.breach in ("cpu", "wall"):
        return Finding("timeout", "compile", message or "limit on compile time reached")
    if result.breach == "memory":
        return Finding("memory_limit", "compile", message or "limit on memory reached by the compiler")
    status = f"the compiler ended with status {result.status}"
    return Finding("compile_error", "compile", message or status)
