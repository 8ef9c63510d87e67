"""Python, by the interpreter that flextune itself runs on, without its installed packages."""

from __future__ import annotations

import sys
from pathlib import Path

from flextune.judging.languages.base import Basis, Toolchain
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.helper import interpreter
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.py"


class Python(Basis):
    """``py``."""

    name = "py"
    suffix = ".py"

    def toolchain(self) -> Toolchain:
        """The base interpreter of this process, virtual environments left aside."""
        version = ".".join(map(str, sys.version_info[:3]))
        return Toolchain(found=True, version=version, path=str(interpreter()))

    def run(self, program: bytes, limits: Limits) -> Command:
        """The warm runner, with the source beside it."""
        return Command(
            argv=(f"{{program}}/{self.file_name()}",),
            files={self.file_name(): program},
            address_space=True,
            # A fixed order of sets: the same program gets the same verdict every time.
            environment={"PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "2"},
            warm=_RUNNER,
        )


LANGUAGE = Python()
