"""Lua."""

from __future__ import annotations

import subprocess
from functools import cache
from pathlib import Path

from flextune.judging.languages.base import Basis, Toolchain, find_program, prefix_of
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.limits import Limits

_RUNNER = Path(__file__).parent / "runners" / "runner.lua"
_NAMES = ("lua", "lua5.4", "lua5.3")
_INSTALL = "apt-get install lua5.4 lua-unit"


class Lua(Basis):
    """``lua``."""

    name = "lua"
    suffix = ".lua"
    comment = "--"

    def toolchain(self) -> Toolchain:
        """Lua 5.3 or newer on PATH with luaunit, or how to install them."""
        lua = next(filter(None, map(find_program, _NAMES)), None)
        if lua is None:
            return Toolchain(found=False, missing="lua", install=_INSTALL)
        version, has_luaunit = _known(lua)
        if version < "5.3":
            return Toolchain(found=False, missing="Lua 5.3 or newer", install=_INSTALL)
        if not has_luaunit:
            return Toolchain(found=False, missing="luaunit", install="apt-get install lua-unit")
        return Toolchain(found=True, version=version, path=str(lua))

    def run(self, program: bytes, limits: Limits) -> Command:
        """The runner, with the source beside it."""
        lua = Path(self.toolchain().path)
        return Command(
            argv=(str(lua), "{program}/runner.lua", f"{{program}}/{self.file_name()}"),
            files={"runner.lua": _RUNNER.read_bytes(), self.file_name(): program + b"\nflextune_end()\n"},
            readable=prefix_of(lua),
            address_space=True,
        )


@cache
def _known(lua: Path) -> tuple[str, bool]:
    """The version, and whether luaunit is where Lua looks for it."""
    question = 'print(_VERSION:match("%d.%d"), package.searchpath("luaunit", package.path) ~= nil)'
    # -E: the environment does not say where to look, as it does not in the sandbox.
    command = (str(lua), "-E", "-e", question)
    try:
        said = subprocess.run(command, capture_output=True, text=True, timeout=20, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired):
        return "", False
    version, _, found = said.stdout.strip().partition("\t")
    return version, found == "true"


LANGUAGE = Lua()
