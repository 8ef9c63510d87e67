"""scores.json: the same scores give the same bytes, on one line each."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from flextune.errors import FlextuneError
from flextune.extras import need
from flextune.records import Comparison, Estimate, Score, as_row
from flextune.statistics.summary import compare_all, estimate

if TYPE_CHECKING:
    import pandas

T = TypeVar("T")

#: Fields of a comparison that JSON turns into lists.
TUPLES = ("won", "lost", "left_out", "trainings", "unknown", "unknown_alone")

#: Significant digits kept: more than any interval supports, fewer than the order of a sum can change.
DIGITS = 6

#: Of the file. What an earlier format holds is estimated and compared again from its outcomes.
FORMAT = 2


@dataclass(frozen=True, slots=True)
class ScoresFile:
    """What one scores.json holds."""

    experiment: str
    baseline: str
    scores: tuple[Score, ...]
    comparisons: tuple[Comparison, ...]

    def to_pandas(self) -> pandas.DataFrame:
        """A row for each arm, setting and metric.

        Raises:
            FlextuneError: pandas is not installed.
        """
        need("pandas")
        import pandas

        rows = [
            {
                "arm": score.arm,
                "benchmark": score.benchmark,
                "language": score.language,
                "lexicon": score.lexicon,
                "decoding": score.decoding,
                "seeds": len(score.outcomes),
                **as_row(estimate),
            }
            for score in self.scores
            for estimate in score.estimates
        ]
        return pandas.DataFrame(rows)


def scores_json(
    experiment: str, baseline: str, scores: Iterable[Score], comparisons: Iterable[Comparison]
) -> str:
    """The text of scores.json: rows sorted, mappings sorted, floats of six digits, nan as null.

    Args:
        experiment: The experiment's name.
        baseline: The arm that the comparisons refer to.
        scores: Estimated scores, in any order.
        comparisons: In any order.
    """
    lines = [
        f'{{"format": {FORMAT},',
        f'"experiment": {json.dumps(experiment)},',
        f'"baseline": {json.dumps(baseline)},',
        f'"scores": [{_rows(scores)}],',
        f'"comparisons": [{_rows(comparisons)}]}}',
    ]
    return "\n".join(lines) + "\n"


def read_scores(path: Path) -> ScoresFile:
    """Read scores.json back.

    Raises:
        FlextuneError: If it is missing or not what ``scores_json`` writes.
    """
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        written = held.get("format", 1)
        if written > FORMAT:
            raise FlextuneError(f"{path}: format {written} is of a newer flextune (this one reads {FORMAT})")
        scores = tuple(_score(row) for row in held["scores"])
        if written < FORMAT:
            return _decided_again(held["experiment"], held["baseline"], scores)
        comparisons = tuple(_comparison(row) for row in held["comparisons"])
        return ScoresFile(held["experiment"], held["baseline"], scores, comparisons)
    except OSError as error:
        raise FlextuneError(
            f"{path}: cannot be read ({error.strerror}); `flextune run` the experiment first"
        ) from None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        reason = error if isinstance(error, ValueError) else f"{type(error).__name__}: {error}"
        raise FlextuneError(
            f"{path}: not a scores file ({reason}); remove it and run the experiment again"
        ) from None


def _decided_again(experiment: str, baseline: str, scores: tuple[Score, ...]) -> ScoresFile:
    estimated = tuple(estimate(score) for score in scores)
    return ScoresFile(experiment, baseline, estimated, tuple(compare_all(estimated, baseline)))


def _rows(records: Iterable[Score] | Iterable[Comparison]) -> str:
    ordered = sorted(records, key=_place)
    lines = [
        json.dumps({name: _plain(value) for name, value in as_row(record).items()}) for record in ordered
    ]
    return "\n" + ",\n".join(lines) + "\n" if lines else ""


def _plain(value: Any) -> Any:
    """Floats rounded, nan as None; seeds and problems sorted, an estimate's few fields with them."""
    if isinstance(value, float):
        return float(f"{value:.{DIGITS}g}") if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(value[key]) for key in sorted(value)}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value


def _score(row: dict[str, Any]) -> Score:
    estimates = tuple(Estimate(**{**e, "value": _or_nan(e["value"])}) for e in row["estimates"])
    score = Score(**{**row, "estimates": estimates})
    for mapping in (score.outcomes, score.trainings, score.generations, score.judgings):
        _require(dict, mapping)
    for problems in score.outcomes.values():
        for samples in _require(dict, problems).values():
            _require(list, samples)
    return score


def _require(kind: type[T], value: Any) -> T:
    if not isinstance(value, kind):
        raise TypeError(f"{repr(value)[:40]} where a {kind.__name__} belongs")
    return value


def _comparison(row: dict[str, Any]) -> Comparison:
    tuples = {name: tuple(row[name]) for name in TUPLES}
    numbers = {name: _or_nan(row[name]) for name in ("difference", "rate", "baseline_rate")}
    return Comparison(**{**row, **tuples, **numbers})


def _place(row: Score | Comparison) -> tuple[str, ...]:
    other = row.baseline if isinstance(row, Comparison) else ""
    return (row.benchmark, row.language, row.lexicon or "", row.decoding, row.arm, other)


def _or_nan(value: float | None) -> float:
    return math.nan if value is None else value
