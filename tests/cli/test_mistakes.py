"""Every mistake of the table is answered with what is wrong, where, and what to do; nothing is lost by it."""

from __future__ import annotations

import json
import math
import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.mistakes import FILES, JUDGE, Mistake
from tests.cli.mistakes_of_files import FILE_MISTAKES
from tests.cli.mistakes_of_models import OF_MODELS
from tests.cli.mistakes_of_requests import REQUESTS
from tests.support.command_line import Call, Said

from flextune import hub

#: Nobody listens there.
NOWHERE = "http://127.0.0.1:9"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that the mistakes are made in."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.delenv("FLEXTUNE_DATA", raising=False)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    Path("binary.jsonl").write_bytes(b"\xff\xfe\x00\x01\n")
    Path("link.jsonl").symlink_to("samples.jsonl")
    os.link("samples.jsonl", "hard.jsonl")
    return tmp_path


@pytest.fixture
def models(place: Path, model_folder: Path) -> None:
    """Models and adapters that lack something."""
    shutil.copytree(model_folder, "whole")
    shutil.copytree(model_folder, "bare", ignore=shutil.ignore_patterns("token*"))
    shutil.copytree(model_folder, "light", ignore=shutil.ignore_patterns("*.safetensors"))
    shutil.copytree("light", "sharded")
    index = {"weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}
    Path("sharded/model.safetensors.index.json").write_text(json.dumps(index))
    shutil.copy("whole/model.safetensors", "sharded/model-00001-of-00002.safetensors")
    shutil.copytree("whole", "custom")
    config = json.loads(Path("custom/config.json").read_text())
    config |= {"model_type": "mine", "auto_map": {"AutoConfig": "configuration_mine.MineConfig"}}
    Path("custom/config.json").write_text(json.dumps(config))
    Path("custom/configuration_mine.py").write_text("open('was_run', 'w')\n")
    _adapters()


def _adapters() -> None:
    """A whole one, and some that lack something."""
    from safetensors.torch import load_file, save_file
    from tests.support.peft_folders import save_adapter

    save_adapter(Path("whole"), Path("adapter"))
    shutil.copytree("adapter", "empty", ignore=shutil.ignore_patterns("*.safetensors"))
    for name in ("cut", "nan"):
        shutil.copytree("adapter", name)
    weights = Path("cut/adapter_model.safetensors")
    weights.write_bytes(weights.read_bytes()[:-100])
    tensors = load_file("nan/adapter_model.safetensors")
    next(iter(tensors.values()))[0, 0] = math.nan
    save_file(tensors, "nan/adapter_model.safetensors")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A hub that cannot be reached, and an empty cache of it."""
    constants = pytest.importorskip("huggingface_hub.constants")
    monkeypatch.setattr(constants, "ENDPOINT", NOWHERE)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path_factory.mktemp("cache")))
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(hub, "_answers", {})


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def check(flextune: Call, mistake: Mistake, place: Path) -> None:
    before = contents(place)
    said = flextune(*shlex.split(mistake.command))
    assert said.code == mistake.code, (said.out, said.err)
    assert "Traceback" not in said.err
    answer = in_one_line(said)
    for words in mistake.words:
        assert words in answer
    after = contents(place)
    assert {path: data for path, data in after.items() if path in before} == before
    assert mistake.begins or (after.keys() == before.keys() and not (place / "runs").exists())


def in_one_line(said: Said) -> str:
    """The failure, which is the last line; a usage error comes in a box."""
    if said.code == 2:
        return " ".join(said.err.replace("│", " ").split())
    assert said.out == ""
    assert said.err.count("flextune: ") == 1
    return said.err.splitlines()[-1]


@pytest.mark.parametrize("mistake", [*REQUESTS, *FILE_MISTAKES], ids=lambda mistake: mistake.what)
def test_a_mistake_is_answered(flextune: Call, place: Path, mistake: Mistake) -> None:
    check(flextune, mistake, place)


@pytest.mark.slow
@pytest.mark.usefixtures("models", "no_network", "sandboxed")
@pytest.mark.parametrize("mistake", OF_MODELS, ids=lambda mistake: mistake.what)
def test_a_mistake_about_a_model_is_answered(flextune: Call, place: Path, mistake: Mistake) -> None:
    check(flextune, mistake, place)


@pytest.mark.usefixtures("place", "sandboxed")
def test_a_bad_line_is_skipped_and_said(flextune: Call) -> None:
    said = flextune(*JUDGE.replace("samples.jsonl", "cut.jsonl").split(), "-o", "found.jsonl")
    assert said.code == 0
    assert "skipped cut.jsonl:2: not valid JSON" in said.err
    assert [json.loads(line)["outcome"] for line in Path("found.jsonl").read_text().splitlines()] == [
        "passed"
    ]


@pytest.mark.usefixtures("place", "sandboxed")
def test_what_is_not_judged_has_no_share_and_status_3(
    flextune: Call, only_on_path: Callable[..., None]
) -> None:
    only_on_path("bwrap")
    said = flextune("judge", "--problems", "scala.jsonl", "--samples", "samples.jsonl")
    assert said.code == 3
    assert " ".join(said.out.split()).endswith("scala 0 of 1 0 - 1 toolchain_missing")
    assert "install it with: apt-get install" in said.err
