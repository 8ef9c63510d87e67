"""D, by ldc: the unit tests of one module, or its main function where it has none."""

from __future__ import annotations

import re
from pathlib import Path

from flextune.judging.languages.base import Finding, ends
from flextune.judging.languages.marks import BRACES, Seam, marked
from flextune.judging.languages.native import SHIM, Native, fastest_linker, linker
from flextune.judging.sandbox.command import Result

# Frames of a trace that is not resolved to lines.
_ADDRESSES = re.compile(rb"^(\?\?:\?.*|-{16})\n", re.MULTILINE)
_VARIABLE = re.compile(rb"flextune_end_[0-9a-f]{32}")
_CONFIGURATION = (Path("/etc/ldc2.conf"),)


class D(Native):
    """D; MultiPL-E's name is ``d``."""

    name = "d"
    suffix = ".d"
    ends_source = "\0\x1a"
    compiler_name = "ldc2"
    install = "apt-get install ldc"
    sample = b"import std.math;\nunittest { assert(abs(-1) == 1); }\nvoid main() {}\n"
    output = "-of="
    closing = BRACES

    def readable(self) -> tuple[Path, ...]:
        """Besides, the compiler's configuration, which says where the standard library is."""
        return (*super().readable(), *(path for path in _CONFIGURATION if path.is_file()))

    def mark(self, cut: Seam) -> str:
        """A variable before the tests, and one after them that says that their end was reached.

        The linker asks for the second. Unit tests are run in their order, so the last one, the judge's, sets
        it when those before it held.
        """
        if not cut.has_tests:
            return cut.source
        start, end = f"flextune_start_{cut.tag}", f"flextune_end_{cut.tag}"
        before = f" extern(C) __gshared bool {start} = true; "
        if re.search(r"\bunittest\b", cut.tests):
            after = f"extern(C) __gshared bool {end}; @system unittest {{ {end} = {start}; }}"
        else:
            after = f"extern(C) __gshared bool {end} = true; alias {end}_start = {start};"
        return marked(cut, before, after, separator="")

    def arguments(self, source: bytes) -> tuple[str, ...]:
        """Unit tests are compiled in; where there are some, the runtime runs them in place of main."""
        fast = tuple(f"-Xcc={argument}" for argument in fastest_linker())
        return (
            "-unittest",
            self.file_name(),
            SHIM,
            "-L--wrap=main",
            f"--gcc={linker()}",
            *fast,
            *(f"-L--defsym=flextune_ended={name.decode()}" for name in _VARIABLE.findall(source)[-1:]),
            "-verrors=5",
        )

    def classify(self, result: Result, secret: bytes) -> Finding:
        """What a failure was about is told by what the runtime says of it."""
        finding = super().classify(result, secret)
        if finding.outcome != "exception":
            return finding
        # The failures of unit tests are on standard output, their number on standard error.
        report = _ADDRESSES.sub(b"", result.output + b"\n" + result.errors)
        message = ends(report)
        if b": [unittest] " in report or b"core.exception.AssertError@" in report:
            return Finding("wrong_answer", finding.stage, message)
        if b"core.exception.OutOfMemoryError" in report:
            return Finding("memory_limit", finding.stage, message)
        return Finding(finding.outcome, finding.stage, message or finding.message)


LANGUAGE = D()
