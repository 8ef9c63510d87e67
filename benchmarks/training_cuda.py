"""The GPU's part of what a training costs: a model of Code Llama 7B's shape with random weights."""

from __future__ import annotations

import copy
import importlib.util
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import torch

from benchmarks.devices import progress, timed
from benchmarks.penalty_cases import CODE_LLAMA, TINY, Llama
from benchmarks.reporting import conditions, table
from benchmarks.training_sides import Outcome, Setting, ours, plain, run

#: Steps of each training; the first ones are left out by a training of two steps before.
STEPS, WARM = 10, 2
PLAIN, OURS = "plain", "flextune"


def measure_cuda(device: torch.device, *, tiny: bool) -> tuple[str, dict[str, float]]:
    """Tokens per second against a plain script, and the penalty's share, at full batches."""
    size = TINY if tiny else CODE_LLAMA
    setting = _setting(size, device)
    outcomes: dict[str, Outcome] = {}
    for name, side in _sides().items():
        progress(name)
        run(side, _first(setting))
        outcomes[name] = run(side, setting)
    if not tiny and importlib.util.find_spec("bitsandbytes") is not None:
        progress("nf4")
        four = _setting(size, device, bits=True)
        run(_sides()[OURS], _first(four))
        outcomes["flextune, nf4"] = run(_sides()[OURS], four)
    return _report(size, setting, outcomes, matrix_rate(device, 256 if tiny else 8192))


def matrix_rate(device: torch.device, size: int) -> float:
    """Floating-point operations a second of a product of square bfloat16 matrices."""
    one, other = (torch.randn(size, size, device=device, dtype=torch.bfloat16) for _ in range(2))
    seconds = min(timed(lambda: one @ other, device) for _ in range(10))
    return float(2 * size**3 / seconds)


def _sides() -> dict[str, Callable[..., Any]]:
    from flextune.training.callbacks.penalty import SpectralCallback

    def penalty() -> list[Any]:
        return [SpectralCallback(strength=0.02)]

    sophia = {"sophia": {"gamma": 0.05}}
    return {
        PLAIN: partial(plain, longest=True),
        OURS: partial(ours, batches="auto"),
        "flextune, penalty": partial(ours, batches="auto", more_callbacks=penalty),
        "flextune, Sophia": partial(ours, batches="auto", trainer_options=sophia),
    }


def _setting(size: Llama, device: torch.device, *, bits: bool = False) -> Setting:
    generator = torch.Generator().manual_seed(0)
    rows = []
    for _ in range(STEPS * size.batch):
        ids = torch.randint(2, size.vocabulary, (size.length,), generator=generator)
        rows.append({"input_ids": ids, "labels": ids.clone()})
    model = _made(size, device, bits=bits)
    return Setting(
        model=lambda: _bare(model),
        rows=rows,
        batch_size=size.batch,
        longest=size.length,
        pad=0,
        device=device,
        half=device.type == "cuda",
    )


def _bare(model: Any) -> Any:
    """A second tree of modules, without an adapter: all sides share the weights."""
    return copy.deepcopy(model, {id(weight): weight for weight in (*model.parameters(), *model.buffers())})


def _made(size: Llama, device: torch.device, *, bits: bool) -> Any:
    from transformers import AutoModelForCausalLM, LlamaConfig

    config = LlamaConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.hidden,
        intermediate_size=size.intermediate,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        num_key_value_heads=size.heads,
        max_position_embeddings=size.length,
        use_cache=False,
    )
    with device:
        model = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    if bits:
        _to_four_bits(model)
    return model.requires_grad_(False)


def _to_four_bits(model: Any) -> None:
    """The linear layers of the blocks in NF4, as a model in files would be loaded."""
    from bitsandbytes.nn.modules import Linear4bit

    for name, module in list(model.named_modules()):
        if isinstance(module, torch.nn.Linear) and name != "lm_head":
            four = Linear4bit(
                module.in_features,
                module.out_features,
                bias=False,
                compute_dtype=torch.bfloat16,
                quant_type="nf4",
            )
            four.weight.data = module.weight.data.cpu()
            parent, _, short = name.rpartition(".")
            setattr(model.get_submodule(parent), short, four.to(model.device))


def _first(setting: Setting) -> Setting:
    """Its first steps, to load kernels."""
    return Setting(**{**vars(setting), "rows": setting.rows[: WARM * setting.batch_size]})


def _report(
    size: Llama, setting: Setting, outcomes: Mapping[str, Outcome], rate: float
) -> tuple[str, dict[str, float]]:
    tokens = len(setting.rows) * size.length
    seconds = {name: each.seconds / setting.steps for name, each in outcomes.items()}
    share = _operations(size) / seconds[OURS] / rate
    keys = {
        "cuda_vs_plain": seconds[PLAIN] / seconds[OURS],
        "cuda_share_of_matmul": share,
        "penalty_share": seconds["flextune, penalty"] / seconds[OURS] - 1,
    }
    rows = [
        (
            name,
            f"{1000 * seconds[name]:.1f}",
            f"{tokens / each.seconds:.0f}",
            "unknown" if each.memory is None else f"{each.memory / 1e9:.1f}",
        )
        for name, each in outcomes.items()
    ]
    text = "\n\n".join(
        [
            conditions(),
            f"{size.name}, {size.batch} x {size.length} tokens a step, bfloat16; measured matrix rate"
            f" {rate / 1e12:.0f} TFLOP/s. `cuda_share_of_matmul` counts forward and backward through frozen"
            " weights: 4 operations a weight and token.",
            table(("side", "ms a step", "tokens a second", "peak memory, GB"), rows),
            table(("key", "value"), [(key, f"{value:.4f}") for key, value in keys.items()]),
        ]
    )
    return text, {key: round(value, 4) for key, value in keys.items()}


def _operations(size: Llama) -> float:
    """Of a step's matrix products: forward, and backward to the activations, for weights do not train."""
    block = 4 * size.hidden**2 + 3 * size.hidden * size.intermediate
    weights = size.layers * block + size.vocabulary * size.hidden
    return float(4 * weights * size.batch * size.length)
