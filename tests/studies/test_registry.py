"""A study from outside of the package, and what may be asked of every study."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
from tests.support.html_reader import Reader

from flextune.report.run_data import RunData, read_run
from flextune.report.sections import Chart, Section
from flextune.report.tables import Table
from flextune.studies.base import Study, once_per_run
from flextune.studies.registry import STUDIES, studies_of
from flextune.studies.writing import Report, write_report

pytestmark = pytest.mark.slow


class Lengths(Study):
    """How long the arms' names are."""

    def applies(self, run: RunData) -> bool:
        return "lora" in run.labels.arms

    def sections(self, run: RunData) -> list[Section]:
        rows = tuple((arm, str(len(arm))) for arm in run.labels.arms)
        table = Table("Lengths of names", ("arm", "letters"), rows)
        return [Section("lengths", "Names of arms", charts=(self._chart(run),), tables=(table,))]

    def summary(self, run: RunData) -> dict[str, Any]:
        return {arm: len(arm) for arm in run.labels.arms}

    def documents(self, run: RunData, files: Mapping[str, str]) -> dict[str, str]:
        return {"lengths.md": f"# {run.name}\n{files.get('names', 'no picture')}\n"}

    def arms_drawn(self, run: RunData) -> frozenset[str]:
        return frozenset({"lora"})

    def _chart(self, run: RunData) -> Chart:
        lengths = [len(arm) for arm in run.labels.arms]
        return Chart("names", "Lengths", go.Figure(go.Bar(y=lengths)))


class Broken(Lengths):
    """Would fail, were it asked."""

    def applies(self, run: RunData) -> bool:
        return False

    def sections(self, run: RunData) -> list[Section]:
        raise AssertionError("a study that does not apply was asked for its sections")


@pytest.fixture
def lengths() -> Iterator[Study]:
    with STUDIES.temporarily("lengths", Lengths()) as study:
        yield study


def page(report: Report) -> Reader:
    return Reader(report.page.read_text(encoding="utf-8"))


def test_the_package_has_these_studies() -> None:
    assert {"merging", "optimizers", "rounds", "scores", "transfer"} <= set(STUDIES.names())


@pytest.mark.usefixtures("lengths")
def test_a_study_from_outside_has_its_section_on_the_page(small_run: Path) -> None:
    found = page(write_report(small_run))
    assert "lengths" in [attrs.get("id") for tag, attrs in found.tags if tag == "section"]
    assert ("a", {"href": "#lengths"}) in found.tags
    assert "Lengths of names arm letters baseline 8 lora 4" in found.text
    assert found.json("figures-data")["names"]["data"][0]["y"] == [8, 4, 4, 11]
    sections = [attrs["id"] for tag, attrs in found.tags if tag == "section"]
    assert sections.index("spectrum") < sections.index("lengths") < sections.index("programs")


@pytest.mark.usefixtures("lengths")
def test_a_study_writes_its_documents_and_has_its_summary(small_run: Path) -> None:
    (files,) = (study for study in write_report(small_run).studies if study.study == "lengths")
    assert files.documents == (small_run / "lengths.md",)
    assert files.documents[0].read_text() == "# quickstart\nno picture\n"
    assert files.summary == {"baseline": 8, "lora": 4, "flex": 4, "flex-merged": 11}


@pytest.mark.usefixtures("lengths")
def test_curves_that_a_study_draws_are_not_drawn_again(small_run: Path) -> None:
    curves = page(write_report(small_run)).json("figures-data")["losses"]["data"]
    assert {curve["name"].split(",")[0] for curve in curves if "name" in curve} == {"flex"}


def test_a_study_that_does_not_apply_is_asked_nothing(small_run: Path) -> None:
    with STUDIES.temporarily("broken", Broken()):
        report = write_report(small_run)
        assert list(studies_of(read_run(small_run))) == ["scores", "transfer"]
    assert [study.study for study in report.studies] == ["scores", "transfer"]
    assert json.loads((small_run / "scores.json").read_text())["experiment"] == "quickstart"


def test_what_is_remembered_is_of_one_run(small_run: Path) -> None:
    calls = []

    @once_per_run
    def arms(run: RunData) -> int:
        calls.append(run)
        return len(run.labels.arms)

    run = read_run(small_run)
    assert (arms(run), arms(run), len(calls)) == (4, 4, 1)
    # The same folder read again may hold something else.
    assert arms(read_run(small_run)) == 4
    assert len(calls) == 2
