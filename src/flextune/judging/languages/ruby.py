"""Ruby, without its package manager: that is most of what it loads at its start."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Artifact, Basis, Tool, prefix_of
from flextune.judging.languages.marks import ENDS, Seam, marked, tag_of, with_exits
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_RUNNERS = Path(__file__).parent / "runners"
_INSTALL = "apt-get install ruby ruby-test-unit"
# The version, then where installed packages keep their files, those of test/unit first.
_LAST = re.compile(r"^__END__$.*\Z", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(
    r"(?:^|[;{}])[ \t]*(?P<exit>exit!?)"
    r"(?:\(|(?P<status>(?:[ \t]+(?!if\b|unless\b)[^\n;}#'\"]*?)?)(?=[ \t]*(?:$|[;}#]|(?:if|unless)\b)))",
    re.MULTILINE,
)
# How test/unit, minitest and the tests of MultiPL-E begin a test.
_TEST = re.compile(r"^[ \t]*(?:def[ \t]+(test\w*)|(?:test|it)[ \t(]+(['\"].+))", re.MULTILINE)
# What leaves tests out; where the tests say so themselves it is right.
_OMITS = re.compile(r"\b(?:omit|pend|skip)")
# What catches a failure; likewise.
_CATCHES = re.compile(r"AssertionFailedError|Minitest::Assertion|assert_raises?\W+(?:\w+::)*Assert")
_QUESTION = (
    'puts RUBY_VERSION; require "test/unit"; '
    "own = Gem.loaded_specs.values; rest = Gem::Specification.latest_specs.reject(&:default_gem?); "
    "puts (own + rest).flat_map(&:full_require_paths).uniq"
)


@cache
def _known(ruby: Path) -> tuple[str, ...]:
    """Version and package folders; nothing where test/unit cannot be loaded."""
    # Leaving at once: the tests that test/unit would run at the end are none.
    question = (str(ruby), "-e", f"{_QUESTION}; $stdout.flush; exit!(0)")
    try:
        answer = subprocess.run(
            question, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return tuple(answer.stdout.split("\n")[:-1]) if answer.returncode == 0 else ()


class Ruby(Basis):
    """Ruby; MultiPL-E's name is ``rb``."""

    name = "rb"
    suffix = ".rb"
    ends_source = "\0\x04\x1a"
    tools = (
        Tool("ruby", _INSTALL),
        Tool("test/unit for Ruby", _INSTALL, is_here=lambda ruby: bool(_known(ruby))),
    )
    closing = ENDS

    def version(self, program: Path) -> str:
        """Asked together with the folders of its packages."""
        return (*_known(program), "")[0]

    def artifacts(self) -> tuple[Artifact, ...]:
        """The library test/unit, compiled to Ruby's bytecode."""
        argv = ("{program}/precompile.rb", ":".join(self._packages()))
        return (Artifact("test-unit", self._ruby(argv, {"precompile.rb": _script("precompile.rb")})),)

    def mark(self, cut: Seam) -> str:
        """A call before the tests, which says how many there are, and one after them, which runs them."""
        count = len({match.group(1) or match.group(2) for match in _TEST.finditer(cut.tests)})
        options = "o" * bool(_OMITS.search(cut.tests)) + "c" * bool(_CATCHES.search(cut.tests))
        before = f"flextune_mark('{cut.tag}', {count}, '{options}');"
        tests = with_exits(cut.tests, _EXIT, f"exit(flextune_left_{cut.tag}({{status}}))")
        # What says that the data begins is alone on its line.
        return marked(replace(cut, tests=tests), before, f"flextune_mark('{cut.tag}');\n", _LAST)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The program as the main script, with the runner loaded before it."""
        packages = ":".join(self._packages())
        argv = (
            "-r{program}/runner.rb",
            f"{{program}}/{self.file_name()}",
            packages,
            "{runtime}/test-unit",
            tag_of(program),
        )
        files = {"runner.rb": _script("runner.rb"), self.file_name(): program}
        return self._ruby(argv, files)

    def _ruby(self, arguments: tuple[str, ...], files: dict[str, bytes]) -> Command:
        ruby = Path(self.toolchain().path)
        prefixes = (Path("/usr"), *prefix_of(ruby))
        elsewhere = {Path(folder) for folder in self._packages() if not _is_under(folder, prefixes)}
        return Command(
            argv=(str(ruby), "--disable-gems", *arguments),
            files=files,
            readable=(*prefix_of(ruby), *sorted(elsewhere)),
        )

    def _packages(self) -> tuple[str, ...]:
        return _known(Path(self.toolchain().path))[1:]


def _script(name: str) -> bytes:
    return (_RUNNERS / name).read_bytes()


def _is_under(folder: str, prefixes: tuple[Path, ...]) -> bool:
    return any(Path(folder).is_relative_to(prefix) for prefix in prefixes)


LANGUAGE = Ruby()
