"""What a language must say so that the judge can judge programs in it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Protocol

from flextune.errors import both_ends
from flextune.judging.languages.marks import NOTHING, Seam, seam
from flextune.judging.sandbox.command import Command, Held, Result
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.visible import prefix_of
from flextune.records import Completion, Outcome, Problem, Stage

__all__ = ["prefix_of"]  # languages take what they need from here

#: What a runner writes to descriptor 4, in this order; the secret comes last.
STARTED, REFUSED, RUNNING, ASSERTION, NO_MEMORY = b"S", b"C", b"R", b"A", b"M"
#: What only a tests' process of its own writes in its place: these tests need both in one process.
UNSUPPORTED = b"U"
MESSAGE_CHARACTERS = 2000


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a language needs on this machine.

    Attributes:
        found: Whether everything is here.
        version: As the tool says it, empty when not found.
        path: The program that runs the code.
        install: The command that installs what is missing.
        missing: What was looked for and not found.
    """

    found: bool
    version: str = ""
    path: str = ""
    install: str = ""
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing that a language needs on this machine.

    Attributes:
        name: What a user is told is missing.
        install: The command that installs it.
        programs: Names on PATH, of which the first that is there counts; by default ``name``. They are only
            looked at for a language's first tool, the program that runs its code.
        is_here: For the other tools, such as a library: whether that program, given by its path, has it.
    """

    name: str
    install: str
    programs: tuple[str, ...] = ()
    is_here: Callable[[Path], bool] = field(default=lambda program: True, repr=False)

    def program(self) -> Path | None:
        """The program's real path, None when it is not on PATH."""
        return next(filter(None, map(find_program, self.programs or (self.name,))), None)


@dataclass(frozen=True, slots=True)
class Finding:
    """A program's outcome, and what it or its compiler said."""

    outcome: Outcome
    stage: Stage
    message: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """Solution and tests of a program, for processes of their own."""

    solution: str
    tests: str


@dataclass(frozen=True)
class Artifact:
    """A file of a language's runtime that is built once, in the sandbox, and kept in the user's cache.

    Attributes:
        name: File name; mounted with its siblings as ``{runtime}``.
        command: Writes the file's content to descriptor 4; earlier artifacts are in ``{runtime}``.
    """

    name: str
    command: Command = field(repr=False)


class Language(Protocol):
    """One language; implementations start no program of a user's, the sandbox does.

    A runner (part of the language) reads the secret from descriptor 3 before the program starts, writes
    ``STARTED`` to descriptor 4, ``REFUSED`` if the source is no program or else ``RUNNING``, then runs the
    program, and writes the secret after its last statement. ``ASSERTION`` or ``NO_MEMORY`` may say why it
    failed. What the program reads from standard input is already at descriptor 0.
    """

    name: str
    suffix: str
    #: How a line comment begins.
    comment: str
    #: A right program: where it runs, the sandbox is well.
    canary: str
    #: Characters that end a source, or cannot stand in it at all.
    ends_source: str

    def toolchain(self) -> Toolchain:
        """Where the language's tools are; fast, and never an error."""

    def file_name(self) -> str:
        """Name of the source file, as its tools expect it."""

    def source(self, problem: Problem, completion: Completion) -> str:
        """The whole program that is judged for a completion."""

    def marked(self, source: str, tests_at: int | None) -> str:
        """The source as it is run, with what tells the runner that the tests were run (see ``marks``).

        Args:
            source: The whole program.
            tests_at: The character at which its tests begin; None where it has none, and is to be run as its
                tools run it.
        """

    def artifacts(self) -> tuple[Artifact, ...]:
        """What must be built once before the first program; often nothing."""

    def compiler(self, limits: Limits) -> Command | None:
        """A server (see ``Session``) that compiles sources, None where there is none.

        It greets with an empty frame. A request is a source; the answer begins with ``O`` and the program in
        any form that ``run`` understands, or with ``E`` and the errors.
        """

    def compile(self, source: bytes, limits: Limits) -> Command | None:
        """Compiles one source, None where nothing is compiled or ``compiler`` does it.

        It writes the program, in any form that ``run_compiled`` understands, to descriptor 4; with another
        exit status than 0 its standard error says what is wrong with the source.
        """

    def run(self, program: bytes, limits: Limits) -> Command:
        """Runs a program: the source, or what ``compiler`` answered."""

    def run_compiled(self, program: Held, limits: Limits) -> Command:
        """Runs what ``compile`` wrote."""

    def parts(self, problem: Problem, completion: Completion) -> Parts | None:
        """Solution and tests apart, None where the language cannot run them in two processes."""

    def run_parts(self, parts: Parts, limits: Limits) -> tuple[Command, Command]:
        """Runs the tests, and as their companion (see ``Sandbox.run``) the solution.

        The tests get the secret. They call the solution through descriptors 6 (calls) and 5 (answers); values
        travel as plain data, so that what the tests compare are objects of their own process.
        """

    def classify(self, result: Result, secret: bytes) -> Finding:
        """What a run that was sent ``secret`` means."""


