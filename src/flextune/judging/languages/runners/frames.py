"""How deeply a program may call: as deeply as in an interpreter of its own, whatever runs it here."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Iterator

#: Frames of the interpreter's own below a script's first line.
_OWN = 1
#: Frames of a context manager while it is entered.
_OURS = 2
_get, _set = sys.getrecursionlimit, sys.setrecursionlimit

#: What a program sees as its limit, and the frames that it does not see.
_limit, _below = _get(), 0


def depth() -> int:
    """The depth of the caller, as the interpreter counts it."""
    try:
        _set(1)
    except RecursionError as error:
        found = re.search(r"depth (\d+)", str(error))
        return int(found[1]) - 1 if found else 0
    _set(_limit)
    return 0


@contextlib.contextmanager
def like_a_script() -> Iterator[None]:
    """Let what runs inside call as deeply as a script whose first line is here."""
    for function in (getrecursionlimit, setrecursionlimit):
        setattr(sys, function.__name__, function)
    # Neither this frame nor that of ``contextlib`` is there while the program runs.
    with allowing(depth() - _OURS - _OWN - _below):
        yield


@contextlib.contextmanager
def allowing(frames: int) -> Iterator[None]:
    """Let ``frames`` frames be none of the program's."""
    more(frames)
    try:
        yield
    finally:
        more(-frames)


def more(frames: int) -> None:
    """Let ``frames`` frames more be none of the program's; fewer, if negative."""
    global _below
    _below += frames
    with contextlib.suppress(RecursionError):
        # Another thread may be deeper than the one that asks.
        _set(_limit + _below)


def getrecursionlimit() -> int:
    """As in ``sys``, for the program's own frames."""
    return _limit


def setrecursionlimit(limit: int, /) -> None:
    """As in ``sys``, for the program's own frames."""
    global _limit
    _set(limit + _below)
    _limit = limit
