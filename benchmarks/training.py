"""What a training costs: examples per second and memory against a plain PEFT script and TRL's SFTTrainer.

``python -m benchmarks.training [--device cpu|cuda] [--quick] [--tiny]``

Each device has its own part of ``results/training.md``; measuring one keeps the other's. On CUDA it needs
torch, transformers, PEFT and, for NF4, bitsandbytes beside ``flextune``, which ``PYTHONPATH=src`` brings
without an install.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch

from benchmarks.devices import parse_call, progress
from benchmarks.reporting import conditions, table
from benchmarks.training_cuda import measure_cuda
from benchmarks.training_sides import Outcome, Rows, Setting, padded_share, run, sides

#: Code Llama's tokenizer has this mean over MBPP's training texts.
MEAN_TOKENS = 156
LONGEST, BATCH = 512, 4
OURS = ("flextune, padded", "flextune, padding_free")
INTRODUCTION = f"""\
# What a training costs

All sides train the same model on the same rows once, with the same adapter (rank 8, targets `mlp`), AdamW,
seed and {BATCH} texts a step; they take turns in one process, and medians over the rounds are shown. Texts
have MBPP's distribution of lengths, scaled to Code Llama's mean of {MEAN_TOKENS} tokens.

The ceiling against a padded script is 1 / its share of useful tokens: what leaving out all padding can
gain. `share_of_ceiling_512` and `share_of_ceiling_longest` are the examples per second of flextune's default
over the plain script's, divided by that ceiling (goal 0.85). `vs_sft` is flextune's default over TRL's
SFTTrainer with texts grouped by length (goal 1.0). flextune's order groups texts by length too; its
default on the CPU is `padded`, on CUDA `padding_free`."""


@dataclass(frozen=True)
class Effort:
    """How many texts are trained on, and how often."""

    texts: int
    rounds: int


FULL, QUICK, TRIAL = Effort(372, 3), Effort(32, 1), Effort(8, 1)


def main() -> None:
    """Measure one device."""
    call = parse_call(__doc__)
    for name in ("transformers", "trl", "datasets", "accelerate"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.simplefilter("ignore")
    if call.on_models:
        part, keys = measure_cuda(call.device, tiny=call.tiny)
    else:
        torch.set_num_threads(1)
        part, keys = measure_cpu(call.effort(FULL, QUICK, TRIAL))
    call.report("training", INTRODUCTION, part, keys)


def measure_cpu(effort: Effort) -> tuple[str, dict[str, float]]:
    """The embedded model on texts of MBPP's lengths."""
    setting = embedded(effort.texts)
    outcomes: dict[str, list[Outcome]] = {name: [] for name in sides()}
    for each in range(effort.rounds):
        for name, side in sides().items():
            progress(f"round {each + 1}: {name}")
            outcomes[name].append(run(side, setting))
    return report(setting, outcomes)


def embedded(texts: int) -> Setting:
    """The embedded model; of its float32 weights each side loads its own."""
    from flextune.models.load import load_model

    loaded = load_model("rosetta", device="cpu")
    return Setting(
        model=lambda: load_model("rosetta", device="cpu").model,
        rows=mbpp_rows(loaded.tokenizer, texts),
        batch_size=BATCH,
        longest=LONGEST,
        pad=loaded.tokenizer.pad_token_id,
        device=torch.device("cpu"),
    )


def mbpp_rows(tokenizer: Any, count: int) -> Rows:
    """MBPP's training texts, each cut so that the lengths have Code Llama's mean; all tokens count."""
    from flextune.config import TrainConfig
    from flextune.sources.loading import load_examples
    from flextune.training.batches.encoded import encode

    examples, _ = load_examples(TrainConfig(data="mbpp"), None)
    rows = encode(tokenizer, examples[:count], 10**6, "full").rows
    mean = sum(len(row["input_ids"]) for row in rows) / len(rows)
    cut: Rows = []
    for row in rows:
        length = min(LONGEST, max(8, round(len(row["input_ids"]) * MEAN_TOKENS / mean)))
        cut.append({key: value[:length] for key, value in row.items()})
    return cut


def report(setting: Setting, outcomes: Mapping[str, Sequence[Outcome]]) -> tuple[str, dict[str, float]]:
    """The part of the results file, and the numbers of the last line."""
    speed = {
        name: median(len(setting.rows) / each.seconds for each in rounds) for name, rounds in outcomes.items()
    }
    shares = {"512": padded_share(setting, longest=False), "longest": padded_share(setting, longest=True)}
    plain = {"512": speed["plain, padded to 512"], "longest": speed["plain, padded to the longest"]}
    default = speed[OURS[0]]
    keys = {f"share_of_ceiling_{to}": default / plain[to] * shares[to] for to in shares}
    keys["vs_sft"] = default / speed["TRL SFTTrainer"]
    keys["padding_free_vs_padded"] = speed[OURS[1]] / speed[OURS[0]]
    lengths = [len(row["input_ids"]) for row in setting.rows]
    rows = [
        (
            name,
            f"{speed[name]:.2f}",
            len(rounds[0].losses),
            f"{median(each.learned for each in rounds):.4f}",
            _mib([each.memory for each in rounds if each.memory is not None]),
        )
        for name, rounds in outcomes.items()
    ]
    text = "\n\n".join(
        [
            conditions(),
            f"{len(lengths)} texts of {sum(lengths) / len(lengths):.0f} tokens in the mean (longest"
            f" {max(lengths)}). Useful share of the plain script's tokens: {shares['512']:.1%} padded to"
            f" {setting.longest} (ceiling {1 / shares['512']:.2f}x), {shares['longest']:.1%} padded to the"
            f" longest (ceiling {1 / shares['longest']:.2f}x).",
            table(
                ("side", "examples a second", "steps", "loss over the texts afterwards", "peak memory, MiB"),
                rows,
            ),
            table(("key", "value"), [(key, f"{value:.3f}") for key, value in keys.items()]),
        ]
    )
    return text, {key: round(value, 4) for key, value in keys.items()}


def _mib(values: Sequence[int]) -> str:
    return f"{median(values) / 2**20:.0f}" if values else "unknown"


if __name__ == "__main__":
    main()
