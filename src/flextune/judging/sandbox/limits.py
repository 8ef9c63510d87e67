"""What one judged program may use."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

MIB = 1024**2

#: Wall clock that a program may take for each second of its CPU limit, where no limit of its own is given.
WALL_PER_CPU_SECOND = 6


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one program.

    Attributes:
        cpu_seconds: User and system time of the whole process tree. It decides a timeout.
        wall_seconds: Wall clock for which a program may neither run nor wait for a busy processor. With
            that waiting it may take ten times as long. None: ``WALL_PER_CPU_SECOND`` times ``cpu_seconds``.
        memory_bytes: Resident memory of the whole tree, files in its /tmp included where a cgroup
            can be had. Runtimes get a heap limit below it.
        processes: Processes and threads at once; a JVM needs about 20 of its own, Node about 12.
        file_bytes: Largest file.
        tmp_bytes: Size of the private /tmp.
        output_bytes: Standard output and standard error, each.
        open_files: Open file descriptors of one process.
        compile_seconds: CPU time for compiling one program; the wall clock allows three times as much.
        compile_memory_bytes: Memory for compiling one program.
    """

    cpu_seconds: float = 10.0
    wall_seconds: float | None = None
    memory_bytes: int = 1024 * MIB
    processes: int = 256
    file_bytes: int = 64 * MIB
    tmp_bytes: int = 128 * MIB
    output_bytes: int = 1 * MIB
    open_files: int = 256
    compile_seconds: float = 30.0
    compile_memory_bytes: int = 2048 * MIB

    @property
    def wall_limit(self) -> float:
        """The limit on the wall clock in seconds, whether it was given or follows from ``cpu_seconds``."""
        return WALL_PER_CPU_SECOND * self.cpu_seconds if self.wall_seconds is None else self.wall_seconds

    @classmethod
    def of(
        cls,
        *,
        memory_mib: int,
        file_mib: int,
        tmp_mib: int,
        output_kib: int,
        compile_memory_mib: int,
        **others: Any,
    ) -> Limits:
        """Limits by the names and units of experiments and the command line; ``others`` are as here."""
        return cls(
            memory_bytes=memory_mib * MIB,
            file_bytes=file_mib * MIB,
            tmp_bytes=tmp_mib * MIB,
            output_bytes=output_kib * 1024,
            compile_memory_bytes=compile_memory_mib * MIB,
            **others,
        )

    def for_compiling(self) -> Limits:
        """What a compiler may use; its output is as large as programs are."""
        return replace(
            self,
            cpu_seconds=self.compile_seconds,
            wall_seconds=3 * self.compile_seconds,
            memory_bytes=self.compile_memory_bytes,
            file_bytes=256 * MIB,
            tmp_bytes=512 * MIB,
            processes=max(self.processes, Limits().processes),
        )
