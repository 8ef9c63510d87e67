"""Whether a model's folder holds its weights: known before anything is loaded."""

from __future__ import annotations

import json
from pathlib import Path

from flextune.config import EMBEDDED_MODEL
from flextune.errors import FlextuneError
from flextune.rosetta import model_folder

#: What transformers loads, the first that is there; each may be split into shards, which an index names.
_WHOLE = ("model.safetensors", "pytorch_model.bin")
_SUFFIXES = frozenset({".safetensors", ".bin"})


def check_weight_files(name: str) -> None:
    """Refuse a model's folder without weights, or without a shard that its index names.

    Args:
        name: As for ``load_model``; what is not a folder is checked when it is fetched.

    Raises:
        FlextuneError: With the first file that is missing.
    """
    folder = model_folder() if name == EMBEDDED_MODEL else Path(name).expanduser()
    if not folder.is_dir() or any((folder / file).is_file() for file in _WHOLE):
        return
    if not any(path.suffix in _SUFFIXES for path in folder.iterdir()):
        raise FlextuneError(
            f"model {name!r}: no weights (*.safetensors or *.bin) in {folder}; fetch it again, with them"
        )
    shards = [_shards(folder / f"{file}.index.json") for file in _WHOLE]
    missing = [[file for file in files if not (folder / file).is_file()] for files in shards if files]
    # One complete set is enough.
    if missing and all(missing):
        count = f" and {len(missing[0]) - 1} more" if len(missing[0]) > 1 else ""
        raise FlextuneError(f"model {name!r}: no {missing[0][0]}{count} in {folder}; fetch the model again")


def _shards(index: Path) -> list[str]:
    """The files that an index names; none where it is not there, or is damaged."""
    try:
        return sorted(set(json.loads(index.read_bytes())["weight_map"].values()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return []
