"""A base model in four or eight bits while it is used: bitsandbytes through transformers.

``four_bit`` has the same four bits in plain torch, to merge into them without bitsandbytes.
"""

from __future__ import annotations

from typing import Any

from flextune.errors import FlextuneError
from flextune.extras import need


def quantized_loading(kind: str, dtype: Any, device: Any) -> dict[str, Any]:
    """What ``from_pretrained`` gets for a model in four or eight bits.

    Args:
        kind: ``nf4``, ``fp4`` (with double quantisation, QLoRA, arXiv:2305.14314) or ``int8``
            (LLM.int8(), arXiv:2208.07339).
        dtype: Of the other weights, and of the products.
        device: Where the weights go; they are quantised there.

    Raises:
        FlextuneError: bitsandbytes is missing.
    """
    need("bitsandbytes", "accelerate", what=f"quantization {kind}")
    from transformers import BitsAndBytesConfig

    if kind == "int8":
        config = BitsAndBytesConfig(load_in_8bit=True)
    else:
        config = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type=kind,
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=dtype,
        )
    return {"quantization_config": config, "device_map": {"": device}}


def refuse_quantizing_twice(name: str, config: Any, kind: str) -> None:
    """Refuse a model whose files are quantised already, or are a GGUF file.

    Raises:
        FlextuneError: It is one.
    """
    if getattr(config, "quantization_config", None) is not None or name.endswith(".gguf"):
        raise FlextuneError(
            f"quantization {kind}: {name} is quantized already; leave quantization out, or take the model"
            " that it was made from"
        )


def quantization_of(model: Any) -> str | None:
    """``nf4``, ``fp4`` or ``int8``, as a model was loaded; None where it was not quantised so."""
    config: Any = getattr(model.config, "quantization_config", None)
    if getattr(config, "load_in_8bit", False):
        return "int8"
    return str(config.bnb_4bit_quant_type) if getattr(config, "load_in_4bit", False) else None


def settle(model: Any) -> None:
    """Make layers keep their weights as they are, whatever is done with the model first.

    Those in eight bits take up their weights now: at their first use, each view would take them away from
    the other views of the model. Those in four bits are not packed at the first inference, as bitsandbytes
    does on CPUs that know bfloat16: no gradient passes packed weights, and DoRA misreads them.
    """
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False
        if hasattr(module, "init_8bit_state") and getattr(module.weight, "CB", None) is not None:
            module.init_8bit_state()


def kept_states(model: Any) -> list[Any]:
    """What quantised layers keep beside their parameters, which views of a model must share."""
    states = (getattr(module, name, None) for module in model.modules() for name in ("state", "quant_state"))
    return [state for state in states if type(state).__module__.startswith("bitsandbytes")]
