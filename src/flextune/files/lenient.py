"""Files of which one bad line must not cost the rest: values with their place, bad ones with a reason."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.files.rows import open_bytes, parse_json

#: Longest line that is read; what is longer is skipped without being held in memory.
LONGEST_LINE = 2**28
_GZIP = b"\x1f\x8b"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A piece of input that was left out.

    Attributes:
        where: ``samples.jsonl:41``.
        reason: What is wrong with it and what to do.
        name: The problem that it is about, where that much could be read.
    """

    where: str
    reason: str
    name: str | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.reason}"


@dataclass(frozen=True, slots=True)
class Placed:
    """A JSON value and where it was found."""

    where: str
    value: Any


def skipped_by(error: FlextuneError, where: str, name: str | None = None) -> Skipped:
    """What an error about ``where`` says, as a reason to go on without it."""
    return Skipped(where, str(error).removeprefix(f"{where}: "), name)


def read_values(path: Path, label: str | None = None) -> Iterator[Placed | Skipped]:
    """The JSON values of a file: its lines, the elements of its list, or the one object it holds.

    Args:
        path: Packed or not: gzip is recognised by its first bytes too.
        label: What the file is called in ``where``; its name by default.

    Raises:
        FlextuneError: The file cannot be opened or read at all.
    """
    label = label or path.name
    number = 0
    try:
        with _open(path) as stream:
            line = stream.readline(LONGEST_LINE + 1)
            if line.lstrip()[:1] == b"[" or line.strip() == b"{":
                yield from _document(line + stream.read(), label)
                return
            while line:
                number += 1
                if len(line) > LONGEST_LINE and not line.endswith(b"\n"):
                    _pass_over_line(stream)
                    yield Skipped(f"{label}:{number}", f"the line is longer than {LONGEST_LINE >> 20} MiB")
                elif line.strip():
                    yield _value(line, f"{label}:{number}")
                line = stream.readline(LONGEST_LINE + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error):
        yield Skipped(f"{label}:{number + 1}", "the gzip file is cut off or damaged; fetch it again")
    except OSError as error:
        raise FlextuneError(f"{path}: cannot be read ({error.strerror or error})") from error


def _open(path: Path) -> BufferedIOBase:
    if path.suffix != ".gz":
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP
        if packed:
            return gzip.open(path, "rb")
    return open_bytes(path)


def _pass_over_line(stream: BufferedIOBase) -> None:
    while (piece := stream.readline(2**20)) and not piece.endswith(b"\n"):
        pass


def _value(line: bytes, where: str) -> Placed | Skipped:
    try:
        return Placed(where, parse_json(line, where))
    except FlextuneError as error:
        return skipped_by(error, where)


def _document(data: bytes, label: str) -> Iterator[Placed | Skipped]:
    """The elements of a list, one after the other, so that a broken end costs only the end."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        yield Skipped(f"{label}:1", f"not UTF-8 text (byte {error.start + 1} of the file)")
        return
    del data
    position = _past_space(text, 0)
    if text[position] == "{":
        yield _element(text, position, f"{label}:1")[0]
        return
    number, position = 0, _past_space(text, position + 1)
    while text[position : position + 1] not in ("]", ""):
        placed, end = _element(text, position, f"{label}[{number}]")
        yield placed
        if isinstance(placed, Skipped):
            return
        number, position = number + 1, _past_space(text, end)
        if text[position : position + 1] == ",":
            position = _past_space(text, position + 1)
        elif text[position : position + 1] != "]":
            yield Skipped(
                f"{label}[{number}]", "the list breaks off or is not valid JSON here; fetch it again"
            )
            return


def _element(text: str, position: int, where: str) -> tuple[Placed | Skipped, int]:
    try:
        value, end = json.JSONDecoder().raw_decode(text, position)
    except json.JSONDecodeError as error:
        return Skipped(where, f"not valid JSON ({error.msg} at line {error.lineno}, column {error.colno})"), 0
    except (ValueError, RecursionError):
        return Skipped(where, "JSON that cannot be read (nested too deeply, or too long a number)"), 0
    return Placed(where, value), end


def _past_space(text: str, position: int) -> int:
    while text[position : position + 1] in (" ", "\t", "\r", "\n") and position < len(text):
        position += 1
    return position
