"""Runs commands under limits: one after another, or one that stays and answers requests."""

from __future__ import annotations

import contextlib
import json
import math
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from flextune.judging.sandbox.child import Child
from flextune.judging.sandbox.command import Command, Held, Result, SandboxFault
from flextune.judging.sandbox.helper import Helper, environment_of, filled, places_of
from flextune.judging.sandbox.isolation import PROGRAM, Isolation, free_user
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.meter import PATIENCE
from flextune.judging.sandbox.streams import memory_file, open_streams

_REPLY_BYTES = 4096
#: Under a limit of 0 the kernel still starts the machine's collector of dumps; under 1 it does not.
_NO_CORE = 1


class Sandbox:
    """Runs one command at a time; every command gets fresh namespaces, a fresh /tmp and a fresh user.

    Its helper stays between commands of the same view and is replaced for another. Use it from the thread
    that made it: the helper ends with that thread.

    Args:
        isolation: What ``check_isolation`` returned, or kind ``none`` where the user accepted the risk.
    """

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # A closed descriptor's number may soon be another file's.
        self._closing, self._closed = threading.Lock(), False
        self._helper: Helper | None = None

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def interrupt(self) -> None:
        """Make the running and every later call raise ``Interrupted``; callable from any thread."""
        with self._closing:
            if not self._closed:
                os.write(self._wake_write, b"!")

    def close(self) -> None:
        """End the helper, and with it whatever runs."""
        self._dismiss()
        with self._closing:
            if not self._closed:
                self._closed = True
                os.close(self._wake_read)
                os.close(self._wake_write)

    def run(
        self,
        command: Command,
        limits: Limits,
        data: bytes = b"",
        *,
        stdin: bytes = b"",
        companion: Command | None = None,
        reply_bytes: int = _REPLY_BYTES,
        hold: bool = False,
    ) -> Result:
        """Run ``command`` to its end.

        Args:
            command: What to run.
            limits: What it may use.
            data: What it reads from descriptor 3 before the end of file.
            stdin: What it reads from standard input.
            companion: A second command of the same view, as another user in namespaces of its own; it reads
                on 3 what ``command`` writes to 6, and what it writes to 4 ``command`` reads on 5. It ends
                with ``command``. The two share ``limits``.
            reply_bytes: How much ``command`` may write to descriptor 4.
            hold: Whether to hold that, because it may be large.

        Raises:
            SandboxFault: If it could not be run.
            Interrupted: If ``interrupt`` was called.
        """
        start = time.monotonic()
        with self._started(command, limits, stdin, companion, reply_bytes, hold=hold) as child:
            child.send(data, last=True)
            if stdin:
                child.send_input(stdin)
            child.pump(lambda: False, cpu_seconds=limits.cpu_seconds, wall_seconds=limits.wall_limit)
            wall = time.monotonic() - start
            child.drain()
            counted = child.meter.counted_seconds()
            # Whatever else it led to: when the kernel ended a process for want of memory, that was the cause.
            breach = "memory" if child.meter.out_of_memory() else child.breach
        report: dict[str, Any] = child.report or {}
        # Of what nobody waited for, the program's own exit says nothing.
        if breach is None and max(counted, report["cpu"] if report["status"] else 0.0) >= limits.cpu_seconds:
            breach = "cpu"
        return Result(
            status=report["status"],
            breach=breach,
            reply=bytes(child.reply),
            output=bytes(child.output[: limits.output_bytes]),
            errors=bytes(child.errors[: limits.output_bytes]),
            cpu_seconds=max(report["cpu"], child.meter.cpu_seconds, counted),
            wall_seconds=wall,
            peak_memory_bytes=max(report["peak"], child.meter.peak_bytes),
            held=child.held,
        )

    @contextlib.contextmanager
    def session(self, command: Command, limits: Limits) -> Iterator[Session]:
        """Start ``command`` as a server; it is ended when the block is left."""
        with self._started(command, limits, b"", None, 1 << 28, server=True) as child:
            yield Session(child)

    def _dismiss(self) -> None:
        if self._helper is not None:
            self._helper.close()
            self._helper = None

    def _help(self, command: Command) -> Helper:
        if self._helper is not None and self._helper.view != command.view:
            self._dismiss()
        if self._helper is None:
            self._helper = Helper(self.isolation, command)
        return self._helper

    @contextlib.contextmanager
    def _started(
        self,
        command: Command,
        limits: Limits,
        stdin: bytes,
        companion: Command | None,
        reply_bytes: int,
        *,
        server: bool = False,
        hold: bool = False,
    ) -> Iterator[Child]:
        """The started command; it is gone, and so are its files, when the block is left."""
        try:
            with contextlib.ExitStack() as stack:
                helper = self._help(command)
                helper.limit_memory(limits.memory_bytes)
                commands = [command] if companion is None else [command, companion]
                users = [free_user() if self.isolation.kind == "root" else -1 for _ in commands]
                sheets = [
                    self._sheet(one, limits, stack, user=user, server=server)
                    for one, user in zip(commands, users, strict=True)
                ]
                streams = open_streams(with_input=bool(stdin), companion=companion is not None)
                given = list(streams.theirs)
                try:
                    child = Child(
                        helper, streams, limits, wake=self._wake_read, reply_bytes=reply_bytes, hold=hold
                    )
                    stack.callback(child.close)
                    parts = [
                        {**_part(one, sheet, given), "user": user}
                        for one, sheet, user in zip(commands, sheets, users, strict=True)
                    ]
                    helper.ask({"tmp": limits.tmp_bytes, "parts": parts}, given)
                finally:
                    for number in given:
                        os.close(number)
                try:
                    yield child
                finally:
                    child.end()
                    if helper.gone:
                        self._dismiss()
        except SandboxFault:
            # What failed may be the helper; the next command gets a new one.
            self._dismiss()
            raise

    def _sheet(
        self, command: Command, limits: Limits, stack: contextlib.ExitStack, *, user: int, server: bool
    ) -> bytes:
        """What only the program's own process reads about it: no other program descends from that."""
        if self.isolation.kind == "none":
            folder = tempfile.mkdtemp(prefix="flextune-")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            for name, content in command.files.items():
                path = Path(folder, name)
                if isinstance(content, Held):
                    content.write_to(path)
                else:
                    path.write_bytes(content)
                path.chmod(0o755)
            environment = environment_of(command, folder)
        else:
            folder, environment = PROGRAM, environment_of(command)
        places = {"program": folder, **places_of(command, self.isolation)}
        sheet = {
            "argv": [filled(argument, places) for argument in command.argv],
            "warm": command.warm is not None,
            "environment": {name: filled(value, places) for name, value in environment.items()},
            "directory": environment["HOME"],
            "user": user,
            "rlimits": self._rlimits(limits, server=server),
        }
        return json.dumps(sheet).encode()

    def _rlimits(self, limits: Limits, *, server: bool) -> dict[str, int]:
        wanted = {"file": limits.file_bytes, "open_files": limits.open_files, "core": _NO_CORE}
        if not server:
            # The watcher ends a tree in time; this is for a single process, should the watcher be stopped.
            # It is far off because the kernel counts clock ticks: beside many short processes a program
            # was seen to have 4 s on it after 2.5 s.
            wanted["cpu"] = math.ceil(limits.cpu_seconds * PATIENCE)
        if self.isolation.kind != "none":
            # Without namespaces all processes of the user would count.
            wanted["processes"] = limits.processes
        return wanted


