"""Files that a user names for a result: nothing of another kind is ever replaced."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from flextune.errors import FlextuneError
from flextune.files.lines import read_lines


def check_output(path: Path, *, fields: Collection[str], what: str) -> None:
    """Return if a result may be written to ``path``.

    Args:
        path: What the user named; it may be there or not.
        fields: Those that every line of such a result has.
        what: What the lines are, for the message: ``verdicts``.

    Raises:
        FlextuneError: It is a folder, lies in none, or is a file of something else.
    """
    check_new_file(path)
    if not path.exists():
        return
    other = f"-o {path}: this file is there already and does not hold {what}; choose another name"
    try:
        rows = read_lines(path)
    except FlextuneError:
        raise FlextuneError(other) from None
    if not all(row.keys() >= set(fields) for row in rows) or (not rows and path.stat().st_size):
        raise FlextuneError(other)


def check_new_file(path: Path) -> None:
    """Return if there may be a file at ``path``: it is no folder, and the folder that it lies in is there.

    Raises:
        FlextuneError: One of both does not hold.
    """
    if path.is_dir():
        raise FlextuneError(f"-o {path}: is a folder; give the name of a file in it")
    if not path.parent.is_dir():
        raise FlextuneError(f"-o {path}: there is no folder {path.parent}; make it, or choose another place")


def check_no_input(path: Path, inputs: Mapping[str, Path | None]) -> None:
    """Return if a result may be written to ``path`` without replacing what it is made from.

    Args:
        path: What the user named for the result.
        inputs: Option to the file that it names; links to a file are that file.

    Raises:
        FlextuneError: It is one of them.
    """
    for option, file in inputs.items():
        if file is not None and _is_one(path, file):
            raise FlextuneError(f"-o {path}: is the file of {option}; choose another file")


def _is_one(first: Path, second: Path) -> bool:
    """Whether two paths name one file; one that is not there yet is known by its path."""
    if first.exists() and second.exists():
        return first.samefile(second)
    return first.resolve() == second.resolve()


def check_new_folder(path: Path, option: str, *, empty: bool = False) -> None:
    """Return if there may be a folder at ``path``.

    Args:
        path: What the user named.
        option: By which name.
        empty: Whether there must be nothing in it.

    Raises:
        FlextuneError: There is a file, or a folder with something in it.
    """
    if path.exists() and not path.is_dir():
        raise FlextuneError(f"{option} {path}: is a file; give a folder")
    if empty and path.is_dir() and any(path.iterdir()):
        raise FlextuneError(f"{option} {path}: this folder holds something already; choose another")
