"""Several parts of training data as one: by share, without copies, with other languages replayed."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from itertools import cycle, islice

from flextune.config import DataPart, ReplayConfig
from flextune.errors import FlextuneError
from flextune.records import Example

#: Seed of the replayed lessons, the same for every experiment and every seed of it. Rosetta's own training
#: sets are drawn with seed 0: with another one, replayed lessons are not translations of those beside them.
REPLAY_SEED = 1


def taken(parts: Sequence[DataPart], examples: Sequence[Sequence[Example]]) -> list[Sequence[Example]]:
    """Of each part, the examples that it gives to the mixture: its first.

    A part with a share gives that part of the mixture; one without gives all that it has. Nothing is
    repeated: where every part has a share, the mixture is as large as they allow.

    Args:
        parts: Their shares add up to 1, or to less where one has none.
        examples: Of each part.

    Raises:
        FlextuneError: A part has no examples, or fewer than its share asks for.
    """
    for part, own in zip(parts, examples, strict=True):
        if not own:
            raise FlextuneError(f"train.data {part.name}: no examples left to mix")
    counts = _counts(parts, [len(own) for own in examples])
    return [own[:count] for own, count in zip(examples, counts, strict=True)]


def interleaved(lists: Sequence[Sequence[Example]]) -> list[Example]:
    """All lists as one, in which every beginning has them in about the same proportions."""
    places = [
        ((place + 0.5) / len(one), number, example)
        for number, one in enumerate(lists)
        for place, example in enumerate(one)
    ]
    return [example for _, _, example in sorted(places, key=lambda entry: entry[:2])]


def _counts(parts: Sequence[DataPart], available: Sequence[int]) -> list[int]:
    """How many examples each part gives."""
    rest = sum(count for part, count in zip(parts, available, strict=True) if part.share is None)
    shares = sum(part.share or 0.0 for part in parts)
    if rest:
        total = rest / (1 - shares)
    else:
        # A hair more than the quotient, so that 0.1 of 30 are 3.
        each = zip(parts, available, strict=True)
        total = math.floor(min(count / (part.share or 1.0) for part, count in each) + 1e-9)
    counts = []
    for part, count in zip(parts, available, strict=True):
        wanted = count if part.share is None else max(1, round(part.share * total))
        if wanted > count:
            raise FlextuneError(
                f"train.data {part.name}: a share of {part.share:g} is {wanted} of {total:.0f} examples, and"
                f" it has {count}; lower the share, or give the other parts a limit or a share"
            )
        counts.append(wanted)
    return counts


def with_replay(examples: list[Example], replay: ReplayConfig | None) -> list[Example]:
    """The examples, the last of them replaced by Rosetta lessons in other languages.

    Their number stays the same, so that steps and schedule are those of a training without replay. Lessons
    are always in the base lexicon: what the model knew is kept, and no reserved word is taught in another
    language, which would be transfer by teaching. They are drawn with ``REPLAY_SEED``, whatever the seeds of
    the experiment.

    Args:
        examples: Of the training, without replay.
        replay: The section ``train.replay``; with None the examples stay as they are.

    Raises:
        FlextuneError: A language that Rosetta does not have, or no example is left to learn from.
    """
    if replay is None:
        return examples
    lessons = _lessons(replay, len(examples))
    return [*examples[: len(examples) - len(lessons)], *lessons]


def _lessons(replay: ReplayConfig, total: int) -> list[Example]:
    """``share`` of ``total`` lessons, one at least, the languages in equal parts."""
    from flextune.rosetta.examples import examples

    count = max(1, round(replay.share * total))
    if count >= total:
        raise FlextuneError(
            f"train.replay.share {replay.share:g} of {total} examples leaves none to learn from"
        )
    counts = Counter(islice(cycle(replay.languages), count))
    try:
        return [e for name, limit in counts.items() for e in examples(name, seed=REPLAY_SEED, limit=limit)]
    except FlextuneError as error:
        raise FlextuneError(f"train.replay.languages: {error}") from None
