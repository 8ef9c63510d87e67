"""Filling a gap with the tokens that a tokenizer has for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flextune.errors import FlextuneError
from flextune.models.encoding import encode_prompt

#: Nothing merges with it.
_ANCHOR = "\u263a"


@dataclass(frozen=True, slots=True)
class GapTokens:
    """The tokens of one family of models, in the order prefix, suffix, middle.

    Attributes:
        models: Who has them, for messages.
        prefix: Stands before the text before the gap.
        suffix: Stands before the text after it.
        middle: Comes last; the answer follows it.
        ends: What may end the answer, beside the model's end-of-text tokens.
    """

    models: str
    prefix: str
    suffix: str
    middle: str
    ends: tuple[str, ...] = ()


#: Each family's own; the first whose three tokens a tokenizer has is taken.
FAMILIES: tuple[GapTokens, ...] = (
    GapTokens(
        "Qwen2.5-Coder, CodeGemma",
        "<|fim_prefix|>",
        "<|fim_suffix|>",
        "<|fim_middle|>",
        ("<|fim_pad|>", "<|repo_name|>", "<|file_sep|>", "<|file_separator|>", "<|endoftext|>"),
    ),
    GapTokens(
        "StarCoder, StarCoder2, Granite",
        "<fim_prefix>",
        "<fim_suffix>",
        "<fim_middle>",
        ("<fim_pad>", "<file_sep>", "<|endoftext|>"),
    ),
    GapTokens("SantaCoder", "<fim-prefix>", "<fim-suffix>", "<fim-middle>", ("<fim-pad>", "<|endoftext|>")),
    GapTokens("CodeLlama", "\u2581<PRE>", "\u2581<SUF>", "\u2581<MID>", ("\u2581<EOT>",)),
    GapTokens(
        "DeepSeek-Coder",
        "<\uff5cfim\u2581begin\uff5c>",
        "<\uff5cfim\u2581hole\uff5c>",
        "<\uff5cfim\u2581end\uff5c>",
    ),
)


def gap_tokens(tokenizer: Any, name: str) -> GapTokens:
    """The tokens for infilling that a tokenizer has.

    Args:
        tokenizer: Of the model.
        name: What the user called the model, for the message.

    Raises:
        FlextuneError: It has none that are known here.
    """
    vocabulary = tokenizer.get_vocab()
    for family in FAMILIES:
        if {family.prefix, family.suffix, family.middle} <= vocabulary.keys():
            return family
    known = "; ".join(family.models for family in FAMILIES)
    raise FlextuneError(
        f"model {name!r}: its tokenizer has no tokens for infilling (known are those of {known}); "
        "use another generate.prompt"
    )


def encode_gap(tokenizer: Any, name: str, before: str, after: str) -> list[int]:
    """Ids that ask for what stands between two texts.

    Raises:
        FlextuneError: As ``gap_tokens``.
    """
    family = gap_tokens(tokenizer, name)
    ids = tokenizer.get_vocab()
    start = encode_prompt(tokenizer, "")
    return [
        *start,
        ids[family.prefix],
        *_encoded(tokenizer, before),
        ids[family.suffix],
        *_after_the_gap(tokenizer, after),
        ids[family.middle],
    ]


def gap_ends(tokenizer: Any, name: str) -> frozenset[int]:
    """Ids that end what fills a gap.

    Raises:
        FlextuneError: As ``gap_tokens``.
    """
    ids = tokenizer.get_vocab()
    return frozenset(ids[token] for token in gap_tokens(tokenizer, name).ends if token in ids)


def _after_the_gap(tokenizer: Any, text: str) -> list[int]:
    """Ids of a text that is not the first: SentencePiece puts a space before one that is encoded alone."""
    anchor = _encoded(tokenizer, _ANCHOR)
    together = _encoded(tokenizer, _ANCHOR + text)
    if together[: len(anchor)] == anchor:
        return together[len(anchor) :]
    return _encoded(tokenizer, text)


def _encoded(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])
