"""What is known about programs that were judged before."""

from __future__ import annotations

import json
import sqlite3
from collections import OrderedDict
from pathlib import Path

from flextune.errors import FlextuneError
from flextune.judging.judgement import Judgement
from flextune.records import as_row

#: Judgements that are kept in memory, some hundred bytes each.
CAPACITY = 20_000
#: Raised when the same program would get another verdict than before.
_VERSION = 3


class VerdictCache:
    """Judgements of the last programs in memory and, with a file, of all programs on disk.

    Keys stand for program, toolchain, limits and isolation. Several judges may use one file at once.

    Args:
        path: An SQLite file, made if need be.

    Raises:
        FlextuneError: If ``path`` cannot be used.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._recent: OrderedDict[bytes, Judgement] = OrderedDict()
        self._path = path
        self._file: sqlite3.Connection | None = None
        if path is not None:
            self._open(path).close()

    def _open(self, path: Path) -> sqlite3.Connection:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = sqlite3.connect(path, timeout=60, isolation_level=None)
            file.execute("PRAGMA journal_mode=WAL")
            file.execute("PRAGMA synchronous=NORMAL")
            table = f"verdicts_{_VERSION}"
            file.execute(
                f"CREATE TABLE IF NOT EXISTS {table} (key BLOB PRIMARY KEY, verdict TEXT) WITHOUT ROWID"
            )
        except (OSError, sqlite3.Error) as error:
            raise FlextuneError(f"{path}: cannot be used as a cache of verdicts ({error})") from None
        return file

    def get(self, key: bytes) -> Judgement | None:
        """What is known about a program, None when it was not judged."""
        if key in self._recent:
            self._recent.move_to_end(key)
            return self._recent[key]
        if self._path is None:
            return None
        row = (
            self._connection()
            .execute(f"SELECT verdict FROM verdicts_{_VERSION} WHERE key = ?", (key,))
            .fetchone()
        )
        if row is None:
            return None
        return Judgement(**json.loads(row[0]))

    def put(self, key: bytes, judgement: Judgement) -> None:
        """Keep a judgement for later programs of that key."""
        self._recent[key] = judgement
        if len(self._recent) > CAPACITY:
            self._recent.popitem(last=False)
        if self._path is not None:
            row = (key, json.dumps(as_row(judgement)))
            self._connection().execute(f"INSERT OR REPLACE INTO verdicts_{_VERSION} VALUES (?, ?)", row)

    def close(self) -> None:
        """Close the file; it is opened again when it is needed."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _connection(self) -> sqlite3.Connection:
        # Opened where it is used: a connection belongs to one thread.
        if self._file is None:
            assert self._path is not None
            self._file = self._open(self._path)
        return self._file
