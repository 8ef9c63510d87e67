from __future__ import annotations

import fcntl
import os
import pickle
import signal
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest
from tests.support.judged import Once, Result, close_judges

from flextune.judging import isolation

# Before torch is imported: tensors here are tiny, and threads would only wait for one another.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long an example takes says nothing on a machine that is busy with other tests.
hypothesis.settings.register_profile("untimed", deadline=None)
hypothesis.settings.load_profile("untimed")

pytest_plugins = [
    "tests.support.browser",
    "tests.support.marking",
    "tests.support.sharing",
    "tests.support.tiny",
]

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # So it is for a shell's background jobs, and would be for every process that a test starts.
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_sessionfinish() -> None:
    """End the judges that tests shared."""
    close_judges()


@pytest.fixture(scope="session")
def sandboxed() -> None:
    """Tests that judge are skipped where programs cannot be isolated."""
    if isolation().kind == "none":
        pytest.skip(f"no isolation here: {isolation().detail}")


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public benchmark files; tests of it are skipped where it is absent."""
    beside = Path(__file__).resolve().parents[2] / "shared" / "data"
    folder = Path(os.environ.get("FLEXTUNE_DATA") or beside)
    if not (folder / "mbpp.jsonl").is_file():
        pytest.skip(f"no benchmark files in {folder}; set FLEXTUNE_DATA to a folder that holds mbpp.jsonl")
    return folder


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Once:
    """Computes what a name stands for once, even when tests run in several processes."""
    folder = tmp_path_factory.getbasetemp()
    shared = folder if worker_id == "master" else folder.parent

    def compute(name: str, make: Callable[[], Result]) -> Result:
        file = shared / f"{name}.pickle"
        with open(shared / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                file.write_bytes(pickle.dumps(make()))
        return pickle.loads(file.read_bytes())

    return compute
