"""What a file of verdicts says about a model: pass@k and its interval for each language."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from flextune.judging.verdict_files import latest_verdicts, verdict_file
from flextune.records import OUTCOMES, UNKNOWN_OUTCOMES, Estimate, Outcome, Score, Verdict


@dataclass(frozen=True)
class LanguageScore:
    """One language of a file of verdicts.

    Attributes:
        language: Its short name, empty where the verdicts do not say.
        problems: Problems with a verdict.
        samples: Verdicts.
        passed: Verdicts that are a pass.
        outcomes: How many verdicts each other outcome has.
        estimates: pass@k for 1, 10 and 100; the value is nan where nothing is known, and where there are
            fewer samples than k: then the interval's ends are bounds.
        left_out: Problems that the estimates leave out, because one of their outcomes is unknown.
        missing: Problems without a sample, where the problems are known; the estimates leave them out too.
    """

    language: str
    problems: int
    samples: int
    passed: int
    outcomes: Mapping[Outcome, int]
    estimates: tuple[Estimate, ...]
    left_out: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def known(self) -> int:
        """Verdicts that say something about their program."""
        return self.samples - sum(n for outcome, n in self.outcomes.items() if outcome in UNKNOWN_OUTCOMES)


def score_verdicts(
    verdicts: Iterable[Verdict], missing: Mapping[str, Sequence[str]] | None = None
) -> list[LanguageScore]:
    """The scores of each language, in the order in which they come.

    Args:
        verdicts: Those of one model; of two with the same language, name and sample the later one counts.
        missing: Language to the names of problems that have no sample.
    """
    latest = {(v.language, v.name, v.sample): v for v in verdicts}
    by_language: dict[str, dict[str, list[Outcome]]] = {name: {} for name in missing or {}}
    for language, name, sample in sorted(latest, key=lambda key: (key[1], key[2])):
        outcomes = by_language.setdefault(language, {})
        outcomes.setdefault(name, []).append(latest[language, name, sample].outcome)
    order = dict.fromkeys([*(language for language, _, _ in latest), *by_language])
    return [_score(name, by_language[name], tuple((missing or {}).get(name, ()))) for name in order]


def score_file(path: Path | str) -> list[LanguageScore]:
    """The scores of a file of verdicts, or of a folder that holds ``verdicts.jsonl``: ``flextune score``.

    EvalPlus's and BigCodeBench's ``eval_results.json`` is such a file, too: a sample has passed if it passed
    all tests that were run, the additional ones among them. So are lm-eval's ``--log_samples`` and inspect's
    JSON logs.

    Raises:
        FlextuneError: There is no such file, it holds something else, or a second verdict on a sample.
    """
    file = verdict_file(Path(path).expanduser())
    return score_verdicts(latest_verdicts(file).values())


def _score(language: str, problems: dict[str, list[Outcome]], missing: tuple[str, ...]) -> LanguageScore:
    # numpy and scipy take longer to load than most files of verdicts to judge.
    from flextune.statistics.summary import estimate
    from flextune.statistics.tally import tally

    counted = [outcome for outcomes in problems.values() for outcome in outcomes]
    score = Score("verdicts", "-", language, None, "-", {"0": dict(problems)})
    return LanguageScore(
        language=language,
        problems=len(problems),
        samples=len(counted),
        passed=counted.count("passed"),
        outcomes={name: counted.count(name) for name in OUTCOMES if name != "passed" and name in counted},
        estimates=estimate(score).estimates,
        left_out=tally(score).left_out,
        missing=missing,
    )
