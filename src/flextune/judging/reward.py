"""Verdicts as rewards for reinforcement learning: batch in, scores out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from flextune.data.samples import from_answer
from flextune.errors import FlextuneError
from flextune.judging.judge import Judge
from flextune.judging.sandbox.limits import Limits
from flextune.records import OUTCOMES, UNKNOWN_OUTCOMES, Completion, Problem
from flextune.stopping import cut_at_stop

#: A completion as trainers hand it over: text, or the messages of a chat.
Answer = str | Sequence[Mapping[str, Any]]
#: Limits for training, where a slow program is as good as a wrong one.
TRAINING_LIMITS = Limits(cpu_seconds=3, wall_seconds=10, memory_bytes=512 * 2**20)

_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


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
        site_packages: Folder of packages that Python programs may import; see ``Judge``.

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
        site_packages: Path | str | None = None,
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
        self._judge = Judge(
            limits=limits, workers=workers, strict=strict, sandbox=sandbox, site_packages=site_packages
        )

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
            missing or the sandbox failed three times. A missing library is a failure: a policy can choose it.

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
            # A policy can choose to import what is not here.
            unknown = verdict.outcome in UNKNOWN_OUTCOMES - {"library_missing"}
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
        if not isinstance(completion, str) or _is_answer(problem, text):
            return from_answer(problem, text)
        # How the text ended is not known here. It is complete, so its last line is taken for a whole one.
        return problem, cut_at_stop(text, problem.stop, ended=True)[0]

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


def _is_answer(problem: Problem, text: str) -> bool:
    """Whether a text is an answer to the prompt rather than what follows it."""
    begins = next((line.rstrip() for line in text.split("\n") if line.strip()), "")
    # A body may go on to an explanation with code in it: behind its stop strings that does not count.
    if begins.startswith(("  ", "\t")) and not _FENCE.match(begins):
        return False
    if _FENCE.search(text):
        return True
    # Lines at the left margin only: a body may repeat an indented one, and many prompts have a lone brace.
    lines = {line.rstrip() for line in problem.prompt.split("\n") if not line[:1].isspace()}
    return begins in lines and re.search(r"\w", begins) is not None
