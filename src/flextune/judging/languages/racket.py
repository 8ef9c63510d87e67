"""Racket."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Toolchain, find_program, prefix_of, version_of
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.rkt"
# Debian keeps there where compiled files are; without them Racket compiles its whole library anew.
_SETTINGS = (Path("/etc/racket"),)


class Racket(Basis):
    """``rkt``."""

    name = "rkt"
    suffix = ".rkt"
    comment = ";"

    def toolchain(self) -> Toolchain:
        """Racket on PATH with rackunit, or how to install them."""
        racket = find_program("racket")
        if racket is None:
            return Toolchain(found=False, missing="racket", install="apt-get install racket")
        if not _has_rackunit(racket):
            return Toolchain(found=False, missing="rackunit", install="raco pkg install rackunit-lib")
        return Toolchain(found=True, version=version_of(racket, "--version"), path=str(racket))

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, with the source beside it."""
        racket = Path(self.toolchain().path)
        return Command(
            argv=(str(racket), "{program}/runner.rkt", f"{{program}}/{self.file_name()}"),
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


@cache
def _has_rackunit(racket: Path) -> bool:
    return bool(version_of(racket, "-l", "racket/base", "-l", "rackunit/log", "-e", "(display (version))"))


LANGUAGE = Racket()
