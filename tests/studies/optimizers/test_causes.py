"""Beside the pair of a claim: shorter schedules, one momentum, sign descent, a busy machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.optimizer_runs import (
    ADAMW,
    CONSTANT,
    LION,
    ROSETTA,
    SOPHIA_G,
    OptimizerRun,
    Row,
    log,
)

from flextune.report.run_data import read_run
from flextune.statistics.means import Spread
from flextune.studies.optimizers.causes import causes, notes
from flextune.studies.optimizers.claims import Decision, claim_verdicts, planned_sooner
from flextune.studies.optimizers.document import optimizers_document
from flextune.studies.optimizers.groups import Group, optimizer_groups
from flextune.studies.optimizers.styles import styles
from flextune.studies.optimizers.tables import group_tables

SHORT: Row = {**ROSETTA, "max_steps": 28}
SLOW: Row = {**ADAMW, "betas": [0.96, 0.999]}
QUICK: Row = {**SOPHIA_G, "betas": [0.9, 0.99], "gamma": 0.01}

#: Name to optimizer, section train, final losses of three seeds, and what else the logs hold.
ARMS: dict[str, tuple[Row, Row, tuple[float, float, float], dict[str, Any]]] = {
    "adamw": (ADAMW, ROSETTA, (0.20, 0.21, 0.22), {}),
    "adamw-0.96": (SLOW, ROSETTA, (0.30, 0.31, 0.33), {}),
    "lion": (LION, ROSETTA, (0.18, 0.19, 0.21), {}),
    "constant": (CONSTANT, ROSETTA, (0.31, 0.31, 0.33), {"win_rate_a": 0.02, "win_rate_b": 0.01}),
    "g": (SOPHIA_G, ROSETTA, (0.30, 0.32, 0.33), {"win_rate_a": 0.5, "win_rate_b": 0.05}),
    "g-0.9": (QUICK, ROSETTA, (0.22, 0.23, 0.25), {"win_rate_a": 0.014, "win_rate_b": 0.025}),
    "adamw-28": (ADAMW, SHORT, (0.40, 0.41, 0.42), {}),
    "g-0.9-28": (QUICK, SHORT, (0.41, 0.41, 0.43), {}),
    "paper": (ADAMW, ROSETTA, (0.9, 0.9, 0.9), {}),
    "paper-constant": (CONSTANT, ROSETTA, (0.8, 0.8, 0.8), {}),
}


def study(path: Path, arms: Mapping[str, Any] = ARMS) -> OptimizerRun:
    run = OptimizerRun(path)
    for name, (optimizer, train, losses, numbers) in arms.items():
        logs = {str(seed): log([1.0, 0.9, loss], **numbers) for seed, loss in enumerate(losses)}
        run.arm(name, optimizer, logs, train=train)
        if not name.startswith("paper"):
            run.tune(name, [(5e-4, 0.5), (1e-3, 0.4), (2e-3, 0.5)])
    return run


def only(run: OptimizerRun, **experiment: Any) -> Group:
    (group,) = optimizer_groups(read_run(run.write(**experiment)))
    return group


def test_shorter_schedules_are_of_the_group_and_never_its_reference(tmp_path: Path) -> None:
    group = only(study(tmp_path))
    assert [arm.name for arm in group.arms] == list(ARMS)
    assert group.reference is not None
    assert group.reference.name == "adamw"
    assert [arm.name for arm in group.arms if group.is_shorter(arm)] == ["adamw-28", "g-0.9-28"]
    labels = {arm.name: arm.label for arm in group.arms}
    assert labels["adamw-28"] == "AdamW (28 steps)"
    assert labels["adamw-0.96"] == "AdamW (betas 0.96 / 0.999)"
    assert labels["g-0.9-28"] == "Sophia-G (28 steps, betas 0.9 / 0.99)"
    assert len(set(labels.values())) == len(labels)
    drawn = styles((group,))
    assert len({(style.colour, style.dash) for style in drawn.values()}) == len(drawn)


def test_a_plan_of_fewer_steps_has_to_end_below_the_reference(tmp_path: Path) -> None:
    verdicts = {v.claim: v for v in claim_verdicts(only(study(tmp_path))) if v.arm == "g-0.9-28"}
    assert list(verdicts) == [
        "30 % faster, with a schedule of 28 steps, not 40",
        "30 % fewer steps, with a schedule of 28 steps, not 40",
    ]
    assert {verdict.decision for verdict in verdicts.values()} == {"does not hold"}
    assert (
        "final validation loss +0.2067" in verdicts["30 % faster, with a schedule of 28 steps, not 40"].words
    )


@pytest.mark.parametrize(
    ("loss", "part", "expected"),
    [
        ("lower", 0.7, "holds"),
        ("lower", 0.8, "does not hold"),
        ("higher", 0.5, "does not hold"),
        ("not decided", 0.5, "not decided"),
    ],
)
def test_a_shorter_plan_holds_with_a_lower_loss_in_less_time(
    loss: Decision, part: float, expected: Decision
) -> None:
    assert planned_sooner(loss, Spread(part, part, part, 3), 0.7) == expected
    assert planned_sooner("lower", None, 0.7) == "not decided"


def test_momentum_is_told_apart_from_sophia(tmp_path: Path) -> None:
    found = {cause.contrast: cause for cause in causes(only(study(tmp_path)))}
    momentum = found["adamw-0.96 − adamw"]
    assert (momentum.what, momentum.decision) == ("Averages of 0.96 / 0.999, not 0.9 / 0.999", "higher")
    same = found["g − adamw-0.96"]
    assert (same.what, same.decision) == ("Sophia-G's step at one momentum of 0.96", "not decided")
    assert "g-0.9 − adamw-0.96" not in found
    assert found["g-0.9 − g"].what == "Averages of 0.9 / 0.99, not 0.96 / 0.99; gamma 0.01, not 1"
    assert found["g-0.9-28 − adamw-28"].what == "With schedules of 28 steps for both"
    # Of the others none has a shorter one on one side.
    mixed = {contrast for contrast in found if contrast.count("-28") == 1}
    assert not mixed


def test_a_gamma_that_clips_nearly_all_is_called_sign_descent(tmp_path: Path) -> None:
    found = [line for line in notes(only(study(tmp_path))) if line.startswith("Sign descent")]
    assert found == [
        "Sign descent (g-0.9): with the gamma, 0.01, only 1.4 and 2.5 % of the coordinates of A and B are not"
        " clipped. Its steps are signs of averages of 0.9 / 0.99; curvature has next to no part in them."
    ]
    run = study(tmp_path / "tuned")
    run.tuned["g-0.9"]["settings"]["optimizer.gamma"] = 0.01
    assert any("with the gamma that tuning chose, 0.01" in line for line in notes(only(run)))


def tables(run: OptimizerRun, **experiment: Any) -> dict[str, Any]:
    data = read_run(run.write(**experiment))
    return {table.title: table for table in group_tables(optimizer_groups(data)[0], data)}


def test_the_tables_say_who_was_tuned_by_what_and_what_intervals_are_over(tmp_path: Path) -> None:
    found = tables(study(tmp_path))
    assert (
        "The tuning saw the same 16 validation examples by which the results are measured."
        in found["Tuning"].note
    )
    assert "was tuned for no arm" in found["Tuning"].note
    assert "for these validation examples" in found["Validation loss"].note
    assert found["Arms"].note.endswith("validation 16 where nothing else is said.")
    short = next(row for row in found["Arms"].rows if row[0] == "adamw-28")
    assert short[-1].startswith("steps 28, ")
    bounded = tables(study(tmp_path / "b"), tune={"validation_size": 4, "seed": 9})
    assert "the first 4 of the 16 validation examples" in bounded["Tuning"].note


def waiting(run: OptimizerRun, share: float) -> OptimizerRun:
    """The process had a share of a core."""
    for path in run.path.glob("trained/*/training.jsonl"):
        rows = [json.loads(line) for line in path.read_text().splitlines()]
        timed = [{**row, "cpu_seconds": share * row["seconds"]} if "seconds" in row else row for row in rows]
        path.write_text("".join(json.dumps(row) + "\n" for row in timed))
    return run


def test_on_a_busy_machine_the_processors_seconds_are_shown_and_it_is_said(tmp_path: Path) -> None:
    quiet = tables(waiting(study(tmp_path / "quiet"), 0.98))["Cost"]
    assert quiet.header[1] == "seconds"
    assert "busy" not in quiet.note
    cost = tables(waiting(study(tmp_path / "busy"), 0.4))["Cost"]
    assert cost.header[1] == "CPU seconds"
    assert "a training had 40 % of a core" in cost.note
    adamw = [table.rows[0][1] for table in (quiet, cost)]
    assert adamw == ["10.0 [10.0, 10.0]", "4.0 [4.0, 4.0]"]
    data = read_run(tmp_path / "busy")
    assert "The machine was busy" in optimizers_document(data, optimizer_groups(data), [])
