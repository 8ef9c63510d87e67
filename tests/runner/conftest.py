from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.tiny import tiny_model

from flextune.config import Experiment, parse_experiment

SMALL = """
name: small
train: {data: rosetta, lexicon: reserved, format: docstring, max_steps: 3, batch_size: 2, limit: 6,
        validation_size: 2, logging_steps: 1}
penalty: {strength: 0.02}
decode: [{max_new_tokens: 12, batch_size: 2}]
evaluate: [{language: py, limit: 5}]
arms:
  - {name: baseline, train: null}
  - {name: lora, penalty: null}
  - {name: fourier}
  - {name: fourier-merged, generate: {export: merged}}
"""


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tiny_model(folder, max_position_embeddings=1024)
    return folder


@pytest.fixture
def small(model_folder: Path) -> Experiment:
    return small_experiment(model_folder)


def small_experiment(model: Path, *overrides: str) -> Experiment:
    return parse_experiment(SMALL, where="small.yaml", overrides=[f"model={model}", *overrides])
