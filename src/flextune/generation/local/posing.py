"""A prompt as token ids: a text, the turns of a chat in the model's own template, or a gap to fill."""

from __future__ import annotations

from typing import Any

from flextune.errors import FlextuneError, one_line
from flextune.generation.engine import Prompt
from flextune.generation.local.infilling import encode_gap, gap_ends, gap_tokens
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
        text = chat_text(tokenizer, name, prompt)
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
        chat_text(tokenizer, name, prompt)
    if prompt.suffix is not None:
        gap_tokens(tokenizer, name)


def chat_text(tokenizer: Any, name: str, prompt: Prompt) -> str:
    """The turns in the model's chat template, up to where its answer begins.

    Raises:
        FlextuneError: As ``check_prompt``.
    """
    if getattr(tokenizer, "chat_template", None) is None:
        raise FlextuneError(
            f"model {name!r}: its tokenizer has no chat template, so it cannot be asked in turns; "
            "use generate.prompt: completion, or an instruct model"
        )
    turns = [dict(message) for message in prompt.messages]
    try:
        text = tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
    # Templates are programs of others; jinja2's errors and those of the template's own have no common type.
    except Exception as error:
        roles = ", ".join(dict.fromkeys(turn["role"] for turn in turns))
        raise FlextuneError(
            f"model {name!r}: its chat template refuses these turns ({one_line(error)}; roles: {roles}); "
            "use a template file without what it refuses"
        ) from error
    return str(text)
