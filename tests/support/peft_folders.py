"""PEFT folders with random weights, as their authors would save them."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftConfig, PeftModel, get_peft_model
from transformers import AutoModelForCausalLM

IDS = torch.tensor([[0, 70, 80, 90, 100, 110]])


def logits(model: Any) -> torch.Tensor:
    with torch.no_grad():
        return model(input_ids=IDS % model.config.vocab_size).logits


def randomise(model: Any) -> Any:
    """Every trained parameter moved at random, by a seed."""
    generator = torch.Generator().manual_seed(7)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad and parameter.is_floating_point():
                noise = 0.1 * torch.randn(parameter.shape, generator=generator)
                parameter.add_(noise.to(parameter.dtype))
    return model


def save_adapter(base: Path, folder: Path, config: PeftConfig | None = None, **options: Any) -> Path:
    """An adapter of a saved model; ``options`` are LoRA's where no configuration is given."""
    model = AutoModelForCausalLM.from_pretrained(base)
    defaults = {"r": 2, "target_modules": ["q_proj", "up_proj"], "task_type": "CAUSAL_LM"}
    config = config or LoraConfig(**{**defaults, **options})
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.manual_seed(0)
        randomise(get_peft_model(model, config)).save_pretrained(folder)
    return folder


def as_peft_loads(base: Path, folder: Path) -> torch.Tensor:
    """The logits of plain transformers and PEFT."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return logits(PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), folder).eval())
