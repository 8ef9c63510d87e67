"""Two files of verdicts, compared problem by problem."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from flextune.errors import FlextuneError
from flextune.files.lines import read_records
from flextune.judging.files import identity
from flextune.records import OUTCOMES, Comparison, Score, Verdict


def compare_files(first: Path | str, second: Path | str) -> Comparison:
    """Compare two verdict files, or two evaluation folders, on their common problems.

    Args:
        first: Becomes the comparison's ``arm``: a positive difference means that it is better.
        second: Becomes its ``baseline``.

    Raises:
        FlextuneError: One is no verdict file, or they have no problem in common.
    """
    # numpy and scipy take longer to load than most files of verdicts to judge.
    from flextune.statistics.summary import compare

    ours, theirs = _score_of(Path(first)), _score_of(Path(second))
    common = set(ours.outcomes["0"]) & set(theirs.outcomes["0"])
    if not common:
        raise FlextuneError(f"{first} and {second} have no problem in common: nothing to compare")
    return compare(ours, theirs)


def _score_of(path: Path) -> Score:
    file = path / "verdicts.jsonl" if path.is_dir() else path
    if not file.is_file():
        raise FlextuneError(f"{file}: no such verdict file")
    score = Score(str(path), "verdicts", "-", None, "-")
    rows = score.outcomes.setdefault("0", {})
    latest = {identity(v): v for v in read_records(file, Verdict)}
    shared = Counter(name for name, _ in {(name, language) for language, name, _ in latest})
    for language, name, sample in sorted(latest):
        outcome = latest[language, name, sample].outcome
        if outcome not in OUTCOMES:
            known = ", ".join(OUTCOMES)
            raise FlextuneError(
                f"{file}: unknown outcome {outcome!r} ({name}, sample {sample}; known: {known})"
            )
        rows.setdefault(f"{name} ({language})" if shared[name] > 1 else name, []).append(outcome)
    if not rows:
        raise FlextuneError(f"{file}: no verdicts in it")
    return score
