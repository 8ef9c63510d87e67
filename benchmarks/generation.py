"""How fast completions are decoded: against one prompt after the other, and against fixed padded batches.

``python -m benchmarks.generation [--device cpu|cuda] [--quick] [--tiny]``

Each device has its own part of ``results/generation.md``; measuring one keeps the other's. The CPU decodes
the prompts of HumanEval (``$FLEXTUNE_DATA`` names their folder) with the embedded model. CUDA decodes made-up
prompts of HumanEval's lengths with the shape of Code Llama 7B and random weights.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

import torch

from benchmarks.devices import Call, parse_call, progress, timed
from benchmarks.generation_cuda import measure_cuda
from benchmarks.plain_generation import Texts, fixed_batches, per_problem
from benchmarks.reporting import conditions, table
from flextune.config import DecodeConfig
from flextune.generation.engine import Request
from flextune.generation.local import LocalEngine
from flextune.models.load import LoadedModel, load_model
from flextune.records import Problem

INTRODUCTION = """\
# How fast completions are decoded

Both sides decode the same prompts with the same model, settings and stop strings in one process, in turn.
Greedy texts are compared: one that differs must have passed two logits closer than 1e-4.

- `per problem` is the BigCode harness's way: one prompt after the other, its samples as one batch.
- `fixed batches` is `transformers.generate` on batches of 32 in the benchmark's order, padded on the left.

Goals on the CPU (embedded model, prompts of HumanEval): 3x `per problem` with one greedy and with 20 sampled
completions a prompt, 1.5x `fixed batches`. Goals on a GPU (shape of Code Llama 7B, bfloat16): 8x plain
`generate` at batch 1 and 32, 5x at 96, and half of what its memory's bandwidth allows at batch 1."""

#: Two logits closer than this may be ordered otherwise by sums in another order.
NEAR_TIE = 1e-4
BATCH = 32


@dataclass(frozen=True)
class Effort:
    """How much is decoded.

    Attributes:
        problems: Prompts with one greedy completion.
        sampled: Prompts with 20 samples.
        tokens: New tokens at most.
        repetitions: Of everything.
    """

    problems: int
    sampled: int
    tokens: int
    repetitions: int


FULL, QUICK = Effort(164, 24, 256, 3), Effort(72, 4, 160, 1)


def humaneval(count: int) -> list[Problem]:
    """The first prompts of HumanEval, with its stop strings."""
    from flextune.config import EvaluateConfig
    from flextune.sources.loading import load_problems

    return load_problems(EvaluateConfig(benchmark="humaneval", language="py", limit=count), None)


def ours(engine: LocalEngine, problems: Sequence[Problem], decode: DecodeConfig) -> Texts:
    """Every completion, by problem and sample."""
    answers = [answer for group in engine.answer([Request(problems, decode, 0)]) for answer in group]
    return {(a.completion.name, a.completion.sample): a.completion.text for a in answers}


def ties(engine: LocalEngine, problems: Sequence[Problem], decode: DecodeConfig) -> set[str]:
    """Problems whose greedy text passed a near tie."""
    answers = [answer for group in engine.answer([Request(problems, decode, 0)]) for answer in group]
    margins = {answer.completion.name: answer.completion.margin for answer in answers}
    return {name for name, margin in margins.items() if margin is not None and margin < NEAR_TIE}


def check(name: str, mine: Texts, theirs: Texts, tied: set[str]) -> str:
    """Both sides give the same greedy texts, or their times say nothing."""
    other = {key for key in theirs if mine[key] != theirs[key]}
    unexplained = {key for key in other if key[0] not in tied}
    if unexplained:
        raise SystemExit(
            f"{name}: {len(unexplained)} texts differ without a near tie, first {min(unexplained)}"
        )
    return f"{len(theirs)} greedy texts compared with `{name}`: {len(other)} differ (at near ties)"


def measure_cpu(effort: Effort) -> tuple[str, dict[str, float]]:
    """The part of the results file, and the ratios."""
    loaded = load_model("rosetta", device="cpu")
    # The product decodes the embedded model on one thread; so do both sides here.
    torch.set_num_threads(1)
    engine = LocalEngine(loaded)
    problems = humaneval(effort.problems)
    greedy = DecodeConfig(max_new_tokens=effort.tokens)
    drawn = replace_decode(greedy, strategy="sample", temperature=0.8, n=20)
    few = problems[: effort.sampled]
    tied = ties(engine, problems, greedy)
    rows: list[Sequence[object]] = []
    notes: list[str] = []
    keys: dict[str, float] = {}
    for key, label, theirs, mine in _pairs(loaded, engine, problems, few, greedy, drawn):
        ratio, text = _compare(key, theirs, mine, effort.repetitions, tied if "n20" not in key else None)
        keys[key] = round(ratio, 2)
        rows.append((label, f"{ratio:.2f}x"))
        notes += [text] if text else []
        progress(f"{label}: {ratio:.2f}x")
    made = f"{len(problems)} prompts (20 samples: {len(few)}), at most {effort.tokens} new tokens, one thread"
    part = [conditions(), made + ".", table(("against", "times as fast"), rows), *notes]
    return "\n\n".join(part), keys


def _pairs(
    loaded: LoadedModel,
    engine: LocalEngine,
    problems: Sequence[Problem],
    few: Sequence[Problem],
    greedy: DecodeConfig,
    drawn: DecodeConfig,
) -> list[tuple[str, str, Callable[[], Texts], Callable[[], Texts]]]:
    """Key, label, their side and ours."""
    return [
        (
            "vs_per_problem_n1",
            "`per problem`, greedy, n = 1",
            partial(per_problem, loaded, problems, greedy),
            partial(ours, engine, problems, greedy),
        ),
        (
            "vs_per_problem_n20",
            "`per problem`, sampled, n = 20",
            partial(per_problem, loaded, few, drawn),
            partial(ours, engine, few, drawn),
        ),
        (
            "vs_fixed_batches",
            "`fixed batches`, greedy, n = 1",
            partial(fixed_batches, loaded, problems, greedy, BATCH),
            partial(ours, engine, problems, greedy),
        ),
    ]


def _compare(
    key: str, theirs: Callable[[], Texts], mine: Callable[[], Texts], repetitions: int, tied: set[str] | None
) -> tuple[float, str]:
    """Median ratio of times, the sides taking turns, and what the texts' comparison found."""
    device = torch.device("cpu")
    texts: dict[str, Texts] = {}
    ratios = []
    for _ in range(repetitions):
        seconds = {
            name: timed(lambda name=name, side=side: texts.__setitem__(name, side()), device)  # type: ignore[misc]
            for name, side in (("theirs", theirs), ("mine", mine))
        }
        ratios.append(seconds["theirs"] / seconds["mine"])
    said = check(key, texts["mine"], texts["theirs"], tied) if tied is not None else ""
    return median(ratios), said


def replace_decode(decode: DecodeConfig, **changes: object) -> DecodeConfig:
    """A way of decoding with other settings."""
    return decode.model_copy(update=changes)


def main(call: Call) -> None:
    """Measure what is asked for."""
    part: str
    keys: Mapping[str, float]
    if call.on_models:
        part, keys = measure_cuda(call)
    else:
        part, keys = measure_cpu(QUICK if call.quick else FULL)
    call.report("generation", INTRODUCTION, part, keys)


if __name__ == "__main__":
    main(parse_call(__doc__))
