"""Models that keep other states than keys and values, or cannot tell padding from text.

Each tiny model's answers are compared with those of the plain model, which reads the whole text again for
every token, without a cache, a batch or padding.
"""

from __future__ import annotations

import inspect
import logging
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import torch
import transformers
from tests.support.decoding import BEAM, GREEDY, SAMPLE, answers
from tests.support.tiny import tiny_tokenizer

from flextune.config import DecodeConfig
from flextune.errors import FlextuneError
from flextune.generation.local import LocalEngine
from flextune.generation.local import engine as engine_module
from flextune.generation.local.padding import sharing
from flextune.models.load import LoadedModel
from flextune.records import Problem

pytestmark = pytest.mark.slow

HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 256}
SMALL = {"vocab_size": 258, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, **HEADS}
MIXED = {"layer_types": ["linear_attention", "full_attention"], "head_dim": 8}
DELTA = {
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
}
EXPERTS = {"num_experts": 2, "num_experts_per_tok": 1, "moe_intermediate_size": 16}
SSM = {"mamba_n_heads": 8, "mamba_d_head": 8, "mamba_d_state": 8, "mamba_n_groups": 1, "mamba_chunk_size": 8}
#: Model type to its class and what its tiny configuration needs.
KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "mamba": ("Mamba", {"state_size": 8}),
    "mamba2": ("Mamba2", {"num_heads": 8, "head_dim": 8, "state_size": 8, "n_groups": 2, "chunk_size": 8}),
    "falcon_mamba": ("FalconMamba", {"state_size": 8}),
    "jamba": (
        "Jamba",
        {
            "attn_layer_period": 2,
            "attn_layer_offset": 1,
            "num_experts": 2,
            "mamba_d_state": 8,
            "use_mamba_kernels": False,
        },
    ),
    "falcon_h1": ("FalconH1", {"mamba_d_ssm": 32, **SSM, "mamba_n_heads": 4}),
    "lfm2": ("Lfm2", {"layer_types": ["conv", "full_attention"]}),
    "qwen3_next": ("Qwen3Next", {**MIXED, **DELTA, **EXPERTS, "shared_expert_intermediate_size": 16}),
    "recurrent_gemma": ("RecurrentGemma", {"lru_width": 32, "block_types": ["recurrent", "attention"]}),
    "minimax": ("MiniMax", {**MIXED, "num_local_experts": 2, "num_experts_per_tok": 1}),
    "roformer": ("RoFormer", {"is_decoder": True}),
    "rwkv": ("Rwkv", {"attention_hidden_size": 32, "context_length": 256}),
    "xlstm": ("xLSTM", {"hidden_size": 128, "num_heads": 2, "return_last_states": True, "mode": "inference"}),
}
EQUAL = {"minimax", "recurrent_gemma", "roformer", "xlstm"}
LENGTHS = (5, 17, 9, 23, 9, 9)
NEAR_TIE = 1e-4


