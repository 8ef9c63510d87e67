"""Files that one process at a time may write."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flextune.errors import FlextuneError


@contextmanager
def locked(path: Path, taken: str) -> Iterator[None]:
    """Hold the lock file ``path``, which is there only as long as somebody holds it.

    Args:
        path: Made, with its folder, and removed at the end.
        taken: What to tell the user where another process holds it.

    Raises:
        FlextuneError: Another process holds it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    while True:
        with path.open("a") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise FlextuneError(taken) from None
            # Whoever held it may have removed it since it was opened here; then others open a new one.
            if not _is_still(path, file.fileno()):
                continue
            try:
                yield
            finally:
                path.unlink(missing_ok=True)
            return


def _is_still(path: Path, number: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(number))
    except FileNotFoundError:
        return False


class FileLock:
    """A lock that the kernel lets go when its process ends, however it ends. Its file stays.

    Args:
        path: Made, with its folder.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a")

    def take(self) -> None:
        """Wait until it is free."""
        fcntl.flock(self._file, fcntl.LOCK_EX)

    def try_to_take(self) -> bool:
        """Whether it was free, and is ours now."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def __enter__(self) -> FileLock:
        self.take()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let it go."""
        self._file.close()
