"""What one judged program may use."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1024**2


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one program; the compiler gets the same CPU time for each program.

    Attributes:
        cpu_seconds: User and system time of the whole process tree. It decides a timeout.
        wall_seconds: Wall clock after which a program that waits is ended. One that has only been
            waiting for a busy processor is given up to four times as long.
        memory_bytes: Resident memory of the whole tree, files in its /tmp included where a cgroup
            can be had. Runtimes get a heap limit below it.
        processes: Processes and threads at once; a JVM needs about 20, Node about 12.
        file_bytes: Largest file.
        tmp_bytes: Size of the private /tmp.
        output_bytes: Standard output and standard error, each.
        open_files: Open file descriptors of one process.
    """

    cpu_seconds: float = 10.0
    wall_seconds: float = 30.0
    memory_bytes: int = 1024 * MIB
    processes: int = 64
    file_bytes: int = 64 * MIB
    tmp_bytes: int = 128 * MIB
    output_bytes: int = 1 * MIB
    open_files: int = 256
