"""A PostgreSQL server of its own for a test, on a socket in a folder: nothing listens on the network."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def _programs() -> Path | None:
    """The newest server that Debian's packages put here."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[4]))
    return found[-1].parent if found else None


def _as_server(*command: str | Path) -> None:
    """Run as a user that PostgreSQL accepts: it refuses root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *map(str, command)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{command[0]}: {done.stderr or done.stdout}")


@contextmanager
def postgres() -> Iterator[str]:
    """The address of an empty database; the test is skipped where there is no server to start."""
    programs = _programs()
    if programs is None:
        pytest.skip("needs PostgreSQL: apt-get install postgresql")
    # Short: a socket's path has 107 characters at most.
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        data, options = folder / "data", f"-k {folder} -c listen_addresses= -c fsync=off"
        _as_server(
            programs / "initdb", "-D", data, "-U", "sweeper", "-A", "trust", "-E", "UTF8", "--locale=C"
        )
        log = folder / "log"
        _as_server(programs / "pg_ctl", "-D", data, "-o", options, "-l", log, "-w", "start")
        try:
            yield f"postgresql://sweeper@/postgres?host={folder}"
        finally:
            _as_server(programs / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
