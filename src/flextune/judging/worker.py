"""One worker: compiles and runs programs one after another and says what each showed."""

from __future__ import annotations

import contextlib
import secrets
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from flextune.judging.languages.base import Finding, Language, tail
from flextune.judging.runtime import runtime, with_runtime
from flextune.judging.sandbox.command import Command, Result, SandboxFault
from flextune.judging.sandbox.isolation import Isolation
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.sandbox import Sandbox, Session
from flextune.records import Verdict

#: A program's run is tried this often before a fault of the sandbox is reported.
ATTEMPTS = 3


@dataclass
class _Compiler:
    """A compile server and what must be closed with it."""

    session: Session
    resources: contextlib.ExitStack


class Worker:
    """Judges programs in a sandbox of its own; use it from one thread.

    Args:
        isolation: How programs are kept apart.
        limits: What each may use.
    """

    def __init__(self, isolation: Isolation, limits: Limits) -> None:
        self._isolation, self._limits = isolation, limits
        self._sandboxes: list[Sandbox] = []
        self._runner: Sandbox | None = None
        self._compilers: dict[str, _Compiler] = {}
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
        for sandbox in list(self._sandboxes):
            # One that is being closed needs no interruption.
            with contextlib.suppress(OSError):
                sandbox.interrupt()

    def judge(self, language: Language, source: str) -> Verdict:
        """The verdict on one program, with an empty name.

        Raises:
            Interrupted: If ``interrupt`` was called.
        """
        toolchain = language.toolchain()
        if not toolchain.found:
            message = f"{toolchain.missing} not found; install it with: {toolchain.install}"
            return Verdict("", 0, "toolchain_missing", "toolchain", message)
        verdict = Verdict("", 0, "sandbox_fault", "run")
        for _ in range(ATTEMPTS):
            try:
                verdict = self._judge_once(language, source)
            except SandboxFault as fault:
                # Its helper may be what failed; the next attempt gets a new one.
                self._close()
                verdict = Verdict("", 0, "sandbox_fault", "run", str(fault)[-2000:])
            if verdict.outcome != "sandbox_fault":
                break
        return verdict

    def _judge_once(self, language: Language, source: str) -> Verdict:
        # Lone surrogates cannot be written; a program that has them is judged with "?" in their place.
        text = source.encode("utf-8", "replace")
        program = self._compile(language, text)
        if isinstance(program, Verdict):
            return program
        sandbox = self._sandbox()
        folder = runtime(language, sandbox)
        secret = secrets.token_hex(16).encode()
        result = sandbox.run(with_runtime(language.run(program, self._limits), folder), self._limits, secret)
        return _verdict(language.classify(result, secret), result)

    def _compile(self, language: Language, source: bytes) -> bytes | Verdict:
        """The program to run, or the verdict when there is none."""
        command = language.compiler(self._limits)
        if command is None:
            return source
        fresh = language.name not in self._compilers
        answer = self._compiler(language, command).request(source, self._limits)
        if isinstance(answer, Result) or answer[:1] == b"M":
            self._drop_compiler(language.name)
            if not fresh:
                # What broke may have piled up over earlier programs: ask a new one.
                return self._compile(language, source)
            if isinstance(answer, Result):
                return _verdict(_compiler_ended(answer), answer)
            return Verdict("", 0, "memory_limit", "compile", "the compiler's memory was exhausted")
        if answer[:1] == b"O":
            return answer[1:]
        return Verdict("", 0, "compile_error", "compile", tail(answer[1:]))

    def _compiler(self, language: Language, command: Command) -> Session:
        """The language's compile server, started if need be."""
        if language.name not in self._compilers:
            with contextlib.ExitStack() as resources:
                sandbox = self._new_sandbox()
                resources.callback(self._close_sandbox, sandbox)
                folder = runtime(language, sandbox)
                session = resources.enter_context(
                    sandbox.session(with_runtime(command, folder), self._limits)
                )
                greeting = session.request(None, _generous(self._limits))
                if isinstance(greeting, Result):
                    raise SandboxFault(
                        f"the compiler did not start: {tail(greeting.errors) or greeting.breach}"
                    )
                self._compilers[language.name] = _Compiler(session, resources.pop_all())
        return self._compilers[language.name].session

    def _close(self) -> None:
        for name in list(self._compilers):
            self._drop_compiler(name)
        if self._runner is not None:
            self._close_sandbox(self._runner)
            self._runner = None

    def _drop_compiler(self, name: str) -> None:
        self._compilers.pop(name).resources.close()

    def _sandbox(self) -> Sandbox:
        if self._runner is None:
            self._runner = self._new_sandbox()
        return self._runner

    def _new_sandbox(self) -> Sandbox:
        sandbox = Sandbox(self._isolation)
        self._sandboxes.append(sandbox)
        if self._interrupted:
            sandbox.interrupt()
        return sandbox

    def _close_sandbox(self, sandbox: Sandbox) -> None:
        self._sandboxes.remove(sandbox)
        sandbox.close()


def write_program(folder: Path, name: str, sample: int, file_name: str, source: str) -> None:
    """Keep a program as ``folder/name/sample/file_name``; the name cannot lead outside ``folder``."""
    parts = [part if part not in ("", ".", "..") else "_" for part in name.split("/")]
    path = folder.joinpath(*parts, str(sample), file_name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(source.encode("utf-8", "replace"))


def _generous(limits: Limits) -> Limits:
    """Start-up is ours, so a tight limit on programs does not apply to it."""
    return Limits(
        cpu_seconds=limits.cpu_seconds + 60,
        wall_seconds=limits.wall_seconds + 120,
        memory_bytes=limits.memory_bytes,
    )


def _compiler_ended(result: Result) -> Finding:
    message = tail(result.errors)
    if result.breach in ("cpu", "wall"):
        return Finding("timeout", "compile", message or "limit on compile time reached")
    if result.breach == "memory":
        return Finding("memory_limit", "compile", message or "limit on memory reached by the compiler")
    said = f"the compiler ended with status {result.status}"
    return Finding("compile_error", "compile", message or said)


def _verdict(finding: Finding, result: Result) -> Verdict:
    return Verdict(
        name="",
        sample=0,
        outcome=finding.outcome,
        stage=finding.stage,
        message=finding.message,
        cpu_seconds=round(result.cpu_seconds, 4),
        wall_seconds=round(result.wall_seconds, 4),
        peak_memory_bytes=result.peak_memory_bytes,
    )
