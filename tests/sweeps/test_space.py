"""What can be varied: checked before any work, each mistake in one line."""

from __future__ import annotations

from typing import Any

import pytest

from flextune.config import Experiment, make_experiment
from flextune.errors import FlextuneError
from flextune.sweeps.automatic import automatic_sweep
from flextune.sweeps.space import Space, deciding, make_space

BASE: dict[str, Any] = {"name": "x", "train": {"data": "rosetta"}, "evaluate": [{"language": "py"}]}


def experiment(keys: dict[str, Any], sweep: dict[str, Any] | None = None, **changes: Any) -> Experiment:
    return make_experiment({**BASE, **changes, "sweep": {"keys": keys, **(sweep or {})}})


def space(keys: dict[str, Any], sweep: dict[str, Any] | None = None, **changes: Any) -> Space:
    return make_space(experiment(keys, sweep, **changes))


@pytest.mark.parametrize(
    ("keys", "changes", "count"),
    [
        ({"penalty.strength": [0.1, 0.2]}, {"penalty": {}}, 2),
        # Strengths of a penalty that is off are one configuration.
        ({"penalty": [None, {"kind": "fourier"}], "penalty.strength": [0.1, 0.2]}, {}, 3),
        ({"penalty.cutoff": [0.25, 0.5]}, {"penalty": {}}, 2),
        ({"adapter.targets": ["mlp", "all"], "adapter.layers": ["0-1", [2, 3], None]}, {}, 6),
        ({"adapter": [{"rank": 4, "alpha": 8}, {"rank": 8, "alpha": 16}]}, {}, 2),
        ({"train.learning_rate": {"low": 1e-4, "high": 1e-2, "log": True, "steps": 3}}, {}, 3),
        ({"train": {"learning_rate": [1e-4, 1e-3]}}, {}, 2),
        # Temperatures of greedy decoding are one configuration.
        ({"decode.strategy": ["greedy", "sample"], "decode.temperature": [0.2, 0.8]}, {}, 3),
        ({"decode": [{"strategy": "beam"}, {"strategy": "sample", "n": 5}]}, {}, 2),
        ({"optimizer": [{"name": "adamw"}, {"name": "sophia"}]}, {}, 2),
        ({"generate.export": ["adapter", "merged"], "generate.scale": [0.5, 1.0]}, {}, 4),
        ({"model": ["rosetta", "/models/other"]}, {}, 2),
        ({"train.data": ["mbpp", "rosetta", ["mbpp", "rosetta"]]}, {}, 3),
    ],
)
def test_any_key_may_be_varied_and_what_is_the_same_is_one_configuration(
    keys: dict[str, Any], changes: dict[str, Any], count: int
) -> None:
    assert len(space(keys, **changes).grid()) == count


@pytest.mark.parametrize(
    ("keys", "changes", "said"),
    [
        ({"penalty.strength": [0.1, 0.2]}, {}, "has no effect: penalty is null in every configuration"),
        ({"penalty.cutoff": [0.1, 0.2]}, {"penalty": {"strength": 0}}, "has no effect: every configuration"),
        ({"decode.temperature": [0.1, 0.2]}, {}, "has no effect: strategy greedy does not use it"),
        ({"decode.num_beams": [2, 4]}, {"decode": [{"strategy": "sample"}]}, "strategy sample does not use"),
        ({"decode.batch_size": [1, 2]}, {}, "has no effect"),
        ({"train.epochs": [1, 2]}, {"train": {"data": "rosetta", "max_steps": 5}}, "has no effect"),
        ({"train.language": ["py", "js"]}, {"train": {"data": "mbpp"}}, "has no effect"),
        ({"train.logging_steps": [1, 2]}, {}, "has no effect"),
        ({"train.learning_rate": [1e-3, 1e-4]}, {"train": None}, "has no effect: train is null"),
        ({"train.lr": [1, 2]}, {}, r"sweep.keys.train.lr: unknown key .* it is called 'learning_rate'"),
        ({"adaptor.rank": [1, 2]}, {}, "did you mean 'adapter'"),
        ({"optimizer.gamma": [1, 2]}, {}, "adamw has no such option"),
        ({"adapter.rank": [8, 0]}, {}, "sweep.keys.adapter.rank: adapter.rank: Input should be greater"),
        ({"adapter.rank": ["x", 4]}, {}, "adapter.rank"),
        ({"judge.cpu_seconds": [1, 2]}, {}, "sweep.keys.judge.cpu_seconds: cannot be varied"),
        ({"evaluate": [[], []]}, {}, "cannot be varied"),
        ({"seeds": [[1], [2]]}, {}, "cannot be varied"),
        ({"name": ["a", "b"]}, {}, "cannot be varied"),
    ],
)
def test_a_key_that_there_is_not_or_that_has_no_effect_is_named(
    keys: dict[str, Any], changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(FlextuneError, match=said) as error:
        space(keys, **changes)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("sweep", "said"),
    [
        ({"keys": {}}, "at least 1"),
        ({"keys": {"adapter.rank": {"low": 1, "high": 8}}}, "needs steps"),
        ({"keys": {"adapter.rank": {"low": 9, "high": 8, "steps": 2}}}, "low: 9 is not below high: 8"),
        ({"keys": {"adapter.rank": 2}}, "a ratio is for search: bracket"),
        ({"keys": {"adapter.rank": [1, 2]}, "search": "bracket"}, "a bracket wants a ratio"),
        ({"keys": {"adapter.rank": [1, 2]}, "trials": 5}, "trials: has no effect"),
        ({"keys": {"adapter.rank": [1, 2]}, "storage": "sqlite:///x"}, "storage: has no effect"),
        ({"keys": {"adapter.rank": [1, 2]}, "search": "tpe", "cross_fit": True}, "cross_fit: needs grid or"),
        ({"keys": {"adapter.rank": [1, 2]}, "prune": True, "objective": "eval_loss"}, "prune: has no effect"),
        ({"keys": {"adapter.rank": [1, 2]}, "seed": 0}, "sweep.seed: 0 is one of the seeds"),
        ({"keys": {"adapter.rank": [1, 2]}, "searches": "tpe"}, "did you mean 'search'"),
    ],
)
def test_a_sweep_that_cannot_be_is_one_line(sweep: dict[str, Any], said: str) -> None:
    with pytest.raises(FlextuneError, match=said):
        make_experiment({**BASE, "sweep": sweep})


