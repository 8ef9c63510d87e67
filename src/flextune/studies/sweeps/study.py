"""The study of sweeps: a section for a run that a sweep made."""

from __future__ import annotations

from typing import Any

from flextune.report.run_data import RunData
from flextune.report.sections import Section
from flextune.studies.base import Study
from flextune.studies.sweeps.figures import sweep_charts
from flextune.studies.sweeps.tables import sentences, sweep_tables


class SweepsStudy(Study):
    """Applies to a run in which a sweep has ended."""

    def applies(self, run: RunData) -> bool:
        """Whether there is a result of a sweep."""
        return bool(run.run.swept)

    def sections(self, run: RunData) -> list[Section]:
        """One section: what was chosen and what it is worth, then every configuration."""
        found = run.run.swept
        return [
            Section(
                id="sweep",
                title="Sweep",
                order=15,
                intro=next(sentences(found)),
                charts=tuple(sweep_charts(found)),
                tables=tuple(sweep_tables(found)),
                notes=tuple(sentences(found))[1:],
            )
        ]

    def summary(self, run: RunData) -> dict[str, Any]:
        """The choice and its report."""
        found = run.run.swept
        honest = found["honest"]
        return {
            "chosen": found["chosen"]["settings"],
            "rate": honest["rate"],
            "baseline_rate": honest["baseline_rate"],
            "difference": honest["difference"],
            "low": honest["low"],
            "high": honest["high"],
            "verdict": honest["verdict"],
        }
