"""Control groups of one sandbox, version 1 or 2, where this process may make them."""

from __future__ import annotations

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_numbers = itertools.count()


@dataclass
class Group:
    """A cgroup of this process's own.

    Attributes:
        path: Its folder.
        version: 1 or 2.
    """

    path: Path
    version: int
    _open: int | None = field(default=None, init=False, repr=False)

    @property
    def join_file(self) -> str:
        """Writing 0 to this file moves the writer into the group."""
        return str(self.path / "cgroup.procs")

    def remove(self) -> None:
        """Remove the group; its processes are gone, but the kernel may need a moment."""
        if self._open is not None:
            os.close(self._open)
            self._open = None
        for _ in range(50):
            try:
                self.path.rmdir()
            except FileNotFoundError:
                return
            except OSError:
                time.sleep(0.02)
            else:
                return

    def _read(self, name: str) -> bytes:
        """The content of ``name``, which stays open: it is asked for several times for each program."""
        if self._open is None:
            self._open = os.open(self.path / name, os.O_RDONLY | os.O_CLOEXEC)
        return os.pread(self._open, 4096, 0)


class MemoryGroup(Group):
    """A cgroup that bounds the memory of every process in it, files in its tmpfs included."""

    @property
    def limit_file(self) -> Path:
        """Where the limit is written; without the memory controller there is none."""
        return self.path / ("memory.max" if self.version == 2 else "memory.limit_in_bytes")

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
        content = self._read("memory.events" if self.version == 2 else "memory.oom_control")
        return _value(content, b"oom_kill")

    def _write(self, name: str, value: int, *, optional: bool = False) -> None:
        with (
            contextlib.suppress(FileNotFoundError, PermissionError) if optional else contextlib.nullcontext()
        ):
            (self.path / name).write_text(str(value))


class CpuGroup(Group):
    """A cgroup that counts the CPU time of every process in it, also of those that nobody waits for."""

    def seconds(self) -> float:
        """User and system time since the group was made."""
        if self.version == 2:
            return _value(self._read("cpu.stat"), b"usage_usec") / 1e6
        return int(self._read("cpuacct.usage")) / 1e9


def memory_group(root: Path = Path("/sys/fs/cgroup"), own: str | None = None) -> MemoryGroup | None:
    """A new group below this process's own one, or None where that is not allowed.

    Args:
        root: Where cgroups are mounted.
        own: Content of ``/proc/self/cgroup``; read when not given.
    """
    for path, version in _new(root, own, "memory"):
        group = MemoryGroup(path, version)
        with contextlib.suppress(OSError), open(group.limit_file, "r+"):
            return group
        group.remove()
    return None


def cpu_group(root: Path = Path("/sys/fs/cgroup"), own: str | None = None) -> CpuGroup | None:
    """A new group like ``memory_group``'s; version 2 counts CPU time without a controller."""
    for path, version in _new(root, own, "cpuacct"):
        group = CpuGroup(path, version)
        with contextlib.suppress(OSError, ValueError):
            group.seconds()
            return group
        group.remove()
    return None


def _new(root: Path, own: str | None, controller: str) -> Iterator[tuple[Path, int]]:
    """Made folders that may be groups with ``controller``, and their versions."""
    text = Path("/proc/self/cgroup").read_text() if own is None else own
    for parent, version in _places(root, text, controller):
        remove_stale(parent)
        path = parent / f"flextune-{os.getpid()}-{next(_numbers)}"
        try:
            path.mkdir()
        except OSError:
            continue
        yield path, version


def _places(root: Path, own: str, controller: str) -> list[tuple[Path, int]]:
    places = []
    for line in own.splitlines():
        _, controllers, path = line.split(":", 2)
        if controller in controllers.split(","):
            places.append((root / controller / path.lstrip("/"), 1))
        elif not controllers:
            places.append((root / path.lstrip("/"), 2))
            # Where both versions are mounted.
            places.append((root / "unified" / path.lstrip("/"), 2))
    return [(path, version) for path, version in places if path.is_dir()]


def _value(content: bytes, name: bytes) -> int:
    """The number after ``name`` in a file of lines with a name and a number; 0 without it."""
    for line in content.splitlines():
        key, _, value = line.partition(b" ")
        if key == name:
            return int(value)
    return 0


def remove_stale(parent: Path) -> None:
    """Remove groups whose judge was killed before it could."""
    for path in parent.glob("flextune-*-*"):
        pid = path.name.split("-")[1]
        if pid.isdecimal() and not os.path.exists(f"/proc/{pid}"):
            with contextlib.suppress(OSError):
                path.rmdir()
