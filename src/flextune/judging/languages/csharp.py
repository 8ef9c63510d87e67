"""C#, by mono: a warm compiler that stays, and a fresh runtime for every program."""

from __future__ import annotations

import re
from pathlib import Path

from flextune.judging.languages.base import (
    Artifact,
    Basis,
    Toolchain,
    find_program,
    prefix_of,
    version_of,
)
from flextune.judging.languages.marks import Seam, with_marked_main
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import MIB, Limits

_SOURCES = Path(__file__).parent / "runners" / "csharp"
_CONFIGURATION = Path("/etc/mono")
# Those of MultiPL-E's evaluator: its tests are calls of Debug.Assert.
_OPTIONS = ("-d:DEBUG", "-r:System.Numerics.dll")
_MAIN = re.compile(r"\bMain\s*\([^)]*\)\s*\{")
_TAG_BYTES = 32
_BUILD = '"$@" -out:"$TMPDIR/it.exe" >&2 && exec cat "$TMPDIR/it.exe" >&4'


class CSharp(Basis):
    """C#; MultiPL-E's name is ``cs``."""

    name = "cs"
    suffix = ".cs"
    canary = "class Canary { static void Main() {} }\n"
    comment = "//"

    def toolchain(self) -> Toolchain:
        """Mono's runtime and compiler, or how to install them."""
        mono = find_program("mono")
        if mono is None or not _compiler(mono).is_file():
            missing = "mono" if mono is None else "mcs"
            return Toolchain(found=False, missing=missing, install="apt-get install mono-mcs mono-runtime")
        return Toolchain(found=True, version=version_of(mono, "--version"), path=str(mono))

    def mark(self, cut: Seam) -> str:
        """A statement in the tests' main method."""
        method = "global::System.Reflection.MethodBase.GetCurrentMethod()"
        statement = f'global::System.AppDomain.CurrentDomain.SetData("{{tag}}", {method});'
        return with_marked_main(cut, _MAIN, statement)

    def artifacts(self) -> tuple[Artifact, ...]:
        """The launcher and the compile server."""
        return tuple(self._built(name) for name in ("Launcher", "CompileServer"))

    def compiler(self, limits: Limits) -> Command:
        """A server that stays and compiles one source after another."""
        mono = Path(self.toolchain().path)
        arguments = ("{runtime}/CompileServer.exe", str(_compiler(mono)), *_OPTIONS, "-nologo")
        return self._command(*arguments, heap=limits.memory_bytes // 2)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The program's assembly, in a process of its own; its tag, or blanks, come first."""
        tag, assembly = program[:_TAG_BYTES].strip().decode(), program[_TAG_BYTES:]
        heap = limits.memory_bytes * 5 // 8
        arguments = ("{runtime}/Launcher.exe", "{program}/main.exe", tag)
        return self._command(*arguments, heap=heap, files={"main.exe": assembly})

    def _built(self, name: str) -> Artifact:
        mono = Path(self.toolchain().path)
        command = self._command(
            *(str(_compiler(mono)), f"{{program}}/{name}.cs"),
            heap=1024 * MIB,
            files={f"{name}.cs": (_SOURCES / f"{name}.cs").read_bytes()},
            script=_BUILD,
        )
        return Artifact(f"{name}.exe", command)

    def _command(
        self, *arguments: str, heap: int, files: dict[str, bytes] | None = None, script: str = ""
    ) -> Command:
        mono = Path(self.toolchain().path)
        prefix = ("/bin/sh", "-c", script, "sh") if script else ()
        configuration = (_CONFIGURATION,) if _CONFIGURATION.is_dir() else ()
        return Command(
            argv=(*prefix, str(mono), *arguments),
            files=files or {},
            readable=(*prefix_of(mono), *configuration),
            environment={"MONO_GC_PARAMS": f"max-heap-size={heap // MIB}m"},
        )


def _compiler(mono: Path) -> Path:
    return mono.parent.parent / "lib" / "mono" / "4.5" / "mcs.exe"


LANGUAGE = CSharp()
