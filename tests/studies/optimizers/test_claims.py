from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from tests.support.optimizer_runs import ADAMW, CONSTANT, LION, SOPHIA_G, SOPHIA_H, OptimizerRun, log

from flextune.report.run_data import read_run
from flextune.statistics.means import Spread, mean_over_seeds
from flextune.studies.optimizers.causes import causes, tuning_notes
from flextune.studies.optimizers.claims import Decision, below, claim_verdicts, sooner
from flextune.studies.optimizers.groups import Group, optimizer_groups
from flextune.studies.optimizers.pairs import Race
from flextune.studies.optimizers.paper import paper

Curves = list[list[float | None]]


def study(
    path: Path, arms: Mapping[str, tuple[dict[str, Any], Any]], *, tuned: tuple[str, ...] = ()
) -> Group:
    """Arms with the validation losses of each seed."""
    run = OptimizerRun(path)
    for name, (optimizer, curves) in arms.items():
        run.arm(name, optimizer, {str(seed): log(curve) for seed, curve in enumerate(curves)})
    for name in tuned:
        run.tune(name, [(1e-3, 0.30), (2e-3, 0.20), (4e-3, 0.25), (8e-3, None)])
    (group,) = optimizer_groups(read_run(run.write()))
    return group


def ends(*losses: float | None) -> Curves:
    """A seed for each loss, all from 1.0 in two stretches."""
    return [[1.0, 0.9, loss] for loss in losses]


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (-0.2, -0.1, "lower"),
        (-0.2, 0.0, "not decided"),
        (-0.2, 0.1, "not decided"),
        (0.0, 0.1, "not decided"),
        (0.1, 0.2, "higher"),
        (None, None, "not decided"),
    ],
)
def test_a_loss_is_lower_only_where_its_whole_interval_is(
    low: float | None, high: float | None, expected: Decision
) -> None:
    assert below(Spread(-0.05, low, high, 5), 0) == expected


def test_a_diverged_seed_decides_nothing() -> None:
    assert below(Spread(-0.3, -0.4, -0.2, 4), 1) == "not decided"
    assert below(None, 0) == "not decided"


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0.4, 0.6999, "holds"),
        (0.4, 0.7, "holds"),
        (0.4, 0.7001, "not decided"),
        (0.7, 0.9, "not decided"),
        (0.7001, 0.9, "does not hold"),
        (None, None, "not decided"),
    ],
)
def test_faster_holds_only_where_the_whole_interval_is_at_most_seven_tenths(
    low: float | None, high: float | None, expected: Decision
) -> None:
    assert sooner(Race(Spread(0.6, low, high, 5), 5, 5, None), 0.7) == expected


@pytest.mark.parametrize(
    ("race", "expected"),
    [
        # With a seed that never got there the claim cannot hold, however fast the others were.
        (Race(Spread(0.5, 0.4, 0.6, 4), 4, 5, 1.2), "not decided"),
        (Race(Spread(0.9, 0.8, 1.0, 4), 4, 5, 1.2), "does not hold"),
        # These trained too shortly to tell.
        (Race(Spread(0.9, 0.8, 1.0, 4), 4, 5, 0.6), "not decided"),
        (Race(None, 0, 5, 1.0), "does not hold"),
        (Race(None, 0, 5, 0.6), "not decided"),
        (Race(None, 0, 1, 1.0), "not decided"),
        (Race(None, 0, 0, None), "not decided"),
        (Race(Spread(0.5, None, None, 1), 1, 5, 1.2), "not decided"),
    ],
)
def test_seeds_that_never_got_there_count_against_the_claim(race: Race, expected: Decision) -> None:
    assert sooner(race, 0.7) == expected


def test_a_verdicts_sentence_has_the_decision_and_its_paired_interval(tmp_path: Path) -> None:
    arms = {"adamw": (ADAMW, ends(0.50, 0.60, 0.70)), "sophia": (SOPHIA_G, ends(0.40, 0.49, 0.61))}
    loss = claim_verdicts(study(tmp_path, arms))[0]
    assert loss.sentence == (
        "sophia against adamw, final validation loss: lower (−0.1000 [−0.1248, −0.0752], 3 seeds)."
    )


