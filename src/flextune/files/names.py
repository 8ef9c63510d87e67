"""Names of files and folders."""

from __future__ import annotations

import re
from pathlib import Path


def slug(name: str) -> str:
    """A name for files from a model's name or path: ``org-model`` for a hub id, a folder's last part."""
    folder = Path(name).expanduser()
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name if folder.is_dir() else name)
    return text.strip("-._") or "model"
