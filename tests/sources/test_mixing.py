from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flextune.config import DataPart
from flextune.errors import FlextuneError
from flextune.records import Example
from flextune.sources.holdout import held_out
from flextune.sources.mixing import interleaved, taken


def some(name: str, count: int) -> list[Example]:
    return [Example(f"{name}{number}", f"{name} {number}", "c") for number in range(count)]


def part(name: str, share: float | None = None) -> DataPart:
    return DataPart(path=f"{name}.jsonl", share=share)


@pytest.mark.parametrize(
    ("shares", "available", "counts"),
    [
        ((None, None), (7, 3), (7, 3)),
        ((None, 0.1), (90, 50), (90, 10)),
        ((None, None, 0.5), (20, 30, 80), (20, 30, 50)),
        ((0.5, 0.5), (10, 30), (10, 10)),
        ((0.1, 0.9), (30, 999), (30, 270)),
        ((0.25, 0.75), (100, 30), (10, 30)),
    ],
)
def test_parts_give_their_shares_and_nothing_is_repeated(
    shares: tuple[float | None, ...], available: tuple[int, ...], counts: tuple[int, ...]
) -> None:
    parts = [part(str(number), share) for number, share in enumerate(shares)]
    lists = [some(str(number), count) for number, count in enumerate(available)]
    found = taken(parts, lists)
    assert tuple(map(len, found)) == counts
    assert all(own == given[: len(own)] for own, given in zip(found, lists, strict=True))


@pytest.mark.parametrize(
    ("available", "message"),
    [
        ((90, 9), "b.jsonl: a share of 0.1 is 10 of 100 examples, and it has 9; lower the share"),
        ((90, 0), "b.jsonl: no examples left to mix"),
    ],
)
def test_a_share_that_cannot_be_had_is_refused(available: tuple[int, int], message: str) -> None:
    with pytest.raises(FlextuneError, match=message):
        taken([part("a"), part("b", 0.1)], [some("a", available[0]), some("b", available[1])])


@given(st.lists(st.integers(1, 40), min_size=1, max_size=4), st.data())
def test_every_beginning_of_a_mixture_has_its_proportions(sizes: list[int], data: st.DataObject) -> None:
    mixture = interleaved([some(f"{number}-", size) for number, size in enumerate(sizes)])
    assert len({example.name for example in mixture}) == len(mixture) == sum(sizes)
    length = data.draw(st.integers(0, len(mixture)))
    counts = Counter(example.name.partition("-")[0] for example in mixture[:length])
    for number, size in enumerate(sizes):
        assert abs(counts[str(number)] - length * size / len(mixture)) <= len(sizes)


@given(st.lists(st.integers(0, 9), max_size=80), st.integers(0, 20), st.randoms())
def test_no_problem_is_on_both_sides_whatever_the_order(problems: list[int], size: int, random) -> None:
    examples = [Example(str(place), f"p{problem}", "c") for place, problem in enumerate(problems)]
    training, validation = held_out(examples, size)
    assert len(validation) <= min(size, len(examples) // 10)
    assert sorted(training + validation, key=lambda e: int(e.name)) == examples
    assert not {e.prompt for e in training} & {e.prompt for e in validation}
    shuffled = random.sample(examples, len(examples))
    assert {e.prompt for e in held_out(shuffled, size)[1]} == {e.prompt for e in validation}
