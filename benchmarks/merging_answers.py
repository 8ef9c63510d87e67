"""What rounding and its remedies do to a model's next tokens, for updates of several relative sizes.

``python -m benchmarks.merging_answers ADAPTER`` writes ``results/merging_answers.md``.

The adapter is one of the embedded model. Its update is scaled, so that ``|U| / |W|`` is what it is for
adapters of large models, too; its spectrum is its own. The base model's weights are first rounded to
bfloat16, as those of a large model are. Only the adapted weights are then merged and rounded; everything is
computed in float32, on reference programs of the embedded benchmark.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from benchmarks.reporting import conditions, finish, table
from flextune.audit.merging.tokens import Distributions, Text, TokenAudit, compare_tokens, distributions
from flextune.config import EvaluateConfig
from flextune.models.adapters import shared_view
from flextune.models.encoding import encode_prompt
from flextune.models.load import LoadedModel, load_model
from flextune.models.merging.adapted import open_adapted
from flextune.models.merging.rounding import stochastic
from flextune.rosetta import model_folder
from flextune.sources.loading import load_problems

SIZES = (1e-3, 3e-3, 1e-2, 3e-2, 1e-1)
RANK = 8
#: Part of the adapted weights that is kept in float32: parameters with the largest errors.
PRECISE = 0.25
Weights = dict[str, Tensor]
INTRODUCTION = f"""\
# What rounding a merge does to the next tokens

`U / W` is the size of the whole update beside that of the weights it is added to; `trained` is the adapter as
it was trained. `KL` is the mean divergence of the unmerged from the merged model per token, in nats; `of the
adapter's` is that as a part of the divergence from the base model; `top-1` is the share of tokens with the
same likeliest token. Remedies: stochastic rounding; a residual adapter of rank {RANK} that holds the best
approximation of each matrix's rounding errors, beside the merged weights; float32 for the quarter of the
weights whose matrices have the largest relative errors."""


def remedies(base: Weights, update: Weights) -> Iterator[tuple[str, Weights]]:
    """Names to merged weights, in float32."""
    exact = {name: base[name] + update[name] for name in update}
    near = {name: each.bfloat16().float() for name, each in exact.items()}
    yield "bfloat16", near
    yield (
        "bfloat16, stochastic",
        {n: stochastic(each, torch.bfloat16, 1).float() for n, each in exact.items()},
    )
    yield f"bfloat16 + residual, rank {RANK}", {n: near[n] + _best(exact[n] - near[n]) for n in exact}
    worst = sorted(exact, key=lambda n: -float((near[n] - exact[n]).norm() / update[n].norm()))
    total, kept, precise = sum(each.numel() for each in exact.values()), 0, set()
    for name in worst:
        if kept + exact[name].numel() <= PRECISE * total:
            kept += exact[name].numel()
            precise.add(name)
    yield "bfloat16, a quarter float32", {n: exact[n] if n in precise else near[n] for n in exact}
    yield "float16", {name: each.half().float() for name, each in exact.items()}


def _best(rest: Tensor) -> Tensor:
    u, s, v = torch.linalg.svd(rest, full_matrices=False)
    return (u[:, :RANK] * s[:RANK]) @ v[:RANK]


def measured(adapter: Path) -> Iterator[tuple[object, ...]]:
    """Rows of the table."""
    loaded = load_model("rosetta", device="cpu")
    files = open_adapted("rosetta", model_folder(), adapter)
    names = [name for name in files.changed if name.endswith(".weight")]
    updates = {n: (files.merged(n, torch.float64) - files.base(n).double()).float() for n in names}
    base = {name: parameter.bfloat16().float() for name, parameter in loaded.model.named_parameters()}
    adapted = {name: base[name] for name in updates}
    texts = _texts(loaded)
    before = _run(loaded, base, texts)
    trained = _norm(updates) / _norm(adapted)
    for size in (*SIZES, None):
        factor = 1.0 if size is None else size / trained
        update = {name: factor * each for name, each in updates.items()}
        exact = {name: adapted[name] + update[name] for name in update}
        unmerged = _run(loaded, {**base, **exact}, texts)
        label = f"trained ({trained:.3g})" if size is None else f"{size:g}"
        for name, merged in remedies(adapted, update):
            error = _norm({n: merged[n] - exact[n] for n in merged}) / _norm(update)
            kept = (
                sum(float(((merged[n] - adapted[n]) * update[n]).sum()) for n in merged) / _norm(update) ** 2
            )
            audit = compare_tokens(unmerged, _run(loaded, {**base, **merged}, texts), before)
            yield (label, name, f"{100 * error:.3g}", f"{kept:.3f}", *_shown(audit))


def _shown(audit: TokenAudit) -> tuple[str, ...]:
    return f"{audit.kl:.2e}", f"{100 * audit.lost:.2g} %", f"{100 * audit.top1:.2f} %"


def _norm(weights: Weights) -> float:
    return float(sum(float(each.double().norm()) ** 2 for each in weights.values()) ** 0.5)


def _texts(loaded: LoadedModel) -> list[Text]:
    tokenizer: Any = loaded.tokenizer
    texts = []
    for lexicon in ("reserved", "base"):
        part = EvaluateConfig(benchmark="rosetta", language="py", lexicon=lexicon, limit=20)  # type: ignore[arg-type]
        for problem in load_problems(part, None):
            prompt = encode_prompt(tokenizer, problem.prompt)
            rest = tokenizer(problem.reference, add_special_tokens=False)["input_ids"]
            texts.append(Text(problem.name, (*prompt, *rest), len(prompt)))
    return texts


def _run(loaded: LoadedModel, weights: Weights, texts: list[Text]) -> Distributions:
    view = shared_view(loaded.model, own=loaded.model.parameters())
    with torch.inference_mode():
        for name, parameter in view.named_parameters():
            parameter.copy_(weights[name])
        logits: Callable[..., Tensor] = lambda ids: view(input_ids=torch.tensor([list(ids)])).logits[0]  # noqa: E731
        return distributions(texts, logits)


def main() -> None:
    """Measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("adapter", type=Path)
    parser.add_argument("--quick", action="store_true", help="print instead of writing")
    call = parser.parse_args()
    header = ("U / W", "merged weights", "error, %", "kept", "KL", "of the adapter's", "top-1")
    text = "\n\n".join([INTRODUCTION, conditions(), table(header, measured(call.adapter))])
    finish("merging_answers", text, {}, quick=call.quick)


if __name__ == "__main__":
    main()
