"""What can be known to be wrong is refused before any work begins: the base model is not even evaluated."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.small_experiment import small_experiment
from tests.support.tiny import tiny_model

from flextune.errors import FlextuneError
from flextune.progress import Silent
from flextune.runner.execute import Execution, RunOptions, run_experiment


@pytest.mark.parametrize(
    ("override", "complaint"),
    [
        ("adapter.targets=[q_porj]", "target module 'q_porj' is not in this model, did you mean 'q_proj'"),
        ("adapter.layers=7-9", "layers '7-9': this model has layers 0-1"),
        ("train.max_length=4096", r"train\.max_length 4096 exceeds the model's context"),
        ("dtype=float16", "training in float16 needs a CUDA device"),
        ("device=cuda:7", "device 'cuda:7'"),
        ("arms.lora.adapter.targets=[nothing]", "target module 'nothing'"),
    ],
)
def test_it_is_one_line_and_nothing_is_written(
    model_folder: Path, tmp_path: Path, override: str, complaint: str
) -> None:
    arm = override.startswith("arms.")
    experiment = small_experiment(model_folder, *(["arms.lora.adapter={}"] if arm else []), override)
    with pytest.raises(FlextuneError, match=complaint) as caught:
        run_experiment(experiment, tmp_path / "run", RunOptions())
    assert "\n" not in str(caught.value)
    assert not list((tmp_path / "run").glob("*ed"))


def test_an_answer_that_cannot_be_as_long_as_is_asked_is_told(model_folder: Path, tmp_path: Path) -> None:
    notes: list[str] = []

    class Notes(Silent):
        def note(self, text: str) -> None:
            notes.append(text)

    experiment = small_experiment(model_folder, "train=null", "arms=[]", "decode.0.max_new_tokens=1024")
    execution = Execution(tmp_path / "run", RunOptions(reporter=Notes()))
    execution.check(execution.plan(experiment))
    assert f"{model_folder}: max_new_tokens 1024, but it has a window of 1024: answers end there" in notes


def test_a_tokenizer_without_an_end_is_refused(tmp_path: Path) -> None:
    folder = tiny_model(tmp_path / "model", max_position_embeddings=1024)
    for name in ("tokenizer_config.json", "special_tokens_map.json"):
        file = folder / name
        if file.is_file():
            settings = json.loads(file.read_text())
            settings.pop("eos_token", None)
            file.write_text(json.dumps(settings))
    with pytest.raises(FlextuneError, match="no end-of-text token"):
        run_experiment(small_experiment(folder), tmp_path / "run", RunOptions())
    assert not list((tmp_path / "run").glob("*ed"))
