"""Slots: what a row computes does not depend on the others, and models that do not fit are found out."""

from __future__ import annotations

from typing import Any

import pytest
import torch
import transformers

from flextune.generation.local.slot_loop import COLUMN_STEP, Sizes, SlotLoop, power_of_two
from flextune.generation.local.slots import EXACT_ROWS, SlotModel, slot_model
from flextune.models.load import LoadedModel

HEADS = {"num_attention_heads": 4, "num_key_value_heads": 2, "max_position_embeddings": 128}
SMALL = {"vocab_size": 258, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, **HEADS}


def tiny(name: str, **changes: Any) -> Any:
    config = getattr(transformers, f"{name}Config")(**{**SMALL, **changes})
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return getattr(transformers, f"{name}ForCausalLM")(config).eval()


@pytest.mark.parametrize("name", ["Llama", "Qwen2", "Qwen3", "Gemma", "GPTNeoX", "StableLm", "Olmo2"])
def test_a_model_that_attends_to_everything_by_position_is_decoded_in_slots(name: str) -> None:
    assert slot_model(tiny(name)) is not None


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("Mistral", {"sliding_window": 8}),
        ("Mamba", {"state_size": 8}),
        ("Bloom", {"n_head": 4}),
        ("Gemma2", {"head_dim": 8, "sliding_window": 8}),
    ],
)
def test_a_model_with_another_memory_is_not(name: str, changes: dict[str, Any]) -> None:
    assert slot_model(tiny(name, **changes)) is None


def test_a_model_that_answers_otherwise_in_slots_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it says of itself: here its positions are all 0."""
    model = tiny("Llama")
    monkeypatch.setattr(SlotModel, "_positions", lambda self, lengths: torch.zeros_like(lengths))
    assert slot_model(model) is None


def test_eager_attention_gets_a_mask_that_it_can_add(loaded: LoadedModel) -> None:
    model = tiny("Llama", attn_implementation="eager")
    assert model.config._attn_implementation == "eager"
    assert slot_model(model) is not None


@pytest.mark.parametrize("rows", [EXACT_ROWS, 21, 64])
@pytest.mark.parametrize("columns", [3 * COLUMN_STEP, 4 * COLUMN_STEP, 7 * COLUMN_STEP])
@torch.inference_mode()
def test_not_a_bit_of_a_row_depends_on_its_neighbours(loaded: LoadedModel, rows: int, columns: int) -> None:
    """On one thread of a CPU, in the shapes that are decoded: torch's kernels are known to keep this."""
    assert torch.get_num_threads() == 1
    slots = SlotModel(loaded.model)
    texts = [[2 + (5 * n + k * k) % 250 for k in range(3 + n % 40)] for n in range(64)]

    def logits(count: int, width: int) -> torch.Tensor:
        cache = slots.cache(count, 128)
        places = cache.place.rows
        for slot, text in enumerate(texts[:count]):
            cache.fill(places[slot : slot + 1], slots.read([text[:-1]]), places[:1])
        tokens = torch.tensor([text[-1] for text in texts[:count]])
        lengths = torch.tensor([len(text) - 1 for text in texts[:count]])
        return slots.step(cache, tokens, lengths, width)

    assert torch.equal(logits(rows, columns)[:EXACT_ROWS], logits(EXACT_ROWS, 3 * COLUMN_STEP)[:EXACT_ROWS])


@torch.inference_mode()
def test_steps_of_more_rows_and_columns_than_there_are_give_the_same_texts(
    loaded: LoadedModel, problems: list[Any]
) -> None:
    """The shapes of captured steps, computed without a graph."""
    from tests.support.decoding import GREEDY

    from flextune.generation.engine import Request
    from flextune.generation.local.completions import Texts

    texts = Texts(loaded.model, loaded.tokenizer, "tiny")
    rows = texts.rows(Request(problems[:11], GREEDY, 0), 0)
    slots = SlotModel(loaded.model)
    shapes = set()

    def step(cache: Any, tokens: torch.Tensor, lengths: torch.Tensor, columns: int) -> torch.Tensor:
        shapes.add((len(tokens), columns))
        return slots.step(cache, tokens, lengths, columns)

    def decode(sizes: Sizes) -> dict[str, list[int]]:
        loop = SlotLoop(
            slots, step, rows, sizes, vocabulary=slots.vocabulary, eos=frozenset(), stopped=texts.stopped
        )
        return {row.problem.name: so_far.ids for group in loop.run() for row, so_far in group}

    plain = decode(Sizes(5, 192, lambda rows: rows))
    shapes.clear()
    assert decode(Sizes(5, 192, power_of_two, column_step=96)) == plain
    assert {rows for rows, _ in shapes} <= {1, 2, 4, 8}
    assert {columns for _, columns in shapes} <= {96, 192}
