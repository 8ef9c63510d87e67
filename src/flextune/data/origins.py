"""Where rows come from: a folder, ``$FLEXTUNE_DATA`` or the hub; and a record of what was read."""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError, one_line
from flextune.extras import missing
from flextune.files.rows import Row
from flextune.files.tables import read_table
from flextune.hub import reach_hub

#: Where benchmark files are looked for when no folder is given.
DATA_VARIABLE = "FLEXTUNE_DATA"

_FOLDER = f"or give a folder that holds the file with --data-dir or ${DATA_VARIABLE}"

_COMMIT = re.compile(r"@([0-9a-f]{40})/")

_record: ContextVar[dict[str, str] | None] = ContextVar("record", default=None)
_reader: ContextVar[str | None] = ContextVar("reader", default=None)


@dataclass(frozen=True, slots=True)
class HubSource:
    """Where a benchmark's rows are on the Hugging Face hub."""

    repo: str
    config: str
    split: str


def load_rows(
    names: Sequence[str], *, data_dir: Path | None, hub: HubSource, environ: Mapping[str, str] | None = None
) -> Iterator[Row]:
    """Rows of the first file that is there, or of the hub; a name with ``*`` stands for several files.

    With ``data_dir`` only that folder counts; without it ``$FLEXTUNE_DATA`` does, and the hub for what that
    folder lacks. What was read is noted for ``recorded_origins``.

    Args:
        names: File names to look for, relative to a data folder, best first.
        data_dir: What ``--data-dir`` gave.
        hub: Used when neither folder counts, or ``$FLEXTUNE_DATA`` lacks the file.
        environ: Environment to read ``FLEXTUNE_DATA`` from; the process's own by default.

    Raises:
        FlextuneError: If ``data_dir`` lacks the file, a named folder does not exist, no source has the
            rows, or a row is bad.
    """
    files = _find(names, data_dir, environ)
    if files:
        return rows_of(files)
    folder = _variable(environ)
    looked = f"no {' or '.join(names)} in {folder}; " if folder else ""
    try:
        return hub_rows(hub.repo, hub.config, hub.split)
    except FlextuneError as error:
        raise FlextuneError(f"{looked}{error}") from error


def rows_of(files: Sequence[Path]) -> Iterator[Row]:
    """Rows of files, one after the other; what was read is noted for ``recorded_origins``."""
    for file in files:
        note_file(file)
    return itertools.chain.from_iterable(map(read_table, files))


def note_file(path: Path) -> None:
    """Note for ``recorded_origins`` that a file is read; one that is not there is noted by nobody."""
    if _record.get() is not None and path.is_file():
        _note(path.name, _file_origin(path))


def find(*names: str, data_dir: Path | None, environ: Mapping[str, str] | None = None) -> Path | None:
    """First of ``names`` in ``data_dir``, or without one in ``$FLEXTUNE_DATA``; None: use the hub.

    Raises:
        FlextuneError: If ``data_dir`` has none of them, or the folder that counts is no folder.
    """
    return next(iter(_find(names, data_dir, environ)), None)


def _find(names: Sequence[str], data_dir: Path | None, environ: Mapping[str, str] | None) -> list[Path]:
    if data_dir is not None:
        files = _in_folder(data_dir.expanduser(), names, option="--data-dir")
        if not files:
            raise FlextuneError(
                f"--data-dir {data_dir}: no {' or '.join(names)} in this folder; give the one that holds it, "
                f"or leave --data-dir out to use ${DATA_VARIABLE} or the hub"
            )
        return files
    folder = _variable(environ)
    return [] if folder is None else _in_folder(folder, names, option=f"${DATA_VARIABLE}")


def _in_folder(folder: Path, names: Sequence[str], *, option: str) -> list[Path]:
    if not folder.is_dir():
        raise FlextuneError(f"{option} {folder}: no such folder; give the one that holds {names[0]}")
    found = (sorted(path for path in folder.glob(name) if path.is_file()) for name in names)
    return next(filter(None, found), [])


def _variable(environ: Mapping[str, str] | None) -> Path | None:
    value = (os.environ if environ is None else environ).get(DATA_VARIABLE)
    return Path(value).expanduser() if value else None


def hub_rows(repo: str, config: str | None, split: str, instead: str = _FOLDER) -> Iterator[Row]:
    """Rows of one split of a hub dataset, in its order.

    Args:
        repo: ``OWNER/NAME``.
        config: Of a dataset that has several; None: its default.
        split: ``train`` for example.
        instead: What else a user can do, for the message.

    Raises:
        FlextuneError: If the ``hub`` extra is missing or the dataset cannot be had.
    """
    try:
        import datasets
    except ImportError as error:
        raise FlextuneError(f"{repo}: {missing('datasets', 'the hub')}, {instead}") from error
    what = f"{config}, {split}" if config else split
    with reach_hub() as unreachable:
        try:
            table = datasets.load_dataset(repo, config, split=split)
        # What it raises without a network, a repository or a cache differs from release to release.
        except Exception as error:
            reason = f"not reached, {unreachable}; not in its cache" if unreachable else one_line(error)
            message = f"{repo} ({what}): cannot be had from the hub ({reason}); check the network, {instead}"
            raise FlextuneError(message) from error
    _note(repo, f"{repo}@{_revision(table)} ({what})")
    return (Row(f"{repo}:{number}", dict(fields)) for number, fields in enumerate(table, start=1))


@contextlib.contextmanager
def recorded_origins() -> Iterator[dict[str, str]]:
    """Collect what is read inside the ``with`` block.

    Yields:
        What read (a benchmark or a training source, see ``reading``) -> the file's name and digest, or the
        hub's repository and commit. It has no path of this machine, so it can be kept with a run::

            {"mbpp": "mbpp.jsonl sha256:5e5c...", "multipl-e java": "nuprl/MultiPL-E@bd2b... (..., test)"}
    """
    origins: dict[str, str] = {}
    token = _record.set(origins)
    try:
        yield origins
    finally:
        _record.reset(token)


@contextlib.contextmanager
def reading(name: str) -> Iterator[None]:
    """Note everything that is read inside the ``with`` block under ``name``."""
    token = _reader.set(name)
    try:
        yield
    finally:
        _reader.reset(token)


def _note(file: str, origin: str) -> None:
    """Record an origin under the current reader, or under ``file`` where nobody said who reads."""
    record = _record.get()
    if record is not None:
        name = _reader.get() or file
        known = record[name].split("; ") if name in record else []
        record[name] = "; ".join(dict.fromkeys([*known, origin]))


def _file_origin(path: Path) -> str:
    # Hashing takes seconds for a file of gigabytes, and a search reads the same files many times.
    status = path.stat()
    return f"{path.name} sha256:{_sha256(path, status.st_size, status.st_mtime_ns)}"


@lru_cache(maxsize=64)
def _sha256(path: Path, size: int, changed: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _revision(table: Any) -> str:
    """Commit of the hub's repository, as far as the dataset tells where it was downloaded from."""
    checksums = getattr(getattr(table, "info", None), "download_checksums", None) or {}
    commits = {match[1] for url in checksums if (match := _COMMIT.search(str(url)))}
    return commits.pop() if len(commits) == 1 else "unknown"
