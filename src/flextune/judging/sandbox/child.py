"""A started program: moves its input and output, watches its usage, ends it."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from flextune.judging.sandbox.command import Breach, Interrupted, SandboxFault
from flextune.judging.sandbox.helper import Helper
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.watch import Usage, proportional_bytes, tree_usage, waiting_seconds

#: Seconds between two looks at a running tree.
TICK = 0.05
#: How many times its time a program may take that waits for a busy processor.
PATIENCE = 10
#: Processes of ours in a tree, and threads that end between the kernel's count and this one.
_OWN_PROCESSES = 8


class Child:
    """One program under a helper, from its start to the end of its last process.

    Args:
        helper: What started it.
        streams: Descriptors: its standard output, its standard error, what it writes to 4 (to be read), and
            what it reads from 3 (to be written).
        limits: What it may use.
        wake: Readable when the judge is to stop.
        reply_bytes: How much it may write to 4.

    Attributes:
        reply: What it wrote to its descriptor 4.
        output: Its standard output.
        errors: Its standard error.
        breach: The limit it broke, None while it keeps them all.
        report: The helper's report, None while the program runs.
        cpu_seconds: User and system time when it was last looked at.
        peak_bytes: Largest resident size of one process that was seen.
    """

    def __init__(
        self,
        helper: Helper,
        streams: tuple[int, int, int, int],
        limits: Limits,
        *,
        wake: int,
        reply_bytes: int,
    ) -> None:
        self.limits = limits
        self.reply, self.output, self.errors = bytearray(), bytearray(), bytearray()
        self.breach: Breach | None = None
        self.report: dict[str, Any] | None = None
        self.cpu_seconds = 0.0
        self.peak_bytes = 0
        self._kills = helper.kills()
        self._waited: dict[int, float] = {}
        self._helper, self._wake = helper, wake
        self._kept = {
            streams[0]: (self.output, limits.output_bytes),
            streams[1]: (self.errors, limits.output_bytes),
            streams[2]: (self.reply, reply_bytes),
        }
        self._sink: int | None = streams[3]
        self._outgoing, self._last = memoryview(b""), False
        self._open = set(streams)
        self._selector = selectors.DefaultSelector()
        for number in streams:
            os.set_blocking(number, False)
        self._selector.register(helper.channel, selectors.EVENT_READ)
        for number in (*self._kept, wake):
            self._selector.register(number, selectors.EVENT_READ)

    def send(self, data: bytes, *, last: bool = False) -> None:
        """Queue input for descriptor 3; after the ``last`` the program reads end of file."""
        self._outgoing, self._last = memoryview(data), last
        if self._sink is not None:
            self._selector.register(self._sink, selectors.EVENT_WRITE)
            self._transmit()

    def pump(self, done: Callable[[], bool], *, cpu_seconds: float, wall_seconds: float) -> None:
        """Move data until ``done`` or the program ended; end it when it breaks a limit.

        Args:
            done: Looked at after every piece of data.
            cpu_seconds: CPU time of the tree, counted from its start.
            wall_seconds: Wall clock from now.

        Raises:
            Interrupted: If the judge was asked to stop; the program has been ended.
            SandboxFault: If the helper failed or the program could not be ended.
        """
        start = look = time.monotonic()
        while self.report is None and not done():
            for key, _ in self._selector.select(TICK):
                self._move(key.fileobj)
            now = time.monotonic()
            if self.breach is None and now - look >= TICK:
                look = now
                self._watch(now - start, cpu_seconds, wall_seconds)
            if self.breach is not None and self.report is None:
                self.end()

    def end(self) -> None:
        """End every process of the program and wait for the report.

        Raises:
            SandboxFault: If the helper does not manage to.
        """
        if self._wake in self._selector.get_map():
            self._selector.unregister(self._wake)
        if self.report is None:
            with contextlib.suppress(OSError):
                self._helper.channel.send(b"end")
        start = time.monotonic()
        while self.report is None:
            for key, _ in self._selector.select(0.1):
                self._move(key.fileobj)
            if time.monotonic() - start > 10:
                raise SandboxFault("a program could not be ended within 10 s")

    def drain(self) -> None:
        """Read what the ended program left in its pipes."""
        for stream in self._kept:
            while stream in self._selector.get_map():
                if not self._receive(stream):
                    break

    def close(self) -> None:
        """Close this side of the streams."""
        self._selector.close()
        for number in self._open:
            os.close(number)
        self._open.clear()

    def _move(self, stream: Any) -> None:
        if stream == self._wake:
            self.end()
            raise Interrupted
        if stream is self._helper.channel:
            self._hear()
        elif stream == self._sink:
            self._transmit()
        else:
            self._receive(stream)

    def _hear(self) -> None:
        try:
            message = self._helper.channel.recv(1 << 16)
        except OSError:
            message = b""
        if not message:
            raise SandboxFault(self._helper.last_words() or "the sandbox's helper ended")
        report = json.loads(message)
        if "error" in report:
            # The program is gone; there is nothing to end any more.
            self.report = {}
            raise SandboxFault(report["error"])
        self.report = report

    def _transmit(self) -> None:
        if self._sink is None:
            return
        try:
            while self._outgoing:
                self._outgoing = self._outgoing[os.write(self._sink, self._outgoing) :]
        except BlockingIOError:
            return
        except OSError:
            # The program closed its end; what it did is seen from its exit.
            self._outgoing = memoryview(b"")
        self._selector.unregister(self._sink)
        if self._last:
            self._open.discard(self._sink)
            os.close(self._sink)
            self._sink = None

    def _receive(self, stream: int) -> bool:
        """Read once; False when nothing is there."""
        try:
            data = os.read(stream, 1 << 16)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(stream)
            return False
        kept, bound = self._kept[stream]
        kept += data[: bound - len(kept) + 1]
        if len(kept) > bound:
            self.breach = self.breach or "output"
            return False
        return True

    def _watch(self, wall: float, cpu_seconds: float, wall_seconds: float) -> None:
        usage = tree_usage(self._helper.pid)
        self.cpu_seconds = max(self.cpu_seconds, usage.cpu_seconds)
        self.peak_bytes = max(self.peak_bytes, usage.largest_bytes)
        if usage.resident_bytes > self.limits.memory_bytes:
            # Slow, but counts once what processes share.
            usage = replace(usage, resident_bytes=proportional_bytes(usage.processes))
        if wall > wall_seconds / 4:
            # Looked at from early on, for what processes waited that end before the time is up.
            self._waited |= waiting_seconds(usage.processes)
        self.breach = breach(
            usage,
            sum(self._waited.values()),
            wall,
            replace(self.limits, cpu_seconds=cpu_seconds, wall_seconds=wall_seconds),
            out_of_memory=self._helper.kills() > self._kills,
        )


def breach(
    usage: Usage, waited: float, wall: float, limits: Limits, *, out_of_memory: bool = False
) -> Breach | None:
    """The limit that a running program broke, None while it keeps them all.

    CPU time decides. Wall time counts only while the program neither runs nor waits for a busy processor, up
    to ``PATIENCE`` times the limit in all.

    Args:
        usage: Its processes; ``resident_bytes`` without counting shared pages twice.
        waited: Seconds for which they were ready to run while others had the processor.
        wall: Seconds since it was started.
        limits: What it may use.
        out_of_memory: Whether the kernel ended a process of it for want of memory.
    """
    if usage.cpu_seconds > limits.cpu_seconds:
        return "cpu"
    if usage.threads > limits.processes + _OWN_PROCESSES:
        return "processes"
    if out_of_memory or usage.resident_bytes > limits.memory_bytes:
        return "memory"
    idle = wall - usage.cpu_seconds - waited
    return "wall" if idle > limits.wall_limit or wall > PATIENCE * limits.wall_limit else None
