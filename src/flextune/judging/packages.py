"""A folder of installed Python packages that programs may import: ``--site-packages``."""

from __future__ import annotations

import hashlib
import os
import re
import sys
from dataclasses import dataclass, field, replace
from pathlib import Path

from flextune.errors import FlextuneError
from flextune.judging.sandbox.command import Command

#: Tells the runner where the folder is.
VARIABLE = "FLEXTUNE_PACKAGES"
#: Numeric libraries start a thread for each core, and programs may have few.
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR")}
_TAG = re.compile(r"\.cpython-(\d)(\d+)\w*-")
#: Files that are looked at to learn which Python the packages were built for.
_LOOKED_AT = 20_000


@dataclass(frozen=True)
class Packages:
    """What programs may import beside the standard library.

    Attributes:
        folder: Holds the packages; programs can read it and nothing around it.
        digest: Stands for the packages and their versions.
    """

    folder: Path = field(repr=False)
    digest: str

    def added_to(self, command: Command) -> Command:
        """``command`` of a Python program, which then finds the packages behind the standard library."""
        return replace(
            command,
            mounts={**command.mounts, "packages": self.folder},
            environment={**command.environment, **_ONE_THREAD, VARIABLE: "{packages}"},
        )


def packages_in(folder: Path | str) -> Packages:
    """The packages of a ``site-packages`` folder, of a virtual environment, or of ``pip install --target``.

    Files are not run to find out: ``.pth`` files do not count.

    Args:
        folder: One of the three.

    Raises:
        FlextuneError: It has no packages, those of another Python, or programs could not read it.
    """
    given = Path(folder).expanduser()
    place = f"--site-packages {given}"
    if not given.is_dir():
        raise FlextuneError(f"{place}: no such folder")
    inner = _site_packages(given, place).resolve()
    # Whatever lies in it, programs could read all of it.
    if inner in (Path("/"), Path.home(), *Path.home().parents):
        raise FlextuneError(f"{place}: programs could read all of this folder; give one with packages alone")
    if not any(map(_is_package, inner.iterdir())):
        raise FlextuneError(
            f"{place}: no Python packages in it; give an environment's site-packages, or a folder made by "
            "pip install --target"
        )
    _check_python(inner, place)
    # Programs of a judge that runs as root run as somebody else.
    if os.geteuid() == 0 and inner.stat().st_mode & 0o005 != 0o005:
        raise FlextuneError(f"{place}: programs cannot read it; make it readable: chmod -R go+rX {inner}")
    return Packages(inner, _digest(inner))


def _site_packages(given: Path, place: str) -> Path:
    """The folder itself, or the one of an environment."""
    own = f"python{sys.version_info.major}.{sys.version_info.minor}"
    found = sorted(given.glob("lib/python3*/site-packages"))
    if not found:
        return given
    for inner in found:
        if inner.parent.name == own:
            return inner
    raise FlextuneError(_another_python(place, found[0].parent.name.removeprefix("python")))


def _is_package(path: Path) -> bool:
    return path.suffix in (".dist-info", ".egg-info", ".py", ".so") or (path / "__init__.py").is_file()


def _check_python(folder: Path, place: str) -> None:
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    parent = folder.parent.name.removeprefix("python")
    if re.fullmatch(r"3\.\d+", parent) and parent != own:
        raise FlextuneError(_another_python(place, parent))
    built = {f"{tag[1]}.{tag[2]}" for name in _names_below(folder) if (tag := _TAG.search(name))}
    if built and own not in built:
        raise FlextuneError(_another_python(place, sorted(built)[-1]))


def _another_python(place: str, version: str) -> str:
    own = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"{place}: made for Python {version}, and programs are judged by Python {own}; install for {own}"


def _names_below(folder: Path) -> list[str]:
    names: list[str] = []
    for _, _, files in os.walk(folder):
        names += files
        if len(names) > _LOOKED_AT:
            break
    return names


def _digest(folder: Path) -> str:
    """A digest of the distributions' names and versions, and of what lies beside them."""
    lines = []
    for path in sorted(folder.iterdir()):
        # Compiled code and other leftovers of use are no part of it.
        if path.name != "__pycache__":
            changed = path.stat().st_mtime_ns if path.is_file() else 0
            lines.append(f"{path.name} {changed}")
    return hashlib.sha256("\n".join([str(folder), *lines]).encode()).hexdigest()[:16]
