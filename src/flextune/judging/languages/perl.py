"""Perl.

A program that ends with exit status 1 is a wrong answer: that is how MultiPL-E's tests fail, and ``die`` ends
with another.
"""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Finding, Tool, prefix_of, version_of
from flextune.judging.languages.marks import BRACES, Seam, marked, tag_of, with_exits
from flextune.judging.sandbox.command import Command, Result
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.pm"

_LAST = re.compile(r"^__(?:END|DATA)__$.*\Z", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(
    r"(?:^|[;{}])[ \t]*(?P<exit>exit)"
    r"(?:[ \t]*\(|(?P<status>(?:[ \t]+(?!if\b|unless\b)(?:[^\n;}#'\"]|\$#)*?)?)"
    r"(?=[ \t]*(?:$|[;}]|(?<!\$)#|(?:if|unless)\b)))",
    re.MULTILINE,
)
# What leaves tests of Test::More out; where the tests say so themselves it is right.
_OMITS = re.compile(r"\b(?:SKIP|TODO|skip_all|todo_skip)\b")
# A check of Test::More. Where tests choose, repeat, or name a check to call it later, their text does not say
# how many they make.
_CHECK = re.compile(
    r"^[ \t]*(?:.*\bsub[ \t]*\{[ \t]*)?"
    r"(?:ok|is|isnt|like|unlike|is_deeply|cmp_ok|can_ok|isa_ok|pass)\b[ \t(]",
    re.MULTILINE,
)
_CHOOSES = re.compile(
    r"\b(?:if|unless|for|foreach|while|until|map|grep|subtest|and|or|sub[ \t]+\w+)\b|\?|&&|\|\|"
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
        """A call before the tests, which says how many checks they make, and one after them."""
        checks = len(_CHECK.findall(cut.tests))
        least = min(checks, 1) if _CHOOSES.search(cut.tests) else checks
        tests = with_exits(cut.tests, _EXIT, f"exit(Flextune::left_{cut.tag}({{status}}))")
        before = f";Flextune::mark('{cut.tag}', {least}, {int(bool(_OMITS.search(cut.tests)))});"
        return marked(replace(cut, tests=tests), before, f";Flextune::mark('{cut.tag}');", _LAST)

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
