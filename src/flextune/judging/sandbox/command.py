"""What the sandbox is asked to run, and what it observed."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Breach = Literal["cpu", "wall", "memory", "output", "processes"]


class SandboxFault(Exception):
    """The sandbox itself failed; it says nothing about the program."""


class Interrupted(Exception):
    """The judge was asked to stop while a program ran."""


class Held:
    """Bytes that stay in the kernel, because they may be more than this process has room for.

    They are given back with this object.

    Attributes:
        descriptor: A file that has them, and nothing else.
        size: How many there are.
    """

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("flextune", os.MFD_CLOEXEC)
        self.size = 0
        weakref.finalize(self, os.close, self.descriptor)

    def add(self, data: bytes | bytearray) -> None:
        """Append ``data``."""
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self.descriptor, rest) :]
        self.size += len(data)

    def write_to(self, path: Path) -> None:
        """Copy them into a new file."""
        with path.open("wb") as file:
            done = 0
            while done < self.size:
                done += os.sendfile(file.fileno(), self.descriptor, done, self.size - done)


@dataclass(frozen=True)
class Command:
    """One program to start, and the files that it sees.

    Its descriptors: 0, 1 and 2 as usual; from 3 it reads what the judge sends (a secret, or requests), on 4
    it answers. Both are pipes, and can also be opened as ``/dev/fd/3`` and ``/dev/fd/4``.

    ``argv`` and the values of ``environment`` may contain ``{program}``, the folder of ``files``, and
    ``{key}`` for every key of ``mounts``; the sandbox puts in the paths under which the program finds them.

    Attributes:
        argv: Program and arguments, absolute path first; with ``warm`` its arguments alone.
        files: File name to content; read-only for the program.
        mounts: Name to a folder or file of the host that the program may read.
        readable: Host paths that must be readable under their own name (an interpreter's prefix).
        environment: Variables beyond PATH, HOME, LANG and TMPDIR.
        warm: A Python file that is loaded once; a fork of that interpreter runs its ``main(argv)`` in place
            of a new process. Programs run by it on the interpreter of the judge.
    """

    argv: tuple[str, ...]
    files: Mapping[str, bytes | Held] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    readable: tuple[Path, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    warm: Path | None = None

    @property
    def view(self) -> tuple[object, ...]:
        """What a sandbox shows to every program; commands of the same view can share one."""
        warmed = (self.warm, tuple(sorted(self.environment.items()))) if self.warm else ()
        return (tuple(sorted(self.mounts.items())), self.readable, warmed)


@dataclass(frozen=True)
class Result:
    """How a program ended.

    Attributes:
        status: Exit status, 128 + n after signal n.
        breach: The limit for which it was ended, if any.
        reply: What it wrote to descriptor 4.
        output: Standard output.
        errors: Standard error.
        cpu_seconds: User and system time of the whole tree.
        wall_seconds: From start to the end of the last process.
        peak_memory_bytes: Largest resident size of one process.
        held: What it wrote to descriptor 4 where it was asked to be held; ``reply`` is empty then.
    """

    status: int
    breach: Breach | None
    reply: bytes
    output: bytes
    errors: bytes
    cpu_seconds: float
    wall_seconds: float
    peak_memory_bytes: int
    held: Held | None = None
