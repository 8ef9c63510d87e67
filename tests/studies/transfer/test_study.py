"""The section, the figures and the document of what was learned and kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.transfer_runs import ARMS, transfer_run

from flextune.report.page import render
from flextune.report.run_data import RunData, read_run
from flextune.studies.registry import studies_of
from flextune.studies.transfer.figures import transfer_charts
from flextune.studies.transfer.matrices import matrices
from flextune.studies.transfer.plane import planes, trained_languages
from flextune.studies.transfer.study import TransferStudy, compared_families


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> RunData:
    return read_run(transfer_run(tmp_path_factory.mktemp("transfer")))


def few(folder: Path, arms: dict, **options) -> RunData:
    return read_run(transfer_run(folder, arms, problems=30, seeds=3, **options))


def test_learned_is_the_trained_language_in_taught_words_and_kept_are_the_others_in_old_ones(run) -> None:
    (plane,) = planes(run)
    assert [where[1:3] for where in plane.learned] == [("py", "reserved")]
    assert [where[1:3] for where in plane.kept] == [("java", "base"), ("js", "base")]
    by_place = {(score.arm, score.language, score.lexicon): score.estimates[0] for score in run.scores}
    point = plane.point("fourier-weak")
    learned = by_place["fourier-weak", "py", "reserved"]
    assert point.learned.value == pytest.approx(learned.value)
    assert point.learned.ends == pytest.approx((learned.low, learned.high))
    kept = [by_place["fourier-weak", language, "base"].value for language in ("java", "js")]
    assert point.kept.value == pytest.approx(sum(kept) / 2)
    low, high = point.kept.ends or (1, 0)
    assert low < point.kept.value < high


def test_without_taught_words_learned_is_the_trained_language(tmp_path: Path) -> None:
    settings = (("py", None), ("java", None))
    arms = {"baseline": ARMS["baseline"], "lora": ARMS["lora"]}
    train = {"data": "mbpp", "language": "py"}
    (plane,) = planes(few(tmp_path, arms, settings=settings, train=train))
    assert plane.learned[0][1] == "py"
    assert plane.kept[0][1] == "java"


@pytest.mark.parametrize(
    ("arms", "settings"),
    [
        (("baseline", "lora"), (("py", "base"),)),
        (("baseline", "lora"), (("java", "base"),)),
        (("baseline",), (("py", "base"), ("java", "base"))),
    ],
)
def test_a_run_that_shows_only_one_side_has_no_plane(tmp_path: Path, arms, settings) -> None:
    found = few(tmp_path, {arm: ARMS[arm] for arm in arms}, settings=settings)
    assert "transfer" not in studies_of(found)


def test_a_problem_that_one_arm_has_no_outcome_of_is_left_out_of_all(tmp_path: Path) -> None:
    run = few(tmp_path, {arm: ARMS[arm] for arm in ("baseline", "lora")})
    score = next(s for s in run.scores if (s.arm, s.language, s.lexicon) == ("lora", "js", "base"))
    score.outcomes["1"]["p003"] = ["sandbox_fault"]
    (plane,) = planes(read_again(run))
    assert plane.left_out == 0
    (plane,) = planes(run)
    assert plane.left_out == 1
    assert [len(part.problems) for part in plane.point("baseline").kept.rates.parts] == [30, 29]


def read_again(run: RunData) -> RunData:
    return read_run(run.folder)


def test_the_plane_joins_families_and_marks_the_baseline(run: RunData) -> None:
    chart = transfer_charts(run)[0]
    traces = {trace.name: trace for trace in chart.figure.data if trace.showlegend is not False}
    assert list(traces) == ["fourier", "l2", "scaled adapter", "plain-rank", "lora", "baseline"]
    assert traces["fourier"].mode == "lines+markers+text"
    assert traces["fourier"].text == ("", "0.0025", "0.01")
    assert traces["plain-rank"].mode == "markers+text"
    bars = [trace for trace in chart.figure.data if trace.error_x.array is not None]
    assert len(bars) == len(traces)
    assert all(trace.error_y.array is not None for trace in bars)


def test_families_are_compared_at_equal_learning(run: RunData) -> None:
    ((plane, compared),) = compared_families(run)
    assert {each.reference.name for each in compared} == {"fourier"}
    found = {each.other.name: each for each in compared}
    assert set(found) == {"l2", "scaled adapter", "plain-rank"}
    assert found["scaled adapter"].verdict == "likely"
    assert found["scaled adapter"].difference.low > 0.1
    assert found["l2"].difference.low < 0 < found["l2"].difference.high
    assert plane.point("lora").learned.value == pytest.approx(0.6, abs=0.1)


def test_the_document_holds_every_finding_with_an_interval(run: RunData) -> None:
    text = TransferStudy().documents(run, {"plane": "transfer/plane.png"})["transfer.md"]
    assert "![Learned and kept, with 95 % intervals](transfer/plane.png)" in text
    findings = text.partition("## Findings")[2].partition("## Numbers")[0].split("\n- ")[1:]
    assert len(findings) == 3 + len(ARMS) - 1
    assert all("[" in finding or "cannot be told" in finding for finding in findings)
    for title in (
        "What each arm learned and kept",
        "Kept at equal learning",
        "Retention, old words",
        "Transfer, taught words",
    ):
        assert f"### {title}" in text
    assert max(map(len, text.partition("## Numbers")[0].splitlines())) <= 110


@pytest.mark.slow
def test_few_seeds_decide_nothing_about_a_family(tmp_path: Path) -> None:
    run = read_run(transfer_run(tmp_path, seeds=1))
    text = TransferStudy().documents(run, {})["transfer.md"]
    assert "for these weights only, since a verdict about the method takes three seeds" in " ".join(
        text.split()
    )
    ((_, compared),) = compared_families(run)
    assert all(each.verdict != "likely" for each in compared)


def test_a_family_out_of_reach_cannot_be_told(tmp_path: Path) -> None:
    arms = {name: ARMS[name] for name in ("baseline", "lora", "fourier-weak")}
    arms["mlp"] = ({"penalty": None, "adapter": {"targets": "mlp", "rank": 4}}, 0.05, 0.5)
    run = few(tmp_path, arms)
    text = " ".join(TransferStudy().documents(run, {})["transfer.md"].split())
    assert "at equal learning: cannot be told; fourier learns" in text


def test_matrices_have_the_change_in_every_language(run: RunData) -> None:
    retention, transfer = matrices(run)
    assert [where[1:3] for where in retention.settings] == [("py", "base"), ("java", "base"), ("js", "base")]
    assert [where[1:3] for where in transfer.settings] == [("py", "reserved"), ("java", "reserved")]
    known = {(c.arm, c.language, c.lexicon): c for c in run.comparisons}
    for matrix in (retention, transfer):
        assert [row[0] for row in matrix.rows] == [arm for arm in ARMS if arm != "baseline"]
        for arm, trained, cells in matrix.rows:
            assert trained == "Python"
            for where, cell in zip(matrix.settings, cells, strict=True):
                assert cell == known[arm, where[1], where[2]]


def test_the_heat_map_meets_at_zero(run: RunData) -> None:
    retention = next(chart for chart in transfer_charts(run) if chart.id == "retention")
    (trace,) = retention.figure.data
    assert trace.zmin == -trace.zmax
    assert trace.y[0] == "lora (Python)"
    assert retention.numbers.rows[0][:2] == ("lora (Python)", "Python")


def test_languages_of_the_data_are_those_of_all_its_parts(tmp_path: Path) -> None:
    parallel = {"source": "rosetta", "lexicon": "reserved", "languages": ["py", "java"]}
    arms = {
        "baseline": ARMS["baseline"],
        "lora": ARMS["lora"],
        "parallel": ({"penalty": None, "train": {"data": parallel}}, 0.5, 0.5),
        "replay": ({"penalty": None, "train": {"replay": {"share": 0.1, "languages": ["js"]}}}, 0.5, 0.5),
    }
    run = few(tmp_path, arms)
    assert trained_languages(run) == {
        "baseline": (), "lora": ("py",), "parallel": ("py", "java"), "replay": ("py", "js"),
    }  # fmt: skip
    assert ("parallel", "Python, Java") in [row[:2] for row in matrices(run)[0].rows]


@pytest.mark.slow
def test_the_section_stands_on_the_page(run: RunData) -> None:
    sections = [section for study in studies_of(run).values() for section in study.sections(run)]
    page = render(run.name, sections)
    assert 'id="transfer"' in page
    assert 'data-figure="plane"' in page
    assert page.count("At equal learning fourier keeps") == 3


def test_a_merged_twin_is_no_family(tmp_path: Path) -> None:
    """It answers as the adapter does, so there is nothing to compare at equal learning."""
    folder = transfer_run(tmp_path, {name: ARMS[name] for name in ("baseline", "lora", "fourier-weak")})
    run = read_run(folder)
    twins = [replace(score, arm="twin") for score in run.scores if score.arm == "fourier-weak"]
    labels = replace(run.labels, arms=(*run.labels.arms, "twin"))
    (plane,) = planes(replace(run, scores=(*run.scores, *twins), labels=labels))
    assert [point.arm for point in plane.points] == ["baseline", "lora", "fourier-weak", "twin"]
    assert not any("twin" in family.arms for family in plane.families)
