"""How the embedded base model was made: its tokenizer and its pretraining on Rosetta text.

``flextune rosetta pretrain`` runs this; the recipe's defaults are those of the packaged model.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import yaml

from flextune.errors import FlextuneError
from flextune.rosetta.corpus import pretraining_texts

if TYPE_CHECKING:
    import torch
    from transformers import LlamaForCausalLM, PreTrainedTokenizerFast

END, PAD = "<|end|>", "<|pad|>"

# A newline and each level of indentation are tokens of their own, never merged with what stands beside
# them: a prompt that ends in a newline then has the same tokens alone as inside a longer text.
PIECES = r"\n| {4}| ?[A-Za-z]+| ?[0-9]| ?[^\sA-Za-z0-9]+|\s"


@dataclass(frozen=True, slots=True)
class Recipe:
    """Everything that determines the embedded model.

    Attributes:
        documents: Programs in the corpus, each read once.
        python_share: Share of the documents in Python; the rest is Java and JavaScript.
        java_share: Share in Java.
        batch_tokens: Tokens per optimizer step, padding included.
        warmup: Steps of linear warm-up; cosine to a tenth of the rate afterwards.
    """

    seed: int = 0
    documents: int = 27_000
    python_share: float = 0.61
    java_share: float = 0.24
    vocabulary: int = 1024
    hidden: int = 160
    layers: int = 4
    heads: int = 5
    intermediate: int = 448
    context: int = 2048
    learning_rate: float = 3e-3
    weight_decay: float = 0.1
    batch_tokens: int = 3072
    warmup: int = 100
    max_length: int = 512

    def shares(self) -> dict[str, float]:
        """Share of the documents per language."""
        rest = 1.0 - self.python_share - self.java_share
        return {"py": self.python_share, "java": self.java_share, "js": rest}


@dataclass(frozen=True, slots=True)
class Pretrained:
    """What a pretraining run was.

    Attributes:
        tokens: Tokens that entered the loss.
        loss: Mean loss over the last 50 steps, nats per token.
    """

    parameters: int
    tokens: int
    steps: int
    loss: float
    seconds: float


def train_tokenizer(texts: Iterable[str], vocabulary: int) -> PreTrainedTokenizerFast:
    """A byte-level BPE tokenizer whose merges stay inside ``PIECES``."""
    from tokenizers import Regex, Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PIECES), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=[END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        eos_token=END,
        pad_token=PAD,
        padding_side="left",
        clean_up_tokenization_spaces=False,
        model_max_length=2048,
    )


def batches(
    documents: list[list[int]], batch_tokens: int, rng: np.random.Generator
) -> Iterator[list[list[int]]]:
    """Every document once, in batches of similar length and at most ``batch_tokens`` with padding.

    One row holds one document, so that no document sees another and positions start at 0 as they do
    in generation.
    """
    buckets: dict[int, list[int]] = {}
    groups: list[list[int]] = []
    for index in rng.permutation(len(documents)):
        width = padded(len(documents[index]))
        bucket = buckets.setdefault(width, [])
        bucket.append(int(index))
        if len(bucket) == max(1, batch_tokens // width):
            groups.append(buckets.pop(width))
    groups += buckets.values()
    for position in rng.permutation(len(groups)):
        yield [documents[index] for index in groups[position]]


def padded(length: int) -> int:
    """Row width for a document: few widths mean few shapes, and the CPU compiles a kernel for each."""
    return -(-length // 32) * 32


def pretrain(
    recipe: Recipe, folder: Path, *, progress: Callable[[int, int, float], None] | None = None
) -> Pretrained:
    """Train tokenizer and model and write both into ``folder``, weights in float16.

    Args:
        recipe: What to train.
        folder: Receives ``config.json``, ``model.safetensors``, ``tokenizer.json`` and their like.
        progress: Called with (documents done, documents, loss) after each step.

    Raises:
        FlextuneError: If the loss stops being a number.
    """
    import torch

    started = time.monotonic()
    texts = list(pretraining_texts(seed=recipe.seed, documents=recipe.documents, shares=recipe.shares()))
    tokenizer = train_tokenizer(texts[:20_000], recipe.vocabulary)
    documents = [
        [*ids, tokenizer.eos_token_id][: recipe.max_length]
        for ids in tokenizer(texts, add_special_tokens=False)["input_ids"]
    ]
    rng = np.random.default_rng(recipe.seed)
    plan = list(batches(documents, recipe.batch_tokens, rng))
    model = _new_model(recipe, tokenizer)
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        parameters, lr=recipe.learning_rate, betas=(0.9, 0.95), weight_decay=recipe.weight_decay, fused=True
    )
    losses: list[float] = []
    done = tokens = 0
    for step, batch in enumerate(plan):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _schedule(step, len(plan), recipe.warmup)
        loss = _loss(model, batch, tokenizer.pad_token_id)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
        if not math.isfinite(losses[-1]):
            raise FlextuneError(
                f"pretraining: the loss is {losses[-1]} at step {step}; lower the learning rate"
            )
        done += len(batch)
        tokens += sum(len(row) - 1 for row in batch)
        if progress:
            progress(done, len(documents), losses[-1])
    _save(model, tokenizer, folder)
    return Pretrained(
        parameters=sum(p.numel() for p in parameters),
        tokens=tokens,
        steps=len(plan),
        loss=float(np.mean(losses[-50:])),
        seconds=time.monotonic() - started,
    )


def _new_model(recipe: Recipe, tokenizer: PreTrainedTokenizerFast) -> LlamaForCausalLM:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        num_key_value_heads=recipe.heads,
        max_position_embeddings=recipe.context,
        tie_word_embeddings=True,
        bos_token_id=None,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        return LlamaForCausalLM(config).train()


def _schedule(step: int, steps: int, warmup: int) -> float:
    if step < warmup:
        return (step + 1) / warmup
    return 0.1 + 0.45 * (1 + math.cos(math.pi * (step - warmup) / max(1, steps - warmup)))


def _loss(model: LlamaForCausalLM, batch: list[list[int]], pad: int) -> torch.Tensor:
    import torch

    width = padded(max(map(len, batch)))
    ids = torch.full((len(batch), width), pad)
    for row, document in enumerate(batch):
        ids[row, : len(document)] = torch.tensor(document)
    labels = ids.masked_fill(ids == pad, -100)
    # Right padding under a causal mask: no counted position sees it, so no attention mask is needed.
    with torch.autocast("cpu", torch.bfloat16):
        return model(input_ids=ids, labels=labels, use_cache=False).loss


def _save(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, folder: Path) -> None:
    import torch
    from transformers.utils import logging

    folder.mkdir(parents=True, exist_ok=True)
    logging.disable_progress_bar()
    model.eval().to(torch.float16).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    logging.enable_progress_bar()


def write_recipe(folder: Path, recipe: Recipe, result: Pretrained) -> Path:
    """Record recipe and result beside the weights; the model card's numbers come from this file."""
    path = folder / "recipe.yaml"
    path.write_text(yaml.safe_dump({"recipe": asdict(recipe), "result": asdict(result)}, sort_keys=False))
    return path
