from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from flextune.report.inputs import read_object, read_rows, read_run

from flextune.errors import FlextuneError


def test_a_half_written_last_line_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "training.jsonl"
    path.write_text('{"step": 1}\n{"step": 2}\n{"step"')
    assert read_rows(path) == [{"step": 1}, {"step": 2}]


def test_a_half_written_character_is_dropped_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_bytes('{"a": "é"}\n{"a": "é'.encode()[:-1])
    assert read_rows(path) == [{"a": "é"}]


@pytest.mark.parametrize("line", ["{broken", "[1]", '"text"'])
def test_a_damaged_line_before_the_last_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text(f'{{"a": 1}}\n{line}\n{{"a": 2}}\n')
    with pytest.raises(FlextuneError, match=r"rows\.jsonl:2: not a JSON"):
        read_rows(path)


def test_a_line_separator_inside_a_text_does_not_end_a_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    path.write_text('{"a": "x\u2028y\x85z"}\n', encoding="utf-8")
    assert read_rows(path) == [{"a": "x\u2028y\x85z"}]


def test_what_is_missing_is_empty(tmp_path: Path) -> None:
    assert read_rows(tmp_path / "none.jsonl") == []
    assert read_object(tmp_path / "none.json") == {}


def test_a_damaged_object_is_named(tmp_path: Path) -> None:
    (tmp_path / "environment.json").write_text("{")
    with pytest.raises(FlextuneError, match=r"environment\.json: not a JSON object"):
        read_object(tmp_path / "environment.json")


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
