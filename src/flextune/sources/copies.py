"""Copies within training data: equal examples, and near ones by MinHash."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from flextune.extras import need
from flextune.records import Example, Message
from flextune.sources.shingles import jaccard, shingles

#: Jaccard index of prompts and of completions from which on two examples are near copies.
NEAR = 0.8

#: Hash functions of a signature, and the scheme by which datasketch makes them; its default changed in 2.0.
PERMUTATIONS, SCHEME = 128, "affine32"

#: What finding candidates may get wrong: of the two, a near copy that is missed weighs nine times as much.
_WEIGHTS = (0.1, 0.9)

Content = tuple[str, str, tuple[Message, ...]]


def content(example: Example) -> Content:
    """What an example is, its name aside."""
    return example.prompt, example.completion, example.messages


def equal_copies(examples: Iterable[Example], others: Iterable[Example] = ()) -> list[Example]:
    """The examples that equal an earlier one, or one of the ``others``."""
    is_new = _new_exactly()
    for example in others:
        is_new(example)
    return [example for example in examples if not is_new(example)]


def without_copies(
    parts: Sequence[list[Example]], validation: Iterable[Example], how: Literal["none", "exact", "near"]
) -> list[list[Example]]:
    """Parts of training data without the examples that repeat an earlier one, or a validation example.

    Args:
        parts: Each in its order; of two copies the later goes, so earlier parts keep theirs.
        validation: Stays as it is.
        how: ``exact``: equal prompts and completions. ``near``: those whose prompts and whose completions
            both have a Jaccard index of ``NEAR`` or more; solutions of one problem are none, nor is one
            problem in two languages.

    Raises:
        FlextuneError: ``near`` without the package that it needs.
    """
    if how == "none":
        return [list(part) for part in parts]
    is_new = _new_exactly() if how == "exact" else _new_nearly()
    for example in validation:
        is_new(example)
    return [[example for example in part if is_new(example)] for part in parts]


def _new_exactly() -> Callable[[Example], bool]:
    seen: set[Content] = set()

    def is_new(example: Example) -> bool:
        known = len(seen)
        seen.add(content(example))
        return len(seen) > known

    return is_new


def _new_nearly() -> Callable[[Example], bool]:
    """Whether no example before was a near copy: candidates by MinHash, decided by their texts."""
    need("datasketch", what="train.deduplicate: near")
    from datasketch import MinHashLSH

    kept: list[Example] = []
    index = MinHashLSH(threshold=NEAR, num_perm=PERMUTATIONS, weights=_WEIGHTS)

    def is_new(example: Example) -> bool:
        signature = _signature(example)
        if any(_near(example, kept[place]) for place in sorted(index.query(signature))):
            return False
        index.insert(len(kept), signature)
        kept.append(example)
        return True

    return is_new


def _signature(example: Example) -> Any:
    from datasketch import MinHash

    signature = MinHash(num_perm=PERMUTATIONS, hashfunc=int, scheme=SCHEME)
    signature.update_batch(shingles("\n".join(_two_texts(example))))
    return signature


def _near(first: Example, second: Example) -> bool:
    pairs = zip(_two_texts(first), _two_texts(second), strict=True)
    return all(jaccard(shingles(one), shingles(other)) >= NEAR for one, other in pairs)


def _two_texts(example: Example) -> tuple[str, str]:
    """What is given and what is learned."""
    if not example.messages:
        return example.prompt, example.completion
    *asked, answer = (message.content for message in example.messages)
    return "\n".join(asked), answer
