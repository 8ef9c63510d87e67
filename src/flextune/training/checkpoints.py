"""Checkpoints of a training: there whole or not at all, of this training and no other.

A checkpoint is the folder that transformers' Trainer writes, ``checkpoint-N``, with two files more: what the
Trainer does not keep (``flextune_0.pt``, one for each process), and a seal, written last, that names the
training and the digest of every file. It is written under another name and appears by a rename.
"""

from __future__ import annotations

import hashlib
import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.files.objects import read_object, write_object

_logger = logging.getLogger(__name__)

_SEAL = "seal.json"
_PREFIX = "checkpoint-"
#: The newest, and the one that a damaged newest falls back to.
_KEPT = 2


class Checkpoints:
    """The checkpoints of one training.

    Args:
        folder: Holds them.
        training: All that determines the adapter, as JSON: a checkpoint of anything else is refused.
        circumstances: What else may change a bit (threads, versions), as JSON: other ones get a warning.
        together: The processes that train: a checkpoint of others is refused, since each has a part in it.
    """

    def __init__(
        self,
        folder: Path,
        training: Mapping[str, Any],
        circumstances: Mapping[str, Any] | None = None,
        together: str = "1 process",
    ) -> None:
        self.folder = folder
        self._training = _plain(training)
        self._circumstances = _plain(circumstances or {})
        self._together = together

    @property
    def partial(self) -> Path:
        """Where one is written, before it has its name."""
        return self.folder / ".partial"

    def begin(self) -> None:
        """Make place for one in ``partial``."""
        if self.partial.exists():
            shutil.rmtree(self.partial)
        self.partial.mkdir(parents=True)

    def written(self, step: int) -> Path:
        """Where in ``partial`` the Trainer writes one."""
        return self.partial / f"{_PREFIX}{step}"

    def finish(self, step: int) -> None:
        """Seal what was written, give it its name and remove what is too old."""
        source, target = self.written(step), self.folder / f"{_PREFIX}{step}"
        files = {path.name: _digest(path) for path in sorted(source.iterdir())}
        for name in files:
            _sync(source / name)
        seal = {
            "training": self._training,
            "circumstances": self._circumstances,
            "together": self._together,
            "files": files,
        }
        write_object(source / _SEAL, seal)
        if target.exists():
            shutil.rmtree(target)
        source.replace(target)
        _sync(self.folder)
        for old in list(self._all())[_KEPT:]:
            shutil.rmtree(old)

    def newest(self) -> Path | None:
        """The last one that is whole; None where there is none. Damaged ones are removed, with a warning.

        Raises:
            FlextuneError: It belongs to another training.
        """
        for path in list(self._all()):
            if (damage := self._damage(path)) is not None:
                _logger.warning("%s is damaged (%s): the training goes on from before it", path, damage)
                shutil.rmtree(path)
                continue
            self.check(path)
            return path
        return None

    def check(self, path: Path) -> None:
        """Refuse a sealed checkpoint of another training or other processes; warn of other circumstances.

        Raises:
            FlextuneError: Names the first setting that differs, or the processes.
        """
        seal = read_object(path / _SEAL)
        if (difference := _difference(seal.get("training") or {}, self._training)) is not None:
            raise FlextuneError(
                f"{path}: a checkpoint of another training ({difference}); remove {self.folder} to start"
                " again, or train in another folder"
            )
        # Sealed before several processes could train.
        together = seal.get("together", "1 process")
        if together != self._together:
            raise FlextuneError(
                f"{path}: written by {together}, and this training has {self._together}: start it as it was,"
                f" or remove {self.folder} to start again"
            )
        difference = _difference(seal.get("circumstances") or {}, self._circumstances)
        if difference is not None:
            _logger.warning(
                "%s was written under other circumstances (%s): the adapter may differ from that of an"
                " uninterrupted training in its last digits",
                path,
                difference,
            )

    def clear(self) -> None:
        """Remove all of them: the training is finished. One that is half removed is none any more."""
        going = self.folder.with_name(f"{self.folder.name}.old")
        if going.exists():
            shutil.rmtree(going)
        if self.folder.exists():
            self.folder.replace(going)
            shutil.rmtree(going)

    def _all(self) -> Iterator[Path]:
        """From the newest to the oldest."""
        paths = [path for path in self.folder.glob(f"{_PREFIX}*") if _step(path) is not None]
        yield from sorted(paths, key=lambda path: _step(path) or 0, reverse=True)

    def _damage(self, path: Path) -> str | None:
        """What is wrong with a checkpoint's files."""
        try:
            files = read_object(path / _SEAL).get("files")
        except FlextuneError:
            return f"{_SEAL} cannot be read"
        if not isinstance(files, dict):
            return f"no {_SEAL}"
        for name, digest in files.items():
            if not (path / name).is_file():
                return f"{name} is missing"
            if _digest(path / name) != digest:
                return f"{name} has changed"
        return None


def save_pace(seconds: float, last: float) -> bool:
    """Whether it is time for a checkpoint, where the recipe does not say.

    After a minute, and after a hundred times what the last one took: a short training writes none, and a
    long one spends at most a hundredth of its time on them.

    Args:
        seconds: Since the last one, or since the training began.
        last: Seconds that the last one took.
    """
    return seconds >= max(60.0, 100.0 * last)


def _step(path: Path) -> int | None:
    number = path.name.removeprefix(_PREFIX)
    return int(number) if number.isdecimal() else None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    """Return once a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def _difference(there: Mapping[str, Any], here: Mapping[str, Any]) -> str | None:
    """The first setting that differs, and its two values."""
    one, other = _flat(there), _flat(here)
    for key in sorted({*one, *other}):
        if one.get(key) != other.get(key):
            return f"{key}: {one.get(key, 'not set')} there, {other.get(key, 'not set')} here"
    return None


def _flat(value: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for key, item in value.items():
        rows |= _flat(item, f"{prefix}{key}.") if isinstance(item, dict) else {f"{prefix}{key}": item}
    return rows


def _plain(value: Any) -> Any:
    """As JSON gives it back: lists for tuples."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, (list, tuple)) else value
