"""A run's report: the page, and what its studies write beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flextune.errors import FlextuneError
from flextune.files.whole import write_whole
from flextune.report.charts.files import check_formats, write_figures
from flextune.report.page import render
from flextune.report.run_data import RunData, read_run
from flextune.report.sections import Chart
from flextune.studies.base import Study
from flextune.studies.figures import as_picture
from flextune.studies.registry import studies_of


@dataclass(frozen=True, slots=True)
class StudyFiles:
    """What one study left.

    Attributes:
        study: Its name.
        documents: The files that it wrote.
        summary: Its summary, for programs to read; None where it has none.
    """

    study: str
    documents: tuple[Path, ...]
    summary: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Report:
    """What was written of a run.

    Attributes:
        page: ``report.html``.
        studies: Those that applied.
    """

    page: Path
    studies: tuple[StudyFiles, ...]


def write_report(run_folder: Path, pictures: str | None = None) -> Report:
    """Write ``report.html`` and the documents of every study that applies.

    Args:
        run_folder: With scores.json; everything else is shown where it is there.
        pictures: svg, png or pdf: also write the studies' figures, into a folder each; None: none.

    Raises:
        FlextuneError: If scores.json is missing, a file is damaged, or something cannot be written or drawn.
    """
    run = read_run(run_folder)
    studies = studies_of(run)
    sections = [section for study in studies.values() for section in study.sections(run)]
    page = _write(run.run.page, render(run.name, sections))
    return Report(page, tuple(_write_study(name, study, run, pictures) for name, study in studies.items()))


def _write_study(name: str, study: Study, run: RunData, pictures: str | None) -> StudyFiles:
    charts = study.pictures(run) if pictures else []
    files = _pictures(charts, run.folder / name, pictures) if pictures and charts else {}
    documents = study.documents(run, files)
    written = tuple(_write(run.folder / file, text) for file, text in documents.items())
    return StudyFiles(name, written, study.summary(run))


def _pictures(charts: list[Chart], folder: Path, kind: str) -> dict[str, str]:
    """Id to file, relative to the folder above."""
    wide = {chart.id: as_picture(chart) for chart in charts}
    paths = write_figures(wide, folder, check_formats((kind,)))
    return {path.stem: f"{folder.name}/{path.name}" for path in paths}


def _write(path: Path, text: str) -> Path:
    # A lone surrogate can stand in a name that a file escaped; UTF-8 has no place for it.
    text = text.encode("utf-8", errors="replace").decode("utf-8")
    try:
        write_whole(path, text)
    except OSError as error:
        raise FlextuneError(f"{path}: cannot be written ({error.strerror})") from None
    return path
