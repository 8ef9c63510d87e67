from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from tests.support.optimizer_runs import (
    ADAMW,
    CONSTANT,
    LION,
    MBPP,
    ROSETTA,
    SOPHIA_G,
    OptimizerRun,
    falling,
    log,
)

from flextune.errors import FlextuneError
from flextune.report.run_data import read_run
from flextune.studies import figures, writing
from flextune.studies.optimizers.study import OptimizersStudy
from flextune.studies.writing import write_report

pytestmark = pytest.mark.slow


def whole(path: Path, *, seeds: int = 3) -> OptimizerRun:
    run = OptimizerRun(path)
    for suffix, train, base in (("", ROSETTA, 0.2), ("-mbpp", MBPP, 1.2)):
        ends: dict[str, tuple[dict[str, Any], float, float, dict[str, Any]]] = {
            "adamw": (ADAMW, 0.0, 0.50, {}),
            "lion": (LION, 0.05, 0.50, {}),
            "sophia-constant": (CONSTANT, 0.04, 0.50, {"win_rate_a": 0.02, "win_rate_b": 0.01}),
            "sophia-g": (
                SOPHIA_G,
                -0.05,
                0.60,
                {"win_rate_a": 0.3, "win_rate_b": 0.2, "estimate_share": 0.1},
            ),
            "paper-adamw": (ADAMW, 0.40, 0.50, {}),
            "paper-sophia": (CONSTANT, 0.35, 0.50, {"win_rate_a": 0.1}),
        }
        for name, (optimizer, end, clock, numbers) in ends.items():
            logs = {
                str(seed): log(falling(base + 1, base + end + seed / 1000), step_seconds=clock, **numbers)
                for seed in range(seeds)
            }
            run.arm(name + suffix, optimizer, logs, train=train, passed=3 if name == "adamw" else 2)
        for name in ("adamw", "lion", "sophia-constant", "sophia-g"):
            run.tune(name + suffix, [(5e-4, base + 0.2), (1e-3, base), (2e-3, base + 0.1), (4e-3, None)])
    return run


def written(path: Path) -> str:
    (study,) = (study for study in write_report(path).studies if study.study == "optimizers")
    assert study.documents == (path / "optimizers.md",)
    return study.documents[0].read_text(encoding="utf-8")


def summary(path: Path) -> dict[str, Any] | None:
    return OptimizersStudy().summary(read_run(path))


def cells(text: str, title: str) -> dict[str, list[str]]:
    """A table's rows by their first cell; of several of one title the first."""
    lines = text.split(f"### {title}\n", 1)[1].strip().split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: row[1:] for row in rows}


def test_a_run_that_compares_no_optimizers_has_no_study(finished_run: Path) -> None:
    assert not OptimizersStudy().applies(read_run(finished_run))
    assert summary(finished_run) is None
    assert {study.study for study in write_report(finished_run).studies} == {"scores", "transfer"}
    assert not (finished_run / "optimizers.md").exists()


def test_the_study_says_what_it_ran_on(tmp_path: Path) -> None:
    text = written(whole(tmp_path).write())
    assert text.startswith("# study: optimizers compared\n")
    for line in (
        "- Trained on: Rosetta, Python, taught words; MBPP, Python",
        "- Command: `flextune run study.yaml`",
        "- Commit: `0123456789abcdef`",
        "- Versions: flextune 0.1.0, torch 2.13.0",
        "- Machine: a processor, 2 cores",
    ):
        assert f"\n{line}\n" in text


def test_every_training_data_has_its_own_tables_and_sentences(tmp_path: Path) -> None:
    text = written(whole(tmp_path).write())
    rosetta, mbpp = text.split("\n## ")[1:3]
    assert rosetta.startswith("Rosetta, Python, taught words\n")
    assert mbpp.startswith("MBPP, Python\n")
    assert "sophia-g against adamw," in rosetta
    assert "mbpp" not in rosetta.lower()
    assert "sophia-g-mbpp against adamw-mbpp," in mbpp


