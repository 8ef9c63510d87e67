"""Names of files and folders."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

#: Bytes of a file's name that leave room for what is put before and after it; file systems allow 255.
_LONGEST = 120
_REFUSED = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")


def slug(name: str) -> str:
    """A name for files from a model's name or path: ``org-model`` for a hub id, a folder's last part."""
    folder = Path(name).expanduser()
    text = re.sub(r"[^A-Za-z0-9._-]+", "-", folder.resolve().name if folder.is_dir() else name)
    return text.strip("-._") or "model"


def file_name(part: str) -> str:
    """A name for a file or folder from any text, the text itself where it can be one.

    Another name ends in a digest of the text, so that two texts never share one.
    """
    name = _REFUSED.sub("_", part).replace("/", "_")
    name = name.encode()[:_LONGEST].decode(errors="ignore")
    if name in ("", ".", ".."):
        name = "_"
    digest = hashlib.sha256(part.encode("utf-8", "surrogatepass")).hexdigest()[:12]
    return part if name == part else f"{name}-{digest}"


def number_of(name: str, seed: int = 0) -> int:
    """A seed for what has a name: the same for the same name and seed, whatever the order."""
    return int.from_bytes(hashlib.sha256(f"{seed}\0{name}".encode()).digest()[:4], "big")
