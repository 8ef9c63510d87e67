from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.small_experiment import small_experiment
from tests.support.tiny import tiny_model

from flextune.config import Experiment


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("model")
    tiny_model(folder, max_position_embeddings=1024)
    return folder


@pytest.fixture
def small(model_folder: Path) -> Experiment:
    return small_experiment(model_folder)
