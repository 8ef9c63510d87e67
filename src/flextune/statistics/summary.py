"""From outcomes to estimates and comparisons: the one entry point. Equal outcomes give equal numbers."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from flextune.errors import FlextuneError
from flextune.records import Comparison, Estimate, Score
from flextune.statistics.decision import MARGIN, decided, detectable, subject
from flextune.statistics.exchange import Stratum, exchange_p_value
from flextune.statistics.few_samples import bounded
from flextune.statistics.intervals import Interval, interval
from flextune.statistics.multiplicity import Test, adjusted
from flextune.statistics.paired import (
    Pair,
    difference_interval,
    difference_level,
    mcnemar_p_value,
    newcombe,
)
from flextune.statistics.pass_at_k import DRAWS
from flextune.statistics.tally import Setting, Tally, setting, tally, trainings
from flextune.statistics.unknown import unknown

MCNEMAR = "exact McNemar"
RUN_EXCHANGE = "exact run exchange, and the interval"


@dataclass(frozen=True, slots=True)
class Contrast:
    """Two arms to compare in one setting.

    Attributes:
        arm: Of interest.
        baseline: What it is compared with.
        where: The setting.
        primary: Whether it was named before the run.
    """

    arm: str
    baseline: str
    where: Setting
    primary: bool = True


def estimate(score: Score) -> Score:
    """The score with pass@k and its interval for every k in ``DRAWS``, as far as the samples allow.

    pass@1 is always there: nan over 0 problems where nothing is known. With fewer than k samples, but two at
    least, pass@k has no value, and bounds (``few_samples``).
    """
    counts = tally(score)
    allowed = [k for k in DRAWS if k == 1 or (counts.problems and k <= counts.draws_allowed())]
    bounds = [bounded(counts, k) for k in DRAWS if k not in allowed]
    found = [*(_estimate(counts, k) for k in allowed), *(each for each in bounds if each is not None)]
    return replace(score, estimates=tuple(found))


def compare(arm: Score, baseline: Score, margin: float = MARGIN) -> Comparison:
    """Two scores on the problems whose outcome both know, decided as a family of one.

    Two single runs meet in McNemar's exact test and Newcombe's interval. Otherwise runs change places within
    each problem (and within each seed where both arms were trained with the same seeds), and the interval
    has the problems' and the trainings' variance; the p-value is the larger of the test's and the interval's
    own level.

    Args:
        arm: Of interest: a positive difference means that it is better.
        baseline: What it is compared with.
        margin: Within which both count as the same.

    Raises:
        FlextuneError: If the two are not of one benchmark, language, lexicon and decoding.
    """
    comparison = _compared(arm, baseline, margin)
    return decided(comparison, comparison.p_value)


def compare_all(
    scores: Iterable[Score],
    baseline: str,
    contrasts: Sequence[Contrast] | None = None,
    margin: float = MARGIN,
) -> list[Comparison]:
    """The contrasts of a run: primary ones adjusted as one family, exploratory ones as another.

    Args:
        scores: Of every arm and setting.
        baseline: The arm that all others are compared with.
        contrasts: What to compare; None: every arm with the baseline, all primary. Contrasts whose arms lack
            the setting are skipped.
        margin: Within which two arms count as the same.
    """
    rows = {(setting(score), score.arm): score for score in scores}
    if contrasts is None:
        contrasts = [Contrast(arm, baseline, where) for where, arm in rows if arm != baseline]
    chosen = [c for c in contrasts if (c.where, c.arm) in rows and (c.where, c.baseline) in rows]
    compared = [
        replace(_compared(rows[c.where, c.arm], rows[c.where, c.baseline], margin), primary=c.primary)
        for c in chosen
    ]
    p_values = _adjusted([(comparison, rows) for comparison in compared])
    return [decided(comparison, p) for comparison, p in zip(compared, p_values, strict=True)]


def _compared(arm: Score, baseline: Score, margin: float) -> Comparison:
    """Everything about a comparison but its adjusted p-value and its verdict."""
    if setting(arm) != setting(baseline):
        raise FlextuneError(
            f"cannot compare {arm.arm} on {_named(arm)} with {baseline.arm} on {_named(baseline)}: "
            "both need the same benchmark, language, lexicon and decoding"
        )
    names = {name for score in (arm, baseline) for runs in score.outcomes.values() for name in runs}
    common = set(tally(arm, names).problems) & set(tally(baseline, names).problems)
    ours, theirs = tally(arm, common), tally(baseline, common)
    rates, baseline_rates = ours.exact_rates(), theirs.exact_rates()
    differences = [a - b for a, b in zip(rates, baseline_rates, strict=True)]
    missing = unknown(arm, baseline)
    counted = (trainings(arm), trainings(baseline))
    p_value, ends, method = None, None, RUN_EXCHANGE
    if common and not missing.forbids:
        p_value, ends, method = _tested(ours, theirs, counted, missing.share)
    low, high = ends or (None, None)
    return Comparison(
        arm=arm.arm,
        baseline=baseline.arm,
        benchmark=arm.benchmark,
        language=arm.language,
        lexicon=arm.lexicon,
        decoding=arm.decoding,
        difference=float(sum(differences) / len(differences)) if differences else math.nan,
        low=low,
        high=high,
        p_value=p_value,
        method=method,
        won=tuple(name for name, d in zip(ours.problems, differences, strict=True) if d > 0),
        lost=tuple(name for name, d in zip(ours.problems, differences, strict=True) if d < 0),
        count=len(common),
        left_out=tuple(sorted(names - common)),
        rate=float(sum(rates) / len(rates)) if rates else math.nan,
        baseline_rate=float(sum(baseline_rates) / len(rates)) if rates else math.nan,
        subject=subject(counted),
        trainings=counted,
        detectable=detectable(*ends) if ends else None,
        margin=margin,
        unknown=missing.verdicts,
        unknown_alone=missing.alone,
    )


def _tested(
    ours: Tally, theirs: Tally, counted: tuple[int, int], allowance: float
) -> tuple[float, Interval | None, str]:
    """p-value, interval and method of two tallies on the same problems."""
    if ours.single_run and theirs.single_run:
        a, b = ours.correct[0] == 1, theirs.correct[0] == 1
        both, won, lost = int((a & b).sum()), int((a & ~b).sum()), int((~a & b).sum())
        low, high = newcombe(both, won, lost, len(ours.problems) - both - won - lost)
        return mcnemar_p_value(won, lost), _widened((low, high), allowance), MCNEMAR
    pair = Pair(
        ours.rates(),
        theirs.rates(),
        arm_trained=counted[0] > 0,
        baseline_trained=counted[1] > 0,
        by_seed=ours.seeds == theirs.seeds,
        equal_runs=bool((ours.samples.sum(axis=0) == theirs.samples.sum(axis=0)).all()),
    )
    exact = exchange_p_value(_strata(ours, theirs, by_seed=pair.paired_trainings))
    return (
        max(exact, difference_level(pair, allowance)),
        _widened(difference_interval(pair), allowance),
        RUN_EXCHANGE,
    )


def _widened(ends: Interval | None, allowance: float) -> Interval | None:
    return None if ends is None else (max(ends[0] - allowance, -1.0), min(ends[1] + allowance, 1.0))


def _strata(ours: Tally, theirs: Tally, by_seed: bool = False) -> list[Stratum]:
    """What may change places: the runs of a problem, or those of a problem and seed where seeds are pairs."""
    columns = [ours.correct, ours.samples, theirs.correct, theirs.samples]
    cells = [column.ravel() if by_seed else column.sum(axis=0) for column in columns]
    return [Stratum(*counts) for counts in zip(*(column.tolist() for column in cells), strict=True)]


def _adjusted(
    compared: Sequence[tuple[Comparison, dict[tuple[Setting, str], Score]]],
) -> list[float | None]:
    """Holm's p-values within the primary and within the exploratory comparisons."""
    p_values: list[float | None] = [None] * len(compared)
    for primary in (True, False):
        places = [i for i, (c, _) in enumerate(compared) if c.primary == primary and c.p_value is not None]
        tests = [_test(*compared[place]) for place in places]
        for place, p_value in zip(places, adjusted(tests), strict=True):
            p_values[place] = p_value
    return p_values


def _test(comparison: Comparison, rows: dict[tuple[Setting, str], Score]) -> Test:
    where = setting(comparison)
    left_out = set(comparison.left_out)
    sides = []
    for arm in (comparison.arm, comparison.baseline):
        score = rows[where, arm]
        names = {name for runs in score.outcomes.values() for name in runs} - left_out
        sides.append(tally(score, names))
    data = [(side.problems, side.correct.tobytes(), side.samples.tobytes()) for side in sides]
    # The same two tables the other way round are the same test; two equal tables are none.
    decidable = data[0] != data[1] and any(stratum.decidable for stratum in _strata(sides[0], sides[1]))
    return Test(comparison.p_value or 0.0, (where, frozenset(data)), decidable)


def _estimate(counts: Tally, k: int) -> Estimate:
    rates = counts.rates(k)
    low, high = None, None
    ends, method = interval(rates, counts.single_run)
    if ends is not None:
        low, high = ends
    value = float(rates.mean()) if rates.size else math.nan
    return Estimate(f"pass@{k}", value, low, high, method, len(counts.problems))


def _named(score: Score) -> str:
    return " / ".join(part for part in setting(score) if part)
