"""Runs commands under limits: one after another, or one that stays and answers requests."""

from __future__ import annotations

import contextlib
import json
import math
import os
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from flextune.judging.sandbox import spawner
from flextune.judging.sandbox.cgroups import memory_group
from flextune.judging.sandbox.child import Child
from flextune.judging.sandbox.command import Command, Result, SandboxFault
from flextune.judging.sandbox.isolation import INSIDE, PATH, Isolation, free_user, wrap
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.watch import tree_usage

_REPLY_BYTES = 4096


class Sandbox:
    """Runs one command at a time; every command gets fresh namespaces, a fresh /tmp and a fresh user.

    Use it from the thread that made it: its helper process ends with that thread.

    Args:
        isolation: What ``check_isolation`` returned, or kind ``none`` where the user accepted the risk.
    """

    def __init__(self, isolation: Isolation) -> None:
        self.isolation = isolation
        self._wake_read, self._wake_write = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        # A closed descriptor's number may soon be another file's.
        self._closing, self._closed = threading.Lock(), False
        self._group = memory_group()
        self._user: int | None = None
        self._spawner, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                (sys.executable, "-I", "-S", spawner.__file__, str(os.getpid())),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                process_group=0,
            )

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
        """End the helper process, and with it whatever runs."""
        if self._closed:
            return
        self._spawner.close()
        try:
            self._process.wait(timeout=0.5)
        except subprocess.TimeoutExpired:
            self._process.terminate()
            self._process.wait()
        if self._process.returncode != 0 and self._user is not None:
            end_user(self._user)
        with self._closing:
            self._closed = True
            os.close(self._wake_read)
            os.close(self._wake_write)
        if self._group is not None:
            self._group.remove()

    def run(self, command: Command, limits: Limits, data: bytes = b"") -> Result:
        """Run ``command`` to its end.

        Args:
            command: What to run.
            limits: What it may use.
            data: What it reads from descriptor 0 before the end of file.

        Raises:
            SandboxFault: If it could not be run.
            Interrupted: If ``interrupt`` was called.
        """
        kills = self._kills()
        start = time.monotonic()
        with self._started(command, limits, cpu_seconds=limits.cpu_seconds) as child:
            child.send(data, last=True)
            child.pump(lambda: False, cpu_seconds=limits.cpu_seconds, wall_seconds=limits.wall_seconds)
            wall = time.monotonic() - start
            child.drain()
        report: dict[str, Any] = child.report or {}
        breach = child.breach
        if breach is None and self._kills() > kills:
            breach = "memory"
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
            peak_memory_bytes=report["peak"],
        )

    @contextlib.contextmanager
    def session(self, command: Command, limits: Limits) -> Iterator[Session]:
        """Start ``command`` as a server; it is ended when the block is left."""
        with self._started(command, limits, cpu_seconds=None, reply_bytes=1 << 28) as child:
            yield Session(child, lambda: tree_usage(self._process.pid).cpu_seconds, self._kills)

    def _kills(self) -> int:
        return 0 if self._group is None else self._group.kills()

    @contextlib.contextmanager
    def _started(
        self, command: Command, limits: Limits, *, cpu_seconds: float | None, reply_bytes: int = _REPLY_BYTES
    ) -> Iterator[Child]:
        """The started command; it is gone, and so are its files, when the block is left."""
        with contextlib.ExitStack() as stack:
            argv, descriptors, environment, directory = self._prepare(command, limits, stack)
            ours, theirs = socket.socketpair()
            output_read, output_write = os.pipe()
            errors_read, errors_write = os.pipe()
            child = Child(
                self._spawner,
                self._process.pid,
                (ours, output_read, errors_read),
                limits,
                wake=self._wake_read,
                reply_bytes=reply_bytes,
                isolated=self.isolation.kind != "none",
            )
            stack.callback(child.close)
            request = {
                "argv": argv,
                "environment": environment,
                "directory": directory,
                "rlimits": self._rlimits(command, limits, cpu_seconds),
                "cgroups": self._join(limits),
            }
            streams = [theirs.fileno(), output_write, errors_write]
            try:
                socket.send_fds(self._spawner, [json.dumps(request).encode()], streams + descriptors)
            except OSError as error:
                raise SandboxFault(f"the spawner took no request: {error}") from None
            finally:
                theirs.close()
                os.close(output_write)
                os.close(errors_write)
            try:
                yield child
            finally:
                child.end()

    def _prepare(
        self, command: Command, limits: Limits, stack: contextlib.ExitStack
    ) -> tuple[tuple[str, ...], list[int], dict[str, str], str]:
        """Command line, descriptors of its files, environment and working folder."""
        environment = {
            "PATH": PATH,
            "HOME": "/tmp",
            "TMPDIR": "/tmp",
            "LANG": "C.UTF-8",
            **command.environment,
        }
        if self.isolation.kind == "none":
            folder = Path(tempfile.mkdtemp(prefix="flextune-"))
            stack.callback(shutil.rmtree, folder, ignore_errors=True)
            for name, content in command.files.items():
                (folder / name).write_bytes(content)
            places = {"program": str(folder), **{name: str(path) for name, path in command.mounts.items()}}
            environment |= {"HOME": str(folder), "TMPDIR": str(folder)}
            return _fill(command.argv, places), [], environment, str(folder)
        places = {"program": f"{INSIDE}/program", **{name: f"{INSIDE}/{name}" for name in command.mounts}}
        descriptors = []
        for name, content in command.files.items():
            descriptors.append(_memory_file(name, content))
            stack.callback(os.close, descriptors[-1])
        user = free_user()
        self._user = user if self.isolation.kind == "root" else None
        argv = wrap(
            self.isolation,
            _fill(command.argv, places),
            limits=limits,
            user=user,
            files=[(3 + index, f"{places['program']}/{name}") for index, name in enumerate(command.files)],
            mounts=[(path, places[name]) for name, path in command.mounts.items()]
            + [(path, str(path)) for path in command.readable],
            environment=list(environment.items()),
        )
        return argv, descriptors, {"PATH": PATH}, "/"

    def _rlimits(self, command: Command, limits: Limits, cpu_seconds: float | None) -> dict[str, int]:
        wanted = {"file": limits.file_bytes, "open_files": limits.open_files, "core": 0}
        if cpu_seconds is not None:
            # The watcher ends a tree in time; this is for a single process, should the watcher be late.
            wanted["cpu"] = math.ceil(cpu_seconds) + 1
        if command.address_space:
            wanted["address_space"] = limits.memory_bytes
        if self.isolation.kind == "root":
            wanted["processes"] = limits.processes
        for name, value in wanted.items():
            hard = resource.getrlimit(spawner.RLIMITS[name])[1]
            wanted[name] = value if hard == resource.RLIM_INFINITY else min(value, hard)
        return wanted

    def _join(self, limits: Limits) -> list[str]:
        if self._group is None:
            return []
        try:
            self._group.set_limit(limits.memory_bytes)
        except OSError as error:
            raise SandboxFault(f"the memory limit could not be set ({error})") from error
        return [self._group.join_file]


