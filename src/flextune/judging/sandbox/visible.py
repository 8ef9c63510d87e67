"""What a program sees of the machine's folders: what its tools need, and no home, project or package."""

from __future__ import annotations

import os
import pwd
import sys
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

#: All programs see it.
SYSTEM = Path("/usr")
#: What a toolchain installed in a folder of its own consists of; Go's and the JDK's parts are among it.
_TOOLCHAIN = (
    "bin", "bin64", "lib", "lib32", "lib64", "libexec", "include", "share", "etc", "conf", "jmods", "release",
)  # fmt: skip
_GO = ("src", "pkg", "go.env", "VERSION")
#: What a tool needs of a folder that many share, such as ``~/.local``.
_LIBRARIES = ("lib", "lib32", "lib64")
_PACKAGES = ("lib*/python3*/*-packages", "python3*/*-packages")


def interpreter() -> Path:
    """The Python that flextune runs on, virtual environments left aside."""
    # A private name, but the only one that survives both virtual environments and links.
    return Path(os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable))


def interpreter_needs(python: Path) -> tuple[Path, ...]:
    """What must be readable for an interpreter and its standard library."""
    if python.is_relative_to(SYSTEM):
        return ()
    prefix = python.parent.parent
    # Of an environment that holds much else, only this.
    return (python, *(prefix / name for name in _LIBRARIES if (prefix / name).is_dir()))


@cache
def prefix_of(program: Path) -> tuple[Path, ...]:
    """What must be readable for ``program`` to run when it lives outside the system's folders.

    That is the folder in which its ``bin`` lies. Below a home it is those parts of the folder that a
    toolchain has, and never a home itself.
    """
    if program.is_relative_to(SYSTEM):
        return ()
    prefix = program.parent.parent
    homes = _homes()
    if any(home.is_relative_to(prefix) for home in homes):
        return (program,)
    if not any(prefix.is_relative_to(home) for home in homes):
        return (prefix,)
    shared = prefix.parent in homes and prefix.name.startswith(".")
    names = _LIBRARIES if shared else _TOOLCHAIN
    if (prefix / "VERSION").is_file() and (prefix / "pkg" / "tool").is_dir():
        names = (*names, *_GO)
    parts = [prefix / name for name in names if (prefix / name).exists()]
    return tuple(parts) if program.parent in parts else (program, *parts)


def hidden(readable: Iterable[Path]) -> list[Path]:
    """Folders in what programs can read that they must find empty: installed Python packages, and flextune.

    A program's verdict is not to depend on what happens to be installed beside the judge, and the package has
    references of its benchmark.
    """
    roots = [SYSTEM, SYSTEM / "local", *readable]
    found = {path for root in roots for pattern in _PACKAGES for path in root.glob(pattern) if path.is_dir()}
    own = Path(__file__).resolve().parents[2]
    if any(own.is_relative_to(root) for root in roots) and not any(own.is_relative_to(p) for p in found):
        found.add(own)
    return sorted(found)


@cache
def _homes() -> frozenset[Path]:
    """Home folders of people: of everybody whom this machine knows, and whoever this process thinks it is."""
    return frozenset(home for home in _possible_homes() if home.is_dir() and not home.is_relative_to(SYSTEM))


def _possible_homes() -> Iterator[Path]:
    yield Path.home()
    yield Path(os.path.realpath(Path.home()))
    yield Path("/root")
    for folder in (Path("/home"), Path("/Users")):
        if folder.is_dir():
            yield from folder.iterdir()
    for entry in pwd.getpwall():
        # System users have folders of the system.
        if entry.pw_uid == 0 or entry.pw_uid >= 1000:
            yield Path(entry.pw_dir)
