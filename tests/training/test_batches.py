from __future__ import annotations

import logging

import pytest
import torch
from tests.support.tiny import tiny_tokenizer

from flextune.models.load import LoadedModel
from flextune.records import Example
from flextune.training.batches.order import GroupedOrder
from flextune.training.batches.padded import Collator, encode_all

LENGTHS = [int(n) for n in torch.randint(5, 400, (203,), generator=torch.Generator().manual_seed(0))]


def padded(order: list[int], batch: int) -> int:
    chunks = [order[i : i + batch] for i in range(0, len(order), batch)]
    return sum(len(chunk) * max(LENGTHS[i] for i in chunk) for chunk in chunks)


def test_an_epoch_visits_every_text_once() -> None:
    order = GroupedOrder(LENGTHS, 16, seed=0)
    assert sorted(order) == list(range(203))
    assert len(order) == 203


def test_order_depends_on_seed_and_epoch_alone() -> None:
    def orders(seed: int) -> list[list[int]]:
        order = GroupedOrder(LENGTHS, 16, seed)
        result = []
        for epoch in (0, 1):
            order.set_epoch(epoch)
            result.append(list(order))
        return result

    torch.manual_seed(1)
    first = orders(0)
    torch.manual_seed(2)
    assert orders(0) == first
    # Neighbouring seeds do not share their orders, shifted by an epoch.
    assert len({tuple(order) for order in [*first, *orders(1)]}) == 4


def test_batches_of_similar_length_need_little_padding() -> None:
    shuffled = torch.randperm(203, generator=torch.Generator().manual_seed(1)).tolist()
    grouped = padded(list(GroupedOrder(LENGTHS, 16, seed=0)), 16)
    assert padded(shuffled, 16) > 1.6 * sum(LENGTHS)
    assert grouped < 1.2 * sum(LENGTHS)


def test_fewer_texts_than_a_batch() -> None:
    assert sorted(GroupedOrder([3, 1, 2], 8, seed=0)) == [0, 1, 2]


def test_padding_changes_no_text_s_loss(loaded: LoadedModel) -> None:
    rows = encode_all(
        tiny_tokenizer(), [Example("a", "abc", "de"), Example("b", "x", "y" * 40)], 64, "completion"
    )
    batch = Collator(1)(rows)
    assert batch["input_ids"].shape == batch["labels"].shape == (2, 43)
    assert batch["labels"][0, 7:].unique().tolist() == [-100]
    with torch.no_grad():
        together = loaded.model(**batch).logits
        for row, logits in zip(rows, together, strict=True):
            alone = loaded.model(input_ids=row["input_ids"][None]).logits[0]
            torch.testing.assert_close(logits[: len(alone)], alone, rtol=1e-5, atol=1e-6)


def test_examples_without_a_token_to_learn_are_left_out_with_one_warning(
    caplog: pytest.LogCaptureFixture,
) -> None:
    examples = [Example("long", "p" * 50, "c"), Example("good", "p", "c"), Example("long2", "p" * 70, "c")]
    with caplog.at_level(logging.WARNING):
        rows = encode_all(tiny_tokenizer(), examples, 20, "completion")
    assert len(rows) == 1
    assert [record.getMessage()[:20] for record in caplog.records] == ["2 of 3 examples have"]
