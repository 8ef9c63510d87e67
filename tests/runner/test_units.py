from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from tests.support.units import EXPERIMENT, finish, generate, judge, of, plan_of

from flextune.errors import FlextuneError
from flextune.runner.units import units_of
from flextune.runs.run import Run


def test_every_key_is_made_by_one_unit(tmp_path: Path) -> None:
    plan = plan_of()
    units = units_of(plan, Run(tmp_path), 1)
    made = [key for unit in units for key in unit.makes]
    assert len(made) == len(set(made))
    assert set(made) == (
        {training.key for training in plan.trainings}
        | {evaluation.generation.key for evaluation in plan.evaluations}
        | {evaluation.key for evaluation in plan.evaluations}
    )


def test_an_adapter_is_trained_once_for_all_forms_that_use_it(tmp_path: Path) -> None:
    units = units_of(plan_of(), Run(tmp_path), 1)
    assert len(of("train", units)) == 2
    # The base model, and each adapter beside the weights and in them.
    assert len(of("generate", units)) == 1 + 2 * 2
    by_training = [unit.needs for unit in of("generate", units)]
    for training in of("train", units):
        assert by_training.count(training.makes) == 2


def test_where_slots_are_free_one_form_is_spread_over_them(tmp_path: Path) -> None:
    plan = plan_of(EXPERIMENT, "arms=[{name: baseline, train: null}]")
    assert len(of("generate", units_of(plan, Run(tmp_path), 1))) == 1
    assert len(of("generate", units_of(plan, Run(tmp_path), 8))) == 2


def test_what_is_in_the_folder_is_no_unit(tmp_path: Path) -> None:
    plan, run = plan_of(), Run(tmp_path)
    for training in plan.trainings:
        finish(run, training)
    assert {unit.kind for unit in units_of(plan, run, 1)} == {"generate", "judge"}
    for evaluation in plan.evaluations:
        generate(run, evaluation)
    units = units_of(plan, run, 1)
    assert {unit.kind for unit in units} == {"judge"}
    assert all(unit.is_ready(run) for unit in units)
    assert not any(unit.is_done(run) for unit in units)


def test_a_judging_of_unknown_outcomes_is_done_and_done_again_by_the_next_run(tmp_path: Path) -> None:
    plan, run = plan_of(), Run(tmp_path)
    units = of("judge", units_of(plan, run, 1))
    for evaluation in plan.evaluations:
        judge(run, evaluation, "sandbox_fault")
    assert all(unit.is_done(run) for unit in units)
    assert len(of("judge", units_of(plan, run, 1))) == len(units)


def test_a_unit_is_ready_where_what_it_needs_is_seen(tmp_path: Path) -> None:
    plan, run = plan_of(), Run(tmp_path)
    units = units_of(plan, run, 1)
    assert [unit.is_ready(run) for unit in of("train", units)] == [True, True]
    assert [unit.is_ready(run) for unit in of("generate", units)].count(True) == 1
    finish(run, plan.trainings[0])
    assert [unit.is_ready(run) for unit in of("generate", units)].count(True) == 3
    assert [unit.is_done(run) for unit in of("train", units)] == [True, False]


def test_a_training_that_begins_with_another_needs_it(tmp_path: Path) -> None:
    arms = (
        "[{name: a}, {name: b, train: {start: {arm: a}}}, {name: c, train: {start: {arm: a, use: merged}}}]"
    )
    first, second, third = of(
        "train", units_of(plan_of(EXPERIMENT, f"arms={arms}", "seeds=[0]"), Run(tmp_path), 1)
    )
    assert not first.needs
    assert second.needs == first.makes
    assert third.needs == first.makes


def test_only_a_model_on_the_cpu_wants_no_gpu(tmp_path: Path) -> None:
    units = units_of(plan_of(), Run(tmp_path), 1)
    assert {unit.kind for unit in units if unit.gpu} == {"train", "generate"}
    assert not any(unit.gpu for unit in units_of(plan_of(EXPERIMENT, "device=cpu"), Run(tmp_path), 1))


def test_a_unit_is_the_same_on_another_machine(tmp_path: Path) -> None:
    units = units_of(plan_of(), Run(tmp_path), 2)
    assert pickle.loads(pickle.dumps(units)) == units


def test_a_server_is_not_asked_from_a_cluster(tmp_path: Path) -> None:
    served = "generate={engine: server, server: {url: 'http://127.0.0.1:1/v1', kind: vllm}}"
    with pytest.raises(FlextuneError, match="leave --cluster out"):
        units_of(plan_of(EXPERIMENT, served, "arms=[{name: baseline, train: null}]"), Run(tmp_path), 1)