class Session:
    """A server in the sandbox that answers framed requests: four bytes of length, then the content.

    It speaks first: its first frame says that it is ready.
    """

    def __init__(self, child: Child) -> None:
        self._child = child

    def request(self, content: bytes | None, limits: Limits) -> bytes | Result:
        """The answer to ``content`` (None: the greeting), or how the server ended instead."""
        child = self._child
        if content is not None:
            child.send(len(content).to_bytes(4, "big") + content)
        start = time.monotonic()
        spent = child.meter.begin()
        child.pump(self._complete, cpu_seconds=spent + limits.cpu_seconds, wall_seconds=limits.wall_limit)
        if self._complete():
            size = int.from_bytes(child.reply[:4], "big")
            answer = bytes(child.reply[4 : 4 + size])
            del child.reply[: 4 + size]
            return answer
        child.drain()
        breach = "memory" if child.meter.out_of_memory() else child.breach
        return Result(
            status=(child.report or {}).get("status", -1),
            breach=breach,
            reply=b"",
            output=b"",
            errors=bytes(child.errors),
            cpu_seconds=max(0.0, child.meter.cpu_seconds - spent),
            wall_seconds=time.monotonic() - start,
            peak_memory_bytes=(child.report or {}).get("peak", 0),
        )

    def _complete(self) -> bool:
        reply = self._child.reply
        return len(reply) >= 4 and len(reply) >= 4 + int.from_bytes(reply[:4], "big")


def _part(command: Command, sheet: bytes, given: list[int]) -> dict[str, Any]:
    """What the helper has to know, and no more: programs can read whatever it ever held.

    Args:
        command: A program to be started.
        sheet: What its own process is to read.
        given: Descriptors for the helper; those of the files are added.
    """
    texts = [content for content in command.files.values() if not isinstance(content, Held)]
    first, offset = len(given), len(sheet)
    given.append(memory_file((sheet, *texts)))
    files = []
    for name, content in command.files.items():
        if isinstance(content, Held):
            files.append((name, len(given), 0, content.size))
            given.append(os.dup(content.descriptor))
        else:
            files.append((name, first, offset, len(content)))
            offset += len(content)
    return {"contents": first, "sheet": len(sheet), "files": files}
