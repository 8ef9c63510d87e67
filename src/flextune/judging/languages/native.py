"""What languages share whose programs are linked by a C compiler: C++, Rust and D."""

from __future__ import annotations

import contextlib
import signal
from pathlib import Path

from flextune.judging.languages.base import (
    Artifact,
    Basis,
    Finding,
    Toolchain,
    find_program,
    prefix_of,
    version_of,
)
from flextune.judging.sandbox.command import Command, Held, Result
from flextune.judging.sandbox.limits import Limits

#: Object file that reads the secret first and shows it last; link it with ``WRAP``.
SHIM = "{runtime}/shim.o"
WRAP = "-Wl,--wrap=main"

_SHIM_SOURCE = Path(__file__).parent / "runners" / "native" / "shim.c"
_ERROR_BYTES = 1800
# What a shell adds to the number of the signal that ended a program.
_SIGNALS = 128
# Run in the folder of the source, so that errors name the bare file. The first errors are those that count.
_COMPILE = (
    'cd {program} && output="$1$TMPDIR/program.out" && shift && '
    'if "$@" "$output" >"$TMPDIR/said" 2>&1; then exec cat "$TMPDIR/program.out" >&4; fi; '
    f'head -c {_ERROR_BYTES} "$TMPDIR/said" >&2; exit 1'
)


def shell(script: str, *arguments: str, files: dict[str, bytes], readable: tuple[Path, ...] = ()) -> Command:
    """A command that runs a shell script with ``arguments`` as ``$1``, ``$2``, and so on."""
    return Command(argv=("/bin/sh", "-c", script, "sh", *arguments), files=files, readable=readable)


def compiling(
    file_name: str, source: bytes, output: str, *arguments: str, readable: tuple[Path, ...] = ()
) -> Command:
    """Compiles ``source``; the result goes to descriptor 4, the first errors to standard error.

    Args:
        file_name: Name of the source, in the folder where the compiler runs.
        source: The program.
        output: The compiler's option before the name of its output, in the same word.
        arguments: The compiler and its other arguments.
        readable: What it must be able to read.
    """
    return shell(_COMPILE, output, *arguments, files={file_name: source}, readable=readable)


def shim(linker: Path, readable: tuple[Path, ...] = ()) -> Artifact:
    """The object file ``SHIM``, compiled by the C compiler ``linker``."""
    # Nothing is to be called by a name that a program can have.
    options = "-O1 -fno-builtin -fno-stack-protector"
    script = f'"$1" {options} -c {{program}}/shim.c -o "$TMPDIR/shim.o" && exec cat "$TMPDIR/shim.o" >&4'
    files = {"shim.c": _SHIM_SOURCE.read_bytes()}
    return Artifact("shim.o", shell(script, str(linker), files=files, readable=readable))


class Native(Basis):
    """A language whose compiler writes an executable, linked with the shim."""

    comment = "//"
    #: Name of the compiler on PATH, and the command that installs it.
    compiler_name: str
    install: str
    #: A right program.
    sample: bytes

    @property
    def canary(self) -> str:  # type: ignore[override]
        """The right program."""
        return self.sample.decode()

    #: The compiler's option before the name of its output.
    output = "-o"

    def toolchain(self) -> Toolchain:
        """The compiler, and a C compiler to link with, or how to install them."""
        compiler, linker = self.program(), find_program("cc")
        if compiler is None or linker is None:
            missing = self.compiler_name if compiler is None else "cc"
            install = self.install if compiler is None else "apt-get install gcc libc6-dev"
            return Toolchain(found=False, missing=missing, install=install)
        return Toolchain(found=True, version=version_of(compiler, "--version"), path=str(compiler))

    def program(self) -> Path | None:
        """The compiler's real path, None when it is not on PATH."""
        return find_program(self.compiler_name)

    def readable(self) -> tuple[Path, ...]:
        """Folders outside the system's that compiler and programs need."""
        tools = (self.program(), find_program("cc"))
        return tuple(dict.fromkeys(path for tool in tools if tool for path in prefix_of(tool)))

    def artifacts(self) -> tuple[Artifact, ...]:
        """The shim, and a program: a compiler that does not work here is no judgement on a source."""
        return (
            shim(linker(), self.readable()),
            Artifact("sample", self.compile(self.sample, Limits())),
        )

    def arguments(self, source: bytes) -> tuple[str, ...]:
        """The compiler's arguments for ``source``, but for the output."""
        raise NotImplementedError

    def compile(self, source: bytes, limits: Limits) -> Command:
        """Compile and link, with the shim around the main function."""
        arguments = (str(self.program()), *self.arguments(source))
        return compiling(self.file_name(), source, self.output, *arguments, readable=self.readable())

    def classify(self, result: Result, secret: bytes) -> Finding:
        """A signal, of which the program itself can say nothing, is named."""
        finding = super().classify(result, secret)
        if finding.outcome == "exception" and result.status > _SIGNALS and not result.errors.strip():
            with contextlib.suppress(ValueError):
                name = signal.Signals(result.status - _SIGNALS).name
                return Finding("exception", finding.stage, f"ended by {name}\n{finding.message}".strip())
        return finding

    def run(self, program: bytes, limits: Limits) -> Command:
        """Never called: ``compile`` compiles every program."""
        raise NotImplementedError

    def run_compiled(self, program: Held, limits: Limits) -> Command:
        """The executable that was compiled and linked."""
        return Command(
            argv=("{program}/program",),
            files={"program": program},
            readable=self.readable(),
        )


def linker() -> Path:
    """Path of the C compiler, which links the executable."""
    return find_program("cc") or Path("cc")


def fastest_linker() -> tuple[str, ...]:
    """Arguments for the C compiler that choose the fastest linker that is here."""
    return ("-fuse-ld=gold",) if find_program("ld.gold") else ()
