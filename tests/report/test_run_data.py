from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from flextune.errors import FlextuneError
from flextune.report.run_data import read_run

pytestmark = pytest.mark.slow


def test_arms_that_share_an_adapter_share_one_training(finished_run: Path) -> None:
    run = read_run(finished_run)
    assert [(t.arms, t.seed) for t in run.trainings] == [
        *((("lora",), seed) for seed in "012"),
        *((("flex", "flex-merged"), seed) for seed in "012"),
    ]


def test_a_run_without_trained_folders_is_still_read(small_run: Path) -> None:
    shutil.rmtree(small_run / "trained")
    assert all(not t.log and not t.matrices for t in read_run(small_run).trainings)


def test_a_run_without_scores_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"scores\.json.*flextune run"):
        read_run(tmp_path)


def test_a_damaged_log_is_named(small_run: Path) -> None:
    file = small_run / "trained" / "lora-0" / "training.jsonl"
    file.write_text("{broken\n" + file.read_text())
    with pytest.raises(FlextuneError, match=r"training\.jsonl:1: not a JSON line"):
        read_run(small_run)


def test_a_damaged_environment_is_named(small_run: Path) -> None:
    (small_run / "environment.json").write_text("{")
    with pytest.raises(FlextuneError, match=r"environment\.json: not a JSON object"):
        read_run(small_run)


def test_answers_are_those_of_the_scores_keys(small_run: Path) -> None:
    run = read_run(small_run)
    score = next(one for one in run.scores if one.arm == "lora" and one.language == "java")
    answers = run.answers(score)
    assert sorted(answers) == ["0", "1", "2"]
    assert set(answers["0"].completions) == set(answers["0"].verdicts)
    for (name, sample), verdict in answers["0"].verdicts.items():
        assert score.outcomes["0"][name][sample] == verdict.outcome
        assert name in answers["0"].problems


def test_a_score_without_kept_answers_has_empty_ones(small_run: Path) -> None:
    for folder in ("generated", "judged"):
        shutil.rmtree(small_run / folder)
    run = read_run(small_run)
    answers = run.answers(run.scores[0])
    assert all(not (a.problems or a.completions or a.verdicts) for a in answers.values())
