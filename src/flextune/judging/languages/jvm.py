"""What languages share whose programs run on the Java virtual machine."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from flextune.judging.languages.base import Toolchain, find_program, prefix_of, version_of
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import MIB, Limits

#: The launcher and the class archives need it.
OLDEST = 17
#: Where the launcher's sources are.
SOURCES = Path(__file__).parent / "runners" / "flextune"
#: Our own classes; first on every class path, so that a program's class of the same name is never loaded.
LAUNCHER_JAR = "{runtime}/launcher.jar"

_LEAN = ("-XX:TieredStopAtLevel=1", "-XX:-UsePerfData", "-Xshare:auto", "-Xlog:disable")
_COMPILING = (*_LEAN, "-XX:+UseSerialGC")
# Up to JDK 17 only this collector can take the objects of the JDK's own class archive, which saves a third
# of a start; with one thread for each of its tasks it costs a short program nothing. The archives are mapped
# where they were made for, in place of being adapted to a random address at every start.
_RUNNING = (
    *_LEAN,
    "-XX:+UseG1GC",
    "-XX:ParallelGCThreads=1",
    "-XX:ConcGCThreads=1",
    "-XX:+UnlockDiagnosticVMOptions",
    "-XX:ArchiveRelocationMode=0",
)


class Jvm:
    """Commands of the JDK on PATH, for one language.

    Args:
        mounts: As in ``Command``, for every command.
        readable: Likewise.
    """

    def __init__(self, mounts: Mapping[str, Path] | None = None, readable: tuple[Path, ...] = ()) -> None:
        self._mounts, self._readable = mounts or {}, readable

    def compile_server(self, limits: Limits, *arguments: str) -> Command:
        """A server; ``arguments`` are its class path, its main class, and that class's arguments."""
        heap = max(64, limits.memory_bytes // MIB // 2)
        archive = "-XX:SharedArchiveFile={runtime}/compile.jsa"
        return self._command((_java(), archive, *_COMPILING, f"-Xmx{heap}m", "-Xss8m", "-cp", *arguments), {})

    def program(self, program: bytes, limits: Limits, class_path: str) -> Command:
        """A program as the compile servers answer it: the main class, perhaps a tag, a newline, and a jar."""
        line, _, jar = program.partition(b"\n")
        heap = max(16, limits.memory_bytes // MIB * 5 // 8)
        options = ("-XX:SharedArchiveFile={runtime}/run.jsa", *_RUNNING, f"-Xmx{heap}m", "-Xss8m", "-ea")
        argv = (_java(), *options, "-cp", f"{class_path}:{{program}}/program.jar")
        return self._command((*argv, "flextune.Launcher", *line.decode().split()), {"program.jar": jar})

    def compile_archive(self, *arguments: str) -> Command:
        """Archives the classes that a compile server loads at its start; ``arguments`` as for it."""
        return self._archive(*_COMPILING, "-cp", *arguments, sent=b"")

    def run_archive(self, class_path: str, sample: str) -> Command:
        """Archives the classes that the class ``sample`` loads when it is run as programs are."""
        return self._archive(*_RUNNING, "-cp", class_path, "flextune.Launcher", sample, sent=bytes(32))

    def shell(self, script: str, *arguments: str, files: Mapping[str, bytes]) -> Command:
        """A shell script; its first argument is the folder of the JDK's programs."""
        folder = str(Path(_java()).parent)
        return self._command(("/bin/sh", "-c", script, "sh", folder, *arguments), files)

    def _archive(self, *arguments: str, sent: bytes) -> Command:
        script = (
            'java=$1/java && shift && "$java" -XX:ArchiveClassesAtExit="$TMPDIR/it.jsa" "$@" '
            '3<{program}/sent 4>/dev/null >&2 && cat "$TMPDIR/it.jsa" >&4'
        )
        return self.shell(script, *arguments, files={"sent": sent})

    def _command(self, argv: tuple[str, ...], files: Mapping[str, bytes]) -> Command:
        return Command(
            argv=argv,
            files=files,
            mounts=self._mounts,
            readable=(*prefix_of(Path(_java())), *self._readable),
            environment={"MALLOC_ARENA_MAX": "2"},
        )


def jdk() -> Toolchain:
    """The JDK on PATH, or how to install it."""
    compiler = find_program("javac")
    if compiler is None:
        return Toolchain(found=False, missing="javac", install="apt-get install default-jdk-headless")
    version = version_of(compiler, "-version")
    if int(version.partition(".")[0] or 0) < OLDEST:
        return Toolchain(
            found=False,
            version=version,
            missing=f"JDK {OLDEST} or newer (found {version})",
            install=f"apt-get install openjdk-{OLDEST}-jdk-headless",
        )
    return Toolchain(found=True, version=version, path=str(compiler.parent / "java"))


def _java() -> str:
    compiler = find_program("javac") or Path("javac")
    return str(compiler.parent / "java")