def test_a_loss_is_compared_by_seed_and_each_claim_of_the_paper_is_judged(tmp_path: Path) -> None:
    arms = {"adamw": (ADAMW, ends(0.50, 0.60, 0.70)), "sophia": (SOPHIA_G, ends(0.40, 0.49, 0.61))}
    loss, seconds, steps = claim_verdicts(study(tmp_path, arms))
    assert (loss.decision, loss.measured) == ("lower", mean_over_seeds([0.4 - 0.5, 0.49 - 0.6, 0.61 - 0.7]))
    assert [verdict.claim for verdict in (seconds, steps)] == [claim.name for claim in paper().claims]
    # 10 steps and 0.4/0.5, 0.3/0.41 and 0.2/0.29 of the 10 after them, of 20.
    assert steps.decision == "does not hold"
    assert isinstance(steps.measured, Race)
    assert steps.measured.ratio is not None
    assert steps.measured.ratio.value == pytest.approx(0.870, abs=5e-4)


def test_faster_is_decided_by_the_ratio_of_seconds(tmp_path: Path) -> None:
    arms = {"adamw": (ADAMW, ends(0.5, 0.5)), "sophia": (SOPHIA_G, [[1.0, 0.5, 0.4], [1.0, 0.5, 0.4]])}
    _, seconds, _ = claim_verdicts(study(tmp_path, arms))
    assert (seconds.decision, seconds.measured) == ("holds", Race(Spread(0.5, 0.5, 0.5, 2), 2, 2, None))


def test_one_seed_decides_nothing_and_says_so(tmp_path: Path) -> None:
    verdicts = claim_verdicts(study(tmp_path, {"adamw": (ADAMW, ends(0.5)), "sophia": (SOPHIA_G, ends(0.1))}))
    assert {verdict.decision for verdict in verdicts} == {"not decided"}
    assert "one seed, no interval" in verdicts[0].words


def test_with_one_seed_no_ratio_of_times_is_stated_and_the_reason_is(tmp_path: Path) -> None:
    arms = {"adamw": (ADAMW, ends(0.5)), "sophia": (SOPHIA_G, ends(0.1))}
    _, seconds, steps = claim_verdicts(study(tmp_path, arms))
    assert seconds.measured == Race(None, 1, 1, None)
    assert seconds.words == "its loss was reached in 1 of 1 seed; a ratio of times takes 2 or more"
    # Steps do not depend on the machine.
    assert isinstance(steps.measured, Race)
    assert steps.measured.ratio is not None


def test_a_loss_that_was_never_reached_is_counted(tmp_path: Path) -> None:
    arms = {"adamw": (ADAMW, ends(0.5, 0.5, 0.5)), "sophia": (SOPHIA_G, ends(0.6, 0.6, 0.4))}
    _, seconds, steps = claim_verdicts(study(tmp_path, arms))
    assert steps.decision == "not decided"
    assert isinstance(steps.measured, Race)
    assert (steps.measured.reached, steps.measured.of) == (1, 3)
    assert "1 of 3 seeds that reached its loss, no interval" in steps.words
    assert isinstance(seconds.measured, Race)
    assert seconds.measured.too_few
    never = {"adamw": (ADAMW, ends(0.5, 0.5)), "sophia": (SOPHIA_G, ends(0.6, 0.6))}
    _, _, steps = claim_verdicts(study(tmp_path / "never", never))
    assert (steps.decision, steps.measured) == ("does not hold", Race(None, 0, 2, 1.0))


def test_a_diverged_training_is_named_and_decides_nothing(tmp_path: Path) -> None:
    arms = {"adamw": (ADAMW, ends(0.5, 0.6, 0.7)), "sophia": (SOPHIA_G, ends(0.1, 0.2, None))}
    loss = claim_verdicts(study(tmp_path, arms))[0]
    assert loss.decision == "not decided"
    assert loss.words.endswith("2 seeds; diverged in 1 seed")


def test_lion_is_a_control_about_which_nothing_is_claimed(tmp_path: Path) -> None:
    assert claim_verdicts(study(tmp_path, {"adamw": (ADAMW, ends(0.5)), "lion": (LION, ends(0.1))})) == []


def whole(path: Path) -> Group:
    return study(
        path,
        {
            "adamw": (ADAMW, ends(0.20, 0.22)),
            "lion": (LION, ends(0.25, 0.27)),
            "constant": (CONSTANT, ends(0.30, 0.32)),
            "sophia-g": (SOPHIA_G, ends(0.10, 0.12)),
            "sophia-h": (SOPHIA_H, ends(0.31, 0.32)),
            "paper-adamw": (ADAMW, ends(0.60, 0.62)),
            "paper-sophia": (CONSTANT, ends(0.50, 0.52)),
        },
        tuned=("adamw", "lion", "constant", "sophia-g", "sophia-h"),
    )


