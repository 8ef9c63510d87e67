"""Examples as rows of token ids, with a count of what was cut or left out."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

import torch
from torch import Tensor

from flextune.models.encoding import IGNORED, encode_example
from flextune.records import Example
from flextune.training.batches.padded import COMPARED

_logger = logging.getLogger(__name__)

Rows = list[dict[str, Tensor]]


@dataclass
class Encoded:
    """What examples became.

    Attributes:
        rows: ``{"input_ids", "labels"}`` of shape ``(tokens,)`` each, perhaps ``"compared"``.
        names: Of the examples that the rows are.
        cut: Names of those that lost tokens to ``max_length``.
        empty: Names of those left out for their completion, which has nothing in it.
        unlearned: Names of those left out because no token of theirs would count.
    """

    rows: Rows = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    cut: list[str] = field(default_factory=list)
    empty: list[str] = field(default_factory=list)
    unlearned: list[str] = field(default_factory=list)

    @property
    def examples(self) -> int:
        """Number of examples that there were."""
        return len(self.rows) + len(self.empty) + len(self.unlearned)

    def warn(self, max_length: int) -> None:
        """Say what was cut or left out, in a line for each kind."""
        kinds = {
            f"are longer than max_length {max_length} tokens and are cut": self.cut,
            "have an empty completion and are left out": self.empty,
            f"have no token to learn within max_length {max_length} and are left out": self.unlearned,
        }
        for what, names in kinds.items():
            if names:
                _logger.warning("%d of %d examples %s (first: %s)", len(names), self.examples, what, names[0])


def encode(
    tokenizer: Any,
    examples: Iterable[Example],
    max_length: int,
    loss: Literal["completion", "full"],
    compare: Literal["prompt", "all"] | None = None,
) -> Encoded:
    """Examples as rows.

    Left out are examples without a token to learn (a prompt that fills ``max_length``) and, where the
    completion alone counts, those whose completion is blank: they would teach to answer nothing.

    Args:
        tokenizer: Of the model to train.
        examples: In their order.
        max_length: Tokens per row; what is longer is cut.
        loss: Which tokens count.
        compare: Rows also get ``"compared"``, bool: the prompt's tokens, or all.
    """
    made = Encoded()
    for example in examples:
        if loss == "completion" and not example.completion.strip():
            made.empty.append(example.name)
            continue
        ids, labels = encode_example(tokenizer, example, max_length, loss)
        # The first token is predicted by nothing.
        if all(label == IGNORED for label in labels[1:]):
            made.unlearned.append(example.name)
            continue
        # A text that was cut has no end.
        if len(ids) == max_length and ids[-1] != tokenizer.eos_token_id:
            made.cut.append(example.name)
        row = {"input_ids": torch.tensor(ids), "labels": torch.tensor(labels)}
        if compare is not None:
            answer = encode_example(tokenizer, example, max_length, "completion")[1]
            row[COMPARED] = torch.tensor([compare == "all" or label == IGNORED for label in answer])
        made.rows.append(row)
        made.names.append(example.name)
    return made


def names_of(batch: dict[str, Any], encoded: Encoded) -> list[str]:
    """The names of a batch's texts, found by their tokens."""
    return [_name(ids.tolist(), encoded) for ids in texts_of(batch)]


def texts_of(batch: dict[str, Any]) -> list[Tensor]:
    """The token ids of a batch's texts; padded ones with their padding."""
    ids = batch["input_ids"]
    if "position_ids" not in batch:
        return list(ids)
    starts = batch["position_ids"][0].eq(0).nonzero().squeeze(1).tolist()
    return [ids[0, start:end] for start, end in zip(starts, [*starts[1:], ids.shape[1]], strict=True)]


def _name(ids: list[int], encoded: Encoded) -> str:
    texts = [(row["input_ids"].tolist(), name) for row, name in zip(encoded.rows, encoded.names, strict=True)]
    # Of equal texts the first one.
    fitting = {len(text): name for text, name in reversed(texts) if text == ids[: len(text)]}
    # Padding hides where a text ends: the longest is meant.
    return fitting[max(fitting)] if fitting else "unknown"
