"""A prompt as token ids: a text, the turns of a chat in the model's own template, or a gap to fill."""

from __future__ import annotations

from typing import Any

from flextune.generation.engine import Prompt
from flextune.generation.local.infilling import encode_gap, gap_ends, gap_tokens
from flextune.models.chat import question_text
from flextune.models.encoding import encode_prompt


def encode(tokenizer: Any, name: str, prompt: Prompt) -> list[int]:
    """Ids of a prompt.

    Args:
        tokenizer: Of the model.
        name: What the user called the model, for messages.
        prompt: What it is given.

    Raises:
        FlextuneError: As ``check_prompt``.
    """
    if prompt.messages:
        text = question_text(tokenizer, prompt.messages, name)
        # The template writes BOS itself where the model wants one.
        return list(tokenizer(text, add_special_tokens=False)["input_ids"])
    if prompt.suffix is not None:
        return encode_gap(tokenizer, name, prompt.text, prompt.suffix)
    return encode_prompt(tokenizer, prompt.text)


def ends(tokenizer: Any, name: str, prompt: Prompt) -> frozenset[int]:
    """Ids that end the answer to a prompt, beside those that end any text of the model."""
    return frozenset() if prompt.suffix is None else gap_ends(tokenizer, name)


def check_prompt(tokenizer: Any, name: str, prompt: Prompt) -> None:
    """Refuse a prompt that a model's tokenizer cannot pose.

    Raises:
        FlextuneError: No chat template, one that refuses these turns, or no tokens for infilling.
    """
    if prompt.messages:
        question_text(tokenizer, prompt.messages, name)
    if prompt.suffix is not None:
        gap_tokens(tokenizer, name)
