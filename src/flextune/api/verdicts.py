"""Files of verdicts: scores and comparisons; and what an experiment can tell before there are any."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from flextune.errors import FlextuneError
from flextune.records import Comparison

if TYPE_CHECKING:
    from flextune.judging.scoring import LanguageScore
    from flextune.statistics.power import Power
    from flextune.statistics.simulation import Baseline


def compare(
    first: Path | str, second: Path | str, *, margin: float = 2.0, across: bool = False
) -> Comparison:
    """Compare two files of verdicts, or two folders that hold one, on their common problems.

    Args:
        first: The difference is ``first`` minus ``second``: positive if this one is better.
        second: What it is compared with.
        margin: Percentage points within which both count as the same.
        across: Compare files of different languages or benchmarks, too.

    Raises:
        FlextuneError: One is no file of verdicts or has a verdict twice; they have no problem in common, or
            are of different languages or benchmarks.
    """
    from flextune.judging.compare import compare_files

    return compare_files(Path(first), Path(second), margin=margin, across=across)


def power(
    *,
    problems: int,
    seeds: int = 3,
    rate: float = 0.3,
    seed_spread: float = 0.03,
    samples: int = 1,
    baseline: str = "once",
    repeats: int = 300,
    seed: int = 0,
) -> Power:
    """Estimate what an experiment can tell: experiments are drawn and decided by the page's own rule.

    Args:
        problems: Problems that both arms answer.
        seeds: Trainings per arm; 0 compares two fixed models.
        rate: Expected pass rate of the baseline, 0 to 1.
        seed_spread: Standard deviation of a training's pass rate, 0 to 1.
        samples: Answers for each problem and training.
        baseline: ``once`` is a fixed model that is run once; ``as-many`` is trained and run like the arm.
        repeats: Experiments that are drawn for each difference.
        seed: Seed of the draws.

    Returns:
        How often each difference is shown, and the smallest that is shown in four of five.

    Raises:
        FlextuneError: A number that no experiment has.
    """
    from flextune.statistics.power import power as drawn
    from flextune.statistics.simulation import Design

    if baseline not in ("once", "as-many"):
        raise FlextuneError(f"power: baseline must be once or as-many (given: {baseline})")
    against: Baseline = "once" if baseline == "once" else "as many"
    design = Design(problems, seeds, samples, against, rate, seed_spread=seed_spread if seeds else 0.0)
    return drawn(design, repeats=repeats, seed=seed)


def score(verdicts: Path | str) -> list[LanguageScore]:
    """Estimate pass@k of a file of verdicts, or of a folder that holds one, for each language.

    Raises:
        FlextuneError: It is no file of verdicts.
    """
    from flextune.judging.scoring import score_file

    return score_file(verdicts)
