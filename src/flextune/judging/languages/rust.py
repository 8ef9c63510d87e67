"""Rust, by rustc, as a crate of one file."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Finding, find_program
from flextune.judging.languages.marks import BRACES, Seam, marked
from flextune.judging.languages.native import SHIM, WRAP, Native, linker
from flextune.judging.sandbox.command import Result

# That of new projects when the benchmarks were made; the compiler's own default is 2015.
_EDITION = "--edition=2021"
# assert!, assert_eq! and assert_ne!; older compilers quote the message and begin no line for it.
_ASSERTION = re.compile(rb"panicked at [^\n]*(\n|')assertion ")

# What the tests are, where they are functions for the compiler's own test runner.
_TEST = re.compile(r"#\[(?:\w+::)?test\]")
_WITH_RUNNER = "//flextune: test"
_NO_MAIN = re.compile(r"\bno_main\b")
_OWN_MAIN = re.compile(r"\bfn\s+main\s*\((?!\s*\)\s*\{\s*\})")
# What tests judge with, should the solution have macros of these names; and what may be such a macro.
_MACROS = ("assert", "assert_eq", "assert_ne", "debug_assert", "debug_assert_eq", "debug_assert_ne", "panic")
_TAKEN = re.compile(rf"\bmacro_rules\b|\bas\s+(?:r#)?(?:{'|'.join(_MACROS)})\b")
_OWN_MACROS = "".join(
    f"macro_rules! {name} {{ ($($t:tt)*) => {{ ::std::{name}!($($t)*) }} }} " for name in _MACROS
)
_OTHER_TEST = re.compile(r"\bas\s+(?:r#)?test\b")


class Rust(Native):
    """Rust; MultiPL-E's name is ``rs``."""

    name = "rs"
    suffix = ".rs"
    compiler_name = "rustc"
    install = "apt-get install rustc"
    sample = b"fn main() { assert_eq!(vec![1].len(), 1); }\n"
    closing = BRACES

    def program(self) -> Path | None:
        """The compiler itself, where the one on PATH is rustup's proxy."""
        rustc = find_program("rustc")
        return None if rustc is None else _without_proxy(rustc)

    def mark(self, cut: Seam) -> str:
        """A constant before the tests, which takes what attribute the solution ends in, and its use after.

        Macros that the solution calls like the library's are the library's again.
        """
        if not cut.has_tests:
            return cut.source
        before, after = f" const FLEXTUNE_{cut.tag}: () = (); ", f"const _: () = FLEXTUNE_{cut.tag};"
        if _TAKEN.search(cut.solution):
            before += _OWN_MACROS
        if _OWN_MAIN.search(cut.tests) and _NO_MAIN.search(cut.solution):
            after += 'compile_error!("no_main leaves out the main function of the tests");'
        if _TEST.search(cut.tests) and not _OWN_MAIN.search(cut.tests):
            after += f"\n{_WITH_RUNNER}"
        if _OTHER_TEST.search(cut.solution):
            cut = replace(cut, tests=cut.tests.replace("#[test]", "#[::core::prelude::v1::test]"))
        return marked(cut, before, after, separator="")

    def arguments(self, source: bytes) -> tuple[str, ...]:
        """The compiler's defaults but for the edition; the symbols, which nothing reads, are left out."""
        linking = ("-C", f"linker={linker()}", "-C", f"link-arg={SHIM}", "-C", f"link-arg={WRAP}")
        runner = ("--test",) if source.rstrip().endswith(_WITH_RUNNER.encode()) else ()
        options = (_EDITION, "--cap-lints=allow", "--color=never")
        return (self.file_name(), *runner, *linking, "-C", "strip=symbols", *options)

    def classify(self, result: Result, secret: bytes) -> Finding:
        """What a panic was about is told by its message."""
        finding = super().classify(result, secret)
        if finding.outcome != "exception":
            return finding
        # The test runner shows on standard output what tests said.
        if _ASSERTION.search(result.errors) or _ASSERTION.search(result.output):
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
