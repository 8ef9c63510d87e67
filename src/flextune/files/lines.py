"""JSON lines that survive a kill: whole lines are appended, a half-written last one is dropped.

The one reader and writer of every JSONL file that flextune writes. What others wrote is read by ``rows``
(strictly) and ``lenient``.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from flextune.errors import FlextuneError
from flextune.files.whole import naming_errors, write_whole

T = TypeVar("T")


def read_lines(path: Path) -> list[dict[str, Any]]:
    """Every whole line of a JSONL file; [] if there is no file.

    A last line without its newline was cut by a kill and does not count, nor does a blank line.

    Raises:
        FlextuneError: A whole line that is not a JSON object, with file and line.
    """
    return [row for _, row in _numbered(path)]


def read_records(path: Path, kind: Callable[..., T]) -> list[T]:
    """The lines of a file as records.

    Raises:
        FlextuneError: A line with missing or unknown fields, with file and line.
    """
    return [record for _, record in numbered_records(path, kind)]


def numbered_records(path: Path, kind: Callable[..., T], *, unended: bool = False) -> list[tuple[int, T]]:
    """As ``read_records``, each with the number of its line.

    Args:
        path: The file.
        kind: Of the records.
        unended: A last line without its newline counts, too: others' editors and programs leave it out.
    """
    records = []
    for number, row in _numbered(path, unended=unended):
        try:
            records.append((number, kind(**row)))
        except TypeError:
            name = getattr(kind, "__name__", "record").lower()
            raise FlextuneError(f"{path}:{number}: not a {name} line (fields: {', '.join(row)})") from None
    return records


def _numbered(path: Path, *, unended: bool = False) -> list[tuple[int, dict[str, Any]]]:
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return []
    except OSError as error:
        raise FlextuneError(f"{path}: cannot be read ({error.strerror})") from None
    rows = []
    if unended and data.rpartition(b"\n")[2].strip():
        data += b"\n"
    for number, line in enumerate(data.split(b"\n")[:-1], start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError:
            raise FlextuneError(
                f"{path}:{number}: not a JSON line; remove the line, or the file to make it again"
            ) from None
        if not isinstance(row, dict):
            raise FlextuneError(f"{path}:{number}: not a JSON object")
        rows.append((number, row))
    return rows


def torn_line(path: Path) -> int | None:
    """The number of a last line that begins an object and breaks off; None if the file ends whole."""
    data = path.read_bytes()
    last = data.rpartition(b"\n")[2].strip()
    if not last.startswith(b"{"):
        return None
    try:
        json.loads(last)
    except ValueError:
        return data.count(b"\n") + 1
    return None


def json_line(row: Mapping[str, Any]) -> str:
    """One row as a line of strict JSON: a number that is not finite is null.

    Text stays readable, but for lone surrogates, which UTF-8 does not have: they are escaped.
    """
    try:
        text = json.dumps(row, ensure_ascii=False, allow_nan=False)
    except ValueError:
        text = json.dumps(finite(row), ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:
        text = json.dumps(finite(row))
    return text + "\n"


def finite(value: Any) -> Any:
    """A JSON value with null for every number that is not finite."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def write_lines(path: Path, rows: Iterable[Mapping[str, Any]]) -> None:
    """Write a JSONL file that is there in full or not at all."""
    write_whole(path, "".join(map(json_line, rows)))


class LineWriter:
    """Appends whole JSON lines; ``checkpoint`` makes them durable.

    Opening it cuts off a half-written last line, so that appending never joins two rows.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._path = path
        self._file = path.open("a+b")
        self._cut_half_line()

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Append rows in one write."""
        data = "".join(map(json_line, rows)).encode()
        with naming_errors(self._path):
            self._file.write(data)
            self._file.flush()

    def checkpoint(self) -> None:
        """Return once everything written is on disk."""
        with naming_errors(self._path):
            os.fsync(self._file.fileno())

    def close(self) -> None:
        """Checkpoint and close."""
        with naming_errors(self._path), self._file:
            self.checkpoint()

    def __enter__(self) -> LineWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _cut_half_line(self) -> None:
        self._file.seek(0)
        data = self._file.read()
        whole = data.rfind(b"\n") + 1
        if whole != len(data):
            self._file.truncate(whole)
