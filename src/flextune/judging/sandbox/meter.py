"""How much a running program has used, and which limit it broke."""

from __future__ import annotations

from dataclasses import replace

from flextune.judging.sandbox.command import Breach
from flextune.judging.sandbox.helper import Helper
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.watch import (
    Usage,
    kernel_bytes,
    proportional_bytes,
    tree_usage,
    waiting_seconds,
)

#: How many times its time a program may take that waits for a busy processor.
PATIENCE = 10
#: Processes of ours in a tree, and threads that end between the kernel's count and this one.
_OWN_PROCESSES = 8
#: What the helper and its leader need for a program; the group counts that, too.
_OWN_CPU_SECONDS = 0.05


class Meter:
    """Counts from its making on what the programs of a helper use.

    Args:
        helper: Runs the program.
        limits: What it may use.

    Attributes:
        cpu_seconds: User and system time when it was last looked at.
        peak_bytes: Largest resident size of one process that was seen.
    """

    def __init__(self, helper: Helper, limits: Limits) -> None:
        self.cpu_seconds = 0.0
        self.peak_bytes = 0
        self._helper, self._limits = helper, limits
        self._kills, self._before = helper.kills(), helper.cpu_seconds()
        self._waits: dict[int, float] = {}
        self._seen: dict[int, float] = {}
        self._lost, self._busy, self._wall = 0.0, 0.0, 0.0

    def out_of_memory(self) -> bool:
        """Whether the kernel ended a process for want of memory."""
        return self._helper.kills() > self._kills

    def counted_seconds(self) -> float:
        """CPU time by the helper's group, of processes that nobody waited for too; 0 where there is none."""
        now = self._helper.cpu_seconds()
        if now is None or self._before is None:
            return 0.0
        return max(0.0, now - self._before - _OWN_CPU_SECONDS)

    def begin(self) -> float:
        """Start the wall clock of a request; the CPU time that was spent before it."""
        self._busy = self._wall = 0.0
        if self._before is None:
            self.cpu_seconds = max(self.cpu_seconds, self._cpu(tree_usage(self._helper.pid)))
        else:
            self.cpu_seconds = max(self.cpu_seconds, self.counted_seconds())
        return self.cpu_seconds

    def breach(self, wall: float, cpu_seconds: float, wall_seconds: float) -> Breach | None:
        """The limit that is broken now.

        Args:
            wall: Seconds since the program was started.
            cpu_seconds: The limit on CPU time.
            wall_seconds: The limit on the wall clock.
        """
        usage = tree_usage(self._helper.pid)
        before = self.cpu_seconds
        self.cpu_seconds = max(before, self._cpu(usage))
        self.peak_bytes = max(self.peak_bytes, usage.largest_bytes)
        # Looked at from early on, for what processes waited that end before the time is up.
        waited = self._newly_waited(usage.processes) if wall > wall_seconds / 4 else 0.0
        # However many of its processes ran or waited at once, an hour of them is no more than an hour.
        self._busy += min(wall - self._wall, self.cpu_seconds - before + waited)
        self._wall = wall
        return breach(
            replace(usage, cpu_seconds=self.cpu_seconds, resident_bytes=self._memory(usage)),
            self._busy,
            wall,
            replace(self._limits, cpu_seconds=cpu_seconds, wall_seconds=wall_seconds),
            out_of_memory=self.out_of_memory(),
        )

    def _cpu(self, usage: Usage) -> float:
        if self._before is not None:
            return max(usage.cpu_seconds, self.counted_seconds())
        # What ended with nobody waiting for it is in no count of the kernel's: as much as was seen of it.
        for pid, seconds in self._seen.items():
            if usage.own_cpu_seconds.get(pid, 0.0) < seconds:
                self._lost += seconds
        self._seen = usage.own_cpu_seconds
        return max(usage.cpu_seconds, self._lost + sum(self._seen.values()))

    def _memory(self, usage: Usage) -> int:
        # Where no group counts what the kernel keeps for the program, its bounds are taken.
        kernel = 0 if self._helper.counts_memory else kernel_bytes(usage.processes)
        resident = usage.resident_bytes
        if resident + kernel > self._limits.memory_bytes:
            # Slow, but counts once what processes share.
            resident = proportional_bytes(usage.processes)
        return resident + kernel

    def _newly_waited(self, processes: tuple[int, ...]) -> float:
        waits = waiting_seconds(processes)
        new = sum(seconds - self._waits.get(pid, 0.0) for pid, seconds in waits.items())
        self._waits |= waits
        return max(0.0, new)


def breach(
    usage: Usage, busy: float, wall: float, limits: Limits, *, out_of_memory: bool = False
) -> Breach | None:
    """The limit that a running program broke, None while it keeps them all.

    CPU time decides. Wall time counts only while the program neither runs nor waits for a busy processor, up
    to ``PATIENCE`` times the limit in all.

    Args:
        usage: Its processes; ``resident_bytes`` without counting shared pages twice.
        busy: Seconds in which one of them ran or was ready to run while others had the processor.
        wall: Seconds since it was started.
        limits: What it may use.
        out_of_memory: Whether the kernel ended a process of it for want of memory.
    """
    if usage.cpu_seconds > limits.cpu_seconds:
        return "cpu"
    if usage.threads > limits.processes + _OWN_PROCESSES:
        return "processes"
    if out_of_memory or usage.resident_bytes > limits.memory_bytes:
        return "memory"
    return "wall" if wall - busy > limits.wall_limit or wall > PATIENCE * limits.wall_limit else None
