"""One adapter, used in different ways: what is compared with what, and what is decided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flextune.records import Completion, Outcome, Problem, Score, Verdict, as_row
from flextune.report.run_data import RunData, read_run
from flextune.runs.run import Run
from flextune.statistics.scores_file import scores_json
from flextune.statistics.summary import compare_all, estimate
from flextune.studies.merging.claims import claims, decide
from flextune.studies.merging.forms import merging_groups
from flextune.studies.merging.selection import PROBLEMS, SETTINGS, selection
from flextune.studies.merging.study import MergingStudy
from flextune.studies.registry import studies_of

ARMS: dict[str, tuple[float, dict[str, Any]]] = {
    "unmerged": (0.6, {}),
    "merged": (0.6, {"export": "merged"}),
    "twice": (0.1, {"export": "merged", "fault": "alpha-twice"}),
}
NAMES = [f"p{number}" for number in range(60)]


def outcomes(rate: float, samples: int = 1) -> dict[str, list[Outcome]]:
    """The first problems pass, as many as the rate says."""
    passed = round(rate * len(NAMES))
    both: tuple[Outcome, Outcome] = ("passed", "exception")
    return {name: [both[n >= passed]] * samples for n, name in enumerate(NAMES)}


def write_run(folder: Path, arms: dict[str, tuple[float, dict[str, Any]]] = ARMS) -> RunData:
    run, scores = Run(folder), []
    for arm, (rate, serving) in arms.items():
        export = serving.get("export", "adapter")
        row = {"training": "t", "export": export, "scale": 1.0, "serving": serving}
        run.generated(arm).begin(row, [Problem(name, "rosetta", "py", "", "") for name in NAMES])
        found = outcomes(rate)
        texts = [Completion(name, 0, found[name][0]) for name in NAMES]
        verdicts = [Verdict(name, 0, found[name][0], "run") for name in NAMES]
        for file, records in (
            (run.generated(arm).completions_file, texts),
            (run.judged(arm).verdicts_file, verdicts),
        ):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text("".join(json.dumps(as_row(each)) + "\n" for each in records))
        keys = {"0": arm}
        scores.append(Score(arm, "rosetta", "py", "base", "greedy", {"0": found}, {"0": "t"}, keys, keys))
    done = [estimate(score) for score in scores]
    baseline = next(iter(arms))
    (folder / "scores.json").write_text(scores_json("m", baseline, done, compare_all(done, baseline)))
    return read_run(folder)


def test_every_use_is_compared_with_the_unmerged_adapter(tmp_path: Path) -> None:
    (group,) = merging_groups(write_run(tmp_path))
    assert [(form.score.arm, form.words, form.merged, form.faulty) for form in group.forms] == [
        ("unmerged", "unmerged", False, False),
        ("merged", "merged", True, False),
        ("twice", "merged, alpha-twice", True, True),
    ]
    assert group.forms[0].test is None
    assert [form.test.difference for form in group.forms[1:] if form.test] == [0, pytest.approx(-0.5)]
    assert [form.changed for form in group.forms] == [0, 0, 0.5]


def test_a_run_that_uses_adapters_in_one_way_has_no_such_study(tmp_path: Path) -> None:
    run = write_run(tmp_path, {"one": (0.5, {}), "other": (0.4, {})})
    assert "merging" not in studies_of(run)


def test_what_is_decided_is_what_the_interval_says(tmp_path: Path) -> None:
    (group,) = merging_groups(write_run(tmp_path))
    assert [claim.decision for claim in claims([group])] == ["cannot make it", "makes such a gap"]
    assert decide(-0.2, -0.05) == "makes such a gap"
    assert decide(-0.07, -0.02) == "makes a smaller gap"
    assert decide(-0.03, 0.02) == "cannot make it"
    assert decide(-0.06, 0.02) == "cannot make it"
    assert decide(-0.15, 0.02) == "not decided"
    assert decide(None, None) == "not decided"


def test_the_page_and_the_document_have_it(tmp_path: Path) -> None:
    run = write_run(tmp_path)
    study = MergingStudy()
    (section,) = study.sections(run)
    assert [row[0] for row in section.tables[0].rows] == ["unmerged", "merged", "twice"]
    text = study.documents(run, {})["merging.md"]
    assert "twice (merged, alpha-twice; greedy): makes such a gap" in text


def test_audits_of_a_runs_adapters_are_shown(tmp_path: Path) -> None:
    run = write_run(tmp_path, {"one": (0.5, {})})
    trained = run.run.trained("abcdefgh")
    trained.describe({})
    change = {"type": "q_proj", "dtype": "bfloat16", "update": 0.01, "error": 0.2, "scale": 1, "unmoved": 0.1}
    audit: dict[str, Any] = {
        "verdict": "equivalent",
        "weights": {"error": 0.2, "scale": 1.0, "unmoved": 0.1, "changes": [change]},
        "onto": "x",
        "note": "",
        "tokens": None,
        "comparisons": [],
        "pass_at_1": [],
        "reasons": [],
    }
    trained.merges_folder.mkdir()
    (trained.merges_folder / "merged.json").write_text(json.dumps(audit))
    fresh = read_run(tmp_path)
    (section,) = MergingStudy().sections(fresh)
    assert section.tables[0].title == "Update in the merged weights: abcdef merged"
    assert "abcdef merged: verdict: equivalent" in section.notes


def test_choosing_among_equally_good_runs_is_what_it_should_be() -> None:
    """Against drawing whole runs, problem by problem."""
    rng = np.random.default_rng(5)
    rates = rng.uniform(0, 1, len(NAMES))
    samples: dict[str, list[Outcome]] = {
        name: ["passed" if rng.random() < rate else "exception" for _ in range(40)]
        for name, rate in zip(NAMES, rates, strict=True)
    }
    found = selection([Score("a", "b", "py", None, "sample", {"0": samples})])
    assert found is not None
    assert found.runs == 40
    means = np.array([[outcome == "passed" for outcome in samples[name]] for name in NAMES]).mean(axis=0)
    assert (found.mean, found.best) == (pytest.approx(means.mean()), means.max())
    shares = np.array([samples[name].count("passed") / 40 for name in NAMES])
    drawn = [
        (rng.random((SETTINGS, PROBLEMS)) < np.resize(shares, PROBLEMS)).mean(axis=1).max()
        for _ in range(100)
    ]
    assert found.expected == pytest.approx(np.mean(drawn), abs=0.02)
    assert selection([Score("a", "b", "py", None, "greedy", {"0": outcomes(0.5)})]) is None
