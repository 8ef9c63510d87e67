"""Lua."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Tool, prefix_of
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.lua"
_INSTALL = "apt-get install lua5.4 lua-unit"


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

    def version(self, program: Path) -> str:
        """Asked together with the place of luaunit."""
        return _known(program)[0]

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, with the source beside it."""
        lua = Path(self.toolchain().path)
        return Command(
            argv=(str(lua), "{program}/runner.lua", f"{{program}}/{self.file_name()}"),
            files={"runner.lua": _RUNNER.read_bytes(), self.file_name(): program + b"\nflextune_end()\n"},
            readable=prefix_of(lua),
        )


LANGUAGE = Lua()
