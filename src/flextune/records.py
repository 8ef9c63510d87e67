"""What the stages hand one another: frozen records, one JSON object a line on disk."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, get_args

Outcome = Literal[
    "passed",
    "wrong_answer",
    "exception",
    "compile_error",
    "timeout",
    "memory_limit",
    "output_limit",
    "ended_early",
    "toolchain_missing",
    "library_missing",
    "strict_unsupported",
    "sandbox_fault",
]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

#: Outcomes that say nothing about the program: never scored, judged again on resume.
UNKNOWN_OUTCOMES: frozenset[Outcome] = frozenset(
    {"toolchain_missing", "library_missing", "strict_unsupported", "sandbox_fault"}
)

Stage = Literal["toolchain", "compile", "run"]
Finish = Literal["stop", "eos", "length"]
#: What a model wrote: what follows the prompt, or an answer in markdown that holds a program.
CompletionKind = Literal["completion", "answer"]


@dataclass(frozen=True, slots=True)
class Case:
    """A test of a whole program: what it reads from standard input and what it must print.

    Outputs are compared word by word, line by line, numbers within a tolerance
    (``flextune.judging.comparing``); blank lines at the end do not count.
    """

    input: str
    output: str


@dataclass(frozen=True, slots=True)
class Problem:
    """One task in one language; its program is ``prompt + completion + "\\n" + tests`` (see ``program``).

    Attributes:
        name: Unique within (benchmark, language, lexicon).
        benchmark: ``humaneval``, ``multipl-e``, ``mbpp``, ``rosetta`` or a file's name.
        language: MultiPL-E's short name: ``py``, ``java``, ``js``, ...
        prompt: Text that the model continues.
        tests: Source appended after the completion; it ends the program and runs the tests. Empty where
            ``cases`` test the program.
        stop: Strings before which a completion ends.
        lexicon: ``base`` or ``reserved`` wording (Rosetta only).
        reference: A completion known to be right, where the benchmark has one.
        original: File name or id in the source benchmark.
        entry_point: The function that the tests call, where the benchmark names it.
        cases: Runs of the program, all of which must print what they should.
        posed: The prompt that was posed, where ``prompt`` is empty because answers are whole programs.
    """

    name: str
    benchmark: str
    language: str
    prompt: str
    tests: str
    stop: tuple[str, ...] = ()
    lexicon: str | None = None
    reference: str | None = None
    original: str | None = None
    entry_point: str | None = None
    cases: tuple[Case, ...] = ()
    posed: str = ""

    def of_programs(self) -> Problem:
        """The same problem for answers that are whole programs and repeat of the prompt what they need."""
        return replace(self, prompt="", posed=self.posed or self.prompt)

    def program(self, completion: str) -> str:
        """The source that is judged for one completion.

        A program that is tested by ``cases`` is run as it was written, to its last character: it may read
        itself.
        """
        if self.cases and not self.tests:
            return self.prompt + completion
        return f"{self.prompt}{completion}\n{self.tests}"


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation: ``system``, ``user``, ``assistant`` or what else a template knows."""

    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Example:
    """One training text, ``prompt + completion``; a completion-only loss covers the second part.

    Attributes:
        name: Unique in its source.
        prompt: What is given.
        completion: What is learned.
        messages: A conversation that a model's chat template has yet to write out
            (``flextune.models.chat``); prompt and completion are empty until then.
    """

    name: str
    prompt: str
    completion: str
    messages: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class Completion:
    """One answer of a model.

    Attributes:
        name: The problem's name.
        sample: 0, 1, ... within the problem.
        text: What follows the prompt, cut before the first stop string.
        finish: Why it ended: a stop string, the end-of-text token, or the length limit.
        tokens: Tokens generated, the stop's own included.
        margin: Smallest gap between the two largest logits on the greedy path; below 1e-4 another
            batch size may decode another text. None where it does not apply.
        kind: ``completion`` follows the prompt; an ``answer`` is markdown, as the model wrote it.
        program: The same text up to where the program ends, with the helpers that follow the first stop
            string; None where nobody asked for it.
    """

    name: str
    sample: int
    text: str
    finish: Finish = "stop"
    tokens: int = 0
    margin: float | None = None
    kind: CompletionKind = "completion"
    program: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """What running one program showed.

    Attributes:
        name: The problem's name.
        sample: The completion's number.
        outcome: One of ``OUTCOMES``; only ``passed`` is a pass.
        stage: Where it ended: ``toolchain``, ``compile`` or ``run``.
        message: Last lines of what compiler or program said, at most 2,000 characters.
        cpu_seconds: User and system time of the program and its children, compile time excluded.
        wall_seconds: Wall clock of the run.
        peak_memory_bytes: Largest resident size of one process of the program.
        language: The problem's; two languages of one file may have problems of the same name.
    """

    name: str
    sample: int
    outcome: Outcome
    stage: Stage
    message: str = ""
    cpu_seconds: float = 0.0
    wall_seconds: float = 0.0
    peak_memory_bytes: int = 0
    language: str = ""

    @property
    def passed(self) -> bool:
        """Whether the program ran all tests and ended well."""
        return self.outcome == "passed"


