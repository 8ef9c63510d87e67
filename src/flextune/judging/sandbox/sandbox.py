"""Runs commands under limits: one after another, or one that stays and answers requests."""

from __future__ import annotations

import contextlib
import fcntl
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

from flextune.judging.sandbox.child import PATIENCE, Child
from flextune.judging.sandbox.command import Command, Result, SandboxFault
from flextune.judging.sandbox.helper import Helper, environment_of
from flextune.judging.sandbox.isolation import INSIDE, PROGRAM, Isolation, free_user
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.watch import tree_usage

_REPLY_BYTES = 4096


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

        Raises:
            SandboxFault: If it could not be run.
            Interrupted: If ``interrupt`` was called.
        """
        start = time.monotonic()
        with self._started(command, limits, stdin, companion, reply_bytes) as (helper, child):
            kills = helper.kills()
            child.send(data, last=True)
            child.pump(lambda: False, cpu_seconds=limits.cpu_seconds, wall_seconds=limits.wall_limit)
            wall = time.monotonic() - start
            child.drain()
            # Whatever else it led to: when the kernel ended a process for want of memory, that was the cause.
            breach = "memory" if helper.kills() > kills else child.breach
        report: dict[str, Any] = child.report or {}
        if breach is None and report["status"] and report["cpu"] >= limits.cpu_seconds:
            breach = "cpu"
        return Result(
            status=report["status"],
            breach=breach,
            reply=bytes(child.reply),
            output=bytes(child.output[: limits.output_bytes]),
            errors=bytes(child.errors[: limits.output_bytes]),
            cpu_seconds=max(report["cpu"], child.cpu_seconds),
            wall_seconds=wall,
            peak_memory_bytes=max(report["peak"], child.peak_bytes),
        )

    @contextlib.contextmanager
    def session(self, command: Command, limits: Limits) -> Iterator[Session]:
        """Start ``command`` as a server; it is ended when the block is left."""
        with self._started(command, limits, b"", None, 1 << 28, server=True) as (helper, child):
            yield Session(helper, child)

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
    ) -> Iterator[tuple[Helper, Child]]:
        """The started command; it is gone, and so are its files, when the block is left."""
        try:
            with contextlib.ExitStack() as stack:
                helper = self._help(command)
                helper.limit_memory(limits.memory_bytes)
                commands = [command] if companion is None else [command, companion]
                parts = [self._part(one, limits, stack, server=server) for one in commands]
                request = {"tmp": limits.tmp_bytes, "program": parts[0]}
                request["directory"] = parts[0]["environment"]["HOME"]
                if companion is not None:
                    request["companion"] = parts[1]
                contents = b"".join(content for one in commands for content in one.files.values())
                ours, theirs = _pipes(stdin, contents)
                try:
                    child = Child(helper, ours, limits, wake=self._wake_read, reply_bytes=reply_bytes)
                    stack.callback(child.close)
                    helper.ask(request, theirs)
                finally:
                    for number in theirs:
                        os.close(number)
                try:
                    yield helper, child
                finally:
                    child.end()
        except SandboxFault:
            # What failed may be the helper; the next command gets a new one.
            self._dismiss()
            raise

    def _part(
        self, command: Command, limits: Limits, stack: contextlib.ExitStack, *, server: bool
    ) -> dict[str, Any]:
        """One program as the helper wants it."""
        if self.isolation.kind == "none":
            folder = tempfile.mkdtemp(prefix="flextune-")
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            for name, content in command.files.items():
                path = Path(folder, name)
                path.write_bytes(content)
                path.chmod(0o755)
            places = {"program": folder, **{name: str(path) for name, path in command.mounts.items()}}
            environment = environment_of(command, folder)
        else:
            places = {"program": PROGRAM, **{name: f"{INSIDE}/{name}" for name in command.mounts}}
            environment = environment_of(command)
        return {
            "argv": _fill(command.argv, places),
            "warm": command.warm is not None,
            "environment": dict(zip(environment, _fill(tuple(environment.values()), places), strict=True)),
            "files": [(name, len(content)) for name, content in command.files.items()],
            "user": free_user() if self.isolation.kind == "root" else -1,
            "rlimits": self._rlimits(command, limits, server=server),
        }

    def _rlimits(self, command: Command, limits: Limits, *, server: bool) -> dict[str, int]:
        wanted = {"file": limits.file_bytes, "open_files": limits.open_files, "core": 0}
        if not server:
            # The watcher ends a tree in time; this is for a single process, should the watcher be stopped.
            # It is far off because the kernel counts clock ticks: beside many short processes a program
            # was seen to have 4 s on it after 2.5 s.
            wanted["cpu"] = math.ceil(limits.cpu_seconds * PATIENCE)
        if command.address_space:
            wanted["address_space"] = limits.memory_bytes
        if self.isolation.kind != "none":
            # Without namespaces all processes of the user would count.
            wanted["processes"] = limits.processes
        return wanted


class Session:
    """A server in the sandbox that answers framed requests: four bytes of length, then the content.

    It speaks first: its first frame says that it is ready.
    """

    def __init__(self, helper: Helper, child: Child) -> None:
        self._helper, self._child = helper, child
        self._kills = helper.kills()

    def request(self, content: bytes | None, limits: Limits) -> bytes | Result:
        """The answer to ``content`` (None: the greeting), or how the server ended instead."""
        child = self._child
        if content is not None:
            child.send(len(content).to_bytes(4, "big") + content)
        start = time.monotonic()
        spent = tree_usage(self._helper.pid).cpu_seconds
        child.pump(self._complete, cpu_seconds=spent + limits.cpu_seconds, wall_seconds=limits.wall_limit)
        if self._complete():
            size = int.from_bytes(child.reply[:4], "big")
            answer = bytes(child.reply[4 : 4 + size])
            del child.reply[: 4 + size]
            return answer
        child.drain()
        breach = "memory" if self._helper.kills() > self._kills else child.breach
        return Result(
            status=(child.report or {}).get("status", -1),
            breach=breach,
            reply=b"",
            output=b"",
            errors=bytes(child.errors),
            cpu_seconds=max(0.0, child.cpu_seconds - spent),
            wall_seconds=time.monotonic() - start,
            peak_memory_bytes=(child.report or {}).get("peak", 0),
        )

    def _complete(self) -> bool:
        reply = self._child.reply
        return len(reply) >= 4 and len(reply) >= 4 + int.from_bytes(reply[:4], "big")


def _fill(argv: tuple[str, ...], places: dict[str, str]) -> tuple[str, ...]:
    """``argv`` with ``{name}`` replaced; other braces stay."""
    filled = []
    for argument in argv:
        for name, path in places.items():
            argument = argument.replace("{" + name + "}", path)
        filled.append(argument)
    return tuple(filled)


def _pipes(stdin: bytes, contents: bytes) -> tuple[tuple[int, int, int, int], list[int]]:
    """Our ends (output, errors, replies; then where to send), and what the helper is given."""
    opened: list[int] = []
    try:
        opened.append(_filled_pipe(stdin) or _memory_file(stdin))
        for _ in range(4):
            opened += os.pipe()
            # A pipe can also be opened by its name, and the program is another user.
            os.fchmod(opened[-1], 0o666)
        opened.append(_memory_file(contents))
    except OSError as error:
        for number in opened:
            os.close(number)
        raise SandboxFault(f"no descriptors for a program: {error}") from None
    given, output_r, output_w, errors_r, errors_w, sent_r, sent_w, reply_r, reply_w, held = opened
    return (output_r, errors_r, reply_r, sent_w), [given, output_w, errors_w, sent_r, reply_w, held]


def _filled_pipe(content: bytes) -> int | None:
    """The end of a pipe that holds ``content`` and nothing more, None where the kernel allows none so large.

    A program may wait for its input with ``poll`` or ``epoll``, which a file does not offer.
    """
    source, target = os.pipe()
    try:
        os.fchmod(source, 0o666)
        if len(content) > fcntl.fcntl(target, fcntl.F_GETPIPE_SZ):
            fcntl.fcntl(target, fcntl.F_SETPIPE_SZ, len(content))
        os.set_blocking(target, False)
        if os.write(target, content) == len(content):
            return source
    except OSError:
        pass
    finally:
        os.close(target)
    os.close(source)
    return None


def _memory_file(content: bytes) -> int:
    """A descriptor from which ``content`` can be read, and which nobody can write to."""
    descriptor = os.memfd_create("flextune", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
        seals = fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE | fcntl.F_SEAL_SEAL
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
