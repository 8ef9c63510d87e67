"""The matrices whose penalty is timed, the training steps beside them, and the plain loop against them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import torch
from torch import Tensor, nn

from flextune.spectral import LoraPair, PenaltyForm, lora_pairs
from flextune.spectral.form import mask

RANK, ALPHA, DROPOUT = 8, 16, 0.05
#: As ``flextune.models.targets`` has them for Llama; the GPU's machine may lack what that module imports.
TARGETS = {
    "mlp": ("gate_proj", "up_proj", "down_proj"),
    "standard": ("q_proj", "v_proj", "up_proj", "down_proj"),
}


@dataclass(frozen=True)
class Llama:
    """The size of a Llama model, and of the batches that it trains on."""

    name: str
    hidden: int
    intermediate: int
    layers: int
    heads: int
    vocabulary: int
    batch: int
    length: int

    def shape(self, module: str) -> tuple[int, int]:
        """How many inputs and outputs a linear module has."""
        wide = self.intermediate
        known = {
            "gate_proj": (self.hidden, wide),
            "up_proj": (self.hidden, wide),
            "down_proj": (wide, self.hidden),
        }
        return known.get(module, (self.hidden, self.hidden))


CODE_LLAMA = Llama("Code Llama 7B", 4096, 11008, 32, 32, 32016, batch=4, length=512)
TINY = Llama("tiny", 64, 160, 2, 4, 256, batch=2, length=16)


@dataclass(frozen=True)
class Case:
    """Something with LoRA matrices.

    Attributes:
        model: Its name.
        targets: Which modules are adapted.
        pairs: Their matrices, none of them zero, with gradients already there as in a training.
        step: Forward, backward, clipping and AdamW of one batch; None where there is no model.
        detail: What the step is.
        adapted: The model, where there is one.
        batches: What its steps take in turn.
    """

    model: str
    targets: str
    pairs: Sequence[LoraPair]
    step: Callable[[], None] | None = None
    detail: str = "-"
    adapted: Any = None
    batches: Sequence[dict[str, Tensor]] = ()

    @property
    def matrices(self) -> list[Tensor]:
        """The LoRA matrices in the order A, B, A, B, ..."""
        return [matrix for pair in self.pairs for _, matrix in pair.factors()]

    @property
    def device(self) -> torch.device:
        """The device of the matrices."""
        return self.pairs[0].a.device


class Naive:
    """The penalty as a script has it: a loop over the matrices, one autograd FFT each, and backward."""

    def __init__(self, matrices: Sequence[Tensor], strength: float) -> None:
        self._matrices, self._strength = matrices, strength
        lengths = {matrix.numel(): matrix.device for matrix in matrices}
        # Made once, in the loop's favour; scripts make them again at every step.
        self._rho = {n: (1 - mask(n, PenaltyForm())).float().to(device) for n, device in lengths.items()}

    def __call__(self) -> None:
        """Value and gradient, added to the matrices' own."""
        total: Any = 0.0
        for matrix in self._matrices:
            spectrum = torch.fft.rfft(matrix.flatten(), norm="ortho")
            total = total + (self._rho[matrix.numel()] * spectrum.abs().square()).sum()
        (self._strength * total).backward()


def embedded() -> Case:
    """The embedded model in its default training, on batches of its own texts as the trainer makes them."""
    from flextune.config import AdapterConfig, TrainConfig
    from flextune.models.adapters import attach_adapter
    from flextune.models.load import load_model
    from flextune.sources.loading import load_examples
    from flextune.training.batches.encoded import encode
    from flextune.training.batches.order import GroupedOrder
    from flextune.training.batches.padded import Collator

    train = TrainConfig(data="rosetta")
    loaded = load_model("rosetta", device="cpu")
    model = attach_adapter(loaded, AdapterConfig(), 0).train()
    examples, _ = load_examples(train, None)
    rows = encode(loaded.tokenizer, examples[:128], train.max_length, train.loss).rows
    order = list(GroupedOrder([len(row["input_ids"]) for row in rows], train.batch_size, 0))
    collate = Collator(loaded.tokenizer.pad_token_id)
    batches = [
        collate([rows[index] for index in order[start : start + train.batch_size]])
        for start in range(0, len(order), train.batch_size)
    ]
    mean = sum(batch["input_ids"].shape[1] for batch in batches) / len(batches)
    return _case(
        "embedded", "mlp", model, batches, f"{train.batch_size} texts, {mean:.0f} tokens, float32, one thread"
    )


def llama_models(size: Llama, device: torch.device) -> Iterator[Case]:
    """A randomly initialised bfloat16 model, with an adapter on each set of targets in turn.

    All share the model, so that a case's step works until the next case is asked for.
    """
    from peft import LoraConfig, get_peft_model
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
    # Every layer is made where it stays, in its own dtype: the model never lies in main memory.
    with device:
        base = AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16)
    ids = torch.randint(size.vocabulary, (size.batch, size.length), device=device)
    for name, modules in TARGETS.items():
        lora = LoraConfig(
            r=RANK,
            lora_alpha=ALPHA,
            lora_dropout=DROPOUT,
            target_modules=list(modules),
            task_type="CAUSAL_LM",
        )
        model = get_peft_model(base, lora).train()
        batches = [{"input_ids": ids, "labels": ids}]
        yield _case(size.name, name, model, batches, f"{size.batch} x {size.length} tokens, bfloat16")
        base = model.unload()


def llama_shapes(size: Llama, device: torch.device) -> Iterator[Case]:
    """The matrices of ``llama_models``, without a model and so without a step."""
    for name, modules in TARGETS.items():
        pairs = []
        for layer in range(size.layers):
            for module in modules:
                inputs, outputs = size.shape(module)
                a, b = torch.randn(RANK, inputs, device=device), torch.randn(outputs, RANK, device=device)
                factors = nn.Parameter(a / inputs**0.5), nn.Parameter(0.01 * b)
                pairs.append(LoraPair(*factors, ALPHA / RANK, f"{layer}.{module}"))
        yield Case(size.name, name, pairs)


def _case(model: str, targets: str, adapted: Any, batches: Sequence[dict[str, Tensor]], detail: str) -> Case:
    """A model with an adapter: as after some training, when B is not zero any more."""
    pairs = lora_pairs(adapted)
    with torch.no_grad():
        for pair in pairs:
            pair.b.normal_(0, 0.01)
    parameters = [matrix for pair in pairs for _, matrix in pair.factors()]
    # Repetitions should not change what is measured: the weights stay where they are.
    optimizer = torch.optim.AdamW(parameters, lr=1e-9)
    turns = cycle(batches)

    def step() -> None:
        # First, not last: a penalty's gradient is added to one that is there.
        optimizer.zero_grad()
        adapted(**next(turns)).loss.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()

    return Case(model, targets, pairs, step, detail, adapted, batches)
