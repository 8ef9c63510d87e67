"""The sandbox's helper process as the judge sees it: started, spoken to, and ended."""

from __future__ import annotations

import contextlib
import json
import os
import select
import socket
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from flextune.judging.sandbox import inside
from flextune.judging.sandbox.cgroups import CpuGroup, Group, cpu_group, memory_group
from flextune.judging.sandbox.command import Command, SandboxFault
from flextune.judging.sandbox.isolation import INSIDE, PATH, PROGRAM, Isolation, wrap
from flextune.judging.sandbox.limits import MIB
from flextune.judging.sandbox.task_clock import TaskClock
from flextune.judging.sandbox.visible import hidden, interpreter, interpreter_needs
from flextune.judging.sandbox.watch import children_of

_KEEPER = Path(inside.__file__).parent / "keeper.py"
#: What the helper's own processes may use beside a program's memory.
_OWN_MEMORY = 32 * MIB
_START_SECONDS = 30
# Moves itself into the cgroups before it becomes the helper, so that nothing of it is ever outside.
_JOIN = (
    "/bin/sh",
    "-c",
    'while [ "$1" != -- ]; do echo 0 > "$1" || exit; shift; done; shift; exec "$@"',
    "sh",
)
# Only the standard library, and nothing is written next to it.
_FLAGS = ("-s", "-S", "-P", "-B")


class Helper:
    """One helper, for programs that see the same files of the host.

    It ends with the thread that started it.

    Args:
        isolation: How it is kept apart.
        command: The first command; all others must have the same ``view``.

    Attributes:
        view: What all its programs see.
        channel: The socket to it.
        pid: Its process.
        gone: Whether it has ended.

    Raises:
        SandboxFault: If it did not start.
    """

    def __init__(self, isolation: Isolation, command: Command) -> None:
        self.view = command.view
        self.gone = False
        self._group = memory_group()
        # Under version 2 a process is in one group only.
        shared = self._group is not None and self._group.version == 2
        group = CpuGroup(self._group.path, 2) if self._group and shared else cpu_group()
        self._cpu: CpuGroup | TaskClock | None = group
        self._limit: int | None = None
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by close()
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            with theirs:
                self._process = subprocess.Popen(
                    self._command_line(isolation, command, [one for one in (self._group, group) if one]),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    stderr=self._errors,
                    env=_environment(command, isolation),
                    cwd="/",
                    process_group=0,
                )
            self.pid = self._process.pid
            self._greeted()
            if isolation.kind != "none":
                # Bubblewrap stays outside and waits; its one child is the helper.
                self.pid = next(iter(children_of(self._process.pid)), self._process.pid)
            if self._cpu is None:
                with contextlib.suppress(OSError):
                    self._cpu = TaskClock(self.pid)
        except BaseException:
            self.close()
            raise

    def _command_line(
        self, isolation: Isolation, command: Command, groups: Sequence[Group]
    ) -> tuple[str, ...]:
        python = interpreter()
        files = dict.fromkeys(group.join_file for group in groups)
        join = (*_JOIN, *files, "--") if files else ()
        if isolation.kind == "none":
            warm = str(command.warm or "")
            return (*join, str(python), *_FLAGS, str(_KEEPER), "none", "", warm, str(os.getpid()))
        mounts = [(path, f"{INSIDE}/{name}") for name, path in command.mounts.items()]
        readable = {*command.readable, *interpreter_needs(python)}
        mounts += [(path, str(path)) for path in sorted(readable)]
        mounts.append((_KEEPER.parent, f"{INSIDE}/keeper"))
        warm = ""
        if command.warm:
            # With its siblings, which it may import.
            warm = f"{INSIDE}/warm/{command.warm.name}"
            mounts.append((command.warm.parent, f"{INSIDE}/warm"))
        keeper = (str(python), *_FLAGS, f"{INSIDE}/keeper/{_KEEPER.name}", isolation.kind, PROGRAM, warm, "0")
        variables = _environment(command, isolation).items()
        return (
            *join,
            *wrap(isolation, keeper, mounts=mounts, hidden=hidden(readable), environment=variables),
        )

    def _greeted(self) -> None:
        ready, _, _ = select.select([self.channel], [], [], _START_SECONDS)
        if not ready or not self.channel.recv(1 << 12):
            raise SandboxFault(self.last_words() or "the sandbox's helper did not start")

    def last_words(self) -> str:
        """The last line of what bubblewrap or the helper said."""
        self._errors.seek(0)
        lines = self._errors.read().decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else ""

    def ask(self, request: dict[str, Any], descriptors: list[int]) -> None:
        """Send a request.

        Raises:
            SandboxFault: If the helper is gone.
        """
        try:
            socket.send_fds(self.channel, [json.dumps(request).encode()], descriptors)
        except OSError as error:
            raise SandboxFault(f"the sandbox's helper took no request: {error}") from None

    def limit_memory(self, size: int) -> None:
        """Bound what a program, its files and the helper use together, where a cgroup can be had.

        Raises:
            SandboxFault: If the kernel refuses.
        """
        if self._group is None or self._limit == size:
            return
        try:
            self._group.set_limit(size + _OWN_MEMORY)
        except OSError as error:
            raise SandboxFault(f"the memory limit could not be set ({error})") from error
        self._limit = size

    @property
    def counts_memory(self) -> bool:
        """Whether the kernel bounds the memory of all that runs here."""
        return self._group is not None

    def kills(self) -> int:
        """Processes that the kernel ended here for want of memory, so far."""
        return 0 if self._group is None else self._group.kills()

    def cpu_seconds(self) -> float | None:
        """CPU time of the helper and of all that it ever started; None where nobody counts it."""
        return None if self._cpu is None else self._cpu.seconds()

    def close(self) -> None:
        """End the helper, and with it whatever runs."""
        self.channel.close()
        with contextlib.suppress(AttributeError):  # it never started
            try:
                self._process.wait(timeout=1)
            except subprocess.TimeoutExpired:
                self._process.terminate()
                self._process.wait()
        self._errors.close()
        for counter in (self._group, self._cpu):
            if counter is not None:
                counter.remove()


def _environment(command: Command, isolation: Isolation) -> dict[str, str]:
    """Variables of the helper, which are those of a warm runner's programs."""
    if not command.warm:
        return {"PATH": PATH, "LANG": "C.UTF-8"}
    places = places_of(command, isolation)
    return {name: filled(value, places) for name, value in environment_of(command).items()}


def places_of(command: Command, isolation: Isolation) -> dict[str, str]:
    """Where a program sees what is mounted for it."""
    if isolation.kind == "none":
        return {name: str(path) for name, path in command.mounts.items()}
    return {name: f"{INSIDE}/{name}" for name in command.mounts}


def filled(text: str, places: dict[str, str]) -> str:
    """``text`` with ``{name}`` replaced by its place; other braces stay."""
    for name, path in places.items():
        text = text.replace("{" + name + "}", path)
    return text


def environment_of(command: Command, home: str = "/tmp") -> dict[str, str]:
    """The variables of a program."""
    return {"PATH": PATH, "HOME": home, "TMPDIR": home, "LANG": "C.UTF-8", **command.environment}
