"""Which examples are held out of training, where a source has no validation set of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from flextune.files.names import number_of
from flextune.records import Example

#: One example in so many may be held out, whatever ``validation_size`` asks for.
OF = 10


def posed(example: Example) -> str:
    """What an example asks: examples that ask the same are held out together."""
    if example.messages:
        return "\n".join(message.content for message in example.messages[:-1])
    return example.prompt.strip() or example.completion


def held_out(
    examples: Iterable[Example], size: int, problem: Callable[[Example], str] = posed
) -> tuple[list[Example], list[Example]]:
    """Training and validation examples, both in the order given.

    Whole problems are held out, chosen by a digest of what they ask: neither the order of the rows nor a seed
    decides which, and no problem is on both sides.

    Args:
        examples: All.
        size: How many to hold out at most; never more than a tenth of all.
        problem: What examples of one problem have in common.
    """
    given = list(examples)
    groups: dict[str, list[int]] = {}
    for place, example in enumerate(given):
        groups.setdefault(problem(example), []).append(place)
    room = min(size, len(given) // OF)
    chosen: set[int] = set()
    for key in sorted(groups, key=number_of):
        if len(groups[key]) <= room - len(chosen):
            chosen.update(groups[key])
        if len(chosen) >= room:
            break
    return (
        [example for place, example in enumerate(given) if place not in chosen],
        [example for place, example in enumerate(given) if place in chosen],
    )
