"""What a user can act on: one line that says what is wrong, where, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class FlextuneError(Exception):
    """A failure a user can act on: one line that says what is wrong, where, and what to do."""


class DivergedError(FlextuneError):
    """Raised when the training loss becomes NaN or infinite."""


class EndedElsewhere(FlextuneError):
    """Raised in a process that can only end because another one has failed, and has said why."""


class TrainingInterrupted(KeyboardInterrupt):
    """A training was ended by Ctrl-C, after it was saved; says where it goes on."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """``, did you mean 'clip'?`` for the nearest known name; nothing where none is near."""
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.52)
    return f", did you mean {by_lower[near[0]]!r}?" if near else ""


def one_line(error: BaseException) -> str:
    """What an error of another library says, in a line: its first, or all where that ends in a colon."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    return " ".join(lines) if lines[0].endswith(":") else lines[0]


#: Stands where lines of a message were left out.
LEFT_OUT = "\n[...]\n"


def both_ends(text: str, longest: int) -> str:
    """A message of no more characters; of a longer one whole lines from its beginning and its end.

    A compiler's first error explains the others, and a traceback ends with its exception.
    """
    if len(text) <= longest:
        return text
    room = longest - len(LEFT_OUT)
    first, last = text[: room // 3], text[-(room - room // 3) :]
    # Whole lines, where there are any.
    head = first.rpartition("\n")[0] or first
    foot = last.partition("\n")[2] or last
    return f"{head}{LEFT_OUT}{foot}"
