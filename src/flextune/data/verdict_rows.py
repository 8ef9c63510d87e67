"""Lines of verdicts, where a user gives them in place of problems or samples."""

from __future__ import annotations

from flextune.errors import FlextuneError
from flextune.files.rows import Row


def refuse_verdict(row: Row, wanted: str) -> None:
    """Return unless a row is a verdict.

    Args:
        row: What was found.
        wanted: What was looked for: ``a problem``.

    Raises:
        FlextuneError: It is one.
    """
    if {"name", "sample", "outcome", "stage"} <= row.fields.keys():
        raise FlextuneError(
            f"{row.where}: this is a verdict, not {wanted}; flextune score and compare take verdicts"
        )
