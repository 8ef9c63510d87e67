"""Bash.

A program that ends with exit status 1 is a wrong answer: that is how MultiPL-E's tests fail.
"""

from __future__ import annotations

import re
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Tool, prefix_of
from flextune.judging.languages.marks import BRACES, Seam, marked, tag_of
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.sh"
# Aliases and the DEBUG trap can take commands away before they run; neither is anything that tests rely on.
_BEGIN = (
    "\\builtin unalias -a; \\builtin trap - DEBUG; \\builtin shopt -u extdebug; "
    "\\builtin printf 'B%s' {tag} >&9;\n"
)
# The exit status stays that of the program's own last command.
_END = "case $? in 0) \\builtin printf 'E%s' {tag} >&9 ;; *) \\builtin exit \"$?\" ;; esac\n"
_LAST = re.compile(r"^[ \t]*exit\b[^\n]*\s*\Z", re.MULTILINE)
_NO_MEMORY = (b"cannot allocate", b"Cannot allocate memory")


class Bash(Basis):
    """Bash; MultiPL-E's name is ``sh``."""

    name = "sh"
    suffix = ".sh"
    tools = (Tool("bash", "apt-get install bash"),)
    closing = BRACES

    def mark(self, cut: Seam) -> str:
        """A command before the tests and one after them."""
        if not cut.has_tests:
            # Nothing may stand between the last command and the question for its status.
            return f"{cut.source}\n{_END.format(tag=f'{cut.tag}E{cut.tag}').replace('E%s', 'B%s')}"
        return marked(cut, _BEGIN.format(tag=cut.tag), _END.format(tag=cut.tag), _LAST)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, which starts the program beside it."""
        bash = Path(self.toolchain().path)
        return Command(
            argv=(str(bash), "{program}/runner.sh", f"{{program}}/{self.file_name()}", tag_of(program)),
            files={"runner.sh": _RUNNER.read_bytes(), self.file_name(): program},
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
