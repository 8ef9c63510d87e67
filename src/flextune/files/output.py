"""Files that a user names for a result: nothing of another kind is ever replaced."""

from __future__ import annotations

from collections.abc import Collection
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
        FlextuneError: It is a folder, or a file of something else.
    """
    if path.is_dir():
        raise FlextuneError(f"-o {path}: is a folder; give the name of a file in it")
    if not path.exists():
        return
    other = f"-o {path}: this file is there already and does not hold {what}; choose another name"
    try:
        rows = read_lines(path)
    except FlextuneError:
        raise FlextuneError(other) from None
    if not all(row.keys() >= set(fields) for row in rows) or (not rows and path.stat().st_size):
        raise FlextuneError(other)
