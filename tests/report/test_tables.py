from __future__ import annotations

from rich.console import Console

from flextune.report.tables import Table, markdown_item, markdown_table, rich_table

SCORES = Table(
    "Scores",
    ("arm", "score", "words"),
    (("lora", "1.5", "good"), ("flex-with-a-long-name", "10.25", "bad")),
    note="A note. " * 20,
    align="lrl",
    rules=frozenset({0}),
    tones={(1, 1): "bad"},
)


def printed(table: Table, width: int = 80, **widths: int) -> list[str]:
    console = Console(width=width, force_terminal=False)
    with console.capture() as capture:
        console.print(rich_table(table, widths))
    return [line.rstrip() for line in capture.get().splitlines()]


def test_markdown_is_padded_so_that_it_reads_as_it_is() -> None:
    lines = list(markdown_table(SCORES))
    assert lines[:6] == [
        "### Scores",
        "",
        "| arm                   | score | words |",
        "| --------------------- | ----: | ----- |",
        "| lora                  |   1.5 | good  |",
        "| flex-with-a-long-name | 10.25 | bad   |",
    ]
    assert max(map(len, lines)) <= 110
    assert " ".join(lines[7:]).strip() == SCORES.note.strip()


def test_markdown_cells_cannot_break_the_table_or_bring_markup() -> None:
    lines = list(markdown_table(Table("<b>", ("a|b", "c"), (("x\ny", "*z*"),))))
    assert lines[0] == "### &lt;b>"
    assert lines[4] == "| x y  | \\*z\\* |"


def test_a_long_item_is_wrapped_under_its_text() -> None:
    lines = list(markdown_item("word " * 40))
    assert len(lines) == 2
    assert lines[1].startswith("  word")


def test_the_terminal_shows_the_same_cells() -> None:
    lines = printed(SCORES)
    assert lines[0].strip() == "Scores"
    assert [line.split() for line in lines if line.startswith(("lora", "flex"))] == [
        ["lora", "1.5", "good"],
        ["flex-with-a-long-name", "10.25", "bad"],
    ]


def test_a_column_with_a_largest_width_is_folded_and_not_cut() -> None:
    lines = printed(SCORES, arm=10)
    assert "…" not in "".join(lines)
    names = "".join(line[:10].strip() for line in lines[-3:])
    assert names == "flex-with-a-long-name"


def test_a_rule_and_a_tone_are_the_terminals_alone() -> None:
    drawn = rich_table(SCORES, {})
    assert [row.end_section for row in drawn.rows] == [True, False]
    styles = [str(cell.style) for cell in drawn.columns[1]._cells]  # type: ignore[union-attr]
    assert styles == ["", "red"]


def test_markup_of_the_terminal_is_shown_as_text() -> None:
    assert any(line.startswith("[red]x") for line in printed(Table("T", ("a", "b"), (("[red]x", "1"),))))
