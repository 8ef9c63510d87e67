"""Messages over two pipes: four bytes of length, then JSON."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flextune.judging.languages.runners.plain import Broken
    from flextune.judging.languages.runners.values import MAX_BYTES, Json, pack, unpack
else:
    from plain import Broken
    from values import MAX_BYTES, pack, unpack


class Closed(Exception):
    """The other process is gone."""


class Channel:
    """Messages over two pipes.

    Args:
        reads: Descriptor from which the other side is heard.
        writes: Descriptor on which it is told.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes

    def send(self, message: Json) -> None:
        """Send one message.

        Raises:
            ValueError: If it is too large; nothing was sent.
            Closed: If nobody reads it.
        """
        data = pack(message)
        rest = memoryview(len(data).to_bytes(4, "big") + data)
        try:
            while rest:
                rest = rest[os.write(self._writes, rest) :]
        except BrokenPipeError:
            raise Closed from None

    def receive(self) -> list[Json]:
        """The next message.

        Raises:
            Closed: If none comes any more.
            Broken: If what came is none.
        """
        size = int.from_bytes(self._exactly(4), "big")
        if size > MAX_BYTES:
            raise Broken(f"a message of {size} bytes")
        return unpack(self._exactly(size))

    def _exactly(self, size: int) -> bytes:
        data = bytearray()
        while len(data) < size:
            part = os.read(self._reads, min(size - len(data), 1 << 20))
            if not part:
                raise Closed
            data += part
        return bytes(data)
