"""Bash.

A program that ends with exit status 1 is a wrong answer: that is how MultiPL-E's tests fail.
"""

from __future__ import annotations

from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Tool, prefix_of
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.sh"
# The exit status stays that of the program's own last command.
_END = b'\ncase $? in 0) builtin kill -s USR1 "$PPID" ;; *) builtin exit "$?" ;; esac\n'
_NO_MEMORY = (b"cannot allocate", b"Cannot allocate memory")


class Bash(Basis):
    """Bash; MultiPL-E's name is ``sh``."""

    name = "sh"
    suffix = ".sh"
    tools = (Tool("bash", "apt-get install bash"),)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, which starts the program beside it."""
        bash = Path(self.toolchain().path)
        return Command(
            argv=(str(bash), "{program}/runner.sh", f"{{program}}/{self.file_name()}"),
            files={"runner.sh": _RUNNER.read_bytes(), self.file_name(): program + _END},
            readable=prefix_of(bash),
        )

    def classify(self, result: Result, secret: bytes) -> Finding:
        """Bash says that it gets no more memory, and ends like a program that failed."""
        finding = super().classify(result, secret)
        if finding.outcome in ("wrong_answer", "exception") and any(
            text in result.errors for text in _NO_MEMORY
        ):
            return Finding("memory_limit", finding.stage, finding.message)
        return finding


LANGUAGE = Bash()
