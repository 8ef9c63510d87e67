"""Python, by the interpreter that flextune itself runs on, without its installed packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from flextune.judging.languages.base import Basis, Toolchain, prefix_of
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.py"
# Only the standard library, so that a verdict does not depend on what happens to be installed; and
# nothing is written next to it.
_FLAGS = ("-s", "-S", "-P", "-B")


class Python(Basis):
    """``py``."""

    name = "py"
    suffix = ".py"

    def toolchain(self) -> Toolchain:
        """The base interpreter of this process, virtual environments left aside."""
        version = ".".join(map(str, sys.version_info[:3]))
        return Toolchain(found=True, version=version, path=str(_interpreter()))

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, with the source beside it."""
        interpreter = _interpreter()
        return Command(
            argv=(str(interpreter), *_FLAGS, "{program}/runner.py", f"{{program}}/{self.file_name()}"),
            files={"runner.py": _RUNNER.read_bytes(), self.file_name(): program},
            readable=prefix_of(interpreter),
            address_space=True,
            # A fixed order of sets: the same program gets the same verdict every time.
            environment={"PYTHONHASHSEED": "0", "MALLOC_ARENA_MAX": "2"},
        )


def _interpreter() -> Path:
    # A private name, but the only one that survives both virtual environments and links.
    return Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))


LANGUAGE = Python()
