"""Verdicts as rewards for reinforcement learning: batch in, scores out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

from flextune.data.answers import read_answer, read_text
from flextune.errors import FlextuneError
from flextune.judging.judge import Judge, not_strict, strict_languages
from flextune.judging.languages import language as language_of
from flextune.judging.sandbox.limits import Limits
from flextune.records import OUTCOMES, Completion, Outcome, Problem, Verdict

_logger = logging.getLogger(__name__)

#: A completion as trainers hand it over: text, the messages of a chat, or one message.
Answer = str | Mapping[str, Any] | Sequence[Mapping[str, Any]]
#: Outcomes that may be the machine's doing. A program could choose any other that says nothing about it.
INFRASTRUCTURE: frozenset[Outcome] = frozenset({"toolchain_missing", "sandbox_fault"})
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

    The last message of the assistant is read as ``flextune judge`` reads an ``answer``: the code is taken
    from its markdown, and may repeat the prompt or not. So is a text with a fenced block of code or with
    reasoning, and one that begins with a line of the prompt. Any other text, and any that begins indented,
    is what follows the prompt and is cut at the problem's stop strings (docs/answers.md).

    Every program gets a number, whatever it does. A language that is not strict is named in a warning, once.

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
        self._references = 0
        if strict:
            _warn_not_strict(self._problems.values())
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
            None (TRL counts it as not rewarded) only where programs cannot be judged here: a toolchain is
            missing, or the sandbox fails for other programs of the language, too. A program that makes it
            fail while others are judged has failed. Both are logged. A missing library is a failure, since a
            policy can choose it.

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
        verdicts = {verdict.name: verdict for verdict in self._judge.verdicts(pairs)}
        judged = [(pair[0].language, verdicts[f"{index}"]) for index, pair in enumerate(pairs)]
        unjudged = self._unjudged(judged, name)
        return [
            None if (language, verdict.outcome) in unjudged else self._rewards.get(verdict.outcome, 0.0)
            for language, verdict in judged
        ]

    def _unjudged(
        self, judged: Sequence[tuple[str, Verdict]], names: Sequence[str]
    ) -> set[tuple[str, Outcome]]:
        """Languages whose programs cannot be judged here, each with the outcome that says so; logged.

        A fault of the sandbox that the judge could not settle by its own right programs is the program's own
        doing if programs of its language were judged in the same call, or if the problem's reference passes
        now.
        """
        found: set[tuple[str, Outcome]] = set()
        causes = {(language, verdict.outcome): verdict for language, verdict in judged}
        for (language, outcome), verdict in causes.items():
            if outcome not in INFRASTRUCTURE:
                continue
            if outcome == "sandbox_fault":
                faulty = {
                    names[index]
                    for index, (other, one) in enumerate(judged)
                    if other == language and one.outcome == outcome
                }
                known = any(other == language and one not in INFRASTRUCTURE for other, one in causes)
                if known or any(self._reference_passes(self._problems[language, name]) for name in faulty):
                    _logger.warning(
                        "reward: %s programs for %s make the sandbox fail; they count as failed (%s)",
                        language, ", ".join(sorted(faulty)), verdict.message,
                    )  # fmt: skip
                    continue
            found.add((language, outcome))
            _logger.warning("reward: %s programs get no reward: %s (%s)", language, outcome, verdict.message)
        return found

    def _reference_passes(self, problem: Problem) -> bool:
        if problem.reference is None:
            return False
        # The judge remembers programs, so this one must be new.
        self._references += 1
        text = f"{problem.reference}\n{language_of(problem.language).comment} {self._references}"
        return all(
            verdict.passed for verdict in self._judge.verdicts([(problem, Completion("reference", 0, text))])
        )

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


def _warn_not_strict(problems: Iterable[Problem]) -> None:
    names = not_strict(problems)
    if names:
        _logger.warning(
            "reward: %s solutions share a process with their tests, so a policy can learn to forge a pass "
            "(docs/judging.md says how); strict are: %s",
            ", ".join(names), ", ".join(sorted(strict_languages())),
        )  # fmt: skip


def _text(completion: Answer) -> str:
    """A text itself, or what the assistant's last message says; empty where that calls a tool instead."""
    if isinstance(completion, str):
        return completion
    messages = [completion] if isinstance(completion, Mapping) else completion
    said = [message for message in messages if message.get("role", "assistant") == "assistant"]
    content = said[-1].get("content") if said else ""
    if isinstance(content, Sequence) and not isinstance(content, str):
        # A message in parts: ``[{"type": "text", "text": ...}]``.
        parts = (part for part in content if isinstance(part, Mapping))
        content = "".join(str(part.get("text") or "") for part in parts if part.get("type") not in _THOUGHTS)
    return content if isinstance(content, str) else ""


#: Types of a message's parts that are no answer.
_THOUGHTS = ("reasoning", "thinking", "redacted_thinking", "tool_use", "tool_result")
