"""D, by ldc: the unit tests of one module, then its main function."""

from __future__ import annotations

from flextune.judging.languages.base import Finding
from flextune.judging.languages.native import SHIM, Native, fastest_linker, linker
from flextune.judging.sandbox.command import Result


class D(Native):
    """``d``."""

    name = "d"
    suffix = ".d"
    compiler_name = "ldc2"
    install = "apt-get install ldc"
    output = "-of="

    def arguments(self, source: bytes) -> tuple[str, ...]:
        """Unit tests are compiled in; the runtime runs them before the main function."""
        fast = tuple(f"-Xcc={argument}" for argument in fastest_linker())
        return ("-unittest", self.file_name(), SHIM, "-L--wrap=main", f"--gcc={linker()}", *fast, "-verrors=5")

    def classify(self, result: Result, secret: bytes) -> Finding:
        """What a failure was about is told by what the runtime says of it."""
        finding = super().classify(result, secret)
        if finding.outcome != "exception":
            return finding
        if b": [unittest] " in result.errors or b"core.exception.AssertError@" in result.errors:
            return Finding("wrong_answer", finding.stage, finding.message)
        if b"core.exception.OutOfMemoryError" in result.errors:
            return Finding("memory_limit", finding.stage, finding.message)
        return finding


LANGUAGE = D()
