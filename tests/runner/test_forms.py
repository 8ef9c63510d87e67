"""Base model, adapter, scaled and merged adapter from one loaded copy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.support.peft_folders import save_adapter

import flextune.models.load
from flextune.config import parse_experiment
from flextune.progress import Silent
from flextune.runner.generate import generate_all
from flextune.runner.models import ModelStore
from flextune.runner.plan import make_plan
from flextune.runner.sources import plan_sources
from flextune.runner.work import Evaluation
from flextune.runs.run import Run

FORMS = {
    "base": "adapter: null",
    "beside": "scale: 1",
    "none": "scale: 0",
    "half": "scale: 0.5",
    "merged": "export: merged",
    "half-merged": "export: merged, scale: 0.5",
}


def test_every_form_of_a_model_answers_from_one_loaded_copy(
    model_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded = []
    load = flextune.models.load.load_model

    def noted(name: str, **options: Any) -> Any:
        loaded.append(name)
        return load(name, **options)

    monkeypatch.setattr("flextune.models.load.load_model", noted)
    adapter = save_adapter(model_folder, tmp_path / "adapter")
    arms = ", ".join(f"{{name: {name}, generate: {{{keys}}}}}" for name, keys in FORMS.items())
    text = (
        f"{{name: x, model: '{model_folder}', train: null, generate: {{adapter: '{adapter}'}}, "
        f"decode: [{{max_new_tokens: 12}}], evaluate: [{{limit: 3}}], arms: [{arms}]}}"
    )
    run = Run(tmp_path / "run")
    models = ModelStore(run)
    plan = make_plan(parse_experiment(text, where="x"), plan_sources(models, None))
    answered: list[Evaluation] = []
    generate_all(plan.evaluations, models, run, answered.append, Silent())
    assert loaded == [str(model_folder)]
    texts = {
        evaluation.arm: [c.text for c in run.generated(evaluation.generation.key).completions().values()]
        for evaluation in answered
    }
    assert list(texts) == list(FORMS)
    assert texts["none"] == texts["base"] != texts["beside"]
    assert texts["merged"] == texts["beside"]
    assert texts["half-merged"] == texts["half"]
    # Whatever was served before, the copy that was loaded is the base model still.
    assert [c.text for c in run.generated(plan.evaluations[0].generation.key).completions().values()] == (
        texts["base"]
    )
