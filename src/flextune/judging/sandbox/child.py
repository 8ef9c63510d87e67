"""A started program: moves its input and output, watches its usage, ends it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import socket
import time
from collections.abc import Callable
from typing import Any

from flextune.judging.sandbox.command import Breach, Interrupted, SandboxFault
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.watch import Usage, proportional_bytes, tree_usage, waiting_seconds

#: Seconds between two looks at a running tree.
TICK = 0.05
#: How much longer than ``wall_seconds`` a program may take that waits for a busy processor.
PATIENCE = 4
#: Processes of ours in a tree, and threads that end between the kernel's count and this one.
_OWN_PROCESSES = 8


class Child:
    """One program under a spawner, from its start to the end of its last process.

    Attributes:
        reply: What it wrote to its descriptor 0.
        output: Its standard output.
        errors: Its standard error.
        breach: The limit it broke, None while it keeps them all.
        report: The spawner's report, None while the program runs.
    """

    def __init__(
        self,
        spawner: socket.socket,
        spawner_pid: int,
        streams: tuple[socket.socket, int, int],
        limits: Limits,
        *,
        wake: int,
        reply_bytes: int,
        isolated: bool,
    ) -> None:
        self.limits, self.reply_bytes = limits, reply_bytes
        self.reply, self.output, self.errors = bytearray(), bytearray(), bytearray()
        self.breach: Breach | None = None
        self.report: dict[str, Any] | None = None
        self.cpu_seconds = 0.0
        self._spawner, self._spawner_pid = spawner, spawner_pid
        self._channel, self._output, self._errors = streams
        self._wake, self._isolated = wake, isolated
        self._outgoing, self._last = memoryview(b""), False
        self._selector = selectors.DefaultSelector()
        for stream in (spawner, *streams, wake):
            if not isinstance(stream, socket.socket):
                os.set_blocking(stream, False)
            self._selector.register(stream, selectors.EVENT_READ)
        self._channel.setblocking(False)
        self._pid: int | None = None

    def send(self, data: bytes, *, last: bool = False) -> None:
        """Queue input for descriptor 0; after the ``last`` the program reads end of file."""
        self._outgoing = memoryview(data)
        self._last = last
        self._selector.modify(self._channel, selectors.EVENT_READ | selectors.EVENT_WRITE)

    def pump(self, done: Callable[[], bool], *, cpu_seconds: float, wall_seconds: float) -> None:
        """Move data until ``done`` or the program ended; end it when it breaks a limit.

        Args:
            done: Looked at after every piece of data.
            cpu_seconds: CPU time of the tree, counted from its start.
            wall_seconds: Wall clock from now.

        Raises:
            Interrupted: If the judge was asked to stop; the program has been ended.
            SandboxFault: If the spawner failed or the program could not be ended.
        """
        start = look = time.monotonic()
        while self.report is None and not done():
            for key, events in self._selector.select(TICK):
                self._move(key.fileobj, events)
            now = time.monotonic()
            if self.breach is None and now - look >= TICK:
                look = now
                self._watch(now - start, cpu_seconds, wall_seconds)
            if self.breach is not None and self.report is None:
                self.end()

    def end(self) -> None:
        """End every process of the program and wait for the report."""
        if self._wake in self._selector.get_map():
            self._selector.unregister(self._wake)
        start = time.monotonic()
        while self.report is None:
            self._kill(time.monotonic() - start)
            for key, events in self._selector.select(0.01):
                self._move(key.fileobj, events)
            if time.monotonic() - start > 10:
                raise SandboxFault("a program could not be ended within 10 s")

    def drain(self) -> None:
        """Read what the ended program left in its pipes."""
        for stream in (self._channel, self._output, self._errors):
            while stream in self._selector.get_map():
                if not self._receive(stream):
                    break

    def close(self) -> None:
        """Close this side of the streams."""
        self._selector.close()
        self._channel.close()
        os.close(self._output)
        os.close(self._errors)

    def _move(self, stream: Any, events: int) -> None:
        if stream == self._wake:
            self.end()
            raise Interrupted
        if stream is self._spawner:
            self._hear()
        elif events & selectors.EVENT_WRITE:
            self._transmit()
        else:
            self._receive(stream)

    def _hear(self) -> None:
        message = self._spawner.recv(1 << 16)
        if not message:
            raise SandboxFault("the spawner ended")
        report = json.loads(message)
        if "error" in report:
            raise SandboxFault(report["error"])
        if "pid" in report:
            self._pid = report["pid"]
        else:
            self.report = report

    def _transmit(self) -> None:
        try:
            self._outgoing = self._outgoing[self._channel.send(self._outgoing) :]
        except BlockingIOError:
            return
        except OSError:
            # The program closed its end; what it did is seen from its exit.
            self._outgoing = memoryview(b"")
        if not self._outgoing:
            self._selector.modify(self._channel, selectors.EVENT_READ)
            if self._last:
                with contextlib.suppress(OSError):
                    self._channel.shutdown(socket.SHUT_WR)

    def _receive(self, stream: Any) -> bool:
        """Read once; False when nothing is there."""
        try:
            data = stream.recv(1 << 16) if stream is self._channel else os.read(stream, 1 << 16)
        except BlockingIOError:
            return False
        except ConnectionError:
            data = b""
        if not data:
            self._selector.unregister(stream)
            return False
        kept, bound = {
            self._channel: (self.reply, self.reply_bytes),
            self._output: (self.output, self.limits.output_bytes),
            self._errors: (self.errors, self.limits.output_bytes),
        }[stream]
        kept += data[: bound - len(kept) + 1]
        if len(kept) > bound:
            self.breach = self.breach or "output"
            return False
        return True

    def _watch(self, wall: float, cpu_seconds: float, wall_seconds: float) -> None:
        usage = tree_usage(self._spawner_pid)
        self.cpu_seconds = max(self.cpu_seconds, usage.cpu_seconds)
        if usage.cpu_seconds > cpu_seconds:
            self.breach = "cpu"
        elif usage.threads > self.limits.processes + _OWN_PROCESSES:
            self.breach = "processes"
        elif self._exceeds_memory(usage):
            self.breach = "memory"
        elif wall > wall_seconds:
            wanted = usage.cpu_seconds + waiting_seconds(usage.processes)
            if wanted < wall / 2 or wall > PATIENCE * wall_seconds:
                self.breach = "wall"

    def _exceeds_memory(self, usage: Usage) -> bool:
        bound = self.limits.memory_bytes
        return usage.resident_bytes > bound and proportional_bytes(usage.processes) > bound

    def _kill(self, seconds: float) -> None:
        """Kill the tree, ``seconds`` after the first attempt.

        The program first: its parents then wait for it and exit, which is how its usage gets counted.
        """
        tree = tree_usage(self._spawner_pid)
        spared: set[int | None] = set()
        if self._isolated and seconds < 2:
            spared.add(self._pid)
            if seconds < 0.1:
                spared |= {pid for pid in tree.processes if tree.parents[pid] == self._pid}
        for pid in tree.processes:
            if pid not in spared:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
