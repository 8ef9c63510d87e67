from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest

from flextune.errors import FlextuneError
from flextune.records import Estimate, Outcome, Score
from flextune.statistics.scores_file import read_scores, scores_json
from flextune.statistics.summary import compare, estimate

PASSED: list[Outcome] = ["passed"]
WRONG: list[Outcome] = ["wrong_answer"]


def example() -> list[Score]:
    base = Score(
        "base", "rosetta", "py", None, "greedy",
        outcomes={"-": {"b": PASSED, "a": WRONG, "arm": WRONG}},
        trainings={"-": None},
        generations={"-": "g0"},
        judgings={"-": "j0"},
    )  # fmt: skip
    lora = replace(
        base,
        arm="lora",
        outcomes={s: {"a": PASSED, "b": PASSED, "arm": WRONG} for s in ("1", "0", "2")},
        trainings={s: f"t{s}" for s in "102"},
        generations={s: f"g{s}" for s in "102"},
        judgings={s: f"j{s}" for s in "102"},
    )
    return [estimate(base), estimate(lora)]


def test_what_is_written_is_read_back(tmp_path: Path) -> None:
    scores = example()
    comparison = compare(scores[1], scores[0])
    path = tmp_path / "scores.json"
    path.write_text(scores_json("demo", "base", scores, [comparison]))
    held = read_scores(path)
    assert (held.experiment, held.baseline) == ("demo", "base")
    assert held.scores[1].outcomes == scores[1].outcomes
    assert held.scores[1].estimates[0].value == pytest.approx(2 / 3, abs=1e-6)
    assert held.comparisons[0].won == comparison.won == ("a",)
    assert held.comparisons[0].p_value == pytest.approx(comparison.p_value, rel=1e-5)
    assert held.comparisons[0].verdict == comparison.verdict
    assert held.comparisons[0].trainings == (3, 0)


def test_bytes_do_not_depend_on_any_order() -> None:
    scores = example()
    comparison = compare(scores[1], scores[0])
    turned = [
        replace(
            s,
            outcomes={seed: dict(reversed(runs.items())) for seed, runs in reversed(s.outcomes.items())},
            trainings=dict(reversed(s.trainings.items())),
        )
        for s in reversed(scores)
    ]
    assert scores_json("demo", "base", turned, [comparison]) == scores_json(
        "demo", "base", scores, [comparison]
    )


def test_reading_and_writing_again_gives_the_same_bytes(tmp_path: Path) -> None:
    scores = example()
    text = scores_json("demo", "base", scores, [compare(scores[1], scores[0])])
    path = tmp_path / "scores.json"
    path.write_text(text)
    held = read_scores(path)
    assert scores_json(held.experiment, held.baseline, held.scores, held.comparisons) == text
    assert text.endswith("}\n")


def test_nan_is_null_in_plain_json_and_nan_again_when_read(tmp_path: Path) -> None:
    unknown = replace(
        example()[0], estimates=(Estimate("pass@1", math.nan, None, None, "none", 0),), outcomes={}
    )
    path = tmp_path / "scores.json"
    path.write_text(scores_json("demo", "base", [unknown], []))

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    row = json.loads(path.read_text(), parse_constant=refuse)["scores"][0]
    assert row["estimates"][0]["value"] is None
    assert math.isnan(read_scores(path).scores[0].estimates[0].value)


def test_a_small_p_value_keeps_its_digits() -> None:
    scores = example()
    comparison = replace(compare(scores[1], scores[0]), p_value=1.23456789e-12)
    assert '"p_value": 1.23457e-12' in scores_json("demo", "base", scores, [comparison])


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(FlextuneError, match=r"scores\.json.*flextune run"):
        read_scores(tmp_path / "scores.json")


@pytest.mark.parametrize(
    "text", ["{", "[]", '{"experiment": "x"}', '{"experiment": "x", "baseline": "b", "scores": [{}]}']
)
def test_a_damaged_file_is_one_clear_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "scores.json"
    path.write_text(text)
    with pytest.raises(FlextuneError, match="not a scores file") as caught:
        read_scores(path)
    assert "\n" not in str(caught.value)


def test_a_file_of_the_former_format_is_decided_again_when_it_is_read(tmp_path: Path) -> None:
    scores = example()
    path = tmp_path / "scores.json"
    path.write_text(scores_json("demo", "base", scores, [compare(scores[1], scores[0])]))
    former = json.loads(path.read_text())
    del former["format"]
    former["comparisons"] = [{"arm": "lora", "p_value": 0.001}]
    former["scores"][0]["estimates"][0]["low"] = 0.5
    now = read_scores(path)
    path.write_text(json.dumps(former))
    assert read_scores(path).comparisons[0].verdict == now.comparisons[0].verdict
    assert read_scores(path).scores[0].estimates[0].low == pytest.approx(
        now.scores[0].estimates[0].low, rel=1e-5
    )


def test_a_file_of_a_newer_flextune_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    path.write_text('{"format": 99}')
    with pytest.raises(FlextuneError, match="format 99 is of a newer flextune"):
        read_scores(path)


@pytest.mark.parametrize("key", ["outcomes", "trainings", "generations", "judgings"])
@pytest.mark.parametrize("value", [3, "passed", ["passed"], None])
def test_a_value_of_a_wrong_type_is_one_clear_line(tmp_path: Path, key: str, value: object) -> None:
    path = tmp_path / "scores.json"
    held = json.loads(scores_json("demo", "base", example(), []))
    held["scores"][0][key] = value
    path.write_text(json.dumps(held))
    with pytest.raises(FlextuneError, match=r"scores\.json: not a scores file \(TypeError: .* where a dict"):
        read_scores(path)


@pytest.mark.parametrize("outcomes", [{"0": 3}, {"0": {"a": "passed"}}, {"0": {"a": None}}])
def test_outcomes_of_a_wrong_type_are_one_clear_line(tmp_path: Path, outcomes: object) -> None:
    path = tmp_path / "scores.json"
    held = json.loads(scores_json("demo", "base", example(), []))
    held["scores"][0]["outcomes"] = outcomes
    path.write_text(json.dumps(held))
    with pytest.raises(FlextuneError, match=r"not a scores file \(TypeError: .* where a (dict|list)"):
        read_scores(path)
