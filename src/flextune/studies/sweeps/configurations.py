"""The configurations of a sweep as rows: settings, score, and its interval."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

from flextune.config import DecodeConfig
from flextune.report.settings_text import plain
from flextune.search.base import words
from flextune.statistics.components import CONFIDENCE
from flextune.statistics.intervals import wilson_ends

Found = Mapping[str, Any]

#: Beyond, a value has no row of its own in a heat map.
MOST_VALUES = 12
#: Share of the combinations of two keys that must have been tried for a heat map.
FILLED = 0.6


@dataclass(frozen=True, slots=True)
class Configuration:
    """One configuration that was done.

    Attributes:
        number: Of its trial.
        settings: Keys to values.
        value: pass@1 in per cent, on all problems that it was judged on; or the validation loss.
        low: Lower end of a 95 % interval over problems; the value itself of a loss.
        high: Upper end.
    """

    number: int
    settings: Mapping[str, Any]
    value: float
    low: float
    high: float

    @property
    def name(self) -> str:
        """``penalty.strength=0.01 decode.temperature=0.2``."""
        return words(self.settings)


@dataclass(frozen=True, slots=True)
class Field:
    """One of two keys' combinations.

    Attributes:
        row: Value of the first key, as text.
        column: Of the second.
        value: Mean over all configurations that have both; None where none was done.
        count: How many there are.
    """

    row: str
    column: str
    value: float | None
    count: int


def configurations(found: Found) -> list[Configuration]:
    """Those with a value, by number."""
    loss = found["objective"] == "eval_loss"
    naive = found.get("naive") or {}
    scores = dict(zip(naive.get("numbers", ()), naive.get("scores", ()), strict=True))
    rows = []
    for row in sorted(found["trials"], key=lambda row: int(row["number"])):
        number = int(row["number"])
        value = scores.get(number, row.get("value"))
        if row["state"] != "done" or value is None:
            continue
        if loss:
            rows.append(Configuration(number, row["settings"], value, value, value))
        else:
            problems = naive["problems"] if number in scores else found["halves"][0]
            low, high = _ends(value, problems)
            rows.append(Configuration(number, row["settings"], 100 * value, 100 * low, 100 * high))
    return rows


def _ends(rate: float, problems: int) -> tuple[float, float]:
    """Wilson's interval, as if each problem passed always or never."""
    reach = float(stats.norm.ppf((1 + CONFIDENCE) / 2))
    low, high = wilson_ends(np.asarray(rate), np.asarray(reach**2 / problems))
    return float(low), float(high)


def varied(rows: Sequence[Configuration]) -> list[str]:
    """Keys of at least two values, in their order."""
    keys = dict.fromkeys(key for row in rows for key in row.settings)
    return [key for key in keys if len({text(key, row.settings.get(key)) for row in rows}) > 1]


def numeric(rows: Sequence[Configuration]) -> list[str]:
    """The varied keys that hold a number in every configuration."""
    return [key for key in varied(rows) if all(_is_number(row.settings.get(key)) for row in rows)]


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def pairs_of_keys(rows: Sequence[Configuration]) -> Iterator[tuple[str, str]]:
    """Two varied keys of few values each, most of whose combinations were tried."""
    for first, second in itertools.combinations(varied(rows), 2):
        sizes = [len({text(key, row.settings.get(key)) for row in rows}) for key in (first, second)]
        tried = {tuple(text(key, row.settings.get(key)) for key in (first, second)) for row in rows}
        if max(sizes) <= MOST_VALUES and len(tried) >= FILLED * sizes[0] * sizes[1]:
            yield first, second


def fields(rows: Sequence[Configuration], first: str, second: str) -> list[Field]:
    """Every combination of two keys' values, the first key's slowest."""
    names = [_values(rows, key) for key in (first, second)]
    found = []
    for row_name, column_name in itertools.product(*names):
        values = [
            row.value
            for row in rows
            if text(first, row.settings.get(first)) == row_name
            and text(second, row.settings.get(second)) == column_name
        ]
        mean = float(np.mean(values)) if values else None
        found.append(Field(row_name, column_name, mean, len(values)))
    return found


def _values(rows: Sequence[Configuration], key: str) -> list[str]:
    """A key's values as text: numbers by size, others as they first come."""
    values: list[Any] = [row.settings.get(key) for row in rows]
    if all(map(_is_number, values)):
        values = sorted(values)
    return list(dict.fromkeys(text(key, value) for value in values))


def text(key: str, value: Any) -> str:
    """A value in a few words; a way of decoding by its label."""
    if isinstance(value, Mapping):
        if key == "decode":
            return DecodeConfig.model_validate(value).label
        return json.dumps(value, separators=(",", ":"))
    return "null" if value is None else plain(value)
