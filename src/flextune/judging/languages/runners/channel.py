"""Messages over two pipes, sorted by the conversation that each belongs to.

A frame is four bytes of length, one byte of the conversation's length, the conversation's name, and JSON. A
conversation is what one thread of one end asks and what that leads to; its name begins with a letter of the
end that began it. Messages without a conversation are about the process as a whole.
"""

from __future__ import annotations

import _thread
import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from flextune.judging.languages.runners.plain import Broken
    from flextune.judging.languages.runners.values import MAX_BYTES, Json, pack, unpack
else:
    from plain import Broken
    from values import MAX_BYTES, pack, unpack

#: Stack of the reading thread; what it calls nests little.
_STACK_BYTES = 1 << 20
_HEAD_BYTES = 5


class Closed(Exception):
    """The other process is gone."""


class _Arrivals:
    """A box that nobody waits at."""

    def __init__(self, put: Callable[[bytes | BaseException], None]) -> None:
        self.put = put


class Channel:
    """Frames over two pipes; any thread may send, and each receives what its own conversation gets.

    Args:
        reads: Descriptor from which the other end is heard.
        writes: Descriptor on which it is told.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes
        self._sending, self._sorting = threading.Lock(), threading.RLock()
        self._boxes: dict[str, Any] = {}
        self._gone: BaseException | None = None

    def send(self, conversation: str, message: Json) -> None:
        """Send one message.

        Raises:
            ValueError: If it is too large; nothing was sent.
            Closed: If nobody reads it.
        """
        name, data = conversation.encode(), pack(message)
        head = len(data).to_bytes(4, "big") + len(name).to_bytes(1, "big") + name
        rest = memoryview(head + data)
        with self._sending:
            try:
                while rest:
                    rest = rest[os.write(self._writes, rest) :]
            except BrokenPipeError:
                raise Closed from None

    def read_one(self) -> tuple[str, list[Json]]:
        """The next message of all; for the time before ``listen``.

        Raises:
            Closed: If none comes any more.
            Broken: If what came is none.
        """
        name, data = self._frame()
        return name, unpack(data)

    def listen(self, begin: Callable[[str], None], control: Callable[[list[Json]], None]) -> None:
        """Read from now on in a thread of its own.

        Args:
            begin: Told of a conversation that nobody here takes part in yet: it must join it.
            control: Gets the messages that belong to no conversation.
        """

        def read() -> None:
            try:
                while True:
                    self._sort(*self._frame(), begin, control)
            except (Broken, Closed) as error:
                with self._sorting:
                    self._gone = error
                    boxes = list(self._boxes.values())
                for box in boxes:
                    box.put(error)

        # Not a thread of ``threading``: a program that counts or joins its threads must not find it.
        size = threading.stack_size(_STACK_BYTES)
        _thread.start_new_thread(read, ())
        threading.stack_size(size)

    def join(self, conversation: str) -> None:
        """Receive what the conversation gets."""
        with self._sorting:
            self._open(conversation)

    def expect(self, conversation: str, arrived: Callable[[bytes | BaseException], None]) -> None:
        """Have the reading thread call ``arrived`` with what the conversation gets."""
        with self._sorting:
            self._boxes[conversation] = _Arrivals(arrived)
            if self._gone is not None:
                arrived(self._gone)

    def leave(self, conversation: str) -> None:
        """Receive of it no more."""
        with self._sorting:
            self._boxes.pop(conversation, None)

    def receive(self, conversation: str) -> list[Json]:
        """The next message of a conversation that was joined.

        Raises:
            Closed: If none comes any more.
            Broken: If what came is none.
        """
        data = self._boxes[conversation].get()
        if isinstance(data, BaseException):
            # For whoever asks again.
            self._boxes[conversation].put(data)
            raise data
        return unpack(data)

    def _open(self, conversation: str) -> Any:
        if conversation not in self._boxes:
            self._boxes[conversation] = SimpleQueue[bytes | BaseException]()
            if self._gone is not None:
                self._boxes[conversation].put(self._gone)
        return self._boxes[conversation]

    def _sort(
        self, name: str, data: bytes, begin: Callable[[str], None], control: Callable[[list[Json]], None]
    ) -> None:
        if not name:
            control(unpack(data))
            return
        with self._sorting:
            known = name in self._boxes
            self._open(name).put(data)
        if not known:
            begin(name)

    def _frame(self) -> tuple[str, bytes]:
        head = self._exactly(_HEAD_BYTES)
        size = int.from_bytes(head[:4], "big")
        if size > MAX_BYTES:
            raise Broken(f"a message of {size} bytes")
        return self._exactly(head[4]).decode("ascii", "replace"), self._exactly(size)

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = os.read(self._reads, min(size - len(data), 1 << 20))
            if not part:
                raise Closed
            data += part
        return bytes(data)
