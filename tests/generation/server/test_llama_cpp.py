"""A real server: ``llama-server`` with a small random model and an adapter, on the loopback interface."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from tests.support.decoding import answers
from tests.support.gguf_files import small_qwen, write_adapter_gguf, write_gguf
from tests.support.peft_folders import save_adapter

from flextune.config import DecodeConfig, ServerConfig
from flextune.errors import FlextuneError
from flextune.generation.local import LocalEngine
from flextune.generation.server import Served, ServerEngine
from flextune.models.adapters import load_adapter
from flextune.models.load import load_model
from flextune.records import Problem

for package in ("gguf", "openai"):
    pytest.importorskip(package, reason=f"the test needs {package}")

PROGRAM = shutil.which("llama-server")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.processes,
    pytest.mark.skipif(PROGRAM is None, reason="there is no llama-server (llama.cpp)"),
]

GREEDY = DecodeConfig(max_new_tokens=24)
PROMPTS = ("def add(a, b):\n", "for each in numbers:\n    ", "x = [1, 2, 3]\n", "return sum(", "# sorts\n")
PROBLEMS = [Problem(f"p{n}", "own", "py", prompt, "") for n, prompt in enumerate(PROMPTS)]


@dataclass(frozen=True)
class Serving:
    """What is served: an address, the model's file, and the adapter's folder."""

    url: str
    model: Path
    adapter: Path

    def there(self, adapter: str | None = "flex", *, scale: float = 1.0) -> ServerEngine:
        config = ServerConfig(url=self.url, kind="llama.cpp", concurrency=2)
        return ServerEngine(Served(config, "base", adapter, scale=scale, folder=self.adapter))

    def here(self, scale: float | None) -> LocalEngine:
        """The same, decoded here; None: without the adapter."""
        loaded = load_model(str(self.model), device="cpu")
        return LocalEngine(loaded if scale is None else load_adapter(loaded, self.adapter, scale))


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serving]:
    folder = tmp_path_factory.mktemp("llama")
    model = small_qwen()
    with torch.no_grad():
        # As it is, it repeats the prompt's last token.
        for parameter in model.model.layers.parameters():
            parameter.mul_(4 if parameter.dim() == 2 else 1)
    model.save_pretrained(folder / "base")
    adapter = save_adapter(folder / "base", folder / "adapter", r=4, target_modules=["down_proj", "up_proj"])
    file = write_gguf(folder / "base.gguf", model)
    lora = write_adapter_gguf(folder / "flex.gguf", adapter)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = int(listening.getsockname()[1])
    # In float32, as here.
    exact = ["--cache-type-k", "f32", "--cache-type-v", "f32", "--flash-attn", "off", "--threads", "1"]
    options = ["-m", file, "--lora", lora, "--alias", "base", "--parallel", "2", "-c", "256", *exact]
    log = folder / "log"
    with log.open("w") as out:
        process = subprocess.Popen(
            [str(PROGRAM), "--host", "127.0.0.1", "--port", str(port), *map(str, options)],
            stdout=out,
            stderr=out,
        )
    try:
        deadline = time.monotonic() + 60
        while "listening on http" not in log.read_text():
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        yield Serving(f"http://127.0.0.1:{port}/v1", file, adapter)
    finally:
        process.kill()
        process.wait()


def texts(engine: Any, decode: DecodeConfig = GREEDY, problems: list[Problem] = PROBLEMS) -> dict[Any, str]:
    return {(each.name, each.sample): each.text for each in answers(engine, problems, decode)}


def test_greedy_texts_are_those_that_are_decoded_here(serving: Serving) -> None:
    base = texts(serving.there(None))
    assert base == texts(serving.here(None))
    adapted = texts(serving.there())
    assert adapted == texts(serving.here(1.0))
    assert adapted != base


def test_an_adapter_is_scaled_request_by_request(serving: Serving) -> None:
    scaled = texts(serving.there(scale=0.25))
    assert scaled == texts(serving.here(0.25))
    # What one request asks for, the next one has not.
    assert scaled != texts(serving.there()) == texts(serving.here(1.0))


def test_samples_follow_their_seeds(serving: Serving) -> None:
    decode = DecodeConfig(strategy="sample", temperature=1.0, top_p=0.9, n=3, max_new_tokens=12)
    first = texts(serving.there(), decode)
    assert len(set(first.values())) > len(PROBLEMS)
    assert texts(serving.there(), decode, PROBLEMS[1:2]).items() <= first.items()


def test_an_adapter_that_is_not_there_is_named(serving: Serving) -> None:
    with pytest.raises(FlextuneError, match="other"):
        texts(serving.there("other"))


def test_stop_strings_end_a_text_there_as_here(serving: Serving) -> None:
    letters = "".join(texts(serving.here(None)).values())
    stop = (letters[10:12],)
    cut = [Problem(each.name, "own", "py", each.prompt, "", stop=stop) for each in PROBLEMS]
    assert texts(serving.there(None), problems=cut) == texts(serving.here(None), problems=cut)
