"""Verdicts as rewards for reinforcement learning: batch in, scores out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

from flextune.data.answers import read_answer, read_text
from flextune.errors import FlextuneError
from flextune.judging.judge import Judge
from flextune.judging.sandbox.limits import Limits
from flextune.records import OUTCOMES, UNKNOWN_OUTCOMES, Completion, Problem

#: A completion as trainers hand it over: text, or the messages of a chat.
Answer = str | Sequence[Mapping[str, Any]]
#: Limits for training, where a slow program is as good as a wrong one.
TRAINING_LIMITS = Limits(cpu_seconds=3, wall_seconds=10, memory_bytes=512 * 2**20)


class Reward:
    """Judges completions and gives one number for each; usable as one of TRL's ``reward_funcs``.

    ::

        reward = Reward(problems)
        trainer = GRPOTrainer(model, reward_funcs=[reward], train_dataset=dataset, args=arguments)

    The trainer's dataset has a column ``name`` (and ``language``, where two problems share a name); TRL hands
    every column to its reward functions. Programs run in the sandbox; a policy that is rewarded for passing
    will find whatever passes, so solution and tests run in separate processes where the language can
    (``strict``).

    The messages of a chat are read as ``flextune judge`` reads an ``answer``: the code is taken from its
    markdown, and may repeat the prompt or not. So is a text with a fenced block of code and one that begins
    with a line of the prompt. Any other text, and any that begins indented, is what follows the prompt and is
    cut at the problem's stop strings.

    Args:
        problems: What may be asked about.
        rewards: Reward by outcome; outcomes not named get 0. By default 1 for ``passed``.
        extract: Makes of a problem and a completion what is judged: the problem to use and the text behind
            its prompt. By default as above.
        limits: What each program may use; by default tighter than for evaluation.
        workers: Programs to judge in parallel; by default one per core.
        strict: Run solution and tests in separate processes where the language can.
        sandbox: Run programs in the sandbox; see ``Judge``. Never switch it off for what a model wrote.

    Raises:
        FlextuneError: If programs cannot be isolated here, two problems share language and name, or
            ``rewards`` names an unknown outcome.
    """

    def __init__(
        self,
        problems: Iterable[Problem],
        *,
        rewards: Mapping[str, float] | None = None,
        extract: Callable[[Problem, str], tuple[Problem, str]] | None = None,
        limits: Limits = TRAINING_LIMITS,
        workers: int | None = None,
        strict: bool = True,
        sandbox: bool = True,
    ) -> None:
        #: The name under which TRL logs it.
        self.__name__ = "tests_passed"
        self._rewards = {"passed": 1.0} if rewards is None else dict(rewards)
        if unknown := sorted(set(self._rewards) - set(OUTCOMES)):
            raise FlextuneError(f"reward: unknown outcome {unknown[0]!r} (known: {', '.join(OUTCOMES)})")
        self._extract = extract
        self._problems: dict[tuple[str, str], Problem] = {}
        self._languages: dict[str, list[str]] = {}
        for problem in problems:
            key = (problem.language, problem.name)
            if key in self._problems:
                raise FlextuneError(f"reward: two {problem.language} problems are called {problem.name!r}")
            self._problems[key] = problem
            self._languages.setdefault(problem.name, []).append(problem.language)
        self._judge = Judge(limits=limits, workers=workers, strict=strict, sandbox=sandbox)

    def __call__(
        self,
        prompts: Sequence[Any] | None = None,
        completions: Sequence[Answer] = (),
        *,
        name: Sequence[str] = (),
        language: Sequence[str] | None = None,
        **columns: Any,
    ) -> list[float | None]:
        """One reward for each completion.

        Args:
            prompts: Not needed: the problem knows its prompt.
            completions: Texts, or chats of which the last message counts.
            name: The problem of each.
            language: The language of each; may be left out where names are unique.
            columns: The dataset's other columns, and whatever else the trainer passes; not used.

        Returns:
            None (TRL counts it as not rewarded) where nothing is known about the program: a toolchain is
            missing or the sandbox failed three times.

        Raises:
            FlextuneError: If a name is missing, unknown or ambiguous.
        """
        if len(name) != len(completions):
            raise FlextuneError(
                f"reward: {len(completions)} completions and {len(name)} names; "
                'the dataset needs a column "name" with the problem of every row'
            )
        pairs = []
        for index, completion in enumerate(completions):
            problem = self._find(name[index], None if language is None else language[index])
            # Any text is judged: one that cannot be cut or extracted is a wrong program, not a failure.
            problem, text = self._read(problem, completion)
            pairs.append((problem, Completion(f"{index}", 0, text)))
        scores: dict[str, float | None] = {}
        for verdict in self._judge.verdicts(pairs):
            unknown = verdict.outcome in UNKNOWN_OUTCOMES
            scores[verdict.name] = None if unknown else self._rewards.get(verdict.outcome, 0.0)
        return [scores[f"{index}"] for index in range(len(pairs))]

    def __enter__(self) -> Reward:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End the judge's processes; a later call starts new ones."""
        self._judge.close()

    def _read(self, problem: Problem, completion: Answer) -> tuple[Problem, str]:
        """The problem to use and the text behind its prompt."""
        text = _text(completion)
        if self._extract is not None:
            return self._extract(problem, text)
        return (read_text if isinstance(completion, str) else read_answer)(problem, text).pair

    def _find(self, name: str, language: str | None) -> Problem:
        languages = self._languages.get(name, [])
        if language is None and len(languages) == 1:
            language = languages[0]
        problem = self._problems.get((language or "", name))
        if problem is not None:
            return problem
        if language is None and languages:
            among = ", ".join(languages)
            raise FlextuneError(f'reward: {name!r} is there in {among}; add a column "language"')
        raise FlextuneError(f"reward: no {language or ''} problem is called {name!r}".replace("  ", " "))


def _text(completion: Answer) -> str:
    """A text itself, or what the last message of a chat says."""
    if isinstance(completion, str):
        return completion
    content = completion[-1].get("content") if completion else ""
    if isinstance(content, Sequence) and not isinstance(content, str):
        # A message in parts: ``[{"type": "text", "text": ...}]``.
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, Mapping))
    return content if isinstance(content, str) else ""
