"""One memory cgroup per sandbox, version 1 or 2, where this process may make one."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from dataclasses import dataclass, field
from pathlib import Path

_numbers = itertools.count()


@dataclass
class MemoryGroup:
    """A cgroup that bounds the memory of every process in it, files in its tmpfs included.

    Attributes:
        path: Its folder.
        version: 1 or 2.
    """

    path: Path
    version: int
    _events: int | None = field(default=None, init=False, repr=False)

    @property
    def join_file(self) -> str:
        """Writing 0 to this file moves the writer into the group."""
        return str(self.path / "cgroup.procs")

    def set_limit(self, size: int) -> None:
        """Bound memory to ``size`` bytes and allow no swap."""
        if self.version == 2:
            self._write("memory.max", size)
            self._write("memory.swap.max", 0, optional=True)
        else:
            # The sum with swap may never be below the memory limit, so the order depends on the change.
            self._write("memory.memsw.limit_in_bytes", -1, optional=True)
            self._write("memory.limit_in_bytes", size)
            self._write("memory.memsw.limit_in_bytes", size, optional=True)

    def kills(self) -> int:
        """Processes that the kernel ended here for want of memory."""
        if self._events is None:
            name = "memory.events" if self.version == 2 else "memory.oom_control"
            # Asked for several times for each program, so it stays open.
            self._events = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC)
        for line in os.pread(self._events, 4096, 0).splitlines():
            key, _, value = line.partition(b" ")
            if key == b"oom_kill":
                return int(value)
        return 0

    def remove(self) -> None:
        """Remove the group; its processes are gone, but the kernel may need a moment."""
        if self._events is not None:
            os.close(self._events)
            self._events = None
        for _ in range(50):
            try:
                self.path.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.02)
            else:
                return

    def _write(self, name: str, value: int, *, optional: bool = False) -> None:
        with (
            contextlib.suppress(FileNotFoundError, PermissionError) if optional else contextlib.nullcontext()
        ):
            (self.path / name).write_text(str(value))


def memory_group(root: Path = Path("/sys/fs/cgroup"), own: str | None = None) -> MemoryGroup | None:
    """A new group below this process's own one, or None where that is not allowed.

    Args:
        root: Where cgroups are mounted.
        own: Content of ``/proc/self/cgroup``; read when not given.
    """
    places = _places(root, Path("/proc/self/cgroup").read_text() if own is None else own)
    for parent, version in places:
        remove_stale(parent)
        path = parent / f"flextune-{os.getpid()}-{next(_numbers)}"
        group = MemoryGroup(path, version)
        try:
            path.mkdir()
        except OSError:
            continue
        try:
            # Without the memory controller this file does not exist and the group is of no use.
            with open(path / ("memory.max" if version == 2 else "memory.limit_in_bytes"), "r+"):
                return group
        except OSError:
            group.remove()
    return None


def _places(root: Path, own: str) -> list[tuple[Path, int]]:
    found = []
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        if "memory" in controllers.split(","):
            found.append((root / "memory" / path.lstrip("/"), 1))
        elif not controllers:
            found.append((root / path.lstrip("/"), 2))
    return [(path, version) for path, version in found if path.is_dir()]


def remove_stale(parent: Path) -> None:
    """Remove groups whose judge was killed before it could."""
    for path in parent.glob("flextune-*-*"):
        pid = path.name.split("-")[1]
        if pid.isdecimal() and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):
                path.rmdir()