def test_tables_hold_the_numbers_of_the_logs(tmp_path: Path) -> None:
    text = written(whole(tmp_path).write())
    assert cells(text, "Arms")["sophia-g"] == [
        "Sophia-G", "0.001", "yes", "3", "every 10, gamma 1, betas 0.96 / 0.99",
    ]  # fmt: skip
    assert cells(text, "Tuning")["adamw"] == [
        "learning rate",
        "0.0005 to 0.004",
        "0.001",
        "yes",
        "4",
        "1",
        "0.2000",
    ]
    # Seeds 0, 1, 2 end at 0.2, 0.201 and 0.202: t(0.975, 2) / sqrt(3) = 2.484 standard deviations of 0.001.
    losses = cells(text, "Validation loss")
    assert losses["adamw"][:3] == ["0.2010 [0.1985, 0.2035]", "", "0.2010"]
    assert losses["sophia-g"][1] == "−0.0500 [−0.0500, −0.0500]"
    signals = cells(text, "In training")
    assert signals["sophia-g"][2:] == ["30.0 [30.0, 30.0]", "20.0 [20.0, 20.0]", "10.0"]
    assert signals["adamw"][2:] == ["–", "–", "–"]
    assert cells(text, "Cost")["sophia-g"] == [
        "24.0 [24.0, 24.0]", "1.200 [1.200, 1.200]", "512 [512, 512]", "1.000 [1.000, 1.000]",
    ]  # fmt: skip
    race = cells(text, "Steps and seconds to the lowest validation loss of adamw with the same seed")
    assert race["lion"] == ["–", "0 of 3", "–", "0 of 3"]
    assert cells(text, "pass@1")["adamw"][0].startswith("37.5 [")
    assert cells(text, "pass@1 − adamw")["lion"] == ["−12.5 [−55.8, +30.8]"]


def test_ours_stands_beside_the_papers_table_three(tmp_path: Path) -> None:
    table = cells(written(whole(tmp_path).write()), "Table 3 of the paper")
    assert table["the paper's AdamW"] == ["1.2437", "", "40.3", "", "3670.9", ""]
    assert table["the paper's Sophia"] == ["1.1504", "0.925", "41.3", "1.025", "3684.7", "1.004"]
    assert table["adamw"] == ["0.2010", "", "0.333", "", "512.0", ""]
    # The untuned pair is held against itself, as the paper's was.
    assert table["paper-sophia"][1].startswith(f"{0.551 / 0.601:.3f}")
    assert "sophia-g-mbpp" in table


def test_lines_are_short_enough_to_read(tmp_path: Path) -> None:
    assert max(map(len, written(whole(tmp_path).write()).splitlines())) <= 115


def test_one_seed_has_tables_without_intervals(tmp_path: Path) -> None:
    text = written(whole(tmp_path, seeds=1).write())
    assert cells(text, "Validation loss")["adamw"][0] == "0.2000"
    assert ": lower" not in text
    assert ": holds" not in text


def test_older_runs_lack_seconds_and_say_dash(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0, 0.5], step_seconds=None)})
    text = written(run.arm("sophia", SOPHIA_G, {"0": log([1.0, 0.4], step_seconds=None)}).write())
    assert cells(text, "Cost")["sophia"] == ["–", "–", "–", "–"]
    assert "30 % faster: not decided" in text


def test_a_run_without_validation_or_logs_still_has_a_study(tmp_path: Path) -> None:
    path = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": []}).arm("sophia", SOPHIA_G, {"0": []}).write()
    assert cells(written(path), "Validation loss")["sophia"] == ["–", "–", "–", "–"]


def test_diverged_trainings_are_named_under_the_losses(tmp_path: Path) -> None:
    run = OptimizerRun(tmp_path).arm("adamw", ADAMW, {"0": log([1.0, 0.5]), "1": log([1.0, 0.5])})
    path = run.arm("lion", LION, {"0": log([1.0, None]), "1": log([1.0, 0.6])}).write()
    assert "Diverged trainings, without a final loss: lion 1." in written(path)


def test_without_pictures_the_figures_are_on_the_page(tmp_path: Path) -> None:
    text = written(whole(tmp_path).write())
    assert "In [report.html](report.html#optimizers)." in text
    assert "![" not in text
    assert not (tmp_path / "optimizers").exists()


