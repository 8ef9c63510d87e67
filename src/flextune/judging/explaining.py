"""How a sample was read: which program is judged for it, and by which rules it came about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from flextune.data.answers import Extraction, Step
from flextune.data.samples import SampleReader
from flextune.data.samples.formats import Sample
from flextune.errors import FlextuneError
from flextune.judging.files import read_problems
from flextune.judging.languages import languages
from flextune.records import Problem


@dataclass(frozen=True, slots=True)
class Explanation:
    """What is judged for one sample, and why.

    Attributes:
        name: The problem's name.
        sample: The sample's number within the problem.
        language: The problem's.
        kind: What the sample is: ``answer``, ``program`` or ``completion``.
        steps: The rules that applied, in order; docs/answers.md has them all.
        program: The source that is judged.
    """

    name: str
    sample: int
    language: str
    kind: str
    steps: tuple[Step, ...]
    program: str


def explain_sample(
    samples: Path | str,
    problems: Path | str | Sequence[Problem] | None = None,
    *,
    name: str,
    sample: int = 0,
) -> list[Explanation]:
    """Say how a sample is read; nothing is run.

    Args:
        samples: A file, or a folder of MultiPL-E's.
        problems: A file of problems, or problems; None where the samples bring their own.
        name: The problem's name.
        sample: The sample's number within the problem.

    Returns:
        One for each language that has a problem of that name.

    Raises:
        FlextuneError: A file cannot be read, or there is no such sample.
    """
    if isinstance(problems, (Path, str)):
        problems = read_problems(Path(problems)).found
    reader = SampleReader(problems, judged=languages())
    found: list[Explanation] = []
    counts: dict[str, int] = {}

    def explain(given: Sample, number: int, read: Extraction) -> None:
        if read.problem.name != name:
            return
        counts[read.problem.language] = number + 1
        if number == sample:
            found.append(
                Explanation(name, number, read.problem.language, given.kind, read.steps, read.program)
            )

    reader.explain = explain
    for _ in reader.read(Path(samples)):
        pass
    if found:
        return found
    if counts:
        most = max(counts.values())
        raise FlextuneError(f"{samples}: {name!r} has samples 0 to {most - 1} (asked for: {sample})")
    reasons = "; ".join(str(line) for line in reader.skipped[:1])
    raise FlextuneError(f"{samples}: no sample of {name!r}{f' ({reasons})' if reasons else ''}")
