"""A started program: moves its input and output, watches its usage, ends it."""

from __future__ import annotations

import contextlib
import json
import os
import select
import time
from collections.abc import Callable
from typing import Any

from flextune.judging.sandbox.command import Breach, Held, Interrupted, SandboxFault
from flextune.judging.sandbox.helper import Helper
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.meter import Meter
from flextune.judging.sandbox.streams import Streams

#: Seconds between two looks at a running tree.
TICK = 0.05
#: What a pipe holds at least while nobody reads it.
PIPE_BYTES = 1 << 16
#: What a shell says of a process that was killed.
_KILLED = 137


class Child:
    """One program under a helper, from its start to the end of its last process.

    Args:
        helper: What started it.
        streams: The judge's ends of its descriptors; closed with this.
        limits: What it may use.
        wake: Readable when the judge is to stop.
        reply_bytes: How much it may write to 4.
        hold: Whether that is to be held.

    Attributes:
        reply: What it wrote to its descriptor 4, where it is not held.
        held: Where it is.
        output: Its standard output.
        errors: Its standard error.
        breach: The limit it broke, None while it keeps them all.
        report: The helper's report, None while the program runs.
        meter: What it used.
    """

    def __init__(
        self,
        helper: Helper,
        streams: Streams,
        limits: Limits,
        *,
        wake: int,
        reply_bytes: int,
        hold: bool = False,
    ) -> None:
        self.limits = limits
        self.held = Held() if hold else None
        self.reply, self.output, self.errors = bytearray(), bytearray(), bytearray()
        self.breach: Breach | None = None
        self.report: dict[str, Any] | None = None
        self.meter = Meter(helper, limits)
        self._helper, self._wake, self._streams = helper, wake, streams
        self._kept = {
            **dict.fromkeys(streams.outputs, (self.output, limits.output_bytes)),
            **dict.fromkeys(streams.errors, (self.errors, limits.output_bytes)),
            streams.replies: (self.reply, reply_bytes),
        }
        #: What is still to be written, and whether the end of file comes after it.
        self._queues: dict[int, tuple[memoryview, bool]] = {}
        self._open = set(streams.ours())
        self._channel = helper.channel.fileno()
        self._poll = select.poll()
        self._watched: set[int] = set()
        for number in (self._channel, wake, *streams.outputs, *streams.errors):
            self._watch(number, select.POLLIN)
        # A short reply waits in its pipe at first: each piece of it would wake this process.
        if hold or reply_bytes > PIPE_BYTES:
            self._watch(streams.replies, select.POLLIN)

    def send(self, data: bytes, *, last: bool = False) -> None:
        """Queue input for descriptor 3; after the ``last`` the program reads end of file."""
        self._queue(self._streams.requests, data, last=last)

    def send_input(self, data: bytes) -> None:
        """Queue all that the program is to read from standard input."""
        assert self._streams.input is not None
        self._queue(self._streams.input, data, last=True)

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
            self._move(TICK)
            now = time.monotonic()
            if self.breach is None and self.report is None and now - look >= TICK:
                look = now
                self._watch(self._streams.replies, select.POLLIN)
                self.breach = self.meter.breach(now - start, cpu_seconds, wall_seconds)
            if self.breach is not None and self.report is None:
                self.end()

    def end(self) -> None:
        """End every process of the program and wait for the report.

        Raises:
            SandboxFault: If the helper does not manage to.
        """
        self._forget(self._wake)
        if self.report is None:
            with contextlib.suppress(OSError):
                self._helper.channel.send(b"end")
        start = time.monotonic()
        while self.report is None:
            self._move(2 * TICK)
            if time.monotonic() - start > 10:
                raise SandboxFault("a program could not be ended within 10 s")

    def drain(self) -> None:
        """Read what the ended program left in its pipes."""
        ready = select.poll()
        for stream in self._kept:
            ready.register(stream, select.POLLIN)
        # A pipe whose end was read stays ready.
        while numbers := [number for number, _ in ready.poll(0)]:
            for number in numbers:
                if not self._receive(number):
                    ready.unregister(number)

    def close(self) -> None:
        """Close this side of the streams."""
        for number in self._open:
            os.close(number)
        self._open.clear()

    def _watch(self, number: int, events: int) -> None:
        self._poll.register(number, events)
        self._watched.add(number)

    def _forget(self, number: int) -> None:
        if number in self._watched:
            self._poll.unregister(number)
            self._watched.discard(number)

    def _queue(self, sink: int, data: bytes, *, last: bool) -> None:
        if sink in self._open:
            self._queues[sink] = (memoryview(data), last)
            if len(data) > PIPE_BYTES // 2:
                # It may have to wait until the program has read some of it.
                os.set_blocking(sink, False)
            self._transmit(sink)

    def _move(self, seconds: float) -> None:
        """Wait for the next data and move it."""
        for number, _ in self._poll.poll(seconds * 1000):
            if number == self._wake:
                self.end()
                raise Interrupted
            if number == self._channel:
                self._hear()
            elif number in self._queues:
                self._transmit(number)
            elif number in self._watched and not self._receive(number):
                self._forget(number)

    def _hear(self) -> None:
        try:
            message = self._helper.channel.recv(1 << 16)
        except OSError:
            message = b""
        if not message:
            self._helper.gone = True
            if not self.meter.out_of_memory():
                raise SandboxFault(self._helper.last_words() or "the sandbox's helper ended")
            # The program left so little that the kernel took it from the helper.
            self.report = {"status": _KILLED, "cpu": self.meter.cpu_seconds, "peak": self.meter.peak_bytes}
            return
        report = json.loads(message)
        if "error" in report:
            # The program is gone; there is nothing to end any more.
            self.report = {}
            raise SandboxFault(report["error"])
        self.report = report

    def _transmit(self, sink: int) -> None:
        rest, last = self._queues[sink]
        try:
            while rest:
                rest = rest[os.write(sink, rest) :]
        except BlockingIOError:
            self._queues[sink] = (rest, last)
            self._watch(sink, select.POLLOUT)
            return
        except OSError:
            # The program closed its end; what it did is seen from its exit.
            pass
        del self._queues[sink]
        self._forget(sink)
        if last:
            self._open.discard(sink)
            os.close(sink)

    def _receive(self, stream: int) -> bool:
        """Read once, where there is something or the end; False when no more is wanted."""
        data = os.read(stream, 1 << 16)
        if not data:
            return False
        kept, bound = self._kept[stream]
        if self.held is not None and kept is self.reply:
            self.held.add(data)
            size = self.held.size
        else:
            kept += data[: bound - len(kept) + 1]
            size = len(kept)
        if size > bound:
            self.breach = self.breach or "output"
        return size <= bound