class Basis:
    """What most languages share; a language overrides what is different."""

    name: str
    suffix: str
    comment = "#"
    canary = ""
    ends_source = ""
    #: With what the tests may begin in order to close what the solution left open.
    closing = NOTHING
    #: The program that runs the code, then what else is needed, in the order in which it is looked for.
    tools: tuple[Tool, ...]
    #: The oldest version of that program that will do, empty where any will.
    oldest = ""

    def toolchain(self) -> Toolchain:
        """The first of ``tools`` on PATH with all others, or what is missing and how to install it."""
        runner, *others = self.tools
        program = runner.program()
        if program is None:
            return Toolchain(found=False, missing=runner.name, install=runner.install)
        version = self.version(program)
        if self.oldest and _number(version) < _number(self.oldest):
            older = f"{runner.name} {self.oldest} or newer (found {version or 'an unknown version'})"
            return Toolchain(found=False, version=version, missing=older, install=runner.install)
        for tool in others:
            if not tool.is_here(program):
                return Toolchain(found=False, missing=tool.name, install=tool.install)
        return Toolchain(found=True, version=version, path=str(self.executable(program)))

    def version(self, program: Path) -> str:
        """The version of ``program``, the first of ``tools``."""
        return version_of(program, "--version")

    def executable(self, program: Path) -> Path:
        """What runs the code, where ``program`` on PATH is a wrapper."""
        return program

    def file_name(self) -> str:
        """``main`` with the language's suffix."""
        return f"main{self.suffix}"

    def source(self, problem: Problem, completion: Completion) -> str:
        """Prompt, completion and tests, one after the other."""
        return problem.program(completion.text)

    def marked(self, source: str, tests_at: int | None) -> str:
        """The source cut at its tests and marked; as it is where it is to be run as its tools run it."""
        return source if tests_at is None else self.mark(seam(source, tests_at, self.closing))

    def mark(self, cut: Seam) -> str:
        """The source as it is; a language puts statements of the judge around the tests."""
        return cut.source

    def artifacts(self) -> tuple[Artifact, ...]:
        """No artifacts: nothing has to be built before the first program."""
        return ()

    def compiler(self, limits: Limits) -> Command | None:
        """None: no server compiles."""
        return None

    def compile(self, source: bytes, limits: Limits) -> Command | None:
        """None: nothing is compiled, or ``compiler`` does it."""
        return None

    def run_compiled(self, program: Held, limits: Limits) -> Command:
        """Never called where ``compile`` gives None."""
        raise NotImplementedError

    def parts(self, problem: Problem, completion: Completion) -> Parts | None:
        """None: solution and tests share a process."""
        return None

    def run_parts(self, parts: Parts, limits: Limits) -> tuple[Command, Command]:
        """Never called where ``parts`` is None."""
        raise NotImplementedError

    def classify(self, result: Result, secret: bytes) -> Finding:
        """The outcome from the limits, the exit status and what the runner reported."""
        return classify(result, secret)


def classify(result: Result, secret: bytes) -> Finding:
    """The outcome of a run under a runner that follows the protocol of ``Language``."""
    message = ends(result.errors) or ends(result.output)
    reply = result.reply
    running = reply.startswith(STARTED + RUNNING)
    stage: Stage = "run" if running else "compile"
    reason = f"exit status {result.status}"
    if result.breach is not None:
        outcome, reason = _BREACHES[result.breach]
        # "Killed" is what the shell says when we end the program.
        message = reason if message in ("", "Killed") else f"{reason}\n{message}"[:MESSAGE_CHARACTERS]
    if not reply.startswith(STARTED):
        # Whatever happened, the program was not yet part of it.
        return Finding("sandbox_fault", stage, message or f"the runner did not start ({reason})")
    if result.breach is not None:
        return Finding(outcome, stage, message)
    if not running:
        return Finding("compile_error", stage, message or f"the compiler ended with status {result.status}")
    if result.status == 0:
        if reply.endswith(secret):
            return Finding("passed", stage)
        return Finding("ended_early", stage, message or "exit status 0 before the tests ended")
    if NO_MEMORY in reply[2:3]:
        return Finding("memory_limit", stage, message)
    if ASSERTION in reply[2:3]:
        return Finding("wrong_answer", stage, message or "a test's assertion failed")
    return Finding("exception", stage, message or f"exit status {result.status}")


def classify_parts(finding: Finding, result: Result) -> Finding:
    """``finding`` about a run of tests and solution apart, unless the tests cannot be judged so.

    That is for the tests' process alone to say, which no solution can write for.
    """
    unsupported = result.breach is None and result.status and result.reply[2:3] == UNSUPPORTED
    return Finding("strict_unsupported", "run", finding.message) if unsupported else finding


_BREACHES: Mapping[str, tuple[Outcome, str]] = {
    "cpu": ("timeout", "limit on CPU time reached"),
    "wall": ("timeout", "limit on wall-clock time reached"),
    "memory": ("memory_limit", "limit on memory reached"),
    "output": ("output_limit", "limit on output reached"),
    "processes": ("exception", "limit on processes reached"),
}


def ends(text: bytes) -> str:
    """What a program said, in valid text; of more than is kept the first lines and the last."""
    return both_ends(text.decode("utf-8", "replace").strip(), MESSAGE_CHARACTERS)


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, filter(str.isdecimal, version.split("."))))


def find_program(name: str) -> Path | None:
    """The program's real path, None when it is not on PATH."""
    path = shutil.which(name)
    return None if path is None else Path(os.path.realpath(path))


@cache
def version_of(program: Path, *arguments: str) -> str:
    """The version number that a tool prints, empty when it says none."""
    try:
        answer = subprocess.run(
            (program, *arguments), capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    match = re.search(r"\d+(\.\d+)+", answer.stdout + answer.stderr)
    return match.group() if match else ""
