from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.support.judged import judged_warm, needs_toolchain, pair
from tests.support.judging import LIMITS, MARK

from flextune.records import Verdict


@pytest.fixture
def verdict_of(sandboxed: None) -> Callable[..., Verdict]:
    """The verdict on one program, by a judge that tests share; further arguments are those of ``Judge``."""

    def judge_one(language: str, source: str, **settings: object) -> Verdict:
        needs_toolchain(language)
        [verdict] = judged_warm([pair(language, source)], **{"limits": LIMITS, "workers": 1, **settings})
        return verdict

    return judge_one


@pytest.fixture(scope="session")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """Things of the host that a program must not reach: a file, a port, a process, a variable."""
    canary: Path = tmp_path_factory.mktemp("canary") / "file"
    canary.write_text("host")
    os.environ["FLEXTUNE_CANARY"] = "host"
    sleeper = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)", MARK])
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield {"@PORT@": str(server.getsockname()[1]), "@CANARY@": str(canary), "@MARK@": MARK}
    sleeper.kill()
    sleeper.wait()
    del os.environ["FLEXTUNE_CANARY"]
