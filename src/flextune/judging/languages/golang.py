"""Go: the test functions of one file, or its main function, compiled by a server without the go command."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache
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
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

#: The first with ``debug.SetMaxStack``, GOMEMLIMIT and ``binary.AppendByteOrder``.
OLDEST = (1, 19)

_SOURCES = Path(__file__).parent / "runners" / "go"
_SERVER = "{runtime}/compile_server"
_BUILD = 'cd {program} && "$1" build -o "$TMPDIR/it" *.go >&2 && exec cat "$TMPDIR/it" >&4'
# A copy, because the cache need not be on a file system that allows execution.
_SERVE = f'cp {_SERVER} "$TMPDIR/server" && chmod 700 "$TMPDIR/server" && exec "$TMPDIR/server" "$@"'

_MOST_LINES = 8
_TEST = re.compile(r"^func[ \t]+(Test\w*)[ \t]*\(\s*\w*\s*\*(?:testing\.)?T\s*\)", re.MULTILINE)
_MAIN = re.compile(r"^func[ \t]+(main)[ \t]*\(", re.MULTILINE)
# What leaves tests out; where the tests say so themselves it is right.
_SKIPS = re.compile(r"\.Skip")


class Go(Basis):
    """Go; MultiPL-E's name is ``go``."""

    name = "go"
    suffix = ".go"
    canary = "package main\nfunc main() {}\n"
    comment = "//"

    def file_name(self) -> str:
        """What ``go test`` takes for tests."""
        return f"main_test{self.suffix}"

    def marked(self, source: str, tests_at: int | None) -> str:
        """A comment at the end: where the tests begin, which functions they have, whether these may skip.

        The compile server looks for just these functions behind that place.
        """
        if tests_at is None:
            return source
        tests = source[tests_at:]
        names = _TEST.findall(tests) or _MAIN.findall(tests)
        place = len(source[:tests_at].encode("utf-8", "replace"))
        skips = "skips" if _SKIPS.search(tests) else "all"
        return f"{source}\n//flextune {place} {skips} {' '.join(names)}"

    def toolchain(self) -> Toolchain:
        """Go on PATH, or how to install it."""
        go = find_program("go")
        if go is None:
            return Toolchain(found=False, missing="go", install="apt-get install golang-go")
        version = version_of(go, "version")
        if not version or tuple(map(int, version.split(".")[:2])) < OLDEST:
            oldest = ".".join(map(str, OLDEST))
            return Toolchain(
                found=False,
                version=version,
                missing=f"Go {oldest} or newer (found {version or 'an unknown version'})",
                install="https://go.dev/dl",
            )
        return Toolchain(found=True, version=version, path=str(go))

    def artifacts(self) -> tuple[Artifact, ...]:
        """The compile server, and the compiled standard library."""
        source = {name: (_SOURCES / name).read_bytes() for name in ("compile_server.go", "entry_points.go")}
        return (
            Artifact("compile_server", self._shell(_BUILD, self.toolchain().path, files=source)),
            Artifact("std.zip", self._shell(_SERVE, "pack")),
        )

    def compiler(self, limits: Limits) -> Command:
        """A server that stays and compiles one source after another."""
        runner = {"runner.go": (_SOURCES / "runner.go").read_bytes()}
        return self._shell(_SERVE, "serve", "{runtime}/std.zip", "{program}/runner.go", files=runner)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The executable that was compiled and linked."""
        return Command(
            argv=("{program}/program", str(limits.memory_bytes // 4)),
            files={"program": program},
            # Garbage alone is no reason to reach the limit.
            environment={"GOMEMLIMIT": str(limits.memory_bytes * 3 // 4)},
        )

    def classify(self, result: Result, secret: bytes) -> Finding:
        """The runtime says when memory is out, and then lists what every goroutine did."""
        finding = super().classify(replace(result, errors=self._without_traces(result.errors)), secret)
        if finding.outcome == "exception" and b"runtime: out of memory" in result.errors:
            return Finding("memory_limit", finding.stage, finding.message)
        return finding

    def _without_traces(self, errors: bytes) -> bytes:
        """What the runtime said last, and the program's own lines in the traces that follow."""
        start = max(map(errors.rfind, (b"panic: ", b"fatal error: ")))
        if start < 0:
            return errors
        message, _, traces = errors[start:].partition(b"\n\n")
        lines = [line for line in traces.split(b"\n") if self.file_name().encode() + b":" in line]
        return b"\n".join([message, *lines[:_MOST_LINES]])

    def _shell(self, script: str, *arguments: str, files: dict[str, bytes] | None = None) -> Command:
        root = _root(Path(self.toolchain().path))
        return Command(
            argv=("/bin/sh", "-c", script, "sh", *arguments),
            files=files or {},
            readable=prefix_of(root / "bin" / "go"),
            environment={
                "GOROOT": str(root),
                "GOENV": "off",
                "GO111MODULE": "off",
                "GOTOOLCHAIN": "local",
                "GOFLAGS": "",
                "CGO_ENABLED": "0",
            },
        )


@cache
def _root(go: Path) -> Path:
    """The folder of the toolchain; the program on PATH may be a wrapper elsewhere."""
    try:
        answer = subprocess.run(
            (go, "env", "GOROOT"), capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return go.parent.parent
    return Path(answer.stdout.strip() or go.parent.parent)


LANGUAGE = Go()
