"""What a run found, in plain words: for each language, what every arm did to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from flextune.languages import language_name
from flextune.records import Comparison, Score
from flextune.report.formats import count, interval, p_value, points
from flextune.report.labels import Labels
from flextune.report.run_data import RunData
from flextune.report.sections import Fragment, Section, asset
from flextune.statistics.multiplicity import holm
from flextune.statistics.summary import setting

#: Below this upper bound in every arm a benchmark is too hard to tell arms apart.
NEAR_ZERO = 0.05
TOO_HARD = (
    f"scores are near zero (the upper bound of every arm is below {NEAR_ZERO:.0%}), "
    "so this benchmark tells nothing about this model."
)
SIGNIFICANT = 0.05
NBSP = "\u00a0"

Direction = Literal["rises", "falls", "none", "unknown"]


@dataclass(frozen=True, slots=True)
class ArmFinding:
    """What one arm did in one setting; ``words`` follow its name."""

    detail: str
    arm: str
    direction: Direction
    words: str


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


def adjusted(comparisons: Sequence[Comparison]) -> list[float | None]:
    """Holm-adjusted p-values, over all comparisons of the run that have one."""
    known = [c.p_value for c in comparisons if c.p_value is not None]
    corrected = iter(holm(known))
    return [None if c.p_value is None else next(corrected) for c in comparisons]


def direction(comparison: Comparison, adjusted_p: float | None) -> Direction:
    """Rising or falling only where test and interval agree.

    The permutation test is about the seeds at hand, the interval about new ones too; a claim
    needs both, and the p-value after adjustment for the number of comparisons.
    """
    if adjusted_p is None:
        return "unknown"
    if adjusted_p < SIGNIFICANT and comparison.low is not None and comparison.high is not None:
        if comparison.low > 0:
            return "rises"
        if comparison.high < 0:
            return "falls"
    return "none"


def near_zero(scores: Sequence[Score]) -> bool:
    """Whether the upper bound of pass@1 of every arm is below ``NEAR_ZERO``."""
    bounds = [e.high for score in scores for e in score.estimates if e.metric == "pass@1"]
    return bool(bounds) and all(high is not None and high < NEAR_ZERO for high in bounds)


def findings(
    scores: Sequence[Score], comparisons: Sequence[Comparison], labels: Labels
) -> list[LanguageFindings]:
    """Those of each language, in the order of the page."""
    tested = list(zip(comparisons, adjusted(comparisons), strict=True))
    by_language = []
    for language in dict.fromkeys(where[1] for where in labels.settings):
        notes, arms = [], []
        for where in (s for s in labels.settings if s[1] == language):
            detail = labels.detail(where)
            note = _emptiness([score for score in scores if setting(score) == where])
            if note:
                notes.append(f"{detail}: {note}" if detail else note)
                continue
            here = sorted((t for t in tested if setting(t[0]) == where), key=lambda t: labels.sort_key(t[0]))
            arms += [_arm_finding(comparison, p, detail) for comparison, p in here]
        by_language.append(LanguageFindings(language_name(language), tuple(notes), tuple(arms)))
    return by_language


def findings_section(run: RunData) -> Section:
    """The findings, and how to read them."""
    values = {
        "findings": findings(run.scores, run.comparisons, run.labels),
        "comparisons": len(run.comparisons),
        "baseline": run.baseline,
        "significant": SIGNIFICANT,
        "wordings": {run.labels.wording(where) for where in run.labels.settings},
        "trained": language_name(run.labels.trained),
    }
    return Section(
        id="findings",
        title="Findings",
        order=10,
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


def _arm_finding(comparison: Comparison, adjusted_p: float | None, detail: str) -> ArmFinding:
    way = direction(comparison, adjusted_p)
    if comparison.p_value is None:
        words = "nothing to compare: no problem has a known outcome in both arms"
    else:
        change = "no difference shown" if way == "none" else f"{way} against {comparison.baseline}"
        span = interval(comparison.low, comparison.high, signed=True).replace(" ", NBSP)
        raw, corrected = p_value(comparison.p_value), p_value(adjusted_p)
        words = f"{change}: {points(comparison.difference)} points {span}, p{NBSP}{_equals(raw)}"
        if corrected != raw:
            words += f" ({corrected}{NBSP}adjusted)"
    return ArmFinding(detail, comparison.arm, way, words)


def _equals(p: str) -> str:
    return f"<{NBSP}{p[1:]}" if p.startswith("<") else f"={NBSP}{p}"
