"""What a running process tree uses, read from /proc."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from functools import cache

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")
_CHILDREN_FILES = os.path.exists("/proc/self/task") and os.path.exists(
    f"/proc/self/task/{os.getpid()}/children"
)


@dataclass(frozen=True, slots=True)
class Usage:
    """One look at a tree.

    Attributes:
        processes: Process numbers, the root's excluded.
        threads: Their threads together.
        cpu_seconds: User and system time, that of reaped children included.
        own_cpu_seconds: That of each process alone.
        resident_bytes: Sum of resident sizes; pages that two processes share count twice.
        largest_bytes: The largest of them.
    """

    processes: tuple[int, ...]
    threads: int
    cpu_seconds: float
    resident_bytes: int
    largest_bytes: int
    own_cpu_seconds: dict[int, float] = field(default_factory=dict)


def tree_usage(root: int) -> Usage:
    """The descendants of ``root``; without it."""
    pids: list[int] = []
    fields: list[list[bytes]] = []
    queue = children_of(root)
    while queue:
        pid = queue.pop()
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields.append(file.read().rpartition(b")")[2].split())
        except OSError:
            continue
        pids.append(pid)
        queue += children_of(pid)
    return Usage(
        processes=tuple(pids),
        threads=sum(int(values[17]) for values in fields),
        cpu_seconds=sum(sum(map(int, values[11:15])) for values in fields) / _TICK,
        resident_bytes=sum(int(values[21]) for values in fields) * _PAGE,
        largest_bytes=max((int(values[21]) for values in fields), default=0) * _PAGE,
        own_cpu_seconds={
            pid: sum(map(int, values[11:13])) / _TICK for pid, values in zip(pids, fields, strict=True)
        },
    )


def children_of(pid: int) -> list[int]:
    """The children of every thread of a process; none of a process that is gone."""
    found: list[int] = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                found += map(int, file.read().split())
    except OSError:
        # The process ended meanwhile, or the kernel has no such file.
        return found if _CHILDREN_FILES else _children_by_search(pid)
    return found


def _children_by_search(pid: int) -> list[int]:
    found = []
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    if int(file.read().rpartition(b")")[2].split()[1]) == pid:
                        found.append(int(name))
            except OSError:
                continue
    return found


def proportional_bytes(processes: tuple[int, ...]) -> int:
    """Memory of the processes with shared pages counted once; slow, some tens of microseconds each."""
    total = 0
    for pid in processes:
        try:
            with open(f"/proc/{pid}/smaps_rollup", "rb") as file:
                total += sum(int(line.split()[1]) * 1024 for line in file if line.startswith(b"Pss:"))
        except OSError:
            continue
    return total


def kernel_bytes(processes: tuple[int, ...]) -> int:
    """Kernel memory of processes in one network namespace: page tables, and what sockets may hold."""
    tables, sockets = 0, 0
    for pid in processes:
        try:
            with open(f"/proc/{pid}/status", "rb") as file:
                tables += sum(int(line.split()[1]) * 1024 for line in file if line.startswith(b"VmPTE:"))
            with open(f"/proc/{pid}/net/sockstat", "rb") as file:
                sockets = max(sockets, int(file.readline().split()[2]))
        except (OSError, IndexError, ValueError):
            continue
    return tables + sockets * _socket_bytes()


@cache
def _socket_bytes() -> int:
    """The most that one socket buffers: the kernel doubles what a program may ask for."""
    try:
        with open("/proc/sys/net/core/wmem_max") as file:
            return 2 * int(file.read())
    except OSError:
        return 1 << 19


def waiting_seconds(processes: tuple[int, ...]) -> dict[int, float]:
    """Time that each process's threads were ready to run while others had the processor."""
    waited = {}
    for pid in processes:
        total = 0
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", "rb") as file:
                    total += int(file.read().split()[1])
        except (OSError, IndexError):
            continue
        waited[pid] = total / 1e9
    return waited
