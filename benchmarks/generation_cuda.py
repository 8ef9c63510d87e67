"""The GPU's part of the generation benchmark: the shape of Code Llama 7B, random weights, bfloat16."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any

import torch

from benchmarks.devices import Call, progress, timed, wait
from benchmarks.penalty_cases import CODE_LLAMA, TINY, Llama
from benchmarks.plain_generation import fixed_batches
from benchmarks.reporting import conditions, table
from flextune.config import DecodeConfig
from flextune.generation.engine import Request
from flextune.generation.local import LocalEngine
from flextune.models.load import LoadedModel, load_tokenizer
from flextune.records import Problem

#: Code Llama's tokens in HumanEval's prompts, at the deciles.
LENGTHS = (66, 92, 109, 127, 146, 166, 190, 224, 286)
#: Rows side by side.
SIZES = (1, 32, 96)


def random_model(shape: Llama, device: torch.device) -> LoadedModel:
    """A Llama of some shape with small random weights; it never says its end."""
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=max(shape.vocabulary, 1024),
        hidden_size=shape.hidden,
        intermediate_size=shape.intermediate,
        num_hidden_layers=shape.layers,
        num_attention_heads=shape.heads,
        max_position_embeddings=2048,
        tie_word_embeddings=False,
    )
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.bfloat16)
    try:
        with torch.device(device):
            model = LlamaForCausalLM(config).eval().requires_grad_(False)
    finally:
        torch.set_default_dtype(before)
    model.generation_config.eos_token_id = None
    return LoadedModel(model, load_tokenizer("rosetta"), shape.name, shape.name)


def prompts(loaded: LoadedModel, count: int) -> list[Problem]:
    """Prompts of HumanEval's lengths, in no order."""
    draws = random.Random(0)
    words = ["def", " x", " return", " for", " in", ":", "\n    ", " value", "(", ")"]
    problems = []
    for number in range(count):
        length = LENGTHS[number % len(LENGTHS)]
        text = "".join(draws.choices(words, k=length))
        ids = loaded.tokenizer(text, add_special_tokens=False)["input_ids"][:length]
        problems.append(Problem(f"p{number}", "made-up", "py", loaded.tokenizer.decode(ids), ""))
    draws.shuffle(problems)
    return problems


def measure_cuda(call: Call) -> tuple[str, dict[str, float]]:
    """The part of the results file, and the ratios; under four minutes."""
    device, shape = call.device, TINY if call.tiny else CODE_LLAMA
    tokens, repetitions = (12, 1) if call.tiny else (128, 2)
    loaded = random_model(shape, device)
    engine = LocalEngine(loaded)
    bandwidth = copy_bandwidth(device, 2**20 if call.tiny else 2**30)
    progress(f"{shape.name}: loaded; copies at {bandwidth / 1e9:.0f} GB/s")
    decode = DecodeConfig(max_new_tokens=tokens)
    rows: list[Sequence[object]] = []
    keys: dict[str, float] = {}
    for size in SIZES[:2] if call.tiny else SIZES:
        problems = prompts(loaded, size)
        sides: dict[str, Callable[[], Any]] = {
            "ours": partial(_ours, engine, problems, decode),
            "generate": partial(fixed_batches, loaded, problems, decode, size),
            "generate_batch": partial(_continuous, loaded, problems, tokens),
        }
        seconds = _in_turn(sides, repetitions, device)
        step = seconds["ours"] / tokens
        share = _bytes_of_step(loaded, engine, problems, tokens) / bandwidth / step
        speed = {name: size * tokens / value for name, value in seconds.items()}
        keys[f"cuda_vs_generate_{size}"] = round(seconds["generate"] / seconds["ours"], 2)
        if size != 32:
            keys[f"share_of_bandwidth_{size}"] = round(share, 3)
        numbers = [f"{speed[name]:.0f}" if name in speed else "failed" for name in sides]
        rows.append((size, *numbers, f"{keys[f'cuda_vs_generate_{size}']:.1f}x", f"{share:.2f}"))
        progress(f"{size} rows: {rows[-1]}")
    header = (
        "rows",
        "ours, tokens/s",
        "`generate`",
        "`generate_batch`",
        "against `generate`",
        "of the bandwidth",
    )
    made = (
        f"{shape.name}'s shape, bfloat16, greedy, {tokens} new tokens; "
        f"copies run at {bandwidth / 1e9:.0f} GB/s."
    )
    return "\n\n".join([conditions(), made, table(header, rows)]), keys


def copy_bandwidth(device: torch.device, size: int) -> float:
    """Bytes a second that a large copy reads and writes."""
    source = torch.ones(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2 * size / median(timed(partial(target.copy_, source), device) for _ in range(10))


def _ours(engine: LocalEngine, problems: Sequence[Problem], decode: DecodeConfig) -> int:
    return sum(len(group) for group in engine.answer([Request(problems, decode, 0)]))


def _continuous(loaded: LoadedModel, problems: Sequence[Problem], tokens: int) -> Any:
    """transformers' continuous batching."""
    from transformers import GenerationConfig

    ids = [loaded.tokenizer(problem.prompt)["input_ids"] for problem in problems]
    config = GenerationConfig(max_new_tokens=tokens, do_sample=False, eos_token_id=None, pad_token_id=0)
    return loaded.model.generate_batch(inputs=ids, generation_config=config)


def _in_turn(sides: dict[str, Callable[[], Any]], repetitions: int, device: torch.device) -> dict[str, float]:
    """Median seconds after one warm-up each; a side that fails is left out and named."""
    seconds: dict[str, list[float]] = {}
    failed: set[str] = set()
    for repetition in range(repetitions + 1):
        for name, side in sides.items():
            if name in failed:
                continue
            try:
                elapsed = timed(side, device)
            except Exception as error:  # another engine's failure is a result, not ours
                if name != "generate_batch":
                    raise
                progress(f"{name} failed: {str(error).splitlines()[:1]}")
                failed.add(name)
                continue
            if repetition:
                seconds.setdefault(name, []).append(elapsed)
    wait(device)
    return {name: median(values) for name, values in seconds.items()}


def _bytes_of_step(
    loaded: LoadedModel, engine: LocalEngine, problems: Sequence[Problem], tokens: int
) -> float:
    """What an average step must read: the weights once, and the keys and values of every row."""
    model = loaded.model
    weights = sum(p.numel() * p.element_size() for p in model.parameters())
    # A row of the input embedding is read for every text, not all of it.
    embedding = model.get_input_embeddings().weight
    lengths = [len(loaded.tokenizer(problem.prompt)["input_ids"]) + tokens / 2 for problem in problems]
    per_token = engine.token_bytes
    return weights - embedding.numel() * embedding.element_size() + per_token * sum(lengths)
