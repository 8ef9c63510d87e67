"""Java: a warm compiler that stays, and a fresh virtual machine for every program."""

from __future__ import annotations

import os
from pathlib import Path

from flextune.judging.languages.base import Artifact, Basis, Toolchain, find_program, prefix_of, version_of
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import MIB, Limits

#: The launcher and the class archives need it.
OLDEST = 17

_SOURCES = Path(__file__).parent / "runners" / "flextune"
_JAVATUPLES = ("/usr/share/java/javatuples.jar", "/usr/share/java/javatuples-1.2.jar")
_JAR = "{runtime}/launcher.jar"
# Our own classes come first, so that a program's class of the same name is never loaded in their place.
_CLASS_PATH = f"{_JAR}:{{javatuples}}:{{program}}/program.jar"
_LEAN = ("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto", "-Xlog:disable")
_COMPILING = (*_LEAN, "-XX:+UseSerialGC")
# Up to JDK 17 only this collector can take the objects of the JDK's own class archive, which saves a third of a start;
# with one thread each for its tasks it costs a short program nothing. The archives are mapped where they were made
# for, in place of being adapted to a random address at every start.
_RUNNING = (
    *_LEAN,
    "-XX:+UseG1GC",
    "-XX:ParallelGCThreads=1",
    "-XX:ConcGCThreads=1",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:ArchiveRelocationMode=0",
)


class Java(Basis):
    """``java``."""

    name = "java"
    suffix = ".java"
    comment = "//"

    def file_name(self) -> str:
        """MultiPL-E's class is ``Problem``."""
        return f"Problem{self.suffix}"

    def toolchain(self) -> Toolchain:
        """A JDK (17 or newer) on PATH and the javatuples library, or how to install them."""
        compiler = find_program("javac")
        if compiler is None:
            return Toolchain(found=False, missing="javac", install="apt-get install default-jdk-headless")
        if _javatuples() is None:
            return Toolchain(
                found=False,
                missing="javatuples.jar",
                install="apt-get install libjavatuples-java (or name the jar in $FLEXTUNE_JAVATUPLES)",
            )
        version = version_of(compiler, "-version")
        if int(version.partition(".")[0] or 0) < OLDEST:
            return Toolchain(
                found=False,
                version=version,
                missing=f"JDK {OLDEST} or newer (found {version})",
                install=f"apt-get install openjdk-{OLDEST}-jdk-headless",
            )
        return Toolchain(found=True, version=version, path=str(compiler.parent / "java"))

    def artifacts(self) -> tuple[Artifact, ...]:
        """Launcher and compile server, and an archive of preloaded classes for each."""
        sources = {path.name: path.read_bytes() for path in sorted(_SOURCES.glob("*.java"))}
        build = (
            'javac=$0; "$javac" -encoding UTF-8 -cp "$1" -d $TMPDIR/classes {program}/*.java >&2 && '
            'cd $TMPDIR/classes && "${javac%javac}jar" --create --no-compress --file $TMPDIR/launcher.jar flextune '
            "&& cat $TMPDIR/launcher.jar >&4"
        )
        return (
            Artifact(
                "launcher.jar", self._shell(build, str(self._tool("javac")), "{javatuples}", files=sources)
            ),
            # The sample is run as programs are, so that the launcher and all that it uses are in the archive too.
            Artifact(
                "run.jsa",
                self._archive(
                    *(*_RUNNING, "-cp", f"{_JAR}:{{javatuples}}", "flextune.Launcher", "flextune.Sample"),
                    sent=bytes(32),
                ),
            ),
            Artifact(
                "compile.jsa",
                self._archive(*_COMPILING, "-cp", _JAR, "flextune.CompileServer", "{javatuples}"),
            ),
        )

    def compiler(self, limits: Limits) -> Command:
        """The compile server."""
        heap = max(64, limits.memory_bytes // MIB // 2)
        options = (*_COMPILING, f"-Xmx{heap}m", "-cp", _JAR)
        return self._java("compile.jsa", *options, "flextune.CompileServer", "{javatuples}")

    def run(self, program: bytes, limits: Limits) -> Command:
        """The main class in its own virtual machine."""
        name, _, jar = program.partition(b"\n")
        heap = max(16, limits.memory_bytes // MIB * 5 // 8)
        options = (*_RUNNING, f"-Xmx{heap}m", "-Xss8m", "-ea", "-cp", _CLASS_PATH)
        return self._java("run.jsa", *options, "flextune.Launcher", name.decode(), files={"program.jar": jar})

    def _java(self, archive: str, *arguments: str, files: dict[str, bytes] | None = None) -> Command:
        argv = (str(self._tool("java")), f"-XX:SharedArchiveFile={{runtime}}/{archive}", *arguments)
        return self._command(argv, files or {})

    def _archive(self, *arguments: str, sent: bytes = b"") -> Command:
        """Runs a main class that is sent ``sent``, and archives the classes it loaded."""
        script = (
            '"$0" -XX:ArchiveClassesAtExit="$TMPDIR/it.jsa" "$@" 3<{program}/sent 4>/dev/null >&2 '
            '&& cat "$TMPDIR/it.jsa" >&4'
        )
        return self._shell(script, str(self._tool("java")), *arguments, files={"sent": sent})

    def _shell(self, script: str, *arguments: str, files: dict[str, bytes] | None = None) -> Command:
        return self._command(("/bin/sh", "-c", script, *arguments), files or {})

    def _command(self, argv: tuple[str, ...], files: dict[str, bytes]) -> Command:
        return Command(
            argv=argv,
            files=files,
            mounts={"javatuples": _javatuples() or Path()},
            readable=prefix_of(self._tool("java")),
            environment={"MALLOC_ARENA_MAX": "2"},
        )

    def _tool(self, name: str) -> Path:
        compiler = find_program("javac") or Path("javac")
        return compiler.parent / name


def _javatuples() -> Path | None:
    named = os.environ.get("FLEXTUNE_JAVATUPLES")
    for candidate in (named,) if named else _JAVATUPLES:
        if os.path.isfile(candidate):
            return Path(os.path.realpath(candidate))
    return None


LANGUAGE = Java()
