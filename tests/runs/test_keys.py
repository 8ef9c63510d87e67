from __future__ import annotations

from typing import Any

import pytest

from flextune.config import AdapterConfig, DecodeConfig, JudgeConfig, PenaltyConfig, TrainConfig
from flextune.records import Example
from flextune.runs.keys import content_digest, evaluation_key, training_key

TRAINING: dict[str, Any] = {
    "model": "sha256:1",
    "dtype": "float32",
    "adapter": AdapterConfig(),
    "train": TrainConfig(),
    "penalty": PenaltyConfig(),
    "seed": 0,
    "data": "d",
}
EVALUATION: dict[str, Any] = {
    "model": "sha256:1",
    "dtype": "float32",
    "training": "t",
    "export": "adapter",
    "problems": "p",
    "decode": DecodeConfig(),
    "judge": JudgeConfig(),
    "seed": None,
}

PARTS = (AdapterConfig, TrainConfig, PenaltyConfig, DecodeConfig, JudgeConfig)
DEFAULTS = [
    {"rank": 8, "alpha": 16.0, "dropout": 0.05, "targets": "mlp", "layers": None, "export": "adapter"},
    {
        "data": "mbpp",
        "language": "py",
        "lexicon": "base",
        "format": "paper",
        "loss": "completion",
        "limit": None,
        "validation": 32,
        "epochs": 3.0,
        "max_steps": None,
        "batch_size": 4,
        "accumulation": 1,
        "learning_rate": 0.0002,
        "schedule": "cosine",
        "warmup": 0.0,
        "weight_decay": 0.0,
        "clip": 1.0,
        "max_length": 512,
        "autocast": None,
        "log_every": 10,
    },
    {
        "kind": "fourier",
        "strength": 0.02,
        "cutoff": 0.5,
        "low": 1.0,
        "high": 0.1,
        "norm": "ortho",
        "length": "bins",
    },
    {
        "strategy": "greedy",
        "temperature": 0.2,
        "top_p": 0.95,
        "samples": 1,
        "beams": 4,
        "max_new_tokens": 512,
        "batch_size": 32,
    },
    {"cpu_seconds": 10.0, "wall_seconds": 60.0, "memory_mb": 1024},
]


@pytest.mark.parametrize(
    "change",
    [
        {"model": "sha256:2"},
        {"dtype": "bfloat16"},
        {"adapter": AdapterConfig(rank=4)},
        {"train": TrainConfig(epochs=1)},
        {"penalty": None},
        {"penalty": PenaltyConfig(strength=0.5)},
        {"seed": 1},
        {"data": "e"},
    ],
)
def test_whatever_determines_the_adapter_changes_the_training_key(change: dict[str, Any]):
    assert training_key(**{**TRAINING, **change}) != training_key(**TRAINING)


@pytest.mark.parametrize(
    "change", [{"adapter": AdapterConfig(export="merged")}, {"train": TrainConfig(log_every=1)}]
)
def test_export_and_logging_do_not_change_the_training_key(change: dict[str, Any]):
    assert training_key(**{**TRAINING, **change}) == training_key(**TRAINING)


@pytest.mark.parametrize(
    "change",
    [
        {"model": "sha256:2"},
        {"training": "u"},
        {"training": None},
        {"export": "merged"},
        {"problems": "q"},
        {"decode": DecodeConfig(strategy="beam")},
        {"judge": JudgeConfig(cpu_seconds=1)},
        {"seed": 1},
    ],
)
def test_adapter_problems_decoding_and_limits_change_the_evaluation_key(change: dict[str, Any]):
    assert evaluation_key(**{**EVALUATION, **change}) != evaluation_key(**EVALUATION)


def test_the_base_model_has_one_key_however_adapters_are_exported():
    bare = {**EVALUATION, "training": None}
    assert evaluation_key(**{**bare, "export": "merged"}) == evaluation_key(**bare)


def test_content_is_known_by_what_it_is():
    first = [Example("a", "p", "c")]
    assert content_digest(first) == content_digest([Example("a", "p", "c")])
    assert content_digest(first) != content_digest([Example("a", "p", "d")])


def test_the_keys_of_the_defaults_are_pinned():
    """Defaults are left out of a key: one that changes must raise ``VERSION``, and these with it."""
    assert training_key(**TRAINING) == "87f7ad83417a4e02"
    assert evaluation_key(**EVALUATION) == "890db3d2305532bc"
    assert [part().model_dump(mode="json") for part in PARTS] == DEFAULTS
