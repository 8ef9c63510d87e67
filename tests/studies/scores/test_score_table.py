from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from rich.console import Console

from flextune.statistics.scores_file import ScoresFile, read_scores
from flextune.studies.scores.score_table import score_table


def shown(held: ScoresFile) -> list[str]:
    console = Console(width=80, force_terminal=False)
    with console.capture() as capture:
        console.print(score_table(held.scores, held.comparisons))
    return capture.get().splitlines()


def test_the_table_fits_80_columns_without_cutting_a_number(finished_run: Path) -> None:
    held = read_scores(finished_run / "scores.json")
    lines = shown(held)
    assert max(map(len, lines)) <= 80
    assert not any("…" in line for line in lines)
    start = lines.index(next(line for line in lines if line.split()[:3] == ["Java:", "old", "words"]))
    row = next(line for line in lines[start:] if line.startswith("lora"))
    found = next(c for c in held.comparisons if (c.arm, c.language, c.lexicon) == ("lora", "java", "base"))
    assert f"−{-100 * found.difference:.1f} [" in row
    assert row.split()[-2:] == [f"{found.adjusted_p:.3f}", found.verdict]
    assert len([line for line in lines if line.split() == ["JavaScript:", "taught", "words"]]) == 1


def test_a_contrast_has_a_row_of_its_own_and_exploratory_verdicts_brackets(finished_run: Path) -> None:
    held = read_scores(finished_run / "scores.json")
    against = [replace(c, primary=False) for c in held.comparisons]
    contrast = replace(held.comparisons[0], arm="lora", baseline="flex")
    text = "\n".join(shown(replace(held, comparisons=(contrast, *against))))
    assert "lora − flex" in text
    assert "(undecided)" in text
    assert "(...) is exploratory" in text
    assert max(map(len, text.splitlines())) <= 80


def test_a_long_arm_name_is_folded_and_not_cut(finished_run: Path) -> None:
    held = read_scores(finished_run / "scores.json")
    name = "flex-with-a-name-of-many-parts"
    lines = shown(replace(held, scores=(replace(held.scores[0], arm=name),), comparisons=()))
    assert max(map(len, lines)) <= 80
    assert name in "".join(line[:20].strip() for line in lines)


def test_markup_in_a_name_is_shown_as_text(finished_run: Path) -> None:
    held = read_scores(finished_run / "scores.json")
    lines = shown(replace(held, scores=(replace(held.scores[0], arm="[red]x"),), comparisons=()))
    assert any(line.startswith("[red]x") for line in lines)


def test_without_comparisons_there_are_no_columns_of_them(finished_run: Path) -> None:
    held = read_scores(finished_run / "scores.json")
    header, _, setting, row, *_ = shown(replace(held, scores=held.scores[:1], comparisons=()))
    assert header.split() == ["arm", "pass@1,", "%"]
    assert (setting.split()[-2:], row.split()[0]) == (["old", "words"], held.scores[0].arm)
