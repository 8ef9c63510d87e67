"""pass@1 while a model trains: a callback that answers and judges a few problems every few steps."""

from __future__ import annotations

import copy
import hashlib
import logging
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from flextune.config import (
    PASS_AT_1,
    DecodeConfig,
    EvaluateConfig,
    GenerateConfig,
    JudgeConfig,
    TrainEvaluateConfig,
    pass_at_1_names,
)
from flextune.data.answers import judged_pair
from flextune.errors import FlextuneError
from flextune.files.lines import LineWriter, read_lines
from flextune.generation.engine import Request
from flextune.generation.local import LocalEngine
from flextune.generation.prompts.posing import Posed, pose
from flextune.judging import Judge
from flextune.models.load import LoadedModel
from flextune.records import UNKNOWN_OUTCOMES, Completion, Problem, Verdict
from flextune.runner.models import ModelStore
from flextune.runner.work import Training
from flextune.runs import layout
from flextune.runs.keys import content_digest, digest
from flextune.training.callbacks.measuring import MeasuringCallback

if TYPE_CHECKING:
    from transformers import TrainingArguments

_logger = logging.getLogger(__name__)

#: Numbers of a frozen weight that stand for it.
_SAMPLES = 16

Outcomes = dict[str, dict[str, str]]


@dataclass(frozen=True)
class _Set:
    """Problems of one benchmark, language and lexicon, and what their pass@1 is called."""

    metric: str
    problems: list[Problem]
    posed: Posed


class PassAtOneCallback(MeasuringCallback):
    """pass@1 beside the loss, in any ``transformers.Trainer``: forgetting is seen while it happens.

        problems = load_problems("humaneval", limit=20) + load_problems("multipl-e", "java", limit=20)
        trainer.add_callback(PassAtOneCallback(problems, every=50))

    Every problem is answered once, greedily, and its program judged in the sandbox: before the first step,
    every so many steps, and after the last. Logged is ``pass_at_1_LANGUAGE`` (with the benchmark's name
    where two sets share a language) and, of several sets, their mean ``pass_at_1``. An evaluation that fails
    has NaN, and a warning says why. Which problems were solved is written to ``pass_at_1.jsonl`` in the
    Trainer's ``output_dir``; the same weights are not evaluated twice, also after a restart.

    The training itself stays as it is, bit by bit (``MeasuringCallback``); ``KeepBestCallback`` keeps the
    best adapter.

    Args:
        problems: Of any benchmarks and languages.
        every: Steps between two evaluations; None: whenever the Trainer evaluates.
        tokenizer: The model's; None: the Trainer's ``processing_class``.
        prompt: How problems are posed: ``completion``, ``chat``, ..., or a template file.
        token_healing: Choose the prompt's last tokens again, among longer ones too.
        max_new_tokens: Tokens per answer at most.
        judge: Makes the judge of one evaluation; ``lambda: Judge(workers=2)`` for one with other settings.
        name: What the model is called in messages.
        data_dir: Folder of benchmark files, for prompts with examples; None: $FLEXTUNE_DATA, then the hub.

    Raises:
        FlextuneError: No problem, or two of one name in a set; a prompt that does not go with them. In a
            training: no tokenizer; nothing of a set can be judged here; programs cannot be isolated.
    """

    def __init__(
        self,
        problems: Iterable[Problem],
        *,
        every: int | None = None,
        tokenizer: Any = None,
        prompt: str = "completion",
        token_healing: bool = False,
        max_new_tokens: int = 512,
        judge: Callable[[], Judge] = Judge,
        name: str | None = None,
        data_dir: Path | str | None = None,
    ) -> None:
        super().__init__(every)
        generate = GenerateConfig(prompt=prompt, token_healing=token_healing)
        self._sets = _sets(problems, generate, None if data_dir is None else Path(data_dir))
        self._decode = DecodeConfig(max_new_tokens=max_new_tokens)
        self._tokenizer = tokenizer
        self._judge = judge
        self._name = name
        self._asked = digest(
            [*([content_digest(each.problems), each.posed.given()] for each in self._sets), max_new_tokens]
        )
        self._succeeded = False

    @property
    def metrics(self) -> list[str]:
        """What is logged."""
        names = [each.metric for each in self._sets]
        return [*names, PASS_AT_1] if len(names) > 1 else names

    def measure(
        self, model: nn.Module, tokenizer: Any, args: TrainingArguments, step: int
    ) -> dict[str, float]:
        """pass@1 of every set, from the record where the same weights were evaluated before."""
        record = Path(args.output_dir) / layout.WATCHED
        identity = digest([self._asked, weights_digest(model)])
        rows = (row for row in read_lines(record) if row.get("of") == identity)
        outcomes = next((row["outcomes"] for row in rows if "outcomes" in row), None)
        if outcomes is None:
            try:
                outcomes = self._outcomes(self._loaded(model, tokenizer))
            except FlextuneError as error:
                # What never worked is the user's to mend; later a training is worth more than a number.
                if not self._succeeded:
                    raise
                _logger.warning("pass@1 at step %d is unknown: %s", step, error)
                return dict.fromkeys(self.metrics, math.nan)
            with LineWriter(record) as writer:
                writer.write([{"step": step, "of": identity, "outcomes": outcomes}])
        self._succeeded = True
        rates = [_rate(outcomes[each.metric].values()) for each in self._sets]
        return dict(zip(self.metrics, [*rates, sum(rates) / len(rates)], strict=False))

    def _loaded(self, model: Any, processing: Any) -> LoadedModel:
        tokenizer = self._tokenizer or getattr(processing, "tokenizer", processing)
        name = self._name or str(getattr(model.config, "_name_or_path", "")) or type(model).__name__
        if tokenizer is None:
            raise FlextuneError(
                "PassAtOneCallback: the Trainer has no tokenizer: give it as processing_class=, or here as"
                " tokenizer="
            )
        if tokenizer.pad_token_id is None:
            tokenizer = copy.deepcopy(tokenizer)
            tokenizer.pad_token = tokenizer.eos_token
        return LoadedModel(model, tokenizer, name, "")

    def _outcomes(self, loaded: LoadedModel) -> Outcomes:
        """Outcomes by set and by problem's name."""
        requests = [Request(s.problems, self._decode, 0, prompts=s.posed.prompts) for s in self._sets]
        completions: list[list[Completion]] = [[] for _ in requests]
        for answers in LocalEngine(loaded).answer(requests):
            for answer in answers:
                completions[answer.request].append(answer.completion)
        outcomes: Outcomes = {}
        with self._judge() as judge:
            for each, answered in zip(self._sets, completions, strict=True):
                problems = {problem.name: problem for problem in each.problems}
                pairs = (judged_pair(problems[c.name], c, whole=False) for c in answered)
                verdicts = list(judge.verdicts(pairs))
                self._note_unknown(each, verdicts)
                outcomes[each.metric] = {v.name: v.outcome for v in sorted(verdicts, key=lambda v: v.name)}
        return outcomes

    def _note_unknown(self, each: _Set, verdicts: Sequence[Verdict]) -> None:
        """Say how many programs could not be judged, and why.

        Raises:
            FlextuneError: None of the set.
        """
        unknown = [verdict for verdict in verdicts if verdict.outcome in UNKNOWN_OUTCOMES]
        if not unknown:
            return
        first = unknown[0]
        reason = ": ".join([first.outcome, *first.message.strip().splitlines()[-1:]])
        text = f"{each.metric}: {len(unknown)} of {len(verdicts)} programs were not judged ({reason})"
        if len(unknown) == len(verdicts):
            raise FlextuneError(text)
        _logger.warning("%s", text)


