"""What inspect found: its JSON logs as verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeGuard

from flextune.errors import FlextuneError
from flextune.records import Outcome, Verdict

#: Values of a score: correct, incorrect, partly correct, no answer.
_LETTERS: dict[str, Outcome] = {
    "C": "passed",
    "I": "wrong_answer",
    "P": "wrong_answer",
    "N": "wrong_answer",
}


def is_inspect(value: Any) -> TypeGuard[Mapping[str, Any]]:
    """Whether a JSON value is a log of inspect."""
    return isinstance(value, Mapping) and isinstance(value.get("eval"), Mapping) and "status" in value


def inspect_verdicts(file: Path, log: Mapping[str, Any]) -> list[tuple[int, Verdict]]:
    """Verdicts with their samples' numbers; the epochs of a sample are its answers.

    A sample that ended in an error, or was not scored, is unknown.

    Raises:
        FlextuneError: A log without samples, or scored in several ways.
    """
    samples = log.get("samples")
    if not isinstance(samples, list) or not samples:
        raise FlextuneError(f"{file}: inspect's log has no samples (was it written with --no-log-samples?)")
    verdicts = []
    for number, sample in enumerate(samples, start=1):
        where = f"{file}: sample {number}"
        if not isinstance(sample, Mapping) or "id" not in sample:
            raise FlextuneError(f"{where}: not a sample of inspect's")
        epoch = int(sample.get("epoch") or 1)
        verdict = Verdict(str(sample["id"]), epoch - 1, _outcome(where, sample), "run")
        verdicts.append((number, verdict))
    return verdicts


def _outcome(where: str, sample: Mapping[str, Any]) -> Outcome:
    scores = sample.get("scores")
    if sample.get("error") or not isinstance(scores, Mapping) or not scores:
        return "sandbox_fault"
    if len(scores) > 1:
        raise FlextuneError(f"{where}: scored in several ways ({', '.join(map(str, scores))}); keep one")
    (score,) = scores.values()
    value = score.get("value") if isinstance(score, Mapping) else None
    if isinstance(value, str) and value in _LETTERS:
        return _LETTERS[value]
    if isinstance(value, (bool, int, float)):
        return "passed" if value == 1 else "wrong_answer"
    raise FlextuneError(f"{where}: a score that tells no right from wrong ({value!r})")