def end_user(user: int) -> None:
    """Kill what runs as ``user``: a helper that was killed could not end its program.

    The kernel would, on bubblewrap's behalf, but bubblewrap has given up the right to signal other users.
    """
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if path.stat().st_uid == user:
                os.kill(int(path.name), signal.SIGKILL)


class Session:
    """A server in the sandbox that answers framed requests: four bytes of length, then the content.

    It speaks first: its first frame says that it is ready.
    """

    def __init__(self, child: Child, cpu_seconds: Callable[[], float], kills: Callable[[], int]) -> None:
        self._child, self._cpu_seconds, self._kills = child, cpu_seconds, kills
        self._kills_before = kills()

    def request(self, content: bytes | None, limits: Limits) -> bytes | Result:
        """The answer to ``content`` (None: the greeting), or how the server ended instead."""
        child = self._child
        if content is not None:
            child.send(len(content).to_bytes(4, "big") + content)
        start = time.monotonic()
        spent = self._cpu_seconds()
        child.pump(self._complete, cpu_seconds=spent + limits.cpu_seconds, wall_seconds=limits.wall_seconds)
        if self._complete():
            size = int.from_bytes(child.reply[:4], "big")
            answer = bytes(child.reply[4 : 4 + size])
            del child.reply[: 4 + size]
            return answer
        child.drain()
        breach = child.breach or ("memory" if self._kills() > self._kills_before else None)
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


def _memory_file(name: str, content: bytes) -> int:
    """A descriptor from which ``content`` can be read."""
    descriptor = os.memfd_create(name)
    try:
        with open(descriptor, "wb", closefd=False) as file:
            file.write(content)
        os.lseek(descriptor, 0, os.SEEK_SET)
    except OSError as error:
        os.close(descriptor)
        raise SandboxFault(f"cannot hold {name} in memory: {error}") from None
    return descriptor
