from __future__ import annotations

import re
from pathlib import Path

import pytest

from flextune.config import Experiment, load_experiment, parse_experiment
from flextune.runner.plan import Sources, make_plan
from flextune.sources.loading import load_examples, load_problems

ROOT = Path(__file__).parents[2]
FILES = sorted([*ROOT.glob("experiments/*.yaml"), ROOT / "src/flextune/cli/quickstart.yaml"])
CONTROLS = ROOT / "experiments/controls.yaml"


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_every_experiment_of_ours_is_valid(path: Path) -> None:
    experiment = load_experiment(path)
    assert experiment.evaluate
    assert len(experiment.resolved_arms()) >= 2 or experiment.sweep is not None


@pytest.mark.parametrize("page", ["tutorial", "experiments"])
def test_every_experiment_of_the_documents_is_valid(page: str) -> None:
    text = (ROOT / f"docs/{page}.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", text, flags=re.DOTALL)
    assert len(parse_experiment(block, where=page).resolved_arms()) >= 2


@pytest.fixture(scope="module")
def controls() -> Experiment:
    return load_experiment(CONTROLS)


def test_controls_hold_every_kind_and_every_alternative(controls: Experiment) -> None:
    arms = {arm.name: arm for arm in controls.resolved_arms()}
    penalties = {name: arm.penalty for name, arm in arms.items() if arm.penalty is not None}
    assert {penalty.kind for penalty in penalties.values()} == {
        "fourier",
        "l2",
        "permuted",
        "reversed",
        "update",
    }
    matched = [penalties[name] for name in ("flex", "l2", "permuted", "reversed")]
    assert {(penalty.strength, penalty.apply) for penalty in matched} == {(0.005, "gradient")}
    assert arms["scaled"].generate.scale < 1
    trains = {name: arm.train for name, arm in arms.items() if arm.train is not None}
    assert trains["stopped"].early_stopping is not None
    assert trains["kl"].kl is not None
    assert trains["replay"].replay is not None


def test_controls_plan_one_training_for_each_arm_that_trains_differently(controls: Experiment) -> None:
    sources = Sources(
        model=lambda name: "sha256:1",
        problems=lambda part: load_problems(part.model_copy(update={"limit": 1}), None),
        examples=lambda train: load_examples(train.model_copy(update={"limit": 40}), None),
    )
    plan = make_plan(controls, sources)
    # The base model trains nothing, and an adapter at another scale is the same adapter.
    assert len(plan.trainings) == len(controls.arms) - 2
    assert len({evaluation.key for evaluation in plan.evaluations}) == len(plan.evaluations)
