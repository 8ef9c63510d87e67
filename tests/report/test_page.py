from __future__ import annotations

import plotly.graph_objects as go
import pytest
from tests.support.html_reader import Reader

from flextune.report.page import render
from flextune.report.sections import Chart, Fragment, Section
from flextune.report.tables import Table


def page(*sections: Section) -> Reader:
    return Reader(render("a run", sections))


def bars(name: str) -> Chart:
    return Chart(name, f"About {name}", go.Figure(go.Bar(x=[1], y=[2])))


def test_a_section_shows_its_text_charts_tables_and_notes_in_this_order() -> None:
    table = Table("A table", ("arm", "score"), (("lora", "1.5"),), "Below the table.")
    found = page(
        Section("s", "Title", intro="First.", charts=(bars("c"),), tables=(table,), notes=("Last.",))
    )
    places = [
        found.text.index(text) for text in ("Title", "First.", "About c", "A table", "1.5", "Below", "Last.")
    ]
    assert places == sorted(places)
    assert found.json("figures-data")["c"]["data"][0]["y"] == [2]


def test_sections_come_in_their_order_whatever_gives_them() -> None:
    found = page(
        Section("last", "Last", order=90), Section("first", "First", order=10), Section("mid", "Middle")
    )
    assert [attrs["id"] for tag, attrs in found.tags if tag == "section"] == ["first", "mid", "last"]


def test_every_section_is_listed_at_the_top_by_its_short_name() -> None:
    found = page(Section("a", "A long title", name="Short"), Section("b", "Title"))
    links = [attrs["href"] for tag, attrs in found.tags if tag == "a"]
    assert links == ["#a", "#b"]
    assert "Short Title" in found.text


def test_columns_are_numbers_but_for_the_first_unless_they_are_aligned_otherwise() -> None:
    rows = (("a", "1", "word"),)
    found = page(Section("s", "S", tables=(Table("T", ("x", "y", "z"), rows, align="lrq"),)))
    assert [attrs.get("class") for tag, attrs in found.tags if tag == "td"] == ["number", "quiet"]
    found = page(Section("s", "S", tables=(Table("T", ("x", "y", "z"), rows),)))
    assert [attrs.get("class") for tag, attrs in found.tags if tag == "td"] == ["number", "number"]


def test_a_fragment_sees_its_values_escaped_and_may_draw_charts() -> None:
    template = '{% from "macros.html.j2" import chart %}<p>{{ text }}</p>{{ chart(section.charts[0]) }}'
    section = Section("s", "S", charts=(bars("c"),), fragment=Fragment(template, {"text": "<b>bold</b>"}))
    found = page(section)
    assert "<b>bold</b>" in found.text
    assert ("b", {}) not in found.tags
    assert [attrs["data-figure"] for _, attrs in found.tags if "data-figure" in attrs] == ["c"]


def test_a_sections_script_style_and_data_are_on_the_page_under_its_policy() -> None:
    section = Section(
        "mine", "S", script="window.mine = 1;", style="#mine { color: red; }", data={"k": ["</script>"]}
    )
    text = render("a run", [section])
    found = Reader(text)
    assert found.json("mine-data") == {"k": ["</script>"]}
    # Plotly's, and one for the page and all of its sections.
    assert len([script for script in found.scripts if not script.startswith("{")]) == 2
    assert "window.mine = 1;" in found.scripts[-1]
    assert "#mine { color: red; }" in text


def test_text_of_a_section_is_never_markup() -> None:
    hostile = "<script>alert(1)</script>{{ 7*7 }}"
    table = Table(hostile, (hostile, hostile), ((hostile, hostile),), hostile)
    chart = Chart("c", hostile, go.Figure())
    section = Section(
        "s", hostile, name=hostile, intro=hostile, charts=(chart,), tables=(table,), notes=(hostile,)
    )
    found = Reader(render(hostile, [section]))
    plain = Reader(render("x", [Section("s", "x", charts=(Chart("c", "x", go.Figure()),))]))
    assert len(found.scripts) == len(plain.scripts)
    assert found.text.count("{{ 7*7 }}") == 13


@pytest.mark.parametrize(
    "sections",
    [
        (Section("a", "A"), Section("a", "B")),
        (Section("a", "A", charts=(bars("c"),)), Section("b", "B", charts=(bars("c"),))),
    ],
)
def test_one_name_for_two_sections_or_charts_is_an_error(sections: tuple[Section, ...]) -> None:
    with pytest.raises(ValueError, match="on a page twice: "):
        render("a run", sections)
