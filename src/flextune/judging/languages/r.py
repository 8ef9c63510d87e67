"""R, started without the shell scripts that set its environment up."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Artifact, Basis, Tool, prefix_of
from flextune.judging.languages.marks import BRACES, Seam, marked, tag_of, with_exits
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_RUNNERS = Path(__file__).parent / "runners"
_OPTIONS = ("--no-echo", "--no-restore", "--no-save", "--no-environ", "--no-init-file")
# Debian keeps there what R reads at its start.
_SETTINGS = (Path("/etc/R"),)
_INSTALL = "apt-get install r-base-core"
_EXIT = re.compile(r"(?:^|[;{}])[ \t]*(?P<exit>q|quit)(?P<status>(?!))?\(", re.MULTILINE)


@cache
def _home(script: Path) -> Path:
    """Where R's own files are, as R says it."""
    try:
        answer = subprocess.run(
            (script, "RHOME"), capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return Path("/nonexistent")
    return Path(answer.stdout.strip())


def _binary(script: Path) -> Path:
    return _home(script) / "bin" / "exec" / "R"


class R(Basis):
    """R; MultiPL-E's name is ``r``."""

    name = "r"
    suffix = ".r"
    oldest = "4.0"
    tools = (
        Tool("R", _INSTALL),
        Tool("R's own bin/exec/R", _INSTALL, is_here=lambda script: _binary(script).is_file()),
    )
    closing = BRACES

    def executable(self, program: Path) -> Path:
        """The program behind the shell script that is on PATH."""
        return _binary(program)

    def artifacts(self) -> tuple[Artifact, ...]:
        """What R's default packages offer."""
        command = self._command(
            (*_OPTIONS, "--no-site-file", "--file={program}/packages.R"),
            {"packages.R": _script("packages.R")},
        )
        return (Artifact("packages", command),)

    def mark(self, cut: Seam) -> str:
        """A call before the tests and one after them."""
        before, after = f"flextune_mark('{cut.tag}', TRUE);", f"flextune_mark('{cut.tag}');"
        leaving = f"do.call({{exit}}, flextune_left_{cut.tag}(list({{status}})))"
        return marked(replace(cut, tests=with_exits(cut.tests, _EXIT, leaving)), before, after)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The program as R's main script, with the runner as its profile."""
        return self._command(
            (*_OPTIONS, f"--file={{program}}/{self.file_name()}"),
            {"runner.R": _script("runner.R"), self.file_name(): program},
            "R_PROFILE={program}/runner.R",
            "FLEXTUNE_PACKAGES={runtime}/packages",
            f"FLEXTUNE_TAG={tag_of(program)}",
            R_MAX_VSIZE=str(limits.memory_bytes * 3 // 4),
        )

    def _command(
        self, arguments: tuple[str, ...], files: dict[str, bytes], *settings: str, **environment: str
    ) -> Command:
        binary = Path(self.toolchain().path)
        home = binary.parents[2]
        return Command(
            # env, because the environment cannot name the program's folder.
            argv=("/usr/bin/env", *settings, str(binary), *arguments),
            files=files,
            readable=(*prefix_of(home / "bin"), *filter(Path.is_dir, _SETTINGS)),
            environment={"R_HOME": str(home), "LD_LIBRARY_PATH": str(home / "lib"), **environment},
        )


def _script(name: str) -> bytes:
    return (_RUNNERS / name).read_bytes()


LANGUAGE = R()
