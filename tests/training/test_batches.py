from __future__ import annotations

import logging
from typing import Any

import pytest
import torch
from tests.support.tiny import tiny_tokenizer

from flextune.models.load import LoadedModel
from flextune.records import Example
from flextune.training.batches.encoded import encode, names_of
from flextune.training.batches.flat import FlatCollator
from flextune.training.batches.order import GroupedOrder
from flextune.training.batches.padded import Collator

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
    examples = [Example("a", "abc", "de"), Example("b", "x", "y" * 40)]
    rows = encode(tiny_tokenizer(), examples, 64, "completion").rows
    batch = Collator(1)(rows)
    assert batch["input_ids"].shape == batch["labels"].shape == (2, 43)
    assert batch["labels"][0, 7:].unique().tolist() == [-100]
    with torch.no_grad():
        together = loaded.model(**batch).logits
        for row, logits in zip(rows, together, strict=True):
            alone = loaded.model(input_ids=row["input_ids"][None]).logits[0]
            torch.testing.assert_close(logits[: len(alone)], alone, rtol=1e-5, atol=1e-6)


def test_what_is_left_out_or_cut_is_counted_and_said(caplog: pytest.LogCaptureFixture) -> None:
    examples = [
        Example("long", "p" * 50, "c"),
        Example("good", "p", "c"),
        Example("long2", "p" * 70, "c"),
        Example("blank", "p", " \n"),
        Example("cut", "p", "c" * 30),
    ]
    encoded = encode(tiny_tokenizer(), examples, 20, "completion")
    assert encoded.names == ["good", "cut"]
    assert len(encoded.rows[1]["input_ids"]) == 20
    with caplog.at_level(logging.WARNING):
        encoded.warn(20)
    assert [record.getMessage() for record in caplog.records] == [
        "1 of 5 examples are longer than max_length 20 tokens and are cut (first: cut)",
        "1 of 5 examples have an empty completion and are left out (first: blank)",
        "2 of 5 examples have no token to learn within max_length 20 and are left out (first: long)",
    ]


def test_a_text_without_a_completion_is_learned_from_where_all_of_it_counts() -> None:
    assert encode(tiny_tokenizer(), [Example("text", "all of it", "")], 64, "full").names == ["text"]


@pytest.mark.parametrize("collator", [Collator(1), FlatCollator()])
def test_a_batch_s_texts_are_named_by_their_tokens(collator: Any) -> None:
    examples = [Example("one", "p", "ab"), Example("longer", "p", "abc"), Example("other", "q", "a")]
    encoded = encode(tiny_tokenizer(), examples, 64, "completion")
    assert names_of(collator([encoded.rows[i] for i in (1, 2, 0)]), encoded) == ["longer", "other", "one"]