def test_each_cause_is_a_contrast_of_arms_that_differ_in_it(tmp_path: Path) -> None:
    found = {cause.contrast: cause for cause in causes(whole(tmp_path))}
    assert {contrast: cause.what for contrast, cause in found.items()} == {
        "sophia-g − constant": "Curvature",
        "sophia-h − constant": "Curvature",
        "constant − adamw": "Clipping, curvature constant",
        "lion − adamw": "Sign of the momentum",
        "adamw − paper-adamw": "Tuning AdamW",
        "paper-sophia − paper-adamw": "Both at their untuned settings",
        "(paper-sophia − paper-adamw) − (constant − adamw)": "What the untuned settings add",
    }
    values = {contrast: cause.loss.value for contrast, cause in found.items() if cause.loss is not None}
    assert values == {
        "sophia-g − constant": pytest.approx(-0.2),
        "sophia-h − constant": pytest.approx(0.005),
        "constant − adamw": pytest.approx(0.1),
        "lion − adamw": pytest.approx(0.05),
        "adamw − paper-adamw": pytest.approx(-0.4),
        "paper-sophia − paper-adamw": pytest.approx(-0.1),
        "(paper-sophia − paper-adamw) − (constant − adamw)": pytest.approx(-0.2),
    }
    assert found["sophia-g − constant"].decision == "lower"
    assert found["sophia-h − constant"].decision == "not decided"
    assert found["constant − adamw"].decision == "higher"


def test_an_untuned_sophia_is_also_held_against_the_untuned_adamw(tmp_path: Path) -> None:
    found = [v for v in claim_verdicts(whole(tmp_path)) if v.arm == "paper-sophia"]
    losses = {v.against: v.decision for v in found if v.claim == "final validation loss"}
    assert losses == {"adamw": "higher", "paper-adamw": "lower"}
    # To its own reference's loss, not to the tuned one's, which it never reaches.
    reached = {v.against: v.measured.reached for v in found if isinstance(v.measured, Race)}
    assert reached == {"adamw": 0, "paper-adamw": 2}


def test_a_diverged_arm_is_no_part_of_the_untuned_settings_effect(tmp_path: Path) -> None:
    group = study(
        tmp_path,
        {
            "adamw": (ADAMW, ends(0.2, 0.2)),
            "constant": (CONSTANT, ends(0.3, None)),
            "paper-adamw": (ADAMW, ends(0.6, 0.6)),
            "paper-sophia": (CONSTANT, ends(0.5, 0.5)),
        },
        tuned=("adamw", "constant"),
    )
    (found,) = (cause for cause in causes(group) if cause.what == "What the untuned settings add")
    assert found.decision == "not decided"
    assert found.loss is not None
    assert found.loss.value == pytest.approx(-0.2)
    assert (found.loss.low, found.loss.high, found.loss.count) == (None, None, 1)
    assert "diverged in 1 seed" in found.words


def test_adamws_tuning_curve_is_told_without_an_interval(tmp_path: Path) -> None:
    (note,) = tuning_notes(whole(tmp_path))
    assert note == (
        "Learning rate alone (adamw in its tuning, one seed, so no interval): validation loss 0.2000 at "
        "0.002, the best of 4 tried; 0.3000 at 0.001, the lowest rate; 0.2500 at 0.004, the highest that did "
        "not diverge (1 did)."
    )


def test_without_tuning_there_are_no_untuned_pairs(tmp_path: Path) -> None:
    arms = {"adamw": (ADAMW, ends(0.5)), "constant": (CONSTANT, ends(0.4)), "sophia": (SOPHIA_G, ends(0.1))}
    group = study(tmp_path, arms)
    assert [cause.contrast for cause in causes(group)] == ["sophia − constant", "constant − adamw"]
    assert tuning_notes(group) == []


def test_an_arm_with_other_averages_is_no_contrast_of_curvature_alone(tmp_path: Path) -> None:
    group = study(
        tmp_path,
        {
            "adamw": (ADAMW, ends(0.20, 0.22)),
            "constant": (CONSTANT, ends(0.30, 0.32)),
            "sophia-g": (SOPHIA_G, ends(0.25, 0.27)),
            "quick": ({**SOPHIA_G, "betas": [0.9, 0.99]}, ends(0.15, 0.17)),
        },
    )
    found = {cause.contrast: cause for cause in causes(group)}
    assert "quick − constant" not in found
    assert found["sophia-g − constant"].what == "Curvature"
    momentum = found["quick − sophia-g"]
    assert momentum.what == "Averages of 0.9 / 0.99, not 0.96 / 0.99"
    assert momentum.loss is not None
    assert momentum.loss.value == pytest.approx(-0.1)
