"""How a user names a model: a folder, a file, or a model of the hub, at one of its revisions."""

from __future__ import annotations

from pathlib import Path

from flextune.config import EMBEDDED_MODEL


def is_local(name: str) -> bool:
    """Whether a name can only be one of this machine."""
    path = Path(name).expanduser()
    return name == EMBEDDED_MODEL or name.startswith((".", "/", "~")) or path.exists()


def without_revision(name: str) -> tuple[str, str | None]:
    """``NAME@REVISION`` of a model on the hub in its two parts; None: the name asks for no revision.

    What a run says of its model is ``NAME@COMMIT``, so that it can be given as a name again.
    """
    hub_id, at, revision = name.partition("@")
    return (name, None) if not at or is_local(name) else (hub_id, revision)
