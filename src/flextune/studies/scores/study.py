"""The study of scores: which sections a page has whatever the run is about."""

from __future__ import annotations

from flextune.report.facts import AS_CODE, facts
from flextune.report.run_data import RunData
from flextune.report.sections import Fragment, Section, asset
from flextune.studies.base import Study
from flextune.studies.registry import arms_drawn
from flextune.studies.scores.answered import program_facts
from flextune.studies.scores.comparisons import comparisons_section
from flextune.studies.scores.estimates import scores_section
from flextune.studies.scores.findings import findings_section
from flextune.studies.scores.losses import losses_section
from flextune.studies.scores.outcomes import outcomes_section
from flextune.studies.scores.programs import programs_section
from flextune.studies.scores.spectra import spectrum_section


class ScoresStudy(Study):
    """Applies to every run; a section without data is left out."""

    def applies(self, run: RunData) -> bool:
        """A run that can be read has scores."""
        return True

    def sections(self, run: RunData) -> list[Section]:
        """From the findings to what was run."""
        sections = (
            findings_section(run),
            scores_section(run),
            comparisons_section(run),
            outcomes_section(run),
            # Where a study draws the curves of its arms, lines do not crowd here.
            losses_section(run, without=arms_drawn(run)),
            spectrum_section(run),
            programs_section(run),
            _run_section(run),
        )
        return [section for section in sections if section is not None]


def _run_section(run: RunData) -> Section:
    template = asset("flextune.studies.scores", "templates/run.html.j2")
    values = {
        "facts": facts(run, program_facts(run)),
        "as_code": AS_CODE,
        "experiment_text": run.experiment_text,
    }
    return Section(id="run", title="What was run", name="Run", order=90, fragment=Fragment(template, values))
