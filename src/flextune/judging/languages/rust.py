"""Rust, by rustc, as a crate of one file."""

from __future__ import annotations

import re
import subprocess
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Finding, find_program
from flextune.judging.languages.native import SHIM, WRAP, Native, linker
from flextune.judging.sandbox.command import Result

# assert!, assert_eq! and assert_ne!; older compilers quote the message and begin no line for it.
_ASSERTION = re.compile(rb"panicked at [^\n]*(\n|')assertion ")


class Rust(Native):
    """Rust; MultiPL-E's name is ``rs``."""

    name = "rs"
    suffix = ".rs"
    compiler_name = "rustc"
    install = "apt-get install rustc"
    sample = b"fn main() { assert_eq!(vec![1].len(), 1); }\n"

    def program(self) -> Path | None:
        """The compiler itself, where the one on PATH is rustup's proxy."""
        rustc = find_program("rustc")
        return None if rustc is None else _without_proxy(rustc)

    def arguments(self, source: bytes) -> tuple[str, ...]:
        """The compiler's defaults, as MultiPL-E has them; the symbols, which nothing reads, are left out."""
        linking = ("-C", f"linker={linker()}", "-C", f"link-arg={SHIM}", "-C", f"link-arg={WRAP}")
        return (self.file_name(), *linking, "-C", "strip=symbols", "--cap-lints=allow", "--color=never")

    def classify(self, result: Result, secret: bytes) -> Finding:
        """What a panic was about is told by its message."""
        finding = super().classify(result, secret)
        if finding.outcome != "exception":
            return finding
        if _ASSERTION.search(result.errors):
            return Finding("wrong_answer", finding.stage, finding.message)
        if re.search(rb"^memory allocation of \d+ bytes failed", result.errors, re.MULTILINE):
            return Finding("memory_limit", finding.stage, finding.message)
        return finding


@cache
def _without_proxy(rustc: Path) -> Path:
    """The toolchain that rustup's proxy chooses; the proxy itself needs the home folder."""
    if rustc.name == "rustc" and not (rustc.parent / "rustup").exists():
        return rustc
    try:
        answer = subprocess.run(
            ("rustc", "--print", "sysroot"),
            capture_output=True,
            text=True,
            timeout=20,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired):
        return rustc
    chosen = Path(answer.stdout.strip(), "bin", "rustc")
    return chosen if chosen.is_file() else rustc


LANGUAGE = Rust()
