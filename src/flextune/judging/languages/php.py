"""PHP, by its command-line interpreter, with settings of its own in place of the machine's."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Tool, prefix_of, version_of
from flextune.judging.languages.marks import BRACES, Seam, marked, with_exits
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.php"
# Tests may open the tag themselves that the solution closed.
_CLOSING = re.compile(BRACES.pattern + r"(?:\s*<\?php\b)?")
_EXIT = re.compile(
    r"(?:^|[;{}])[ \t]*(?P<exit>exit|die)(?:[ \t]*\(|(?P<status>)(?=[ \t]*;))", re.MULTILINE | re.IGNORECASE
)
# What switches assertions off, and what catches a failure; where the tests do so themselves it is right.
_SWITCHES = re.compile(r"assert_options|(?:zend|assert)\.\w+")
_CATCHES = re.compile(r"\bcatch\b")
_IN_TEXT = re.compile(r"\?>\s*\Z")
# What programs use and the machine's settings may load; others are for files, networks and other processes.
_EXTENSIONS = ("bcmath", "calendar", "ctype", "gmp", "iconv", "intl", "mbstring", "tokenizer")
# The settings of Debian's command line, but for two: assertions count, and errors go to standard error.
_SETTINGS = (
    "zend.assertions=1",
    "display_errors=stderr",
    "log_errors=0",
    "error_reporting=22527",
    "short_open_tag=0",
    "zend.exception_ignore_args=1",
)


@cache
def _modules(php: Path, *options: str) -> frozenset[str]:
    """The extensions that PHP has loaded, in lower case."""
    try:
        answer = subprocess.run(
            (php, *options, "-m"), capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    return frozenset(line.strip().lower() for line in answer.stdout.splitlines())


class Php(Basis):
    """PHP; MultiPL-E's name is ``php``."""

    name = "php"
    suffix = ".php"
    canary = "<?php\n"
    comment = "//"
    tools = (
        Tool("php", "apt-get install php-cli"),
        Tool(
            "PHP's tokenizer extension",
            "apt-get install php-common",
            is_here=lambda php: "tokenizer" in _modules(php),
        ),
    )
    closing = _CLOSING

    def version(self, program: Path) -> str:
        """Asked without the machine's settings, as programs run."""
        return version_of(program, "-n", "--version")

    def mark(self, cut: Seam) -> str:
        """A call before the tests, which says what they do themselves, and one after them."""
        options = "s" * bool(_SWITCHES.search(cut.tests)) + "c" * bool(_CATCHES.search(cut.tests))
        before = f" \\FlextuneTests::mark('{cut.tag}', '{options}');"
        after = f" \\FlextuneTests::mark('{cut.tag}');"
        opening = "<?php" if _IN_TEXT.search(cut.source) else ""
        if not cut.has_tests:
            return f"{cut.source}\n{opening}{before}{after}\n"
        tests = with_exits(cut.tests, _EXIT, f"{{exit}}(\\FlextuneTests::left_{cut.tag}({{status}}))")
        return marked(replace(cut, tests=tests), before, f"{opening}{after}")

    def run(self, program: bytes, limits: Limits) -> Command:
        """The program as the main script, with the runner before it."""
        php = Path(self.toolchain().path)
        loaded = _modules(php) - _modules(php, "-n")
        settings = (
            *(f"extension={name}" for name in _EXTENSIONS if name in loaded),
            *_SETTINGS,
            f"memory_limit={limits.memory_bytes * 3 // 4}",
            "auto_prepend_file={program}/runner.php",
        )
        options = [word for setting in settings for word in ("-d", setting)]
        return Command(
            argv=(str(php), "-n", *options, f"{{program}}/{self.file_name()}"),
            files={"runner.php": _RUNNER.read_bytes(), self.file_name(): program},
            readable=prefix_of(php),
        )


LANGUAGE = Php()
