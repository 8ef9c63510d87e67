"""Files of a language's runtime that are built once and kept in the user's cache."""

from __future__ import annotations

import dataclasses
import hashlib
import os
import shutil
import tempfile
import threading
from pathlib import Path

from flextune.judging.languages.base import Artifact, Language, ends
from flextune.judging.sandbox.command import Command, SandboxFault
from flextune.judging.sandbox.limits import MIB, Limits
from flextune.judging.sandbox.sandbox import Sandbox

_BUILD = Limits(
    cpu_seconds=120, wall_seconds=300, memory_bytes=2048 * MIB, tmp_bytes=512 * MIB, file_bytes=256 * MIB
)
_lock = threading.Lock()


def cache_folder() -> Path:
    """``$XDG_CACHE_HOME/flextune``, by default ``~/.cache/flextune``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "flextune"


def runtime(language: Language, sandbox: Sandbox) -> Path | None:
    """The folder of the language's artifacts, built in ``sandbox`` if need be; None when it has none.

    Raises:
        SandboxFault: If an artifact could not be built.
    """
    artifacts = language.artifacts()
    if not artifacts:
        return None
    kind = "unprotected" if sandbox.isolation.kind == "none" else "sandbox"
    text = repr(
        (language.toolchain(), kind, [dataclasses.asdict(artifact.command) for artifact in artifacts])
    )
    folder = cache_folder() / f"{language.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    with _lock:
        if not folder.is_dir():
            _build(artifacts, folder, sandbox)
    return folder


def with_runtime(command: Command, folder: Path | None) -> Command:
    """``command`` with the runtime's folder readable as ``{runtime}``."""
    if folder is None:
        return command
    return dataclasses.replace(command, mounts={**command.mounts, "runtime": folder})


def _build(artifacts: tuple[Artifact, ...], folder: Path, sandbox: Sandbox) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    unfinished = Path(tempfile.mkdtemp(prefix=".building-", dir=folder.parent))
    try:
        unfinished.chmod(0o755)
        for artifact in artifacts:
            command = with_runtime(artifact.command, unfinished)
            result = sandbox.run(command, _BUILD, reply_bytes=_BUILD.file_bytes)
            if result.status or result.breach or not result.reply:
                reason = ends(result.errors) or f"status {result.status}"
                raise SandboxFault(f"{artifact.name} could not be built: {reason}")
            file = unfinished / artifact.name
            file.write_bytes(result.reply)
            # Whatever the umask says: programs run as another user.
            file.chmod(0o644)
        # Another judge may have been faster; its folder is as good.
        try:
            unfinished.rename(folder)
        except OSError:
            if not folder.is_dir():
                raise
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
