"""Operations that fold a list of integers into one integer or a map."""

from __future__ import annotations

from itertools import accumulate, combinations, groupby, pairwise

from flextune.rosetta.operations.base import Operation, Undefined, some


def _alternating_sum(values: list[int]) -> int:
    return sum(-v if i % 2 else v for i, v in enumerate(values))


def _longest_rise(values: list[int]) -> int:
    best = run = 1
    for before, after in pairwise(some(values)):
        run = run + 1 if after > before else 1
        best = max(best, run)
    return best


def _second_largest(values: list[int]) -> int:
    distinct = sorted(set(values))
    if len(distinct) < 2:
        raise Undefined("fewer than two distinct numbers")
    return distinct[-2]


def _most_common(values: list[int]) -> int:
    return min(some(values), key=lambda v: (-values.count(v), v))


def _largest_step(values: list[int]) -> int:
    if len(values) < 2:
        raise Undefined("no neighbours")
    return max(abs(b - a) for a, b in pairwise(values))


def _parity_counts(values: list[int]) -> dict[str, int]:
    evens = sum(v % 2 == 0 for v in values)
    return {"even": evens, "odd": len(values) - evens}


def _sign_counts(values: list[int]) -> dict[str, int]:
    return {
        "negative": sum(v < 0 for v in values),
        "zero": values.count(0),
        "positive": sum(v > 0 for v in values),
    }


SMALL = tuple(range(2, 10))

OPERATIONS = (
    Operation(
        "total",
        "ints",
        "int",
        sum,
        "total",
        ("return the sum of the numbers", "add up the numbers"),
        ("tally everything",),
    ),
    Operation(
        "largest",
        "ints",
        "int",
        lambda v: max(some(v)),
        "largest",
        ("return the largest number", "find the maximum of the numbers"),
        ("report the champion",),
    ),
    Operation(
        "smallest",
        "ints",
        "int",
        lambda v: min(some(v)),
        "smallest",
        ("return the smallest number", "find the minimum of the numbers"),
        ("report the underdog",),
    ),
    Operation(
        "spread",
        "ints",
        "int",
        lambda v: max(some(v)) - min(v),
        "spread",
        (
            "return the difference between the largest and the smallest number",
            "find the range of the numbers",
        ),
        ("report the bandwidth",),
    ),
    Operation(
        "size",
        "ints",
        "int",
        len,
        "size",
        ("return how many numbers there are", "find the length of the list"),
        ("report the headcount",),
    ),
    Operation(
        "count_even",
        "ints",
        "int",
        lambda v: sum(x % 2 == 0 for x in v),
        "count",
        ("count the even numbers", "return how many numbers are even"),
        ("report the quantity that halves exactly",),
        stateful=True,
    ),
    Operation(
        "count_above",
        "ints",
        "int",
        lambda v, k: sum(x > k for x in v),
        "count",
        ("count the numbers greater than {k}", "return how many numbers are above {k}"),
        ("report the quantity exceeding {k}",),
        stateful=True,
        constants=SMALL,
    ),
    Operation(
        "alternating_sum",
        "ints",
        "int",
        _alternating_sum,
        "balance",
        ("add and subtract the numbers in turn", "return the alternating sum of the numbers"),
        ("tally with a see saw polarity",),
        stateful=True,
    ),
    Operation(
        "longest_rise",
        "ints",
        "int",
        _longest_rise,
        "longest",
        (
            "return the length of the longest increasing run",
            "find how long the numbers increase without a break",
        ),
        ("report the lengthiest climb",),
        stateful=True,
    ),
    Operation(
        "longest_plateau",
        "ints",
        "int",
        lambda v: max(len(list(g)) for _, g in groupby(some(v))),
        "longest",
        (
            "return the length of the longest run of equal numbers",
            "find how often a number repeats in a row at most",
        ),
        ("report the widest plateau",),
        stateful=True,
    ),
    Operation(
        "last",
        "ints",
        "int",
        lambda v: some(v)[-1],
        "closing",
        ("return the last number", "find the number at the end of the list"),
        ("report the caboose",),
    ),
    Operation(
        "second_largest",
        "ints",
        "int",
        _second_largest,
        "second",
        ("return the second largest distinct number", "find the largest number below the maximum"),
        ("report the silver medallist",),
        stateful=True,
    ),
    Operation(
        "most_common",
        "ints",
        "int",
        _most_common,
        "common",
        (
            "return the most common number and the smallest one on a tie",
            "find the number that occurs most often and the smallest one on a tie",
        ),
        ("report the mode",),
        stateful=True,
    ),
    Operation(
        "distinct",
        "ints",
        "int",
        lambda v: len(set(v)),
        "distinct",
        ("count the distinct numbers", "return how many different numbers there are"),
        ("report the variety",),
    ),
    Operation(
        "sign_changes",
        "ints",
        "int",
        lambda v: sum((a < 0) != (b < 0) for a, b in pairwise(v)),
        "crossings",
        ("count the neighbours of which only one is negative", "return how often the sign changes"),
        ("report the nought traversals",),
        stateful=True,
    ),
    Operation(
        "largest_step",
        "ints",
        "int",
        _largest_step,
        "leap",
        (
            "return the largest absolute difference between neighbours",
            "find the largest step between neighbours",
        ),
        ("report the most abrupt leap",),
        stateful=True,
    ),
    Operation(
        "largest_position",
        "ints",
        "int",
        lambda v: v.index(max(some(v))),
        "position",
        ("return the position of the largest number", "find the index of the first maximum"),
        ("report where the champion sits",),
        stateful=True,
    ),
    Operation(
        "best_prefix",
        "ints",
        "int",
        lambda v: max(accumulate(some(v))),
        "best",
        ("return the largest running sum", "find the maximum of the sums so far"),
        ("report the fattest subtotal",),
        stateful=True,
    ),
    Operation(
        "pairs_adding",
        "ints",
        "int",
        lambda v, k: sum(a + b == k for a, b in combinations(v, 2)),
        "pairs",
        ("count the pairs with sum {k}", "return how many pairs add up to {k}"),
        ("report the couples totalling {k}",),
        stateful=True,
        constants=(4, 5, 6, 7, 8, 9),
    ),
    Operation(
        "parity_counts",
        "ints",
        "counts",
        _parity_counts,
        "parities",
        ("count the even and the odd numbers in a map", "map even and odd to how many there are"),
        ("take a census by divisibility",),
        stateful=True,
    ),
    Operation(
        "sign_counts",
        "ints",
        "counts",
        _sign_counts,
        "signs",
        ("count the negative, zero and positive numbers in a map", "map each sign to how many there are"),
        ("take a census by polarity",),
        stateful=True,
    ),
)