def test_a_sweep_varies_an_experiment_without_arms_and_with_one_decoding() -> None:
    with pytest.raises(FlextuneError, match="an experiment with a sweep has no arms"):
        experiment({"adapter.rank": [1, 2]}, arms=[{"name": "a"}])
    with pytest.raises(FlextuneError, match="has 2 ways of decoding"):
        experiment({"adapter.rank": [1, 2]}, decode=[{}, {"strategy": "beam"}])


def test_one_evaluation_decides() -> None:
    two = [{"language": "py"}, {"language": "java"}]
    with pytest.raises(
        FlextuneError, match=r"2 evaluations fit, .*\(there are: rosetta py base; rosetta java"
    ):
        space({"adapter.rank": [1, 2]}, evaluate=two)
    found = experiment({"adapter.rank": [1, 2]}, {"where": {"language": "java"}}, evaluate=two)
    assert deciding(found).language == "java"


def test_the_baseline_is_the_base_model_unless_it_is_said() -> None:
    assert space({"adapter.rank": [1, 2]}).baseline().train is None
    own = space({"adapter.rank": [1, 2]}, {"baseline": {"penalty": None, "adapter": {"rank": 4}}})
    assert own.baseline().adapter.rank == 4
    with pytest.raises(FlextuneError, match=r"sweep\.baseline\.judge: is the same"):
        space({"adapter.rank": [1, 2]}, {"baseline": {"judge": {"cpu_seconds": 1}}})
    with pytest.raises(FlextuneError, match=r"sweep.baseline.adapter.rnk: unknown key|unknown key"):
        space({"adapter.rank": [1, 2]}, {"baseline": {"adapter": {"rnk": 1}}})


def test_a_budget_makes_a_bracket_around_the_experiment_s_own_values() -> None:
    plain = make_experiment({**BASE, "penalty": {"strength": 0.01}})
    found = automatic_sweep(plain, 7)
    assert (found.name, found.sweep.search, found.sweep.trials) == ("x-tuned", "bracket", 7)
    assert set(found.sweep.keys) == {"train.learning_rate", "adapter.alpha", "penalty.strength"}
    assert "penalty.strength" not in automatic_sweep(make_experiment(BASE), 7).sweep.keys
    make_space(found)


def test_a_budget_moves_what_the_section_tune_names_of_the_arm_that_is_meant() -> None:
    tune = {"settings": {"train.learning_rate": 3}, "seed": 77}
    arms: list[dict[str, Any]] = [
        {"name": "base", "train": None},
        {"name": "s", "optimizer": {"name": "sophia"}},
    ]
    arms[1]["tune"] = {"optimizer.gamma": 4}
    both = make_experiment({**BASE, "tune": tune, "arms": arms})
    found = automatic_sweep(both, 5, arm="s", by_loss=True)
    assert found.sweep.keys == {"train.learning_rate": 3.0, "optimizer.gamma": 4.0}
    assert (found.name, found.sweep.seed, found.sweep.objective) == ("x-s-tuned", 77, "eval_loss")
    for name, said in ((None, "name one of: base, s"), ("t", "no arm 't'"), ("base", "trains nothing")):
        with pytest.raises(FlextuneError, match=said):
            automatic_sweep(both, 5, arm=name)
    with pytest.raises(FlextuneError, match="flextune sweep"):
        automatic_sweep(experiment({"adapter.rank": [1, 2]}), 5)