@cache
def tiny(kind: str) -> LoadedModel:
    """A random model with weights large enough that answers differ from prompt to prompt."""
    name, changes = KINDS[kind]
    config = getattr(transformers, f"{name}Config")(**{**SMALL, **changes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = getattr(transformers, f"{name}ForCausalLM")(config).eval()
        with torch.no_grad():
            for label, parameter in model.named_parameters():
                if parameter.dim() >= 2 and "conv" not in label and "A_log" not in label:
                    parameter.normal_(0, 0.25)
    model.generation_config.eos_token_id = None
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    return LoadedModel(model, tokenizer, f"tiny {kind}", kind)


def some_problems() -> list[Problem]:
    letters = "abcdefghijklmnopqrstuvwxyz" * 2
    return [Problem(f"p{n}", "made-up", "py", letters[n : n + size], "") for n, size in enumerate(LENGTHS)]


@cache
def reread(kind: str, prompt: str, tokens: int) -> tuple[str, float]:
    """The greedy text, and the smallest gap of the two largest logits on its way."""
    loaded = tiny(kind)
    ids = loaded.tokenizer(prompt)["input_ids"]
    uncached = (
        {"use_cache": False} if "use_cache" in inspect.signature(loaded.model.forward).parameters else {}
    )
    new: list[int] = []
    gaps = []
    with torch.inference_mode():
        while len(new) < tokens and 1 not in new:
            top = loaded.model(input_ids=torch.tensor([[*ids, *new]]), **uncached).logits[0, -1].topk(2)
            new.append(int(top.indices[0]))
            gaps.append(float(top.values[0] - top.values[1]))
    return loaded.tokenizer.decode(new, skip_special_tokens=True), min(gaps)


@pytest.mark.parametrize("batch_size", [1, 6])
@pytest.mark.parametrize("kind", KINDS)
def test_a_greedy_answer_is_the_one_that_the_whole_text_read_again_gives(kind: str, batch_size: int) -> None:
    # A stop string lets rows leave the batch at different times.
    problems = [replace(p, stop=(letter,)) for p, letter in zip(some_problems(), "ABCDEF", strict=True)]
    decode = DecodeConfig(max_new_tokens=16, batch_size=batch_size)
    by_name = {answer.name: answer for answer in answers(LocalEngine(tiny(kind)), problems, decode)}
    texts = set()
    for problem in problems:
        text, gap = reread(kind, problem.prompt, decode.max_new_tokens)
        texts.add(text)
        if gap > NEAR_TIE:
            assert by_name[problem.name].text == text.partition(problem.stop[0])[0]
    assert len(texts) > 2


@pytest.mark.parametrize(
    ("decode", "kind"),
    [
        *((SAMPLE, kind) for kind in ("mamba", "qwen3_next", "recurrent_gemma", "rwkv", "xlstm")),
        *((BEAM, kind) for kind in ("mamba", "qwen3_next", "recurrent_gemma")),
    ],
    ids=lambda value: value if isinstance(value, str) else value.strategy,
)
def test_a_sampled_or_beam_answer_does_not_depend_on_the_batch(kind: str, decode: DecodeConfig) -> None:
    engine, short = LocalEngine(tiny(kind)), {"max_new_tokens": 12}
    alone = answers(engine, some_problems(), decode.model_copy(update={**short, "batch_size": 1}))
    together = answers(engine, some_problems(), decode.model_copy(update=short))
    texts = {(answer.name, answer.sample): answer.text for answer in together}
    assert texts == {(answer.name, answer.sample): answer.text for answer in alone}


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_shares_a_batch_as_far_as_it_was_measured_to(kind: str) -> None:
    expected = "none" if kind == "rwkv" else "equal" if kind in EQUAL else "any"
    assert sharing(tiny(kind).model) == expected


def test_an_adapter_changes_nothing_about_the_batch() -> None:
    from peft import LoraConfig, get_peft_model

    config = transformers.RwkvConfig(vocab_size=258, hidden_size=32, num_hidden_layers=2, context_length=64)
    base = transformers.RwkvForCausalLM(config)
    adapted = get_peft_model(base, LoraConfig(target_modules=["key"], task_type="CAUSAL_LM"))
    assert sharing(adapted) == "none"


def test_a_warning_says_once_that_prompts_are_decoded_alone(caplog: pytest.LogCaptureFixture) -> None:
    engine_module._warn_once.cache_clear()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            answers(LocalEngine(tiny("rwkv")), some_problems()[:1], DecodeConfig(max_new_tokens=1))
        answers(LocalEngine(tiny("roformer")), some_problems()[:1], DecodeConfig(max_new_tokens=1))
    alone, equal = caplog.messages
    assert alone.startswith("model 'tiny rwkv': a model of type 'rwkv' answers differently in a batch")
    assert "only equally long prompts share a batch" in equal


def test_a_model_that_shares_any_batch_is_not_warned_about(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="flextune"):
        answers(LocalEngine(tiny("mamba")), some_problems()[:1], GREEDY)
    assert caplog.messages == []


@pytest.mark.parametrize("kind", ["rwkv", "xlstm", "minimax"])
def test_beams_are_refused_where_their_states_would_not_move_with_them(kind: str) -> None:
    with pytest.raises(FlextuneError, match=f"of type '{kind}' cannot keep several beams; use strategy"):
        answers(LocalEngine(tiny(kind)), some_problems(), BEAM)


def test_a_model_without_a_cache_is_refused() -> None:
    config = transformers.OpenAIGPTConfig(vocab_size=258, n_embd=16, n_layer=1, n_head=2, n_positions=32)
    loaded = replace(tiny("mamba"), model=transformers.OpenAIGPTLMHeadModel(config), name="old")
    with pytest.raises(FlextuneError, match="model 'old': a model of type 'openai-gpt' keeps no cache"):
        LocalEngine(loaded)
