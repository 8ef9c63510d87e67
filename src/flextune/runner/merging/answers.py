"""Unmerged and merged model on the same problems: greedy texts, next-token distributions, verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flextune.audit.merging.tokens import Text, TokenAudit, compare_tokens, distributions
from flextune.config import DecodeConfig
from flextune.generation.local import LocalEngine
from flextune.judging import Judge
from flextune.models.adapters import load_adapter
from flextune.models.encoding import encode_prompt
from flextune.models.load import DType, LoadedModel, load_model
from flextune.models.merging.adapted import AdaptedFiles
from flextune.models.merging.base import load_base
from flextune.progress import Reporter
from flextune.records import Comparison, Outcome, Problem, Score
from flextune.runner.merging.probes import by_setting
from flextune.statistics.summary import compare, estimate

if TYPE_CHECKING:
    from torch import Tensor

Texts = dict[tuple[str, str, str], str]


@dataclass(frozen=True)
class AnswerOptions:
    """How models are compared.

    Attributes:
        problems: On which.
        judged: Whether their programs are run, too.
        dtype: In which both models compute. In float32 nothing but the weights makes a difference.
        device: Where.
        max_new_tokens: Of each text.
        workers: Programs to judge in parallel; None: one per core.
        sandbox: False runs programs with the caller's rights.
    """

    problems: Sequence[Problem]
    judged: bool = False
    dtype: DType = "float32"
    device: str = "auto"
    max_new_tokens: int = 128
    workers: int | None = None
    sandbox: bool = True


@dataclass(frozen=True)
class Answers:
    """What both models said.

    Attributes:
        tokens: Their next-token distributions.
        changed: Names of the problems whose greedy texts differ.
        comparisons: pass@1, merged against unmerged, for each benchmark and language; [] if nothing was
            judged.
        scores: pass@1 of both, (unmerged, merged), alike.
    """

    tokens: TokenAudit
    changed: tuple[str, ...]
    comparisons: tuple[Comparison, ...]
    scores: tuple[tuple[float, float], ...]


def compare_answers(model: AdaptedFiles, merged: Path, options: AnswerOptions, reporter: Reporter) -> Answers:
    """Run both models; one of them is in memory at a time.

    Texts on which distributions are compared are the unmerged model's own greedy ones.

    Raises:
        FlextuneError: A model cannot be loaded, or computes NaN.
    """
    base = load_base(model, dtype=options.dtype, device=options.device)
    unmerged = load_adapter(base, model.adapter.path)
    ours = _texts(unmerged, options, reporter, "unmerged")
    probes = _probes(unmerged, options.problems, ours)
    before = distributions(probes, _logits(base))
    kept = distributions(probes, _logits(unmerged))
    del base, unmerged
    loaded = load_model(str(merged), dtype=options.dtype, device=options.device)
    found = distributions(probes, _logits(loaded))
    theirs = _texts(loaded, options, reporter, "merged")
    del loaded
    tests = _judged(options, ours, theirs, reporter) if options.judged else []
    return Answers(
        tokens=compare_tokens(kept, found, before),
        changed=tuple(key[-1] for key in ours if ours[key] != theirs[key]),
        comparisons=tuple(test for test, _ in tests),
        scores=tuple(scores for _, scores in tests),
    )


def _key(problem: Problem) -> tuple[str, str, str]:
    return problem.benchmark, f"{problem.language} {problem.lexicon or ''}", problem.name


def _texts(loaded: LoadedModel, options: AnswerOptions, reporter: Reporter, what: str) -> Texts:
    decode = DecodeConfig(max_new_tokens=options.max_new_tokens)
    texts: Texts = {}
    with reporter.stage(f"decode {what}", len(options.problems)) as stage:
        engine = LocalEngine(loaded)
        for group in by_setting(options.problems):
            keys = {problem.name: _key(problem) for problem in group}
            for batch in engine.generate(group, decode, seed=0):
                texts |= {keys[answer.name]: answer.text for answer in batch}
                stage.update(len(texts), len(options.problems))
    return {_key(problem): texts[_key(problem)] for problem in options.problems}


def _probes(loaded: LoadedModel, problems: Sequence[Problem], texts: Texts) -> list[Text]:
    tokenizer: Any = loaded.tokenizer
    probes = []
    for problem in problems:
        prompt = encode_prompt(tokenizer, problem.prompt)
        rest = tokenizer(texts[_key(problem)], add_special_tokens=False)["input_ids"]
        probes.append(Text(problem.name, (*prompt, *rest), len(prompt)))
    return probes


def _logits(loaded: LoadedModel) -> Any:
    import torch

    model: Any = loaded.model

    def logits(ids: Sequence[int]) -> Tensor:
        with torch.inference_mode():
            tensor: Tensor = model(input_ids=torch.tensor([list(ids)], device=model.device)).logits[0]
        return tensor

    return logits


def _judged(
    options: AnswerOptions, ours: Texts, theirs: Texts, reporter: Reporter
) -> list[tuple[Comparison, tuple[float, float]]]:
    found = []
    with Judge(workers=options.workers, sandbox=options.sandbox) as judge:
        for group in by_setting(options.problems):
            with reporter.stage(f"judge {group[0].benchmark} {group[0].language}", 2) as stage:
                unmerged = _score("unmerged", group, ours, judge)
                stage.update(1, 2)
                merged = _score("merged", group, theirs, judge)
                stage.update(2, 2)
            values = (unmerged.estimates[0].value, merged.estimates[0].value)
            found.append((compare(merged, unmerged), values))
    return found


def _score(arm: str, problems: Sequence[Problem], texts: Texts, judge: Judge) -> Score:
    verdicts = judge(problems, [texts[_key(problem)] for problem in problems])
    outcomes: dict[str, list[Outcome]] = {verdict.name: [verdict.outcome] for verdict in verdicts}
    first = problems[0]
    score = Score(arm, first.benchmark, first.language, first.lexicon, "greedy", outcomes={"-": outcomes})
    return estimate(score)
