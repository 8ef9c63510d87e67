"""The rounds' files say what the paper states, and together they are one experiment."""

from __future__ import annotations

from pathlib import Path

import pytest

from flextune.config import Experiment, parse_experiment
from flextune.errors import FlextuneError
from flextune.studies.rounds import experiments
from flextune.studies.rounds.experiments import ROUNDS, all_rounds, round_text
from flextune.studies.rounds.paper import paper_claims, paper_scores, strengths, training_claims

ROOT = Path(__file__).parents[3]


def arms(experiment: Experiment) -> dict[str, Experiment]:
    return {arm.name: arm for arm in experiment.resolved_arms()}


@pytest.mark.parametrize("scale", ["full", "embedded"])
@pytest.mark.parametrize("number", ROUNDS)
def test_each_file_is_an_experiment_of_its_own(number: str, scale: experiments.Scale) -> None:
    text = round_text(number, scale)
    experiment = parse_experiment(text, where=number)
    assert experiment.name == f"round-{number}" + ("-embedded" if scale == "embedded" else "")
    folder = ROOT / "experiments" / ("embedded" if scale == "embedded" else "")
    assert (folder / f"round-{number}.yaml").read_text() == text


def test_the_paper_s_settings_are_those_of_its_table_1() -> None:
    full = arms(all_rounds("full"))
    for name in ("round-1", "round-3a", "round-4", "round-5"):
        adapter, train = full[name].adapter, full[name].train
        assert (adapter.rank, adapter.alpha, adapter.dropout) == (8, 16, 0.05)
        assert train is not None
        assert (train.data, train.batch_size, train.learning_rate, train.epochs) == ("mbpp", 4, 2e-4, 3)
    assert full["round-1"].adapter.targets == "standard"
    penalty = full["round-5"].penalty
    assert penalty is not None
    assert penalty.model_dump(include={"strength", "cutoff", "low", "high"}) == {
        "strength": 0.02,
        "cutoff": 0.5,
        "low": 1.0,
        "high": 0.1,
    }
    assert full["round-5"].adapter.targets == "mlp"
    assert full["round-5-all-0.01"].penalty.strength == 0.01  # type: ignore[union-attr]


@pytest.mark.parametrize("scale", ["full", "embedded"])
def test_every_number_and_claim_of_the_paper_has_its_arms(scale: experiments.Scale) -> None:
    experiment = all_rounds(scale)
    known = {*arms(experiment)}
    if scale == "embedded":
        known.add("python-7b")  # There is no other embedded model.
    assert {score.arm for score in paper_scores()} <= known
    assert {*strengths().values()} <= known
    pairs = {(first, second) for first, second in experiment.contrasts.pairs}
    assert {name for claim in paper_claims() for name in (claim.arm, claim.baseline)} <= known
    assert {name for claim in training_claims() for name in (claim.arm, claim.baseline)} <= known
    for claim in paper_claims():
        measured = (claim.arm, claim.baseline) in pairs
        assert measured or (scale == "embedded" and claim.baseline == "python-7b"), claim.id


def test_an_arm_of_several_rounds_is_evaluated_on_what_any_of_them_asks() -> None:
    both = arms(all_rounds("full"))["round-5"].evaluate
    assert [(part.benchmark, part.language) for part in both] == [("multipl-e", "java"), ("humaneval", "py")]
    assert [part.language for part in arms(all_rounds("full"))["python-7b"].evaluate] == ["py", "java"]


def test_a_small_model_takes_code_llama_s_place() -> None:
    small = arms(all_rounds("small", model="./mine", overrides=["dtype=bfloat16", "train.max_steps=7"]))
    assert {arm.model for arm in small.values()} == {"./mine"}
    assert {arm.dtype for arm in small.values()} == {"bfloat16"}
    assert "python-7b" not in small
    steps = {arm.train.max_steps if arm.train else None for arm in small.values()}
    assert steps == {7, None}
    assert small["round-0"].train is None


def test_seeds_are_the_experiment_s() -> None:
    assert all_rounds("embedded", overrides=["seeds=[4]"]).seeds == [4]


def test_wrong_requests_are_refused_by_name() -> None:
    with pytest.raises(FlextuneError, match="no round '3d'"):
        all_rounds("full", rounds=["3d"])
    with pytest.raises(FlextuneError, match="--scale small needs --model"):
        all_rounds("small")
    with pytest.raises(FlextuneError, match="--model is for --scale small"):
        all_rounds("full", model="x")


def test_two_files_cannot_mean_two_things_by_one_arm(monkeypatch: pytest.MonkeyPatch) -> None:
    given = round_text

    def changed(number: str, scale: experiments.Scale = "full") -> str:
        text = given(number, scale)
        return text.replace("max_length: 512", "max_length: 256") if number == "2" else text

    monkeypatch.setattr(experiments, "round_text", changed)
    with pytest.raises(
        FlextuneError, match="round 2: arm 'round-1' differs from an earlier round's in 'train'"
    ):
        all_rounds("full")
