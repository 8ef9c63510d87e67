"""From outcomes to estimates and comparisons: the one entry point, where every Generator is made."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from flextune.errors import FlextuneError
from flextune.records import Comparison, Estimate, Score
from flextune.statistics.intervals import interval
from flextune.statistics.paired import difference_interval, mcnemar_p_value, permutation_p_value
from flextune.statistics.pass_at_k import DRAWS
from flextune.statistics.tally import Tally, tally

#: What two scores must share to be compared: benchmark, language, lexicon, decoding.
Setting = tuple[str, str, str | None, str]


def setting(row: Score | Comparison) -> Setting:
    """Everything but the arm."""
    return (row.benchmark, row.language, row.lexicon, row.decoding)


def estimate(score: Score) -> Score:
    """The score with pass@k and its interval for every k in ``DRAWS`` that the samples allow.

    pass@1 is always there: nan over 0 problems where nothing is known.
    """
    counts = tally(score)
    allowed = [k for k in DRAWS if k == 1 or (counts.problems and k <= counts.draws_allowed())]
    return replace(score, estimates=tuple(_estimate(score, counts, k) for k in allowed))


def compare(arm: Score, baseline: Score) -> Comparison:
    """Two scores on the problems whose outcome both know.

    Exact McNemar for two single runs; otherwise a paired permutation test over problems, seeds
    averaged. That p-value is about these seeds; the interval also covers new ones, where an arm has
    three or more.

    Raises:
        FlextuneError: If the two are not of one benchmark, language, lexicon and decoding.
    """
    if setting(arm) != setting(baseline):
        raise FlextuneError(
            f"cannot compare {arm.arm} on {_named(arm)} with {baseline.arm} on {_named(baseline)}: "
            "both need the same benchmark, language, lexicon and decoding"
        )
    names = {name for score in (arm, baseline) for runs in score.outcomes.values() for name in runs}
    common = set(tally(arm, names).problems) & set(tally(baseline, names).problems)
    ours, theirs = tally(arm, common), tally(baseline, common)
    differences = [a - b for a, b in zip(ours.exact_rates(), theirs.exact_rates(), strict=True)]
    won = tuple(name for name, d in zip(ours.problems, differences, strict=True) if d > 0)
    lost = tuple(name for name, d in zip(ours.problems, differences, strict=True) if d < 0)
    single = ours.single_run and theirs.single_run
    rng = _generator("compare", arm.arm, baseline.arm, *setting(arm))
    p_value: float | None = None
    if common:
        p_value = mcnemar_p_value(len(won), len(lost)) if single else permutation_p_value(differences, rng)
    low, high = difference_interval(ours.rates(), theirs.rates(), rng) or (None, None)
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
        method="exact McNemar" if single else "paired permutation",
        won=won,
        lost=lost,
        count=len(common),
        left_out=tuple(sorted(names - common)),
    )


def compare_all(scores: Iterable[Score], baseline: str) -> list[Comparison]:
    """Every score against the baseline arm's in the same setting; settings it lacks are skipped."""
    rows = list(scores)
    references = {setting(score): score for score in rows if score.arm == baseline}
    return [
        compare(score, references[setting(score)])
        for score in rows
        if score.arm != baseline and setting(score) in references
    ]


def _estimate(score: Score, counts: Tally, k: int) -> Estimate:
    rates = counts.rates(k)
    rng = _generator("estimate", score.arm, *setting(score), str(k))
    found, method = interval(rates, counts.single_run, rng)
    low, high = found or (None, None)
    value = float(rates.mean()) if rates.size else math.nan
    return Estimate(f"pass@{k}", value, low, high, method, len(counts.problems))


def _generator(*names: str | None) -> np.random.Generator:
    """A Generator that depends on the names alone: the same scores give the same bytes."""
    digest = hashlib.sha256("\x1f".join(name or "" for name in names).encode()).digest()
    return np.random.default_rng(int.from_bytes(digest[:16], "big"))


def _named(score: Score) -> str:
    return " / ".join(part for part in setting(score) if part)
