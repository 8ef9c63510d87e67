"""JSON lines from elsewhere, read strictly: errors name file, line and field."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any, TypeVar

from flextune.errors import FlextuneError

ItemT = TypeVar("ItemT")


@dataclass(frozen=True, slots=True)
class Row:
    """One JSON object and the place it came from.

    Attributes:
        where: ``mbpp.jsonl:41`` or ``google-research-datasets/mbpp:41``, for errors.
        fields: The object itself.
    """

    where: str
    fields: Mapping[str, Any]

    def text(self, key: str) -> str:
        """A field that must be text."""
        return self._typed(key, str, "text")

    def integer(self, key: str) -> int:
        """A field that must be a whole number."""
        return self._typed(key, int, "a whole number")

    def identifier(self, key: str) -> str:
        """A field that names something: text, or a whole number, which is given as text."""
        value = self.fields.get(key)
        return str(value) if type(value) is int else self._typed(key, str, "text or a whole number")

    def texts(self, key: str) -> tuple[str, ...]:
        """A field that must be a list of text."""
        values: list[Any] = self._typed(key, list, "a list of text")
        for position, value in enumerate(values):
            if not isinstance(value, str):
                raise self._wrong(f"{key}[{position}]", "text", value)
        return tuple(values)

    def optional_text(self, key: str) -> str | None:
        """A field that may be absent or null, else text."""
        return None if self.fields.get(key) is None else self.text(key)

    def _typed(self, key: str, kind: type[ItemT], expected: str) -> ItemT:
        if key not in self.fields:
            found = ", ".join(self.fields) or "nothing"
            raise FlextuneError(f'{self.where}: missing field "{key}" (found: {found})')
        value = self.fields[key]
        # JSON's true is an int to isinstance.
        if not isinstance(value, kind) or isinstance(value, bool):
            raise self._wrong(key, expected, value)
        return value

    def _wrong(self, key: str, expected: str, value: Any) -> FlextuneError:
        return FlextuneError(f'{self.where}: field "{key}" must be {expected} (found: {json_kind(value)})')


def read_rows(path: Path) -> Iterator[Row]:
    """Rows of a ``.jsonl`` or ``.jsonl.gz`` file, read as they are asked for.

    Raises:
        FlextuneError: At the line that is no UTF-8, no JSON or no object, or where a file breaks off.
    """
    number = 0
    try:
        with open_bytes(path) as stream:
            # Bytes are split at \n alone: U+2028 inside a text is no line end.
            for number, line in enumerate(stream, start=1):
                if line.strip():
                    yield parse_row(line, f"{path.name}:{number}")
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        where = f"{path}:{number + 1}"
        raise FlextuneError(f"{where}: the gzip file is cut off or damaged; fetch it again") from error
    except OSError as error:
        raise FlextuneError(f"{path}: cannot be read ({error.strerror or error})") from error


def open_bytes(path: Path) -> BufferedIOBase:
    """A file's content, unpacked if its name ends in ``.gz``."""
    return gzip.open(path, "rb") if path.suffix == ".gz" else path.open("rb")


def parse_row(line: bytes, where: str) -> Row:
    """One line as a row.

    Raises:
        FlextuneError: If it is no UTF-8, no JSON or no object.
    """
    fields = parse_json(line, where)
    if not isinstance(fields, dict):
        raise FlextuneError(f"{where}: a row is a JSON object (found: {json_kind(fields)})")
    return Row(where, fields)


def parse_json(text: bytes, where: str) -> Any:
    """A JSON value.

    Raises:
        FlextuneError: If it is no UTF-8 or no JSON, or nothing that Python reads.
    """
    try:
        return json.loads(text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise FlextuneError(f"{where}: not UTF-8 text (byte {error.start + 1} of the line)") from error
    except json.JSONDecodeError as error:
        hint = "" if text.endswith(b"\n") else "; the file breaks off here, fetch it again"
        raise FlextuneError(f"{where}: not valid JSON ({error.msg} at column {error.colno}){hint}") from error
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "a number of too many digits"
        raise FlextuneError(f"{where}: JSON that cannot be read ({reason})") from error


def json_kind(value: Any) -> str:
    """What a JSON value is called in messages."""
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")


def parse_unique(
    rows: Iterable[Row], parse: Callable[[Row], ItemT], name: Callable[[ItemT], object]
) -> list[ItemT]:
    """Parse every row; a name that comes twice is an error that shows both places.

    Raises:
        FlextuneError: From ``parse``, or naming the second row of a name.
    """
    first: dict[object, str] = {}
    items = []
    for row in rows:
        item = parse(row)
        key = name(item)
        if key in first:
            raise FlextuneError(f"{row.where}: {key!r} is there already ({first[key]}); names are unique")
        first[key] = row.where
        items.append(item)
    return items
