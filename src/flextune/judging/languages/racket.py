"""Racket."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Tool, prefix_of, version_of
from flextune.judging.languages.marks import BRACES, Seam, marked, tag_of
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.rkt"
# Debian keeps there where compiled files are; without them Racket compiles its whole library anew.
_SETTINGS = (Path("/etc/racket"),)

_EXIT = re.compile(r"^[ \t]*\(exit(?P<status>[ \t][^\n]*)?\)\s*\Z", re.MULTILINE)
_CHECK = re.compile(r"\((?:check-|test-(?:equal|eq|true|false|not-false|exn|pred|=))")
# Where tests choose, repeat, or name a check to call it later, their text does not tell how many they make.
_CHOOSES = re.compile(r"\((?:if|cond|case|match|when|unless|for[*/]?\S*|lambda|λ|define-\S+|map|let loop)\s")


@cache
def _has_rackunit(racket: Path) -> bool:
    return bool(version_of(racket, "-l", "racket/base", "-l", "rackunit/log", "-e", "(display (version))"))


class Racket(Basis):
    """Racket; MultiPL-E's name is ``rkt``."""

    name = "rkt"
    suffix = ".rkt"
    canary = "#lang racket/base\n"
    comment = ";"
    tools = (
        Tool("racket", "apt-get install racket"),
        Tool("rackunit", "raco pkg install rackunit-lib", is_here=_has_rackunit),
    )
    closing = BRACES

    def mark(self, cut: Seam) -> str:
        """A text before the tests, with the number of their checks, and one after them.

        A module's expressions are printed, and what prints them belongs to the runner.
        """
        checks = len(_CHECK.findall(cut.tests))
        least = min(checks, 1) if _CHOOSES.search(cut.tests) else checks
        tests, after = cut.tests, f'"{cut.tag}"'
        if end := _EXIT.search(tests):
            # What the tests end with is known before they leave.
            status, kept = (end["status"] or "").strip(), f"flextune-{cut.tag}"
            leaving = f"(define {kept} {status})\n{after} (exit {kept})" if status else f"{after} (exit)"
            tests = f"{tests[: end.start()]}{leaving}"
        return marked(replace(cut, tests=tests), f' "{cut.tag} {least}" ', after, separator="")

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, with the source beside it."""
        racket = Path(self.toolchain().path)
        return Command(
            argv=(
                str(racket),
                "{program}/runner.rkt",
                f"{{program}}/{self.file_name()}",
                tag_of(program),
            ),
            files={"runner.rkt": _RUNNER.read_bytes(), self.file_name(): program},
            readable=(*prefix_of(racket), *filter(Path.is_dir, _SETTINGS)),
            # Whether compiled files are newer than their sources is the installation's business.
            environment={"PLT_COMPILED_FILE_CHECK": "exists"},
        )

    def classify(self, result: Result, secret: bytes) -> Finding:
        """A check may also fail because what it was given raised an exception; only its text tells."""
        finding = super().classify(result, secret)
        first = re.search(rb"^(FAILURE|ERROR)$", result.errors, re.MULTILINE)
        if finding.outcome == "wrong_answer" and first is not None and first[1] == b"ERROR":
            return Finding("exception", finding.stage, finding.message)
        return finding


LANGUAGE = Racket()
