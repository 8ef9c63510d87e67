"""A real server: ``transformers serve`` with the embedded model, on the loopback interface."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.decoding import answers

import flextune
from flextune.config import EMBEDDED_MODEL, DecodeConfig, ServerConfig
from flextune.data.multipl_e import problem
from flextune.errors import FlextuneError
from flextune.files.rows import Row
from flextune.generation.local import LocalEngine
from flextune.generation.server import Served, ServerEngine
from flextune.models.load import load_model
from flextune.records import Problem
from flextune.rosetta.rows import rows

for package in ("fastapi", "uvicorn", "openai"):
    pytest.importorskip(package, reason=f"transformers serve needs {package}")

pytestmark = [pytest.mark.slow, pytest.mark.processes]

MODEL = Path(flextune.__file__).parent / "rosetta" / "model"
GREEDY = DecodeConfig(max_new_tokens=30)
CODE = "import sys; from transformers.cli.transformers import main; sys.argv[0] = 'transformers'; main()"


def problems(count: int) -> list[Problem]:
    return [problem(Row(f"rosetta:{number}", row)) for number, row in enumerate(rows("py", limit=count))]


def free_port() -> int:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    options = ["serve", "--host", "127.0.0.1", "--port", str(port), "--device", "cpu", "--dtype", "float32"]
    log = tmp_path_factory.mktemp("serve") / "log"
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with log.open("w") as out:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE, *options], stdout=out, stderr=out, env=environment
        )
    try:
        deadline = time.monotonic() + 180
        while not listens(port):
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


def engine(url: str, adapter: Path | None = None) -> ServerEngine:
    config = ServerConfig(url=url, kind="transformers", concurrency=2)
    return ServerEngine(Served(config, str(MODEL), None if adapter is None else str(adapter)))


def test_greedy_texts_are_those_that_are_decoded_here(url: str):
    some = problems(4)
    here = answers(LocalEngine(load_model(EMBEDDED_MODEL, device="cpu")), some, GREEDY)
    there = answers(engine(url), some, GREEDY)
    local = {each.name: (each.text, each.tokens) for each in here}
    assert {each.name: (each.text, each.tokens) for each in there} == local
    # It calls a text that ends with the last token allowed too long.
    short = [each for each in there if each.tokens < GREEDY.max_new_tokens]
    assert {each.finish for each in short} <= {"eos"}


def test_samples_follow_their_seeds(url: str):
    decode = DecodeConfig(strategy="sample", temperature=1.2, n=3, max_new_tokens=16)
    first = {(each.name, each.sample): each.text for each in answers(engine(url), problems(2), decode)}
    assert len(set(first.values())) > 2
    again = answers(engine(url), problems(2)[1:], decode)
    assert {(each.name, each.sample): each.text for each in again}.items() <= first.items()


def test_a_copy_of_the_base_model_is_no_adapter(url: str, tmp_path: Path):
    copy = shutil.copytree(MODEL, tmp_path / "copy")
    with pytest.raises(FlextuneError, match="changes nothing there: 2 greedy answers are those of"):
        answers(engine(url, copy), problems(2), GREEDY)


def test_stop_strings_end_a_text_there_as_here(url: str):
    some = [
        Problem(each.name, each.benchmark, each.language, each.prompt, each.tests, stop=(" for ", "(numbers"))
        for each in problems(3)
    ]
    here = answers(LocalEngine(load_model(EMBEDDED_MODEL, device="cpu")), some, GREEDY)
    there = {each.name: (each.text, each.finish) for each in answers(engine(url), some, GREEDY)}
    assert there == {each.name: (each.text, each.finish) for each in here}
    assert "stop" in {finish for _, finish in there.values()}
