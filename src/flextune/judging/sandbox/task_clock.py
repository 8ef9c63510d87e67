"""CPU time of a process and of all that it starts, by a counter that needs no control group."""

from __future__ import annotations

import ctypes
import os
import platform
import struct

#: perf_event_open in the tables of system calls (man 2 perf_event_open).
_SYSTEM_CALLS = {"x86_64": 298, "aarch64": 241}
_SOFTWARE, _TASK_CLOCK = 1, 1
#: struct perf_event_attr in its first version: type, size, config, period, formats, flags, and the rest.
_ATTRIBUTES = struct.Struct("=IIQQQQQIIQ")
#: Users may ask for no time in the kernel; this clock counts it all the same.
_INHERIT, _EXCLUDE_KERNEL, _EXCLUDE_HYPERVISOR = 1 << 1, 1 << 5, 1 << 6
_CLOSE_ON_EXEC = 1 << 3


class TaskClock:
    """Counts from its making on, also children that nobody waits for.

    Args:
        pid: A process of one thread that has started nothing yet.

    Raises:
        OSError: The kernel has no such counter, or it is not for this user (``kernel.perf_event_paranoid``).
    """

    def __init__(self, pid: int) -> None:
        number = _SYSTEM_CALLS.get(platform.machine())
        if number is None:
            raise OSError(f"no counter for {platform.machine()}")
        flags = _INHERIT | _EXCLUDE_KERNEL | _EXCLUDE_HYPERVISOR
        attributes = _ATTRIBUTES.pack(_SOFTWARE, _ATTRIBUTES.size, _TASK_CLOCK, 0, 0, 0, flags, 0, 0, 0)
        libc = ctypes.CDLL(None, use_errno=True)
        anywhere, no_group = -1, -1
        self._file = libc.syscall(number, attributes, pid, anywhere, no_group, _CLOSE_ON_EXEC)
        if self._file < 0:
            code = ctypes.get_errno()
            raise OSError(code, os.strerror(code))

    def seconds(self) -> float:
        """User and system time of the process and of whatever descends from it."""
        return int.from_bytes(os.read(self._file, 8), "little") / 1e9

    def remove(self) -> None:
        """Stop counting."""
        os.close(self._file)
