"""Samples with their problems, from a file or a folder; what cannot be used is skipped and said."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from flextune.data import multipl_e
from flextune.data.answers import Extraction, read_answer, read_completion, read_program
from flextune.data.samples.folders import SampleSets, sample_files
from flextune.data.samples.formats import Sample, samples_in, source_file
from flextune.errors import FlextuneError, did_you_mean
from flextune.files.lenient import Skipped, read_values, skipped_by
from flextune.files.rows import Row
from flextune.languages import language_of_row
from flextune.records import Completion, Problem

#: A longer text is cut to one character more, so that it is known to be too long and takes no memory.
LONGEST_SOURCE = 2**20

#: Names are compared with all others only so often: a file of the wrong benchmark has many.
_HINTS = 20


@dataclass
class SampleReader:
    """Reads samples of known problems, or of those that a MultiPL-E folder brings along.

    Attributes:
        problems: In the benchmark's order; None: the samples must carry theirs.
        refused: Problems that were skipped themselves.
        judged: Languages that can be judged, for problems that samples carry; None: all.
        limit: Only samples of the first so many problems are read.
        skipped: What was left out, as far as the reading went.
        explain: Told of each sample, its number, and how it was read.
    """

    problems: Sequence[Problem] | None
    refused: Sequence[Skipped] = ()
    judged: Collection[str] | None = None
    limit: int | None = None
    skipped: list[Skipped] = field(default_factory=list)
    explain: Callable[[Sample, int, Extraction], None] | None = None
    _named: dict[str, dict[str, Problem]] = field(default_factory=lambda: defaultdict(dict))
    _numbered: dict[str, dict[str, Problem]] = field(default_factory=lambda: defaultdict(dict))
    _wanted: set[tuple[str, str]] = field(default_factory=set)
    _counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    _hints: int = _HINTS

    def __post_init__(self) -> None:
        for problem in self.problems or ():
            self._named[problem.name][problem.language] = problem
            if (problem.original or "").isdecimal():
                self._numbered[str(problem.original)][problem.language] = problem
        self._wanted = {(p.language, p.name) for p in (self.problems or ())[: self.limit]}

    def read(self, path: Path) -> Iterator[tuple[Problem, Completion]]:
        """Pairs in file order; samples of one problem are numbered 0, 1, ...

        A sample that is a program of its own comes with its problem less the prompt.

        Raises:
            FlextuneError: The file cannot be read at all, or the folder holds several sets of samples.
        """
        sets = SampleSets(path)
        for file in sample_files(path):
            label = file.name if file == path else str(file.relative_to(path))
            for where, samples in self._samples(file, label):
                while True:
                    try:
                        sample = next(samples, None)
                        pair = None if sample is None else self._pair(sample)
                    except FlextuneError as error:
                        skip = skipped_by(error, where)
                        # All samples of a problem that cannot be used are one thing to say.
                        if self.skipped[-1:] != [skip]:
                            self.skipped.append(skip)
                        # A generator that raised is at its end; a sample that did not fit is not.
                        continue
                    if sample is None:
                        break
                    if pair is not None:
                        sets.check(file, (pair[0].language, pair[0].name))
                        yield pair

    def _samples(self, file: Path, label: str) -> Iterator[tuple[str, Iterator[Sample]]]:
        """The samples of each value of a file, with its place."""
        if file.suffix == ".py":
            yield label, map(partial(source_file, label=label), iter((file,)))
            return
        for number, found in enumerate(read_values(file, label)):
            if isinstance(found, Skipped):
                self.skipped.append(found)
            else:
                yield found.where, samples_in(found, number)

    def _pair(self, sample: Sample) -> tuple[Problem, Completion] | None:
        problem = self._problem(sample)
        key = (problem.language, problem.name)
        if self.limit is not None and key not in self._wanted:
            return None
        text = sample.text
        if len(text) > LONGEST_SOURCE:
            text = text[: LONGEST_SOURCE + 1]
        else:
            found = _judged(problem, sample)
            problem, text = found.pair
            if self.explain is not None:
                self.explain(sample, self._counted[key], found)
        number = self._counted[key]
        self._counted[key] += 1
        return problem, Completion(problem.name, number, text)

    def _problem(self, sample: Sample) -> Problem:
        if sample.position is not None:
            return self._at(sample.position, sample.where)
        name = sample.name or ""
        language = sample.language and language_of_row(sample.language)
        if self.problems is None:
            return self._brought(sample, name)
        named = self._named.get(name) or self._by_another_name(name)
        if not named:
            raise FlextuneError(f"{sample.where}: {self._unknown(name)}")
        if language is None and len(named) > 1:
            ways = " or ".join(f'"language": "{known}"' for known in named)
            raise FlextuneError(
                f"{sample.where}: problems in {len(named)} languages are called {name!r}; add {ways}"
            )
        chosen = named.get(language) if language else next(iter(named.values()))
        if chosen is None:
            there = ", ".join(named)
            raise FlextuneError(f"{sample.where}: {name!r} is a problem in {there}, not in {language!r}")
        return chosen

    def _at(self, position: int, where: str) -> Problem:
        if self.problems is None:
            raise FlextuneError(
                f"{where}: generations name no problems; give --benchmark, or --problems in their order"
            )
        if position >= len(self.problems):
            raise FlextuneError(f"{where}: there are only {len(self.problems)} problems")
        return self.problems[position]

    def _brought(self, sample: Sample, name: str) -> Problem:
        row = sample.problem
        if row is None:
            raise FlextuneError(f"{sample.where}: the sample does not carry its problem; give --problems")
        problem = multipl_e.problem(Row(sample.where, row.fields))
        if self.judged is not None and problem.language not in self.judged:
            raise FlextuneError(f"{sample.where}: {cannot_be_judged(problem.language, self.judged)}")
        key = (problem.language, name)
        if self.limit is not None and len(self._wanted) < self.limit:
            self._wanted.add(key)
        return problem

    def _by_another_name(self, name: str) -> dict[str, Problem]:
        """EvalPlus writes ``Mbpp/2`` for ``MBPP/2``; MBPP's own file numbers its tasks, as APPS does."""
        number = name[5:] if name.lower().startswith("mbpp/") else name
        if number == name and name in self._numbered:
            return self._numbered[name]
        return self._named.get(f"MBPP/{number}") or self._named.get(f"Mbpp/{number}") or {}

    def _unknown(self, name: str) -> str:
        refused = next((one for one in self.refused if one.name == name), None)
        if refused is not None:
            return f"its problem {name!r} was skipped ({refused.where})"
        self._hints -= 1
        hint = did_you_mean(name, self._named) if self._hints >= 0 else ""
        return f"no problem is called {name!r}{hint}"


