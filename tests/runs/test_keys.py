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
    Recipe,
    ReplayConfig,
    TrainConfig,
    optimizer,
)
from flextune.data.answers import REVISION
from flextune.models.merging.served import Serving
from flextune.records import Example
from flextune.registry import OPTIMIZERS
from flextune.runs.keys import content_digest, generation_key, judging_key, training_key

RECIPE = Recipe(penalty=PenaltyConfig())
MODEL = {"model": "sha256:1", "dtype": "float32", "data": "d"}
GENERATION: dict[str, Any] = {
    "model": "sha256:1",
    "dtype": "float32",
    "adapter": "t",
    "serving": {},
    "problems": "p",
    "decode": DecodeConfig(),
    "seed": None,
}


def training(**changes: Any) -> str:
    """The key with sections of the recipe, or what is beside it, changed."""
    recipe = {key: changes.pop(key) for key in Recipe.model_fields if key in changes}
    return training_key(RECIPE.model_copy(update=recipe), **{**MODEL, **changes})


def generation(**changes: Any) -> str:
    return generation_key(**{**GENERATION, **changes})


SECTIONS = (AdapterConfig, TrainConfig, PenaltyConfig, DecodeConfig, JudgeConfig)
DEFAULTS = [
    {
        "rank": 8,
        "alpha": 16.0,
        "dropout": 0.05,
        "targets": "mlp",
        "layers": None,
        "use_rslora": False,
        "use_dora": False,
        "init_lora_weights": True,
    },
    {
        "data": "mbpp",
        "deduplicate": "none",
        "start": None,
        "language": "py",
        "lexicon": "base",
        "format": "paper",
        "loss": "completion",
        "limit": None,
        "validation_size": 32,
        "epochs": 3.0,
        "max_steps": None,
        "batch_size": 4,
        "gradient_accumulation_steps": 1,
        "batches": "auto",
        "learning_rate": 0.0002,
        "lr_scheduler_type": "cosine",
        "warmup_steps": 0.0,
        "weight_decay": 0.0,
        "max_grad_norm": 1.0,
        "max_length": 512,
        "mixed_precision": None,
        "gradient_checkpointing": False,
        "torch_compile": False,
        "use_liger_kernel": False,
        "distributed": None,
        "logging_steps": 10,
        "save_steps": None,
        "report_to": [],
        "early_stopping": None,
        "keep_best": None,
        "evaluate": None,
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
        "cutoff_of": "bins",
        "flatten": "row",
        "target": "both",
        "reduction": "sum",
        "onesided": True,
        "of": "weights",
        "seed": 0,
    },
    {
        "strategy": "greedy",
        "temperature": 0.2,
        "top_p": 0.95,
        "top_k": 0,
        "min_p": 0.0,
        "n": 1,
        "num_beams": 4,
        "length_penalty": 1.0,
        "early_stopping": False,
        "repetition_penalty": 1.0,
        "max_new_tokens": 512,
        "batch_size": None,
    },
    {
        "cpu_seconds": 10.0,
        "wall_seconds": None,
        "memory_mib": 1024,
        "tolerance": 1e-06,
        "site_packages": None,
        "processes": 256,
        "file_mib": 64,
        "tmp_mib": 128,
        "output_kib": 1024,
        "open_files": 256,
        "compile_seconds": 30.0,
        "compile_memory_mib": 2048,
    },
]


#: Every optimizer with all that it uses where nothing is given.
OPTIMIZER_DEFAULTS = {
    "adamw": {"name": "adamw", "betas": [0.9, 0.999], "eps": 1e-8},
    "lion": {"name": "lion", "betas": [0.9, 0.99]},
    "sophia": {
        "name": "sophia",
        "estimator": "gnb",
        "every": 10,
        "gamma": 0.05,
        "betas": [0.96, 0.99],
        "eps": 1e-12,
        "bias_correction": True,
        "early_estimates": True,
    },
    "sophia-constant": {
        "name": "sophia-constant",
        "gamma": 0.01,
        "betas": [0.96, 0.99],
        "eps": 1e-12,
        "bias_correction": True,
    },
}


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
        {"train": TrainConfig(keep_best="loss")},
        {"watched": "w"},
        {"train": TrainConfig(kl=KLConfig())},
        {"train": TrainConfig(replay=ReplayConfig(languages=["java"]))},
        {"optimizer": optimizer(eps=1e-6)},
        {"optimizer": optimizer(name="lion")},
        {"seed": 1},
        {"data": "e"},
    ],
)
def test_whatever_determines_the_adapter_changes_the_training_key(change: dict[str, Any]):
    assert training(**change) != training()


