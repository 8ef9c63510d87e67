from __future__ import annotations

from typing import Any

import pytest

from flextune.config import (
    AdapterConfig,
    DecodeConfig,
    EarlyStoppingConfig,
    JudgeConfig,
    KLConfig,
    PenaltyConfig,
    ReplayConfig,
    TrainConfig,
    optimizer,
)
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
    {
        "rank": 8,
        "alpha": 16.0,
        "dropout": 0.05,
        "targets": "mlp",
        "layers": None,
        "export": "adapter",
        "scale": 1.0,
    },
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
        "early_stopping": None,
        "kl": None,
        "replay": None,
    },
    {
        "kind": "fourier",
        "strength": 0.02,
        "apply": "gradient",
        "cutoff": 0.5,
        "low": 1.0,
        "high": 0.1,
        "norm": "ortho",
        "count": "bins",
        "flatten": "row",
        "target": "both",
        "reduction": "sum",
        "sides": "one",
        "seed": 0,
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
        {"penalty": PenaltyConfig(kind="reversed")},
        {"penalty": PenaltyConfig(kind="permuted", seed=1)},
        {"penalty": PenaltyConfig(apply="proximal")},
        {"train": TrainConfig(early_stopping=EarlyStoppingConfig())},
        {"train": TrainConfig(kl=KLConfig())},
        {"train": TrainConfig(replay=ReplayConfig(languages=["java"]))},
        {"optimizer": optimizer(eps=1e-6)},
        {"optimizer": optimizer(name="lion")},
        {"seed": 1},
        {"data": "e"},
    ],
)
def test_whatever_determines_the_adapter_changes_the_training_key(change: dict[str, Any]):
    assert training_key(**{**TRAINING, **change}) != training_key(**TRAINING)


@pytest.mark.parametrize(
    "change",
    [
        {"adapter": AdapterConfig(export="merged")},
        {"adapter": AdapterConfig(scale=0.5)},
        {"train": TrainConfig(logging_steps=1)},
        {"penalty": PenaltyConfig(preset="default")},
        {"penalty": PenaltyConfig(seed=7)},
        {"optimizer": optimizer()},
    ],
)
def test_what_does_not_change_the_weights_does_not_change_the_training_key(change: dict[str, Any]):
    assert training_key(**{**TRAINING, **change}) == training_key(**TRAINING)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (PenaltyConfig(preset="paper-literal"), PenaltyConfig(norm="backward")),
        (PenaltyConfig(strength=0), None),
        (PenaltyConfig(strength=0, kind="l2"), None),
        (PenaltyConfig(kind="l2", seed=3), PenaltyConfig(kind="l2")),
    ],
)
def test_equal_penalties_have_equal_training_keys(one: PenaltyConfig, other: PenaltyConfig | None):
    keys = {training_key(**{**TRAINING, "penalty": penalty}) for penalty in (one, other)}
    assert len(keys) == 1


def test_optimizers_have_training_keys_of_their_own():
    optimizers = (
        optimizer(),
        optimizer(name="lion"),
        optimizer(name="sophia"),
        optimizer(name="sophia", estimator="hutchinson"),
        optimizer(name="sophia", gamma=0.01),
        optimizer(name="sophia-constant"),
    )
    assert len({training_key(**TRAINING, optimizer=optimizer) for optimizer in optimizers}) == 6
    written_out = optimizer(name="sophia", estimator="gnb", every=10, gamma=0.05, betas=(0.96, 0.99))
    assert training_key(**TRAINING, optimizer=written_out) == training_key(
        **TRAINING, optimizer=optimizer(name="sophia")
    )


def test_controls_have_training_keys_of_their_own():
    kinds = ("fourier", "reversed", "permuted", "l2", "update")
    trainings = [{**TRAINING, "penalty": PenaltyConfig(kind=kind)} for kind in kinds]
    assert len({training_key(**training) for training in trainings}) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"model": "sha256:2"},
        {"training": "u"},
        {"training": None},
        {"export": "merged"},
        {"scale": 0.5},
        {"scale": 0},
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
    assert evaluation_key(**{**bare, "scale": 0.5}) == evaluation_key(**bare)


def test_a_scale_of_one_is_the_default():
    assert evaluation_key(**{**EVALUATION, "scale": 1}) == evaluation_key(**EVALUATION)


def test_content_is_known_by_what_it_is():
    first = [Example("a", "p", "c")]
    assert content_digest(first) == content_digest([Example("a", "p", "c")])
    assert content_digest(first) != content_digest([Example("a", "p", "d")])


def test_the_keys_of_the_defaults_are_pinned():
    """Defaults are left out of a key: one that changes must raise ``VERSION``, and these with it."""
    assert training_key(**TRAINING) == "87f7ad83417a4e02"
    assert evaluation_key(**EVALUATION) == "890db3d2305532bc"
    assert [part().model_dump(mode="json") for part in PARTS] == DEFAULTS