def read_samples(
    path: Path,
    problems: Sequence[Problem] | None,
    *,
    refused: Sequence[Skipped] = (),
    judged: Collection[str] | None = None,
    limit: int | None = None,
) -> tuple[list[tuple[Problem, Completion]], list[Skipped]]:
    """All samples of a file or folder with their problems, and what was skipped; see ``SampleReader``.

    Raises:
        FlextuneError: The file cannot be read, or nothing in it can be used.
    """
    reader = SampleReader(problems, refused=refused, judged=judged, limit=limit)
    pairs = list(reader.read(path))
    if pairs:
        return pairs, reader.skipped
    if not reader.skipped:
        among = "" if limit is None else f" for the first {limit} problems"
        raise FlextuneError(f"{path}: no samples in it{among}")
    raise FlextuneError(nothing_left(path, "samples", reader.skipped))


def cannot_be_judged(language: str, judged: Collection[str]) -> str:
    """The message for a language that is known and has no judge."""
    return f"{language} programs cannot be judged (judged are: {', '.join(judged)})"


def nothing_left(path: Path, what: str, skipped: Sequence[Skipped]) -> str:
    """The message where everything was skipped: the one reason, or the first of them."""
    if len(skipped) == 1:
        return str(skipped[0])
    return f"{path}: none of its {len(skipped)} {what} can be used; the first: {skipped[0]}"


def _judged(problem: Problem, sample: Sample) -> Extraction:
    """What is judged for a sample: the problem and the text after its prompt, with the rules that applied.

    Raises:
        FlextuneError: The sample says that it ends with the tests, and does not.
    """
    if sample.kind == "answer":
        return read_answer(problem, sample.text)
    if sample.kind == "completion":
        return read_completion(problem, sample.text)
    text = sample.text
    if sample.tested:
        if not text.endswith(problem.tests):
            raise FlextuneError(
                f"{sample.where}: the program does not end with the tests of {problem.name!r}"
            )
        text = text[: len(text) - len(problem.tests)].removesuffix("\n")
    elif sample.position is None:
        return read_program(problem, text)
    if text.startswith(problem.prompt):
        return Extraction(problem, text[len(problem.prompt) :])
    return Extraction(problem.of_programs(), text)
