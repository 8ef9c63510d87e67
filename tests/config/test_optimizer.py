"""The section ``optimizer`` of an experiment file."""

from __future__ import annotations

from typing import Any

import pytest

from flextune.config import Experiment, OptimizerConfig, dump_experiment, optimizer, parse_experiment
from flextune.errors import FlextuneError


def parse(text: str, *overrides: str) -> Experiment:
    return parse_experiment(text, where="x.yaml", overrides=overrides)


def used(optimizer: OptimizerConfig) -> dict[str, Any]:
    return optimizer.options()


SOPHIA = {
    "name": "sophia",
    "estimator": "gnb",
    "every": 10,
    "gamma": 0.05,
    "betas": [0.96, 0.99],
    "eps": 1e-12,
    "bias_correction": True,
    "early_estimates": True,
}


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{}", {"name": "adamw", "betas": [0.9, 0.999], "eps": 1e-8}),
        ("{name: lion}", {"name": "lion", "betas": [0.9, 0.99]}),
        ("{name: sophia}", SOPHIA),
        ("{name: sophia, gamma: 1, every: null}", {**SOPHIA, "gamma": 1.0}),
        ("{name: sophia, estimator: hutchinson}", {**SOPHIA, "estimator": "hutchinson", "gamma": 0.01}),
        (
            "{name: sophia-constant, eps: 1e-8}",
            {
                "name": "sophia-constant",
                "gamma": 0.01,
                "betas": [0.96, 0.99],
                "eps": 1e-8,
                "bias_correction": True,
            },
        ),
    ],
)
def test_a_name_s_defaults_are_written_out(section: str, expected: dict[str, Any]) -> None:
    assert used(parse("name: x", f"optimizer={section}").optimizer) == expected


def _listed(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def test_sophia_s_defaults_are_those_of_the_optimizer() -> None:
    torch = pytest.importorskip("torch")
    from flextune.optim import Sophia

    defaults = Sophia([torch.zeros(1)]).defaults
    section = used(optimizer(name="sophia"))
    assert {key: _listed(defaults[key]) for key in section if key in defaults} == {
        key: value for key, value in section.items() if key not in ("name", "estimator")
    }


def test_the_resolved_file_reads_back_as_the_same_experiment() -> None:
    text = (
        "name: x\noptimizer: {name: sophia, gamma: 2}\narms: [{name: a}, {name: b, optimizer: {name: lion}}]"
    )
    experiment = parse(text)
    assert parse(dump_experiment(experiment)) == experiment


def test_an_arm_overrides_options_and_another_name_starts_from_its_own_defaults() -> None:
    text = """
name: x
optimizer: {name: sophia, gamma: 2, betas: [0.9, 0.9]}
arms:
  - {name: same}
  - {name: every, optimizer: {every: 5}}
  - {name: constant, optimizer: {name: sophia-constant}}
  - {name: adamw, optimizer: {name: adamw, eps: 1e-6}}
  - {name: hutchinson, optimizer: {estimator: hutchinson}}
"""
    same, every, constant, adamw, hutchinson = (arm.optimizer for arm in parse(text).resolved_arms())
    assert used(same) == {**SOPHIA, "gamma": 2.0, "betas": [0.9, 0.9]}
    assert every == same.model_copy(update={"every": 5})
    assert constant == optimizer(name="sophia-constant")
    assert adamw == optimizer(eps=1e-6)
    assert hutchinson == same.model_copy(update={"estimator": "hutchinson"})


def test_gamma_follows_an_arm_s_estimator_unless_it_is_given() -> None:
    arms = "arms: [{name: h, optimizer: {estimator: hutchinson}}]"
    (follows,) = parse(f"name: x\noptimizer: {{name: sophia}}\n{arms}").resolved_arms()
    assert follows.optimizer.options()["gamma"] == 0.01


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        ("{name: sophia, gamma: 0}", "optimizer.gamma: Input should be greater than 0 (given: 0)"),
        ("{name: sophia, gamma: -1}", "optimizer.gamma: Input should be greater than 0"),
        ("{name: sophia, every: 0}", "optimizer.every: Input should be greater than 0 (given: 0)"),
        ("{name: sophia, every: 2.5}", "optimizer.every: Input should be a valid integer"),
        ("{name: sophia, eps: 0}", "optimizer.eps: Input should be greater than 0"),
        ("{name: sophia, betas: [0.9, 1]}", "optimizer.betas.1: Input should be less than 1"),
        ("{name: sophia, betas: [0.9]}", "optimizer.betas.1: Field required"),
        ("{name: sophia, gama: 1}", "unknown key 'optimizer.gama', did you mean 'gamma'?"),
        ("{name: sophia, estimator: fisher}", "optimizer.estimator: Input should be 'gnb' or 'hutchinson'"),
        (
            "{name: adam}",
            "optimizer.name: unknown optimizer 'adam', did you mean 'adamw'? "
            "(known: adamw, lion, sophia, sophia-constant)",
        ),
        ("{gamma: 1}", "optimizer.gamma: adamw has no such option (it has: betas, eps)"),
        ("{name: lion, eps: 1}", "optimizer.eps: lion has no such option (it has: betas)"),
        ("{name: sophia-constant, every: 5}", "optimizer.every: sophia-constant has no such option"),
        (
            "{name: sophia-constant, estimator: gnb}",
            "optimizer.estimator: sophia-constant has no such option",
        ),
        ("sophia", "optimizer"),
    ],
)
def test_an_error_names_the_key(section: str, expected: str) -> None:
    with pytest.raises(FlextuneError) as caught:
        parse("name: x", f"optimizer={section}")
    assert expected in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_arm_s_error_names_the_arm() -> None:
    text = "name: x\narms: [{name: a, optimizer: {name: lion, every: 3}}]"
    with pytest.raises(FlextuneError, match=r"arms\.a\.optimizer\.every: lion has no such option"):
        parse(text)
