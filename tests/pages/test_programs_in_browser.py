"""The list of programs in a real browser: filters, addresses, changed lines, and a run of 20,000 verdicts."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.browser import Open, Opened
from tests.support.finished_run import FinishedRun

from flextune.studies.writing import write_report


def shown(found: Opened) -> list[str]:
    return list(found.run("[...document.querySelectorAll('#problems .problem')].map((one) => one.innerText)"))


def choose(found: Opened, **choice: str) -> None:
    for name, value in choice.items():
        field = found.page.locator(f"#filters [name={name}]")
        field.fill(value) if name == "find" else field.select_option(value)


def enabled(found: Opened, name: str) -> list[str]:
    script = "(name) => [...document.forms.filters.elements[name].options].map((o) => [o.value, o.disabled])"
    options = found.run(script, name)
    return [value for value, disabled in options if not disabled]


def follow(found: Opened, address: str) -> None:
    found.run("(address) => { location.hash = address; }", address)
    found.page.wait_for_function(
        "address => document.forms.filters.elements.show.value !== '' && location.hash === address",
        arg=address,
    )
    found.page.wait_for_timeout(20)


def count(found: Opened) -> int:
    return int(found.page.locator("#found").inner_text().split(" of ")[0].replace(",", ""))


def test_first_come_the_problems_that_changed(found: Opened) -> None:
    assert found.run("document.forms.filters.elements.show.value") == "changed"
    rows = found.run("[...document.querySelectorAll('#problems .tallies')].map((one) => one.textContent)")
    assert rows
    assert all("▲" in row or "▼" in row for row in rows)


def test_what_would_leave_nothing_cannot_be_chosen(found: Opened) -> None:
    choose(found, show="all", set="js-reserved")
    # No arm passed any of them.
    assert {"won", "lost", "changed", "always", "passed"}.isdisjoint(enabled(found, "show"))
    for name in ("set", "arm", "show"):
        for value in enabled(found, name):
            before = found.run(f"document.forms.filters.elements.{name}.value")
            choose(found, **{name: value})
            assert count(found) > 0, (name, value)
            choose(found, **{name: before})


def test_nothing_found_says_so_and_can_be_undone(found: Opened) -> None:
    start = count(found)
    choose(found, find="no such program anywhere")
    assert shown(found) == []
    assert found.page.locator("#nothing").is_visible()
    found.page.locator("#clear-all").click()
    assert count(found) == start
    assert not found.page.locator("#nothing").is_visible()


def test_search_reads_names_prompts_and_programs(found: Opened) -> None:
    choose(found, show="all", find="sum_divisible_07")
    assert count(found) == 6
    choose(found, find="for (const value of values)")
    assert all("JavaScript" in text for text in shown(found))
    assert count(found) == 24


def test_every_choice_and_every_problem_has_an_address(found: Opened) -> None:
    choose(found, set="py-reserved", arm="lora", show="won")
    found.page.locator("#problems summary").first.click()
    found.page.wait_for_function("location.hash.includes('problem=')")
    address = found.run("location.hash")
    expected = shown(found)
    again = opened(page_file, address)
    assert [
        again.run(f"document.forms.filters.elements.{name}.value") for name in ("set", "arm", "show")
    ] == [
        "py-reserved",
        "lora",
        "won",
    ]
    assert shown(again) == expected
    assert again.page.locator("#problems .problem").first.get_attribute("open") is not None
    assert again.page.locator("#problems .shown").first.is_visible()


def test_an_address_of_what_the_run_does_not_have_shows_the_list(found: Opened) -> None:
    follow(found, "#programs?set=zz-none&arm=nobody&show=strange&problem=unknown")
    assert count(found) == 72
    assert found.messages == []


def test_a_name_in_the_tests_leads_to_its_program(found: Opened) -> None:
    names = found.page.locator("#tests .names").first
    names.locator("summary").click()
    link = names.locator("a").first
    name = link.inner_text()
    link.click()
    problem = found.page.locator("#problems .problem[open]")
    problem.wait_for()
    assert problem.locator(".title").inner_text() == name
    assert problem.locator("summary").first.evaluate("(one) => one === document.activeElement")
    assert found.run("document.forms.filters.elements.show.value") in ("won", "lost")


def test_a_cell_of_the_grid_leads_to_its_programs(found: Opened) -> None:
    found.page.locator(".verdicts a").first.click()
    found.page.wait_for_function("location.hash.startsWith('#programs?')")
    assert found.run("document.forms.filters.elements.set.value") == "py-base"
    assert count(found) > 0


def test_the_next_changed_problem_is_one_click_away(found: Opened) -> None:
    titles = found.run("[...document.querySelectorAll('#problems .title')].map((one) => one.textContent)")
    found.page.locator("#problems summary").first.click()
    found.page.get_by_role("button", name="Next changed").click()
    opened_now = found.page.locator("#problems .problem[open] .title")
    assert opened_now.all_inner_texts() == [titles[1]]


def test_a_program_is_compared_line_by_line_with_the_one_it_is_measured_by(found: Opened) -> None:
    follow(found, "#programs?show=won&arm=lora&set=py-reserved")
    found.page.locator("#problems summary").first.click()
    pane = found.page.locator("#problems .pane").first
    assert "against baseline" in pane.locator(".against").inner_text()
    assert pane.locator(".line.gone").count() == 1
    assert pane.locator(".line.come").count() == 1
    # A sign and not a colour alone says which line came.
    assert pane.locator(".line.come .sign").inner_text() == "+"
    found.page.locator("#filters [name=lines]").uncheck()
    assert pane.locator(".line").count() == 0
    assert "for value in values" in pane.locator("pre").first.inner_text()


def test_a_program_is_copied_without_the_signs_of_the_comparison(found: Opened) -> None:
    follow(found, "#programs?show=won&arm=lora&set=py-reserved")
    found.page.locator("#problems summary").first.click()
    found.page.get_by_role("button", name="Copy program").click()
    found.page.get_by_text("Copied").wait_for()
    text = found.run("navigator.clipboard.readText()")
    assert text.startswith("    total = 0\n    for value in values:\n")
    assert "+" not in text.replace("+=", "")


def longest_common(a: Sequence[str], b: Sequence[str]) -> int:
    """By the definition: the longest choice of lines of one that the other has in the same order."""

    def is_within(lines: Sequence[str]) -> bool:
        rest = iter(b)
        return all(line in rest for line in lines)

    sizes = range(min(len(a), len(b)), -1, -1)
    return next(n for n in sizes if any(map(is_within, itertools.combinations(a, n))))


TEXTS = [
    "",
    "a",
    "a\nb\nc",
    "b\nc\na",
    "a\nx\nc\nd",
    "x\ny",
    "a\na\na\nb",
    "b\na\na\nc\na",
    "a\nb\nc\nd\ne\nf\ng",
]


def test_changed_lines_are_as_few_as_can_be(found: Opened) -> None:
    for before, after in itertools.product(TEXTS, repeat=2):
        lines = found.run("([before, after]) => page.programs.changedLines(before, after)", [before, after])
        assert "\n".join(text for sign, text in lines if sign != "+") == before
        assert "\n".join(text for sign, text in lines if sign != "-") == after
        a, b = before.split("\n"), after.split("\n")
        assert sum(sign == " " for sign, _ in lines) == longest_common(a, b)


@pytest.fixture(scope="module")
def large_page(tmp_path_factory: pytest.TempPathFactory, browser: object) -> Path:
    """20,040 verdicts: 334 problems in six sets, of four arms, three of them with three seeds."""
    run = FinishedRun(tmp_path_factory.mktemp("large") / "quickstart", problems=334).write()
    return write_report(run).page


@pytest.mark.slow
def test_20000_verdicts_are_a_page_of_few_elements_and_little_work(large_page: Path, opened: Open) -> None:
    # Plotly is 4.8 MB of it.
    assert large_page.stat().st_size < 7_500_000
    found = opened(large_page)
    verdicts = found.run(
        "page.programs.items.reduce((sum, one) => sum + one.letters.join('').replaceAll(',', '').length, 0)"
    )
    assert verdicts == 334 * 6 * 10
    elements = found.run("document.getElementsByTagName('*').length")
    assert elements < 9_000

    def work(**choice: str) -> dict[str, Any]:
        found.run("() => { page.programs.work.looked = 0; page.programs.work.made = 0; }")
        choose(found, **choice)
        return dict(found.run("page.programs.work"))

    choices: list[dict[str, str]] = [
        {"show": "all"},
        {"set": "=java"},
        {"arm": "lora"},
        {"find": "value"},
        {"show": "lost"},
    ]
    for choice in choices:
        done = work(**choice)
        # Every problem is looked at once, and no more than one screen of them is made.
        assert done["looked"] == 334 * 6
        assert 0 < done["made"] <= 20
        assert count(found) > 20
    assert found.run("document.getElementsByTagName('*').length") < 9_000
    found.page.get_by_role("button", name="Show more").click()
    assert len(shown(found)) == 40
    assert found.messages == []
