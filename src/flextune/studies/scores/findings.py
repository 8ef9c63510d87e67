"""What a run found, in plain words: for each language, what every arm did to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from flextune.languages import language_name
from flextune.records import Comparison, Score
from flextune.report.formats import count
from flextune.report.labels import Labels
from flextune.report.run_data import RunData
from flextune.report.sections import Fragment, Section, asset
from flextune.report.verdict_words import LEGEND, mark, sentence, unknown_note
from flextune.statistics.decision import Direction, direction
from flextune.statistics.tally import setting
from flextune.studies.scores.copies import copies
from flextune.studies.scores.headline import headline
from flextune.studies.scores.verdict_grid import grids

#: Below this upper bound in every arm a benchmark is too hard to tell arms apart.
NEAR_ZERO = 0.05
TOO_HARD = (
    f"scores are near zero (the upper bound of every arm is below {NEAR_ZERO:.0%}), "
    "so this benchmark tells nothing about this model."
)


@dataclass(frozen=True, slots=True)
class ArmFinding:
    """What one comparison found in one setting; ``words`` follow the arm's name.

    Attributes:
        detail: What tells the setting from others of its language.
        arm: The arm; as ``arm − other`` where it is not compared with the baseline.
        direction: Which way it was decided.
        words: The verdict.
        verdict: Its word alone.
        mark: The same as a sign.
        primary: Whether it was named before the run.
    """

    detail: str
    arm: str
    direction: Direction
    words: str
    verdict: str
    mark: str
    primary: bool


@dataclass(frozen=True, slots=True)
class LanguageFindings:
    """What was found in one language.

    Attributes:
        language: Its full name.
        notes: What has to be known before any comparison is read.
        arms: Comparisons with the baseline.
    """

    language: str
    notes: tuple[str, ...]
    arms: tuple[ArmFinding, ...]


def near_zero(scores: Sequence[Score]) -> bool:
    """Whether the upper bound of pass@1 of every arm is below ``NEAR_ZERO``."""
    bounds = [e.high for score in scores for e in score.estimates if e.metric == "pass@1"]
    return bool(bounds) and all(high is not None and high < NEAR_ZERO for high in bounds)


def findings(
    scores: Sequence[Score], comparisons: Sequence[Comparison], labels: Labels
) -> list[LanguageFindings]:
    """Those of each language, in the order of the page."""
    by_language = []
    for language in dict.fromkeys(where[1] for where in labels.settings):
        notes, arms = [], []
        for where in (s for s in labels.settings if s[1] == language):
            detail = labels.detail(where)
            note = _emptiness([score for score in scores if setting(score) == where])
            if note:
                notes.append(f"{detail}: {note}" if detail else note)
                continue
            here = [comparison for comparison in comparisons if setting(comparison) == where]
            # What was to be tested comes first.
            here.sort(key=lambda c: (not c.primary, labels.sort_key(c), c.baseline))
            arms += [_arm_finding(comparison, detail, labels.baseline) for comparison in here]
        by_language.append(LanguageFindings(language_name(language), tuple(notes), tuple(arms)))
    return by_language


def findings_section(run: RunData) -> Section:
    """The findings, and how to read them."""
    copied = copies(run.scores, run.labels)
    values = {
        "grids": grids(run.scores, run.comparisons, run.labels, copied),
        "copied": copied,
        "findings": findings(run.scores, run.comparisons, run.labels),
        "primary": sum(comparison.primary for comparison in run.comparisons),
        "exploratory": sum(not comparison.primary for comparison in run.comparisons),
        "baseline": run.baseline,
        "legend": LEGEND,
        "lexicons": {where[2] for where in run.labels.settings} - {None},
        "taught": run.labels.taught,
        "trained": language_name(run.labels.trained),
    }
    return Section(
        id="findings",
        title="Findings",
        order=10,
        headline=headline(run.comparisons, run.labels, copied),
        fragment=Fragment(asset("flextune.studies.scores", "templates/findings.html.j2"), values),
        style=asset("flextune.studies.scores", "templates/findings.css"),
    )


def _emptiness(scores: Sequence[Score]) -> str:
    """Why comparing these scores would be idle; empty where it is not."""
    if near_zero(scores):
        return TOO_HARD
    estimates = [e for score in scores for e in score.estimates if e.metric == "pass@1"]
    if estimates and all(e.value == 0 for e in estimates):
        problems = count(max(e.count for e in estimates), "problem")
        return f"no arm passed any of {problems}, so there is nothing to compare."
    return ""


def _arm_finding(comparison: Comparison, detail: str, baseline: str) -> ArmFinding:
    against = "" if comparison.baseline == baseline else f" − {comparison.baseline}"
    note = unknown_note(comparison)
    return ArmFinding(
        detail=detail,
        arm=comparison.arm + against,
        direction=direction(comparison),
        words=sentence(comparison) + (f"; {note}" if note else ""),
        verdict=comparison.verdict,
        mark=mark(comparison),
        primary=comparison.primary,
    )
