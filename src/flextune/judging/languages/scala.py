"""Scala 2: a warm compiler that stays, and a fresh virtual machine for every program."""

from __future__ import annotations

import re
import zipfile
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Artifact, Basis, Toolchain, find_program, prefix_of
from flextune.judging.languages.jvm import LAUNCHER_JAR, SOURCES, Jvm, jdk
from flextune.judging.languages.marks import Seam, with_marked_main
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_SCALA_SOURCES = Path(__file__).parent / "runners" / "scala"
_INSTALL = "apt-get install scala"
_MAIN = re.compile(r"\bdef\s+main\s*\([^)]*\)\s*(?::\s*Unit\s*)?=?\s*\{")
_OWN_ASSERT = re.compile(r"\bdef\s+assert\b|\bimport\b[^\n]*\bassert\b")
# Our own two languages of sources: the launcher is the one of Java.
_BUILD = (
    'mkdir "$TMPDIR/classes" && "$1/javac" -encoding UTF-8 -d "$TMPDIR/classes" {program}/*.java >&2 && '
    '"$1/java" -cp "$2" scala.tools.nsc.Main -nowarn -cp "$2" -d "$TMPDIR/classes" {program}/*.scala >&2 && '
    'cd "$TMPDIR/classes" && "$1/jar" --create --no-compress --file "$TMPDIR/it.jar" flextune && '
    'cat "$TMPDIR/it.jar" >&4'
)


class Scala(Basis):
    """Scala; MultiPL-E's name is ``scala``."""

    name = "scala"
    suffix = ".scala"
    canary = "object Canary { def main(arguments: Array[String]): Unit = {} }\n"
    comment = "//"

    def toolchain(self) -> Toolchain:
        """The compiler's jars beside ``scalac``, and a JDK, or how to install them."""
        java = jdk()
        if not java.found:
            return java
        library, compiler = _jar("library"), _jar("compiler")
        if library is None or compiler is None:
            return Toolchain(found=False, missing="scalac (Scala 2)", install=_INSTALL)
        return Toolchain(found=True, version=f"{_version(library)} on Java {java.version}", path=java.path)

    def mark(self, cut: Seam) -> str:
        """A statement in the tests' main method; the import is at odds with an `assert` of the solution's."""
        trace = "_root_.java.util.Arrays.asList(new _root_.java.lang.Throwable().getStackTrace: _*).toString"
        statement = f'_root_.java.lang.System.setProperty("{{tag}}", {trace});'
        own = "" if _OWN_ASSERT.search(cut.tests) else "import _root_.scala.Predef.assert; "
        return with_marked_main(cut, _MAIN, own + statement)

    def artifacts(self) -> tuple[Artifact, ...]:
        """Launcher and compile server, and an archive of preloaded classes for each."""
        paths = [SOURCES / "Launcher.java", *sorted(_SCALA_SOURCES.glob("*.scala"))]
        sources = {path.name: path.read_bytes() for path in paths}
        return (
            Artifact("launcher.jar", _jvm().shell(_BUILD, _compiler_path(), files=sources)),
            Artifact("run.jsa", _jvm().run_archive(_class_path(), "flextune.ScalaSample")),
            Artifact("compile.jsa", _jvm().compile_archive(*_server())),
        )

    def compiler(self, limits: Limits) -> Command:
        """A server that stays and compiles one source after another."""
        return _jvm().compile_server(limits, *_server())

    def run(self, program: bytes, limits: Limits) -> Command:
        """The main class in its own virtual machine."""
        return _jvm().program(program, limits, _class_path())


def _jvm() -> Jvm:
    library = _jar("library")
    return Jvm(readable=prefix_of(library) if library else ())


def _class_path() -> str:
    return f"{LAUNCHER_JAR}:{_jar('library')}"


def _compiler_path() -> str:
    jars = (_jar(name) for name in ("compiler", "library", "reflect", "xml", "parser-combinators"))
    return ":".join(str(jar) for jar in jars if jar)


def _server() -> tuple[str, ...]:
    return (f"{LAUNCHER_JAR}:{_compiler_path()}", "flextune.ScalaCompileServer", str(_jar("library")))


def _jar(part: str) -> Path | None:
    """One of Scala's own jars; newer versions put some of them into others, and some versions into none."""
    compiler = find_program("scalac")
    if compiler is None:
        return None
    jar = compiler.parent.parent / "lib" / f"scala-{part}.jar"
    return jar.resolve() if jar.is_file() else None


@cache
def _version(library: Path) -> str:
    """The version that the library's jar names; the compiler itself takes a second to say it."""
    try:
        with zipfile.ZipFile(library) as jar:
            match = re.search(rb"^version\.number=(.+)$", jar.read("library.properties"), re.MULTILINE)
    except (OSError, KeyError, zipfile.BadZipFile):
        return ""
    return match.group(1).decode().strip() if match else ""


LANGUAGE = Scala()
