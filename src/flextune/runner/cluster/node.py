"""Whether a node of a cluster can work for a run: the same code, the same folder, locks that reach it."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import flextune
from flextune.files.locks import FileLock
from flextune.runs.environment import code_digest, code_versions

#: What stands for flextune's own files among the versions of a node.
CODE = "code"


def code_here() -> dict[str, str]:
    """Versions and flextune's own code, as this process has them."""
    return {**code_versions(), CODE: code_digest()}


def terms(marker: Path) -> dict[str, Any]:
    """What every node is asked for: the code of this process, and sight of a file.

    Plain values, so that any version of flextune can read them.

    Args:
        marker: A file in the run's folder, locked by this process as long as it hands out work.
    """
    return {"code": code_here(), "marker": str(marker), "directory": os.getcwd()}


def misfit(asked: Mapping[str, Any]) -> str | None:
    """Why this node cannot work for a run, in a line; None: it can.

    Args:
        asked: As ``terms`` says on the machine where the command runs.
    """
    name, theirs, ours = socket.gethostname(), asked["code"], code_here()
    for package in theirs:
        if theirs[package] == ours.get(package):
            continue
        if package == CODE:
            return (
                f"node {name} has other code of flextune {flextune.__version__} than the machine of this"
                " command; install the same on all nodes"
            )
        return (
            f"node {name} has {package} {ours.get(package, 'not at all')}, the machine of this command"
            f" {theirs[package]}; install the same on all nodes"
        )
    marker = Path(asked["marker"])
    if not marker.exists():
        return (
            f"node {name} does not see the run's folder {marker.parents[1]}: give --runs a folder on a file"
            " system that all nodes share, under the same path"
        )
    lock = FileLock(marker)
    try:
        if lock.try_to_take():
            return (
                f"locks of {marker.parents[1]} do not reach node {name}: mount the file system with locks"
                " that all nodes share (NFS version 4; Lustre with the option flock)"
            )
    finally:
        lock.close()
    return None
