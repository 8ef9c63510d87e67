"""Java: a warm compiler that stays, and a fresh virtual machine for every program."""

from __future__ import annotations

import os
import re
from pathlib import Path

from flextune.judging.languages.base import Artifact, Basis, Toolchain
from flextune.judging.languages.jvm import LAUNCHER_JAR, SOURCES, Jvm, jdk
from flextune.judging.languages.marks import Seam, with_marked_main
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_JAVATUPLES = ("/usr/share/java/javatuples.jar", "/usr/share/java/javatuples-1.2.jar")
_CLASS_PATH = f"{LAUNCHER_JAR}:{{javatuples}}"
_SERVER = (LAUNCHER_JAR, "flextune.CompileServer", "{javatuples}")
_MAIN = re.compile(r"\bvoid\s+main\s*\([^)]*\)[^{;]*\{")
_BUILD = (
    '"$1/javac" -encoding UTF-8 -cp "$2" -d "$TMPDIR/classes" {program}/*.java >&2 && '
    'cd "$TMPDIR/classes" && "$1/jar" --create --no-compress --file "$TMPDIR/it.jar" flextune && '
    'cat "$TMPDIR/it.jar" >&4'
)


class Java(Basis):
    """Java; MultiPL-E's name is ``java``."""

    name = "java"
    suffix = ".java"
    canary = "class Canary { public static void main(String[] arguments) {} }\n"
    comment = "//"
    ends_source = "\x1a"

    def file_name(self) -> str:
        """MultiPL-E's class is ``Problem``."""
        return f"Problem{self.suffix}"

    def toolchain(self) -> Toolchain:
        """A JDK on PATH and the javatuples library, or how to install them."""
        java = jdk()
        if java.found and _javatuples() is None:
            return Toolchain(
                found=False,
                missing="javatuples.jar",
                install="apt-get install libjavatuples-java (or name the jar in $FLEXTUNE_JAVATUPLES)",
            )
        return java

    def mark(self, cut: Seam) -> str:
        """A statement in the tests' main method."""
        trace = "java.util.Arrays.asList(new java.lang.Throwable().getStackTrace()).toString()"
        statement = f'java.lang.System.setProperty("{{tag}}", {trace});'
        return with_marked_main(cut, _MAIN, statement)

    def artifacts(self) -> tuple[Artifact, ...]:
        """Launcher and compile server, and an archive of preloaded classes for each."""
        sources = {path.name: path.read_bytes() for path in sorted(SOURCES.glob("*.java"))}
        return (
            Artifact("launcher.jar", _jvm().shell(_BUILD, "{javatuples}", files=sources)),
            Artifact("run.jsa", _jvm().run_archive(_CLASS_PATH, "flextune.Sample")),
            Artifact("compile.jsa", _jvm().compile_archive(*_SERVER)),
        )

    def compiler(self, limits: Limits) -> Command:
        """A server that stays and compiles one source after another."""
        return _jvm().compile_server(limits, *_SERVER)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The main class in its own virtual machine."""
        return _jvm().program(program, limits, _CLASS_PATH)


def _jvm() -> Jvm:
    return Jvm(mounts={"javatuples": _javatuples() or Path()})


def _javatuples() -> Path | None:
    named = os.environ.get("FLEXTUNE_JAVATUPLES")
    for candidate in (named,) if named else _JAVATUPLES:
        if os.path.isfile(candidate):
            return Path(os.path.realpath(candidate))
    return None


LANGUAGE = Java()
