"""Perl.

A program that ends with exit status 1 is a wrong answer: that is how MultiPL-E's tests fail, and ``die`` ends
with another.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Toolchain, find_program, prefix_of, version_of
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.pm"


class Perl(Basis):
    """``pl``."""

    name = "pl"
    suffix = ".pl"

    def toolchain(self) -> Toolchain:
        """Perl on PATH with Test::Deep, or how to install them."""
        perl = find_program("perl")
        if perl is None:
            return Toolchain(found=False, missing="perl", install="apt-get install perl libtest-deep-perl")
        if not _has_test_deep(perl):
            return Toolchain(found=False, missing="Test::Deep", install="apt-get install libtest-deep-perl")
        return Toolchain(found=True, version=version_of(perl, "--version"), path=str(perl))

    def run(self, program: bytes, limits: Limits) -> Command:
        """The program as the main script, with the runner loaded before it."""
        perl = Path(self.toolchain().path)
        return Command(
            argv=(str(perl), "-I{program}", "-Mrunner", f"{{program}}/{self.file_name()}"),
            files={"runner.pm": _RUNNER.read_bytes(), self.file_name(): program + b"\n;Flextune::end();\n"},
            readable=prefix_of(perl),
            address_space=True,
            # A fixed order of hashes: the same program gets the same verdict every time.
            environment={"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"},
        )

    def classify(self, result: Result, secret: bytes) -> Finding:
        """Perl ends with exit status 1, too, when it gets no more memory."""
        finding = super().classify(result, secret)
        if finding.outcome in ("wrong_answer", "exception") and b"Out of memory" in result.errors[-200:]:
            return Finding("memory_limit", finding.stage, finding.message)
        return finding


@cache
def _has_test_deep(perl: Path) -> bool:
    return bool(version_of(perl, "-MTest::Deep::NoTest", "-e", "print $Test::Deep::VERSION"))


LANGUAGE = Perl()
