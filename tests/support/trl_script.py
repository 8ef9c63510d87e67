"""What the lines of docs/trainer.md stand in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from peft import LoraConfig
from tests.support.tiny import tiny_tokenizer
from transformers import AutoModelForCausalLM
from trl import SFTConfig, SFTTrainer

from flextune.spectral.pairs import lora_pairs

PAGE = Path(__file__).parents[2] / "docs" / "trainer.md"
RATE = 0.5


def script(model_folder: Path, folder: Path) -> dict[str, Any]:
    """What a TRL script has before it makes its trainer."""
    model = AutoModelForCausalLM.from_pretrained(model_folder)
    tokenizer = tiny_tokenizer()
    tokenizer.pad_token = tokenizer.eos_token
    args = SFTConfig(
        output_dir=str(folder),
        max_steps=1,
        optim="sgd",
        lr_scheduler_type="constant",
        learning_rate=RATE,
        max_grad_norm=1e9,
        per_device_train_batch_size=2,
        gradient_accumulation_steps=2,
        gradient_checkpointing=False,
        max_length=48,
        logging_steps=1,
        use_cpu=True,
        bf16=False,
        report_to=[],
        save_strategy="no",
        disable_tqdm=True,
        seed=3,
    )
    dataset = Dataset.from_dict({"text": ["ab" * n for n in range(2, 10)]})
    lora = LoraConfig(r=2, lora_alpha=4, lora_dropout=0.0, target_modules=["q_proj", "up_proj"])

    class Trainer(SFTTrainer):  # type: ignore[misc]
        """With the tiny model's tokenizer; a hub model brings its own."""

        def __init__(self, *positional: Any, **options: Any) -> None:
            super().__init__(*positional, processing_class=tokenizer, **options)
            generator = torch.Generator().manual_seed(1)
            for pair in lora_pairs(self.model):
                for _, matrix in pair.factors():
                    matrix.data = 0.1 * torch.randn(matrix.shape, generator=generator)

    return {"SFTTrainer": Trainer, "model": model, "args": args, "dataset": dataset, "lora": lora}
