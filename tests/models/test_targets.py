from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
import torch
from tests.support.tiny import tiny_config
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GPT2Config,
    GPTNeoXConfig,
    LlamaConfig,
    MambaConfig,
    PhiConfig,
)

from flextune.config import AdapterConfig
from flextune.errors import FlextuneError
from flextune.models.adapters import attach_adapter, check_targets, trainable_parameters
from flextune.models.families import SETS
from flextune.models.load import LoadedModel
from flextune.models.targets import find_targets

pytestmark = pytest.mark.slow


def on_meta(config: Any) -> Any:
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


@pytest.fixture(scope="module")
def llama() -> Any:
    return on_meta(tiny_config(num_hidden_layers=6))


@pytest.mark.parametrize(
    ("targets", "count"), [("standard", 11_927_552), ("mlp", 11_599_872), ("attention", 4_194_304)]
)
def test_parameter_counts_at_code_llama_7b(targets: str, count: int) -> None:
    config = LlamaConfig(
        hidden_size=4096,
        num_hidden_layers=32,
        intermediate_size=11008,
        num_attention_heads=32,
        vocab_size=32016,
    )
    model = on_meta(config)
    loaded = LoadedModel(model, SimpleNamespace(), "meta", "")
    adapter = AdapterConfig(rank=8, targets=targets)
    assert trainable_parameters(attach_adapter(loaded, adapter, seed=0)) == count


@pytest.mark.parametrize(
    ("layers", "wanted"),
    [
        ("0-1", {0, 1}),
        ("4-", {4, 5}),
        ("2", {2}),
        ("0,3-4", {0, 3, 4}),
        ([5, 1], {1, 5}),
        (None, set(range(6))),
    ],
)
def test_layer_ranges(llama: Any, layers: Any, wanted: set[int]) -> None:
    names = find_targets(llama, "mlp", layers).modules
    assert {int(name.split(".")[2]) for name in names} == wanted
    assert len(names) == 3 * len(wanted)


def test_names_match_whole_parts_only(llama: Any) -> None:
    assert find_targets(llama, ["layers.1.mlp.up_proj"]).modules == ("model.layers.1.mlp.up_proj",)
    with pytest.raises(FlextuneError):
        find_targets(llama, ["p_proj"])


@pytest.mark.parametrize(
    ("config", "mlp", "attention"),
    [
        (GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=32), {"c_fc", "c_proj"}, {"c_attn"}),
        (
            GPTNeoXConfig(num_hidden_layers=1, hidden_size=16, num_attention_heads=2, vocab_size=32),
            {"dense_h_to_4h", "dense_4h_to_h"},
            {"query_key_value"},
        ),
        (
            PhiConfig(num_hidden_layers=1, hidden_size=16, num_attention_heads=2, vocab_size=32),
            {"fc1", "fc2"},
            {"q_proj", "v_proj"},
        ),
    ],
    ids=["gpt2", "gpt_neox", "phi"],
)
def test_sets_know_other_architectures(config: Any, mlp: set[str], attention: set[str]) -> None:
    model = on_meta(config)
    last = [
        {name.rsplit(".", 1)[-1] for name in find_targets(model, kind).modules}
        for kind in ("mlp", "attention")
    ]
    assert last == [mlp, attention]
    # GPT-2 calls the projections of attention and MLP alike.
    assert not any("attn" in name for name in find_targets(model, "mlp").modules)


def test_unknown_module_names_the_nearest(llama: Any) -> None:
    with pytest.raises(FlextuneError, match=r"'q_prj' is not in this model, did you mean 'q_proj'\?"):
        find_targets(llama, ["q_prj"])


