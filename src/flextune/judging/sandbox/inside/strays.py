"""Ends what an unprotected program leaves behind, where no namespace does it."""

from __future__ import annotations

import os
import signal
from typing import NoReturn


def end_strays() -> None:
    """Kill every child of this process; those of a killed one become children of this process."""
    own = os.getpid()
    for name in os.listdir("/proc"):
        if name.isdecimal() and parent_of(name) == own:
            os.kill(int(name), signal.SIGKILL)


def reap_strays() -> None:
    """End what an unprotected program left, down to the last descendant."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            end_strays()
            os.waitpid(-1, 0)


def stop(number: int, frame: object) -> NoReturn:
    """End everything, because the judge is gone."""
    reap_strays()
    os._exit(128 + number)


def parent_of(pid: str) -> int:
    """The parent's number, 0 for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0
