"""D, by ldc: the unit tests of one module, or its main function where it has none."""

from __future__ import annotations

import re
from pathlib import Path

from flextune.judging.languages.base import Finding, tail
from flextune.judging.languages.native import SHIM, Native, fastest_linker, linker
from flextune.judging.sandbox.command import Result

# Frames of a trace that is not resolved to lines.
_ADDRESSES = re.compile(rb"^(\?\?:\?.*|-{16})\n", re.MULTILINE)
_CONFIGURATION = (Path("/etc/ldc2.conf"),)


class D(Native):
    """D; MultiPL-E's name is ``d``."""

    name = "d"
    suffix = ".d"
    compiler_name = "ldc2"
    install = "apt-get install ldc"
    sample = b"import std.math;\nunittest { assert(abs(-1) == 1); }\nvoid main() {}\n"
    output = "-of="

    def readable(self) -> tuple[Path, ...]:
        """Besides, the compiler's configuration, which says where the standard library is."""
        return (*super().readable(), *(path for path in _CONFIGURATION if path.is_file()))

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
            "-verrors=5",
        )

    def classify(self, result: Result, secret: bytes) -> Finding:
        """What a failure was about is told by what the runtime says of it."""
        finding = super().classify(result, secret)
        if finding.outcome != "exception":
            return finding
        # The failures of unit tests are on standard output, their number on standard error.
        report = _ADDRESSES.sub(b"", result.output + b"\n" + result.errors)
        message = tail(report)
        if b": [unittest] " in report or b"core.exception.AssertError@" in report:
            return Finding("wrong_answer", finding.stage, message)
        if b"core.exception.OutOfMemoryError" in report:
            return Finding("memory_limit", finding.stage, message)
        return Finding(finding.outcome, finding.stage, message or finding.message)


LANGUAGE = D()