def test_set_of_an_unknown_architecture_asks_for_names(llama: Any) -> None:
    strange = on_meta(GPT2Config(n_layer=1, n_embd=16, n_head=2, vocab_size=32))
    strange.config.model_type = "unheard-of"
    with pytest.raises(
        FlextuneError, match=r"not known for a unheard-of model .* from: c_attn, c_fc, c_proj"
    ):
        find_targets(strange, "mlp")
    with pytest.raises(FlextuneError, match="is no set"):
        find_targets(llama, "most")


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ("0-6", "has layers 0-5, not 6"),
        ([7], "not 7"),
        ("a-b", "is no range"),
        ("3-1", "names no layer"),
        ("9-", "not 9"),
    ],
)
def test_layers_outside_the_model(llama: Any, layers: Any, message: str) -> None:
    with pytest.raises(FlextuneError, match=message):
        find_targets(llama, "mlp", layers)


FAMILIES = [
    "llama",
    "qwen2",
    "qwen3",
    "mistral",
    "gemma2",
    "gemma3_text",
    "phi",
    "phi3",
    "gpt2",
    "gpt_bigcode",
    "gpt_neox",
    "starcoder2",
    "codegen",
    "gptj",
    "falcon",
    "bloom",
    "opt",
    "olmo2",
    "granite",
    "cohere2",
    "exaone4",
    "smollm3",
    "stablelm",
    "apertus",
    "arcee",
    "biogpt",
    "deepseek_v2",
    "deepseek_v3",
    "glm",
    "glm4",
    "glm4_moe_lite",
    "gpt_neo",
    "gpt_neox_japanese",
    "gpt_oss",
    "granitemoe",
    "jais2",
    "jamba",
    "lfm2",
    "minicpm3",
    "mixtral",
    "mpt",
    "nanochat",
    "nemotron_h",
    "olmoe",
    "openai-gpt",
    "persimmon",
    "phimoe",
    "qwen2_moe",
    "qwen3_moe",
    "qwen3_next",
    "xglm",
    "youtu",
]


@pytest.mark.parametrize("kind", FAMILIES)
def test_every_set_can_be_attached_to_a_family(kind: str) -> None:
    config = AutoConfig.for_model(kind)
    for name in ("num_hidden_layers", "n_layer", "n_layers"):
        if hasattr(config, name):
            setattr(config, name, 12 if kind in ("jamba", "nemotron_h") else 4)
    model = on_meta(config)
    for targets in SETS:
        found = find_targets(model, targets)
        adapted = attach_adapter(
            LoadedModel(model, SimpleNamespace(), kind, ""), AdapterConfig(targets=targets, dropout=0), seed=0
        )
        wrapped = [module for module in adapted.modules() if getattr(module, "lora_A", None)]
        assert len(wrapped) == len(found.modules) + len(found.parameters)


@pytest.mark.parametrize(
    ("adapter", "message"),
    [
        ({"targets": ["q_prj"]}, "'q_prj' is not in this model, did you mean 'q_proj'"),
        ({"targets": "mlp", "layers": "0-9"}, "has layers 0-1, not 2"),
        ({"targets": "most"}, "is no set"),
    ],
)
def test_targets_are_checked_without_weights(adapter: dict[str, Any], message: str, tmp_path: Any) -> None:
    config = tiny_config()
    config.save_pretrained(tmp_path)
    wanted = AdapterConfig.model_construct(**{**AdapterConfig().model_dump(), **adapter})
    for model in (config, str(tmp_path)):
        with pytest.raises(FlextuneError, match=message):
            check_targets(model, wanted)
        check_targets(model, AdapterConfig(targets="all", layers="1"))


def test_a_model_without_a_configuration_is_named(tmp_path: Any) -> None:
    with pytest.raises(FlextuneError, match=r"no config\.json"):
        check_targets(str(tmp_path), AdapterConfig())


def test_what_peft_cannot_adapt_is_one_line() -> None:
    config = MambaConfig(hidden_size=16, num_hidden_layers=1, state_size=4, vocab_size=32)
    with pytest.raises(
        FlextuneError, match=r"cannot adapt mamba so \(.*'out_proj' is incompatible"
    ) as caught:
        check_targets(config, AdapterConfig(targets=["in_proj", "out_proj"]))
    assert "\n" not in str(caught.value)
