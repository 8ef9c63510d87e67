"""Bash.

A program that ends with exit status 1 is a wrong answer: that is how MultiPL-E's tests fail.
"""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Tool, prefix_of
from flextune.judging.languages.marks import BRACES, Seam, marked, tag_of
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.sh"
# Aliases and the DEBUG trap can take commands away before they run; neither is anything that tests rely on.
# What stands for the tests' own exits says so in the shell itself, and in no subshell.
_BEGIN = (
    "\\builtin unalias -a; \\builtin trap - DEBUG; \\builtin shopt -u extdebug; "
    'flextune_{tag}() {{ \\builtin set -- "${{1-$?}}"; '
    '[[ $1 = 0 && $BASHPID = "$$" ]] && \\builtin printf \'E%s\' {tag} >&14; \\builtin exit "$1"; }}; '
    "{asked}\\builtin printf 'B%s' {tag} >&14;\n"
)
# The exit status stays that of the program's own last command. Where tests stop at the first failure, so must
# they still do at their end.
_END = "case $? in 0) {stops}\\builtin printf 'E%s' {tag} >&14 ;; *) \\builtin exit \"$?\" ;; esac\n"
# What tests may ask before they begin.
_ASKED = '[[ "${BASH_SOURCE[0]}" = "$0" ]] && '
_STOPS = "[[ $- = *e* ]] && "
_STOPPING = re.compile(r"^set -[a-z]*e", re.MULTILINE)
_GOING_ON = re.compile(r"\bset \+")
_HERE = re.compile(r"(?<!<)<<-?[ \t]*[\"'\\]?[A-Za-z_]")
_EXIT = re.compile(r"((?:^|[;{}&|(]|\b(?:then|else|do)\b)[ \t]*)exit\b(?![-\w=.])", re.MULTILINE)
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
            end = _END.format(stops="", tag=f"{cut.tag}E{cut.tag}").replace("E%s", "B%s")
            return f"{cut.source}\n{end}"
        stopping = _STOPPING.search(cut.tests) and not _GOING_ON.search(cut.tests)
        end = _END.format(stops=_STOPS if stopping else "", tag=cut.tag)
        # The text of a script that the tests write is no command of theirs.
        place = max((match.end() for match in _HERE.finditer(cut.tests)), default=-1)
        place = cut.tests.rstrip().rfind("\n", place) + 1 if place >= 0 else 0
        tests = cut.tests[:place] + _with_exits(cut.tests[place:], f"flextune_{cut.tag}")
        begin = _BEGIN.format(asked=_ASKED if "BASH_SOURCE" in tests else "", tag=cut.tag)
        return marked(replace(cut, tests=tests), begin, end)

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


def _with_exits(tests: str, command: str) -> str:
    """The tests with ``command`` in place of every ``exit`` that is a command, and no part of a text."""

    def replaced(match: re.Match[str]) -> str:
        line = tests[tests.rfind("\n", 0, match.start()) + 1 : match.start()].replace('\\"', "")
        return match[0] if line.count('"') % 2 else f"{match[1]}{command}"

    return _EXIT.sub(replaced, tests)


LANGUAGE = Bash()
