"""The pipes and files through which the judge and a program exchange what they have to say."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterable
from dataclasses import dataclass, field

from flextune.judging.sandbox.command import SandboxFault

_READ_ONLY, _WRITE_ONLY = 0o444, 0o222


@dataclass
class Streams:
    """The judge's ends of a program's descriptors, and the ends that the program gets.

    A pipe can also be opened by its name (``/dev/fd/1``), but only in the direction in which the program
    already has it: what was written there, by the runner or by others, is not for the program to read.

    Attributes:
        outputs: Standard outputs, the companion's after the program's.
        errors: Standard errors, likewise.
        replies: What the program writes to its descriptor 4.
        requests: What it reads from its descriptor 3.
        input: What it reads from standard input, None where that is empty.
        theirs: The program's descriptors 0 to 4, then the companion's 1 and 2.
    """

    outputs: list[int] = field(default_factory=list)
    errors: list[int] = field(default_factory=list)
    replies: int = -1
    requests: int = -1
    input: int | None = None
    theirs: list[int] = field(default_factory=list)

    def ours(self) -> list[int]:
        """The judge's ends, to be closed at last."""
        ends = [*self.outputs, *self.errors, self.replies, self.requests]
        return [number for number in ends if number >= 0] + ([] if self.input is None else [self.input])


def open_streams(*, with_input: bool, companion: bool) -> Streams:
    """New pipes.

    Raises:
        SandboxFault: If this process may open no more files.
    """
    streams = Streams()
    try:
        if with_input:
            streams.input = _towards(streams)
        else:
            # An empty pipe rather than /dev/null: a program may wait for its input with ``epoll``.
            os.close(_towards(streams))
        streams.outputs.append(_from(streams))
        streams.errors.append(_from(streams))
        streams.requests = _towards(streams)
        streams.replies = _from(streams)
        if companion:
            streams.outputs.append(_from(streams))
            streams.errors.append(_from(streams))
    except OSError as error:
        for number in [*streams.ours(), *streams.theirs]:
            os.close(number)
        raise SandboxFault(f"no descriptors for a program: {error}") from None
    return streams


def _towards(streams: Streams) -> int:
    reader, writer = os.pipe()
    os.fchmod(reader, _READ_ONLY)
    streams.theirs.append(reader)
    return writer


def _from(streams: Streams) -> int:
    reader, writer = os.pipe()
    os.fchmod(writer, _WRITE_ONLY)
    streams.theirs.append(writer)
    return reader


def memory_file(contents: Iterable[bytes]) -> int:
    """A descriptor from which ``contents``, one after the other, can be read, and which nobody can write to.

    Raises:
        SandboxFault: If there is no room for it.
    """
    descriptor = -1
    try:
        descriptor = os.memfd_create("flextune", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        for content in contents:
            rest = memoryview(content)
            while rest:
                rest = rest[os.write(descriptor, rest) :]
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    except OSError as error:
        if descriptor >= 0:
            os.close(descriptor)
        raise SandboxFault(f"no room for a program's files: {error}") from None
    return descriptor
