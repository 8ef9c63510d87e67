"""Names of files and folders."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path


def slug(name: str) -> str:
    """A name for files from a model's name or path: ``org-model`` for a hub id, a folder's last part."""
    folder = Path(name).expanduser()
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name if folder.is_dir() else name)
    return text.strip("-._") or "model"


def number_of(name: str, seed: int = 0) -> int:
    """A seed for what has a name: the same for the same name and seed, whatever the order."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:4], "big")
