"""Text to token ids and back, without losing or inventing a character."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from flextune.errors import FlextuneError
from flextune.records import Example

#: Label of a token that the loss does not count (``torch.nn.CrossEntropyLoss``).
IGNORED = -100

# Decoders that drop a leading space drop this letter's, not the completion's.
_ANCHOR = "a"


def encode_prompt(tokenizer: Any, text: str) -> list[int]:
    """Ids of a text that a model is to continue.

    BOS comes exactly once where the tokenizer uses one, also if the text already begins with it; EOS never.
    """
    return _with_bos(tokenizer, tokenizer(text, add_special_tokens=False)["input_ids"])


def encode_example(
    tokenizer: Any, example: Example, max_length: int, loss: Literal["completion", "full"]
) -> tuple[list[int], list[int]]:
    """Ids and labels of a training text.

    Prompt and completion are tokenised as one text: SentencePiece would put a space before a completion
    encoded alone. A token that holds characters of both belongs to the completion.

    Args:
        tokenizer: Of the model to train.
        example: ``prompt + completion``.
        max_length: Tokens at most; a longer text is cut and then has no EOS, for it has not ended.
        loss: ``completion`` gives the prompt's tokens the label -100.

    Returns:
        ``input_ids`` and ``labels``, equally long.

    Raises:
        FlextuneError: The tokenizer has no end-of-text token.
    """
    check_end_token(tokenizer)
    ids, first = _tokenize(tokenizer, example)
    whole = _with_bos(tokenizer, ids)
    first += len(whole) - len(ids)
    whole = [*whole, tokenizer.eos_token_id][:max_length]
    masked = min(first, len(whole)) if loss == "completion" else 0
    return whole, [IGNORED] * masked + whole[masked:]


def check_end_token(tokenizer: Any) -> None:
    """Refuse to train a model that could not learn to stop.

    Raises:
        FlextuneError: The tokenizer has no end-of-text token.
    """
    if tokenizer.eos_token_id is None:
        raise FlextuneError(
            "this model's tokenizer has no end-of-text token, so nothing could teach it to stop"
        )


def decode_completion(tokenizer: Any, ids: Sequence[int]) -> str:
    """The text that ids stand for after a prompt: special tokens dropped, every space kept."""
    anchor = tokenizer(_ANCHOR, add_special_tokens=False)["input_ids"]
    return _decode(tokenizer, [*anchor, *ids])[len(_decode(tokenizer, anchor)) :]


def token_texts(tokenizer: Any, ids: Sequence[int]) -> list[str]:
    """The text of each token behind a prompt; a special one has none."""
    anchor = tokenizer(_ANCHOR, add_special_tokens=False)["input_ids"]
    start = len(_decode(tokenizer, anchor))
    return [_decode(tokenizer, [*anchor, token])[start:] for token in ids]


def uses_bos(tokenizer: Any) -> bool:
    """Whether the tokenizer begins a text with BOS of its own accord."""
    if tokenizer.bos_token_id is None:
        return False
    ids = tokenizer(_ANCHOR)["input_ids"]
    return bool(ids) and ids[0] == tokenizer.bos_token_id


def _with_bos(tokenizer: Any, ids: list[int]) -> list[int]:
    if not uses_bos(tokenizer) or ids[:1] == [tokenizer.bos_token_id]:
        return list(ids)
    return [tokenizer.bos_token_id, *ids]


def _tokenize(tokenizer: Any, example: Example) -> tuple[list[int], int]:
    """Ids of the whole text, and the index of the completion's first token."""
    text = example.prompt + example.completion
    if tokenizer.is_fast:
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True)
        ends = [end for _, end in encoded["offset_mapping"]]
        ids = encoded["input_ids"]
        return ids, next((i for i, end in enumerate(ends) if end > len(example.prompt)), len(ids))
    # Without offsets: the completion begins where the prompt, encoded alone, stops agreeing.
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    alone = tokenizer(example.prompt, add_special_tokens=False)["input_ids"]
    pairs = zip(ids, alone, strict=False)
    return ids, next((i for i, (a, b) in enumerate(pairs) if a != b), min(len(ids), len(alone)))


def _decode(tokenizer: Any, ids: Sequence[int]) -> str:
    return str(tokenizer.decode(list(ids), skip_special_tokens=True, clean_up_tokenization_spaces=False))
