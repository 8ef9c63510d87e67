"""Operations on lists of integers that give a list of integers."""

from __future__ import annotations

from itertools import accumulate, pairwise

from flextune.rosetta.operations.base import Operation, some


def _drop_repeats(values: list[int]) -> list[int]:
    return [v for i, v in enumerate(values) if i == 0 or values[i - 1] != v]


def _swap_pairs(values: list[int]) -> list[int]:
    result = list(values)
    for i in range(0, len(result) - 1, 2):
        result[i], result[i + 1] = result[i + 1], result[i]
    return result


def _rotate(values: list[int], k: int) -> list[int]:
    shift = k % len(some(values))
    return values[shift:] + values[:shift]


def _peaks(values: list[int]) -> list[int]:
    inner = range(1, len(values) - 1)
    return [values[i] for i in inner if values[i] > values[i - 1] and values[i] > values[i + 1]]


def _above_mean(values: list[int]) -> list[int]:
    return [v for v in values if v * len(values) > sum(values)]


SMALL = tuple(range(2, 10))

OPERATIONS = (
    Operation(
        "keep_even",
        "ints",
        "ints",
        lambda v: [x for x in v if x % 2 == 0],
        "evens",
        ("keep only the even numbers", "select the even numbers", "remove the odd numbers"),
        ("retain whatever halves exactly",),
    ),
    Operation(
        "keep_odd",
        "ints",
        "ints",
        lambda v: [x for x in v if x % 2 != 0],
        "odds",
        ("keep only the odd numbers", "select the odd numbers", "remove the even numbers"),
        ("retain whatever leaves one over by halving",),
    ),
    Operation(
        "keep_positive",
        "ints",
        "ints",
        lambda v: [x for x in v if x > 0],
        "positives",
        ("keep only the positive numbers", "select the numbers greater than zero"),
        ("retain the gains",),
    ),
    Operation(
        "keep_above",
        "ints",
        "ints",
        lambda v, k: [x for x in v if x > k],
        "large",
        ("keep only the numbers greater than {k}", "select the numbers above {k}"),
        ("retain entries exceeding {k}",),
        constants=SMALL,
    ),
    Operation(
        "keep_below",
        "ints",
        "ints",
        lambda v, k: [x for x in v if x < k],
        "small",
        ("keep only the numbers less than {k}", "select the numbers below {k}"),
        ("retain entries under the ceiling {k}",),
        constants=SMALL,
    ),
    Operation(
        "keep_multiples",
        "ints",
        "ints",
        lambda v, k: [x for x in v if x % k == 0],
        "multiples",
        ("keep only the multiples of {k}", "select the numbers divisible by {k}"),
        ("retain entries in the table of {k}",),
        constants=(3, 4, 5, 6, 7),
    ),
    Operation(
        "above_mean",
        "ints",
        "ints",
        _above_mean,
        "high",
        ("keep only the numbers greater than the average", "select the numbers above the mean"),
        ("retain the better than typical entries",),
        stateful=True,
    ),
    Operation(
        "scale",
        "ints",
        "ints",
        lambda v, k: [x * k for x in v],
        "scaled",
        ("multiply each number by {k}", "replace each number by {k} times itself"),
        ("enlarge every entry {k} fold",),
        constants=SMALL,
    ),
    Operation(
        "shift",
        "ints",
        "ints",
        lambda v, k: [x + k for x in v],
        "shifted",
        ("add {k} to each number", "increase each number by {k}"),
        ("bump every entry by {k}",),
        constants=SMALL,
    ),
    Operation(
        "square",
        "ints",
        "ints",
        lambda v: [x * x for x in v],
        "squares",
        ("square each number", "replace each number by its square"),
        ("raise every entry to its second power",),
    ),
    Operation(
        "negate",
        "ints",
        "ints",
        lambda v: [-x for x in v],
        "negated",
        ("negate each number", "change the sign of each number"),
        ("mirror every entry about nought",),
    ),
    Operation(
        "absolute",
        "ints",
        "ints",
        lambda v: [abs(x) for x in v],
        "sizes",
        ("take the absolute value of each number", "replace each number by its absolute value"),
        ("reduce every entry to its magnitude",),
    ),
    Operation(
        "cap",
        "ints",
        "ints",
        lambda v, k: [min(x, k) for x in v],
        "capped",
        ("replace each number greater than {k} by {k}", "limit each number to at most {k}"),
        ("clip the entries to the ceiling {k}",),
        stateful=True,
        constants=SMALL,
    ),
    Operation(
        "zero_negatives",
        "ints",
        "ints",
        lambda v: [max(x, 0) for x in v],
        "floored",
        ("replace each negative number by zero", "set the negative numbers to zero"),
        ("wipe out the debits",),
        stateful=True,
    ),
    Operation(
        "remainders",
        "ints",
        "ints",
        lambda v: [x % 3 for x in v],
        "remainders",
        ("replace each number by its remainder modulo 3", "take each number modulo 3"),
        ("map every entry to its residue class for three",),
    ),
    Operation(
        "running_sum",
        "ints",
        "ints",
        lambda v: list(accumulate(v)),
        "sums",
        ("compute the running sums", "replace each number by the sum so far"),
        ("accumulate the ledger",),
        stateful=True,
    ),
    Operation(
        "running_max",
        "ints",
        "ints",
        lambda v: list(accumulate(v, max)),
        "records",
        ("compute the running maximum", "replace each number by the largest so far"),
        ("chart the record high to date",),
        stateful=True,
    ),
    Operation(
        "differences",
        "ints",
        "ints",
        lambda v: [b - a for a, b in pairwise(v)],
        "steps",
        ("compute the differences between neighbours", "subtract each number from the next one"),
        ("derive the successive increments",),
        stateful=True,
    ),
    Operation(
        "drop_repeats",
        "ints",
        "ints",
        _drop_repeats,
        "changes",
        ("remove numbers equal to the one before", "drop adjacent repeats"),
        ("collapse stutters",),
        stateful=True,
    ),
    Operation(
        "unique",
        "ints",
        "ints",
        lambda v: list(dict.fromkeys(v)),
        "unique",
        ("remove duplicates and keep the first of each", "keep each number once in order"),
        ("dedupe while preserving arrival",),
        stateful=True,
    ),
    Operation(
        "reverse",
        "ints",
        "ints",
        lambda v: v[::-1],
        "flipped",
        ("reverse the list", "put the numbers in reverse order"),
        ("flip the sequence end for end",),
    ),
    Operation(
        "sort_up",
        "ints",
        "ints",
        sorted,
        "ordered",
        ("sort the numbers in ascending order", "sort the list from smallest to largest"),
        ("arrange by rising value",),
    ),
    Operation(
        "sort_down",
        "ints",
        "ints",
        lambda v: sorted(v, reverse=True),
        "descending",
        ("sort the numbers in descending order", "sort the list from largest to smallest"),
        ("arrange by falling value",),
    ),
    Operation(
        "every_second",
        "ints",
        "ints",
        lambda v: v[::2],
        "alternate",
        ("keep every second number starting with the first", "take the numbers at even positions"),
        ("skim alternating slots",),
    ),
    Operation(
        "take",
        "ints",
        "ints",
        lambda v, k: v[:k],
        "front",
        ("take the first {k} numbers", "keep only the first {k} numbers"),
        ("crop to the leading {k} entries",),
        constants=(2, 3, 4),
    ),
    Operation(
        "skip",
        "ints",
        "ints",
        lambda v, k: v[k:],
        "rest",
        ("remove the first {k} numbers", "drop the first {k} numbers"),
        ("behead it by {k} entries",),
        constants=(1, 2, 3),
    ),
    Operation(
        "rotate",
        "ints",
        "ints",
        _rotate,
        "rotated",
        ("rotate the list to the left by {k}", "move the first {k} numbers to the end in a circle"),
        ("spin the carousel {k} places",),
        stateful=True,
        constants=(1, 2, 3),
    ),
    Operation(
        "peaks",
        "ints",
        "ints",
        _peaks,
        "peaks",
        ("keep only the numbers greater than both neighbours", "select the local maxima"),
        ("retain the summits",),
        stateful=True,
    ),
    Operation(
        "swap_pairs",
        "ints",
        "ints",
        _swap_pairs,
        "swapped",
        ("swap the numbers in each pair of positions", "swap each two neighbours"),
        ("transpose adjacent couples",),
        stateful=True,
    ),
    Operation(
        "zeros_last",
        "ints",
        "ints",
        lambda v: [x for x in v if x != 0] + [0] * v.count(0),
        "packed",
        ("move the zeros to the end", "put all zeros last and keep the order of the rest"),
        ("sink the noughts",),
        stateful=True,
    ),
    Operation(
        "repeat_each",
        "ints",
        "ints",
        lambda v: [x for x in v for _ in range(2)],
        "doubled",
        ("repeat each number twice", "write each number two times"),
        ("stammer every entry",),
        stateful=True,
    ),
    Operation(
        "alternate_signs",
        "ints",
        "ints",
        lambda v: [-x if i % 2 else x for i, x in enumerate(v)],
        "signed",
        ("negate every second number", "change the sign of the numbers at odd positions"),
        ("flip polarity on alternating slots",),
        stateful=True,
    ),
)
