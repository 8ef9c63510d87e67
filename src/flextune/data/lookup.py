"""JSONL rows from a folder or from the hub, with errors that name file, line and field."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flextune.errors import FlextuneError
from flextune.extras import missing
from flextune.files.rows import Row, read_rows

#: Where benchmark files are looked for when no folder is given.
DATA_VARIABLE = "FLEXTUNE_DATA"


@dataclass(frozen=True, slots=True)
class HubSource:
    """Where a benchmark's rows are on the Hugging Face hub."""

    repo: str
    config: str
    split: str


def load_rows(
    names: Sequence[str], *, data_dir: Path | None, hub: HubSource, environ: Mapping[str, str] | None = None
) -> Iterator[Row]:
    """Rows of the first file found, from the hub where there is none.

    Args:
        names: File names to look for, relative to a data folder, best first.
        data_dir: What ``--data-dir`` gave.
        hub: Used when neither folder holds one of the names.
        environ: Environment to read ``FLEXTUNE_DATA`` from; the process's own by default.

    Raises:
        FlextuneError: If a named folder does not exist, no source has the rows, or a row is bad.
    """
    path = find(*names, data_dir=data_dir, environ=environ)
    if path is not None:
        return read_rows(path)
    folders = [str(folder) for _, folder in _folders(data_dir, environ)]
    looked = f"no {' or '.join(names)} in {' or '.join(folders)}; " if folders else ""
    try:
        return hub_rows(hub.repo, hub.config, hub.split)
    except FlextuneError as error:
        raise FlextuneError(f"{looked}{error}") from error


def find(*names: str, data_dir: Path | None, environ: Mapping[str, str] | None = None) -> Path | None:
    """First of ``names`` that ``data_dir`` holds, then ``$FLEXTUNE_DATA``; None: use the hub.

    Raises:
        FlextuneError: If one of the two is given and is no folder.
    """
    for origin, folder in _folders(data_dir, environ):
        if not folder.is_dir():
            raise FlextuneError(f"{origin} {folder}: no such folder; give the one that holds {names[0]}")
        for name in names:
            if (folder / name).is_file():
                return folder / name
    return None


def _folders(data_dir: Path | None, environ: Mapping[str, str] | None) -> list[tuple[str, Path]]:
    folders = [("--data-dir", data_dir)] if data_dir is not None else []
    variable = (os.environ if environ is None else environ).get(DATA_VARIABLE)
    return [*folders, (f"${DATA_VARIABLE}", Path(variable))] if variable else folders


def hub_rows(repo: str, config: str, split: str) -> Iterator[Row]:
    """Rows of one split of a hub dataset, in its order.

    Raises:
        FlextuneError: If the ``hub`` extra is missing or the dataset cannot be had.
    """
    instead = f"or give a folder that holds the file with --data-dir or ${DATA_VARIABLE}"
    try:
        import datasets
    except ImportError as error:
        message = f"{repo}: {missing('datasets', 'the hub')}, {instead}"
        raise FlextuneError(message) from error
    try:
        table = datasets.load_dataset(repo, config, split=split)
    # What it raises without a network, a repository or a cache differs from release to release.
    except Exception as error:
        reason = str(error).strip().splitlines() or [type(error).__name__]
        message = f"{repo} ({config}, {split}): cannot be had from the hub ({reason[0]}); check the network, "
        raise FlextuneError(message + instead) from error
    return (Row(f"{repo}:{number}", dict(fields)) for number, fields in enumerate(table, start=1))