def watching(
    section: TrainEvaluateConfig,
    problems: Iterable[Problem],
    loaded: LoadedModel,
    *,
    generate: GenerateConfig | None = None,
    judge: Callable[[], Judge] = Judge,
    data_dir: Path | None = None,
) -> PassAtOneCallback:
    """The callback that ``train.evaluate`` asks for.

    Args:
        section: How often, and how long answers are.
        problems: What it names.
        loaded: The base model of the training.
        generate: Says how problems are posed; None: as they are.
        judge: Makes the judge of one evaluation.
        data_dir: As for ``PassAtOneCallback``.
    """
    generate = generate or GenerateConfig()
    return PassAtOneCallback(
        problems,
        every=section.steps,
        tokenizer=loaded.tokenizer,
        prompt=generate.prompt,
        token_healing=generate.token_healing,
        max_new_tokens=section.max_new_tokens,
        judge=judge,
        name=loaded.name,
        data_dir=data_dir,
    )


def watching_callbacks(
    training: Training, models: ModelStore, judge: Callable[[JudgeConfig], Judge], data_dir: Path | None
) -> list[PassAtOneCallback]:
    """What evaluates a training while it runs; nothing where its recipe asks for nothing.

    Args:
        training: With its problems.
        models: Has its base model.
        judge: Makes a judge with an experiment's limits.
        data_dir: As for ``PassAtOneCallback``.
    """
    section, watched = training.recipe.train.evaluate, training.watched
    if section is None or watched is None:
        return []
    made = watching(
        section,
        watched.problems,
        models.base(training.model),
        generate=watched.generate,
        judge=lambda: judge(watched.judge),
        data_dir=data_dir,
    )
    return [made]


def weights_digest(model: nn.Module) -> str:
    """What a model in training is: all of the weights that train, and a few numbers of each that does not."""
    found = hashlib.sha256()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            flat = weight.detach().reshape(-1)
            if not weight.requires_grad:
                flat = flat[:: max(1, flat.numel() // _SAMPLES)]
            found.update(f"{name} {tuple(weight.shape)} {weight.dtype}\0".encode())
            found.update(_bytes(flat))
    return found.hexdigest()[:32]


def _bytes(flat: Tensor) -> bytes:
    return flat.cpu().contiguous().view(torch.uint8).numpy().tobytes()


def _rate(outcomes: Iterable[str]) -> float:
    """Share of the known outcomes that passed; NaN where none is known."""
    known = [outcome for outcome in outcomes if outcome not in UNKNOWN_OUTCOMES]
    return sum(outcome == "passed" for outcome in known) / len(known) if known else math.nan


def _sets(problems: Iterable[Problem], generate: GenerateConfig, data_dir: Path | None) -> list[_Set]:
    groups: dict[tuple[str, str, str | None], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.benchmark, problem.language, problem.lexicon), []).append(problem)
    if not groups:
        raise FlextuneError("PassAtOneCallback: there is no problem; load_problems gives some")
    sets = []
    for (place, members), metric in zip(groups.items(), pass_at_1_names(list(groups)), strict=True):
        names = [problem.name for problem in members]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise FlextuneError(f"PassAtOneCallback: two {place[1]} problems are called {twice!r}")
        # A benchmark may be a file's name, which the section does not take.
        given: dict[str, Any] = {"benchmark": place[0], "language": place[1], "lexicon": place[2] or "base"}
        part = EvaluateConfig.model_construct(**given)
        sets.append(_Set(metric, members, pose(generate, part, members, data_dir)))
    return sets
