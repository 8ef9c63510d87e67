from __future__ import annotations

import fcntl
import pickle
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest

# The judge's helpers and fixtures serve here too.
sys.path.insert(0, str(Path(__file__).parents[1] / "judging"))

Result = TypeVar("Result")
Once = Callable[[str, Callable[[], Result]], Result]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once[object]:
    """Computes what a name stands for once, even when tests run in several processes."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder if worker_id == "master" else folder.parent

    def compute(name: str, make: Callable[[], object]) -> object:
        file = shared / f"{name}.pickle"
        # One lock for all: two of these at once would be load for each other.
        with open(shared / "once.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                file.write_bytes(pickle.dumps(make()))
        return pickle.loads(file.read_bytes())

    return compute