@pytest.mark.parametrize(
    "change",
    [
        {"train": TrainConfig(logging_steps=1)},
        {"penalty": PenaltyConfig(preset="default")},
        {"penalty": PenaltyConfig(seed=7)},
        {"optimizer": optimizer()},
    ],
)
def test_what_does_not_change_the_weights_does_not_change_the_training_key(change: dict[str, Any]):
    assert training(**change) == training()


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
    assert training(penalty=one) == training(penalty=other)


def test_optimizers_have_training_keys_of_their_own():
    sections = (
        optimizer(),
        optimizer(name="lion"),
        optimizer(name="sophia"),
        optimizer(name="sophia", estimator="hutchinson"),
        optimizer(name="sophia", gamma=0.01),
        optimizer(name="sophia-constant"),
    )
    assert len({training(optimizer=section) for section in sections}) == 6
    written_out = optimizer(name="sophia", estimator="gnb", every=10, gamma=0.05, betas=(0.96, 0.99))
    assert training(optimizer=written_out) == training(optimizer=optimizer(name="sophia"))


def test_controls_have_training_keys_of_their_own():
    kinds = ("fourier", "reversed", "permuted", "l2", "update")
    assert len({training(penalty=PenaltyConfig(kind=kind)) for kind in kinds}) == 5


@pytest.mark.parametrize(
    "change",
    [
        {"model": "sha256:2"},
        {"dtype": "bfloat16"},
        {"adapter": "u"},
        {"adapter": None},
        {"serving": Serving(merged=True).given()},
        {"serving": Serving(scale=0.5).given()},
        {"serving": Serving(scale=0).given()},
        {"serving": Serving(dtype="bfloat16").given()},
        {"problems": "q"},
        {"decode": DecodeConfig(strategy="beam")},
        {"seed": 1},
    ],
)
def test_model_adapter_problems_and_decoding_change_the_generation_key(change: dict[str, Any]):
    assert generation(**change) != generation()


def test_the_base_model_has_one_key_however_adapters_are_used():
    for serving in (Serving(merged=True), Serving(scale=0.5), Serving(fault="alpha-twice")):
        assert serving.of_base().given() == {}
    assert Serving(merged=True, onto="nf4").of_base() == Serving(onto="nf4")


def test_a_scale_of_one_is_the_default():
    assert Serving(scale=1).given() == {}


def test_limits_change_the_judging_key_alone():
    keys = {
        judging_key(generation="g", judge=judge)
        for judge in (JudgeConfig(), JudgeConfig(cpu_seconds=1), JudgeConfig(wall_seconds=9))
    }
    assert len(keys) == 3
    assert judging_key(generation="h", judge=JudgeConfig()) not in keys
    assert judging_key(generation="g", judge=JudgeConfig(), answers=True) not in keys
    assert judging_key(generation="g", judge=JudgeConfig(wall_seconds=60)) in keys


def test_content_is_known_by_what_it_is():
    first = [Example("a", "p", "c")]
    assert content_digest(first) == content_digest([Example("a", "p", "c")])
    assert content_digest(first) != content_digest([Example("a", "p", "d")])


def test_the_keys_of_the_defaults_are_pinned():
    """Defaults are left out of a key: one that changes must raise ``VERSION``, and these with it."""
    assert training() == "e70f36f226d60b58"
    assert generation() == "95dc5735fef875ac"
    assert judging_key(generation="g", judge=JudgeConfig()) == "ebd1132f71225326"
    assert [section().model_dump(mode="json") for section in SECTIONS] == DEFAULTS
    assert {name: optimizer(name).options() for name in OPTIMIZERS.names()} == OPTIMIZER_DEFAULTS


def test_other_rules_for_answers_judge_answers_again_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def keys() -> tuple[str, str]:
        plain = judging_key(generation="g", judge=JudgeConfig())
        return plain, judging_key(generation="g", judge=JudgeConfig(), answers=True)

    before = keys()
    monkeypatch.setattr("flextune.runs.keys.REVISION", REVISION + 1)
    assert keys()[0] == before[0]
    assert keys()[1] != before[1]
