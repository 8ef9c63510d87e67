"""What the tests print, kept from the solution; and the end of their process.

Both processes write to the same pipes, and who may write to a pipe may be able to read from it. So the
tests print into a file that only their process has. What it ends in goes to the real standard error when
nothing of the solution counts any more.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import NoReturn

REPORTS = 4
#: Bytes of what was printed that a message may need.
_LAST_WORDS = 1 << 14

_streams: list[int] = []


def hide() -> None:
    """From now on standard output and standard error are a file of this process alone."""
    with tempfile.TemporaryFile() as file:
        _streams[:] = [os.dup(2), os.dup(file.fileno())]
    for number in (1, 2):
        os.dup2(_streams[1], number, inheritable=True)


def reveal() -> None:
    """Put out the last of what was printed, and print to the real standard error again."""
    for stream in (sys.stdout, sys.stderr, sys.__stdout__, sys.__stderr__):
        if stream is not None and not stream.closed:
            stream.flush()
    if _streams:
        real, hidden = _streams
        size = os.lseek(hidden, 0, os.SEEK_END)
        os.write(real, os.pread(hidden, _LAST_WORDS, max(0, size - _LAST_WORDS)))
        for number in (1, 2):
            os.dup2(real, number)
        _streams.clear()


def end(letter: bytes, message: str, status: int = 1) -> NoReturn:
    """End this process at once: no ``except`` of the tests may go on after this.

    Args:
        letter: The reason in the judge's letters, empty where the exit status says all.
        message: What to say about it, if anything.
        status: The exit status.
    """
    if letter:
        os.write(REPORTS, letter)
    if message:
        print(message, file=sys.__stderr__)
    reveal()
    os._exit(status)
