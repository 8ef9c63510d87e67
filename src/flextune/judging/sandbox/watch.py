"""What a running process tree uses, read from /proc."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass

_TICK = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True, slots=True)
class Usage:
    """One look at a tree.

    Attributes:
        processes: Process numbers, the root's excluded.
        parents: The parent of each.
        threads: Their threads together.
        cpu_seconds: User and system time, that of reaped children included.
        resident_bytes: Sum of resident sizes; pages that two processes share count twice.
    """

    processes: tuple[int, ...]
    parents: dict[int, int]
    threads: int
    cpu_seconds: float
    resident_bytes: int


def tree_usage(root: int) -> Usage:
    """The descendants of ``root``; without it."""
    children: dict[int, list[int]] = defaultdict(list)
    fields: dict[int, list[bytes]] = {}
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                with open(f"/proc/{name}/stat", "rb") as file:
                    values = file.read().rpartition(b")")[2].split()
            except OSError:
                continue
            fields[int(name)] = values
            children[int(values[1])].append(int(name))
    found: list[int] = []
    queue = list(children[root])
    while queue:
        pid = queue.pop()
        found.append(pid)
        queue += children[pid]
    return Usage(
        processes=tuple(found),
        parents={pid: int(fields[pid][1]) for pid in found},
        threads=sum(int(fields[pid][17]) for pid in found),
        cpu_seconds=sum(sum(map(int, fields[pid][11:15])) for pid in found) / _TICK,
        resident_bytes=sum(int(fields[pid][21]) for pid in found) * _PAGE,
    )


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


def waiting_seconds(processes: tuple[int, ...]) -> float:
    """Time that the processes' threads were ready to run while others had the processor."""
    total = 0
    for pid in processes:
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat", "rb") as file:
                    total += int(file.read().split()[1])
        except (OSError, IndexError):
            continue
    return total / 1e9
