"""Files of verdicts that a user names."""

from __future__ import annotations

from pathlib import Path

from flextune.errors import FlextuneError
from flextune.files.lines import numbered_records
from flextune.records import Verdict


def read_verdicts(file: Path) -> list[tuple[int, Verdict]]:
    """The verdicts of a file, each with the number of its line.

    Raises:
        FlextuneError: A line is no verdict.
    """
    try:
        return numbered_records(file, Verdict)
    except FlextuneError as error:
        # What the reader advises is for files that flextune makes again; this one is the user's.
        fault = str(error).partition(";")[0]
        raise FlextuneError(f"{fault}; give a file of verdicts, as flextune judge -o writes it") from None
