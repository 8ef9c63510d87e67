"""Lua."""

from __future__ import annotations

import re
import subprocess
from dataclasses import replace
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Tool, prefix_of
from flextune.judging.languages.marks import ENDS, Seam, marked, tag_of, with_exits
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.lua"
_INSTALL = "apt-get install lua5.4 lua-unit"

# Nothing may follow a chunk's `return`, which an exit needs no more than tests of luaunit do.
_LAST = re.compile(r"^(?:[ \t]*return\b[^\n]*\s*|return\b.*)\Z", re.MULTILINE | re.DOTALL)
_EXIT = re.compile(r"(?<![\w.:\"'])(?P<exit>os\.exit)(?P<status>(?!))?[ \t]*\(")
_LAST_EXIT = re.compile(r"^[ \t]*(?:return[ \t]+)?os\.exit\b[^\n]*\s*\Z", re.MULTILINE)
_RETURNED_EXIT = re.compile(r"(?<![\w.:\"'])return[ \t]+(?=os\.exit[ \t]*\()")
_TEST = re.compile(r"^[ \t]*function[ \t]+((?:\w+[.:])*[tT]est\w*)[ \t]*\(", re.MULTILINE)

# What ends a test of luaunit early, and what catches a failure: right where the tests themselves say so.
_ENDS_EARLY = re.compile(r"\b(?:success|skip|runOnly)")
_ASSERTS = re.compile(r"(?<![\w.:])assert[ \t]*\(")
_CATCHES = re.compile(r"\b(?:x?pcall|assertError\w*)\b")


@cache
def _known(lua: Path) -> tuple[str, bool]:
    """The version, and whether luaunit is where Lua looks for it."""
    question = 'print(_VERSION:match("%d.%d"), package.searchpath("luaunit", package.path) ~= nil)'
    # -E: the environment does not say where to look, as it does not in the sandbox.
    command = (str(lua), "-E", "-e", question)
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return "", False
    version, _, has_luaunit = answer.stdout.strip().partition("\t")
    return version, has_luaunit == "true"


class Lua(Basis):
    """Lua; MultiPL-E's name is ``lua``."""

    name = "lua"
    suffix = ".lua"
    comment = "--"
    oldest = "5.3"
    tools = (
        Tool("lua", _INSTALL, programs=("lua", "lua5.4", "lua5.3")),
        Tool("luaunit", "apt-get install lua-unit", is_here=lambda lua: _known(lua)[1]),
    )
    closing = ENDS

    def version(self, program: Path) -> str:
        """Asked together with the place of luaunit."""
        return _known(program)[0]

    def mark(self, cut: Seam) -> str:
        """A call before the tests, which says how many there are, and one after them."""
        count = len(set(_TEST.findall(cut.tests)))
        options = "e" * bool(_ENDS_EARLY.search(cut.tests)) + "c" * bool(_CATCHES.search(cut.tests))
        options += "a" * bool(_ASSERTS.search(cut.tests) and "luaunit" not in cut.tests)
        before = f"flextune_mark('{cut.tag}', {count}, '{options}');"
        after = f"flextune_mark('{cut.tag}');"
        place = 0
        if not cut.has_tests:
            # The whole program is its tests, and may end in an exit, or a `return`, which nothing can follow.
            source = cut.source
            first = 0 if not source.startswith("#") else source.find("\n") + 1
            cut = replace(cut, solution=source[:first], closing="", tests=source[first:])
            last = _LAST_EXIT.search(cut.tests)
            place = last.start() if last else len(cut.tests)
        leaving = f"os.exit(flextune_left_{cut.tag}({{status}}))"
        own = with_exits(_RETURNED_EXIT.sub("", cut.tests[place:]), _EXIT, leaving)
        return marked(replace(cut, tests=cut.tests[:place] + own), before, after, _LAST)

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, with the source beside it."""
        lua = Path(self.toolchain().path)
        return Command(
            argv=(
                str(lua),
                "{program}/runner.lua",
                f"{{program}}/{self.file_name()}",
                tag_of(program),
            ),
            files={"runner.lua": _RUNNER.read_bytes(), self.file_name(): program},
            readable=prefix_of(lua),
        )


LANGUAGE = Lua()
