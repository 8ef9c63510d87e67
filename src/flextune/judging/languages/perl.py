"""Perl.

A program that ends with exit status 1 is a wrong answer: that is how MultiPL-E's tests fail, and ``die`` ends
with another.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Tool, prefix_of, version_of
from flextune.judging.languages.marks import BRACES, Seam, marked, tag_of
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.pm"

_LAST = re.compile(
    r"^(?:[ \t]*exit\b[^\n]*\s*(?:^__(?:END|DATA)__$.*)?|__(?:END|DATA)__$.*)\Z", re.MULTILINE | re.DOTALL
)


@cache
def _has_test_deep(perl: Path) -> bool:
    return bool(version_of(perl, "-MTest::Deep::NoTest", "-e", "print $Test::Deep::VERSION"))


class Perl(Basis):
    """Perl; MultiPL-E's name is ``pl``."""

    name = "pl"
    suffix = ".pl"
    ends_source = "\x04\x1a"
    tools = (
        Tool("perl", "apt-get install perl libtest-deep-perl"),
        Tool("Test::Deep", "apt-get install libtest-deep-perl", is_here=_has_test_deep),
    )
    closing = BRACES

    def mark(self, cut: Seam) -> str:
        """A call before the tests and one after them."""
        call = f";Flextune::mark('{cut.tag}');"
        return marked(cut, call, call, _LAST)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The program as the main script, with the runner loaded before it."""
        perl = Path(self.toolchain().path)
        return Command(
            argv=(
                str(perl),
                "-I{program}",
                f"-Mrunner={tag_of(program) or 'none'}",
                f"{{program}}/{self.file_name()}",
            ),
            files={"runner.pm": _RUNNER.read_bytes(), self.file_name(): program},
            readable=prefix_of(perl),
            # A fixed order of hashes: the same program gets the same verdict every time.
            environment={"PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"},
        )

    def classify(self, result: Result, secret: bytes) -> Finding:
        """Perl ends with exit status 1, too, when it gets no more memory."""
        finding = super().classify(result, secret)
        if finding.outcome in ("wrong_answer", "exception") and b"Out of memory" in result.errors[-200:]:
            return Finding("memory_limit", finding.stage, finding.message)
        return finding


LANGUAGE = Perl()