def test_pictures_are_linked_by_the_names_they_are_written_under(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(drawn: Mapping[str, go.Figure], folder: Path, formats: object) -> Iterator[Path]:
        folder.mkdir()
        for name, figure in drawn.items():
            assert figure.layout.width == figures.WIDTH
            (folder / f"{name}.png").write_bytes(b"picture")
            yield folder / f"{name}.png"

    monkeypatch.setattr(writing, "check_formats", lambda formats: formats)
    monkeypatch.setattr(writing, "write_figures", draw)
    write_report(whole(tmp_path).write(), "png")
    text = (tmp_path / "optimizers.md").read_text(encoding="utf-8")
    linked = [line.split("](")[1].rstrip(")") for line in text.splitlines() if line.startswith("![")]
    assert {"optimizers/validation-loss.png", "optimizers/learning-rates.png"} < set(linked)
    assert sorted(linked) == sorted(f"optimizers/{file.name}" for file in (tmp_path / "optimizers").iterdir())


def test_pictures_that_cannot_be_drawn_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "kaleido", None)
    path = whole(tmp_path).write()
    with pytest.raises(FlextuneError, match="needs kaleido"):
        write_report(path, "svg")
    with pytest.raises(FlextuneError, match="unknown"):
        write_report(path, "gif")


def test_names_cannot_break_a_table_or_bring_markup(tmp_path: Path) -> None:
    path = whole(tmp_path).write()
    held = (path / "scores.json").read_text().replace('"lion"', json.dumps("li|on<b>*\n\ud800"))
    (path / "scores.json").write_text(held)
    text = written(path)
    assert "li\\|on&lt;b>\\* ?" in text
    assert "<b>" not in text


def test_a_study_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    path = whole(tmp_path).write()
    (path / "optimizers.md").mkdir()
    with pytest.raises(FlextuneError, match=r"optimizers\.md: cannot be written"):
        write_report(path)


def test_the_summary_has_the_ratios_of_every_arm_but_the_reference(tmp_path: Path) -> None:
    found = summary(whole(tmp_path).write())
    assert found is not None
    assert json.loads(json.dumps(found)) == found
    names = ("lion", "sophia-constant", "sophia-g", "paper-adamw", "paper-sophia")
    assert set(found) == {name + suffix for name in names for suffix in ("", "-mbpp")}
    sophia = found["sophia-g"]
    assert sophia["val_loss_ratio"] == pytest.approx(0.151 / 0.201, rel=1e-3)
    assert sophia["perplexity_ratio"] == pytest.approx(0.951229, rel=1e-5)
    assert sophia["seconds_per_step_ratio"] == pytest.approx(1.2)
    assert sophia["seconds_ratio"] == pytest.approx(1.2 * sophia["steps_ratio"], rel=1e-5)
    # One that did not get there has no ratio.
    assert found["lion"]["steps_ratio"] is found["lion"]["seconds_ratio"] is None


def test_one_seed_has_no_ratio_of_times_in_the_summary(tmp_path: Path) -> None:
    ratios = summary(whole(tmp_path, seeds=1).write())
    assert ratios is not None
    sophia = ratios["sophia-g"]
    assert (sophia["seconds_ratio"], sophia["seconds_per_step_ratio"]) == (None, None)
    assert sophia["steps_ratio"] < 1
    assert sophia["val_loss_ratio"] < 1


def test_one_seed_has_no_ratio_of_times_in_the_tables_and_the_reason_below(tmp_path: Path) -> None:
    text = written(whole(tmp_path, seeds=1).write())
    cost = cells(text, "Cost")["sophia-g"]
    assert (cost[0], cost[1], cost[3]) == ("24.0", "–", "1.000")
    race = cells(text, "Steps and seconds to the lowest validation loss of adamw with the same seed")[
        "sophia-g"
    ]
    assert (race[1:]) == ["1 of 1", "–", "1 of 1"]
    # The paper's own ratio of its own runs stays.
    table = cells(text, "Table 3 of the paper")
    assert (table["the paper's Sophia"][3], table["sophia-g"][3]) == ("1.025", "–")
    assert text.count("A ratio of times takes 2 seeds or more") == 5


def test_several_seeds_need_no_such_reason(tmp_path: Path) -> None:
    assert "A ratio of times" not in written(whole(tmp_path).write())


def test_the_same_run_gives_the_same_document(tmp_path: Path) -> None:
    expected = Path(__file__).with_name("optimizers.md").read_text(encoding="utf-8")
    adapter = {"rank": 8, "alpha": 16.0, "dropout": 0.05, "targets": "mlp", "layers": None}
    path = whole(tmp_path).write(adapter=adapter)
    assert written(path) == expected
