"""Programs in other languages among the training examples, against forgetting."""

from __future__ import annotations

from collections import Counter
from itertools import cycle, islice

from flextune.config import ReplayConfig
from flextune.errors import FlextuneError
from flextune.records import Example

#: Seed of the replayed lessons, the same for every experiment and every seed of it. Rosetta's own training
#: sets are drawn with seed 0: with another one, replayed lessons are not translations of those beside them.
REPLAY_SEED = 1


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