@dataclass(frozen=True, slots=True)
class Estimate:
    """A number with its interval; ``low`` and ``high`` are None where no honest interval exists.

    Attributes:
        metric: For example ``pass@1``.
        value: Point estimate in [0, 1], nan when undefined.
        low: Lower end of the 95 % interval.
        high: Upper end of the 95 % interval.
        method: ``Wilson``, ``Wilson, over problems``, ``Wilson, over problems and seeds``, ``bounds from N
            samples`` (of pass@k without a value) or ``none``.
        count: Problems behind the number.
    """

    metric: str
    value: float
    low: float | None
    high: float | None
    method: str
    count: int


@dataclass(frozen=True, slots=True)
class Score:
    """One arm on one benchmark, language, lexicon and decoding, over its seeds.

    Attributes:
        outcomes: Seed (as text, ``"-"`` for a model without one) to problem name to the outcomes of its
            samples, in sample order.
        trainings: Seed to training key; None for the base model.
        generations: Seed to generation key (folder under ``generated/``).
        judgings: Seed to judging key (folder under ``judged/``).
        estimates: pass@k for every k that the samples allow.
    """

    arm: str
    benchmark: str
    language: str
    lexicon: str | None
    decoding: str
    outcomes: dict[str, dict[str, list[Outcome]]] = field(default_factory=dict)
    trainings: dict[str, str | None] = field(default_factory=dict)
    generations: dict[str, str] = field(default_factory=dict)
    judgings: dict[str, str] = field(default_factory=dict)
    estimates: tuple[Estimate, ...] = ()


#: How a comparison is decided; ``flextune.statistics.decision`` says when.
VerdictWord = Literal["certain", "likely", "same", "undecided", "not compared"]

#: What a comparison is about: a way to train (three trainings or more), fixed models, or a few trainings.
Subject = Literal["method", "models", "weights"]


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two arms on the same problems.

    Attributes:
        arm: The arm of interest.
        baseline: The arm it is compared with.
        difference: Mean over problems of pass rate(arm) - pass rate(baseline).
        low: Lower end of the 95 % interval of the difference, None where none is honest.
        high: Upper end.
        p_value: Two-sided; None when nothing could be compared. No verdict rests on it alone.
        method: The test: ``exact McNemar``, or ``exact run exchange`` with the interval's own level.
        won: Problems where the arm's pass rate is higher.
        lost: Problems where it is lower.
        count: Problems compared.
        left_out: Problems without a known outcome on one side or both.
        rate: The arm's pass rate on the problems compared; nan without any.
        baseline_rate: The baseline's.
        adjusted_p: The p-value, adjusted for the number of comparisons of its family (Holm).
        verdict: ``certain``, ``likely``, ``same``, ``undecided`` or ``not compared``.
        primary: Whether it was named before the run; else it is exploratory.
        subject: ``method``, ``models`` or ``weights``.
        trainings: Trainings behind the arm and behind the baseline; 0 for a model that was not trained here.
        detectable: Smallest difference that it would have shown in four of five such experiments; None
            without an interval.
        margin: Within it two arms count as the same.
        unknown: Verdicts without an outcome in the arm and in the baseline.
        unknown_alone: Problems without a known outcome in the arm only, and in the baseline only.
    """

    arm: str
    baseline: str
    benchmark: str
    language: str
    lexicon: str | None
    decoding: str
    difference: float
    low: float | None
    high: float | None
    p_value: float | None
    method: str
    won: tuple[str, ...]
    lost: tuple[str, ...]
    count: int
    left_out: tuple[str, ...] = ()
    rate: float = math.nan
    baseline_rate: float = math.nan
    adjusted_p: float | None = None
    verdict: VerdictWord = "undecided"
    primary: bool = True
    subject: Subject = "models"
    trainings: tuple[int, int] = (0, 0)
    detectable: float | None = None
    margin: float = 0.02
    unknown: tuple[int, int] = (0, 0)
    unknown_alone: tuple[int, int] = (0, 0)


def completion_row(completion: Completion) -> dict[str, Any]:
    """``as_row``; what only some prompts give is left out where it is not given."""
    row = as_row(completion)
    defaults = {"kind": "completion", "program": None}
    return {key: value for key, value in row.items() if key not in defaults or value != defaults[key]}


def as_row(record: Any) -> dict[str, Any]:
    """A record as a JSON-ready mapping, fields in their declared order."""
    return asdict(record)
