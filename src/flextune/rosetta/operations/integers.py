"""Operations on one integer."""

from __future__ import annotations

from math import gcd

from flextune.rosetta.operations.base import Operation, Undefined


def _natural(number: int, *, most: int = 100_000) -> int:
    """``number`` if it is at least 1 and small enough to loop over."""
    if not 1 <= number <= most:
        raise Undefined("outside the range")
    return number


def _digits(number: int) -> list[int]:
    if number < 0:
        raise Undefined("negative")
    return [int(digit) for digit in str(number)]


def _collatz(number: int) -> list[int]:
    path = [_natural(number)]
    while path[-1] != 1:
        path.append(3 * path[-1] + 1 if path[-1] % 2 else path[-1] // 2)
    return path


def _halvings(number: int) -> list[int]:
    path = [_natural(number)]
    while path[-1] > 1:
        path.append(path[-1] // 2)
    return path


def _divisors(number: int) -> list[int]:
    return [d for d in range(1, _natural(number, most=5000) + 1) if number % d == 0]


SMALL = tuple(range(2, 10))

OPERATIONS = (
    Operation(
        "add",
        "int",
        "int",
        lambda n, k: n + k,
        "raised",
        ("add {k} to the number", "increase the number by {k}"),
        ("bump the figure by {k}",),
        constants=SMALL,
    ),
    Operation(
        "multiply",
        "int",
        "int",
        lambda n, k: n * k,
        "product",
        ("multiply the number by {k}", "return {k} times the number"),
        ("enlarge the figure {k} fold",),
        constants=SMALL,
    ),
    Operation(
        "modulo",
        "int",
        "int",
        lambda n, k: n % k,
        "remainder",
        ("take the number modulo {k}", "return the remainder after division by {k}"),
        ("reduce the figure to its residue class for {k}",),
        constants=SMALL,
    ),
    Operation(
        "digit_sum",
        "int",
        "int",
        lambda n: sum(_digits(n)),
        "checksum",
        ("return the sum of the digits", "add up the digits of the number"),
        ("tally its ciphers",),
        stateful=True,
    ),
    Operation(
        "reverse_digits",
        "int",
        "int",
        lambda n: int("".join(map(str, _digits(n)[::-1]))),
        "mirrored",
        ("reverse the digits of the number", "write the digits in reverse order"),
        ("read the figure backwards",),
        stateful=True,
    ),
    Operation(
        "largest_digit",
        "int",
        "int",
        lambda n: max(_digits(n)),
        "top",
        ("return the largest digit", "find the maximum of the digits"),
        ("report the champion cipher",),
        stateful=True,
    ),
    Operation(
        "divisor_count",
        "int",
        "int",
        lambda n: len(_divisors(n)),
        "divisors",
        ("count the divisors of the number", "return how many numbers divide it"),
        ("report the quantity of factors",),
        stateful=True,
    ),
    Operation(
        "collatz_steps",
        "int",
        "int",
        lambda n: len(_collatz(n)) - 1,
        "hops",
        ("count the steps of the collatz sequence down to 1", "return the number of collatz steps"),
        ("report how long the hailstone flies",),
        stateful=True,
    ),
    Operation(
        "common_divisor",
        "int",
        "int",
        lambda n, k: gcd(n, k),
        "divisor",
        ("return the greatest common divisor with {k}", "find the largest number that divides it and {k}"),
        ("report the biggest measure shared with {k}",),
        stateful=True,
        constants=(6, 8, 9, 12, 18, 24),
    ),
    Operation(
        "ones",
        "int",
        "int",
        lambda n: bin(_natural(n)).count("1"),
        "ones",
        ("count the ones of the number in binary", "return how many binary digits are one"),
        ("report the population of set bits",),
        stateful=True,
    ),
    Operation(
        "digits",
        "int",
        "ints",
        _digits,
        "digits",
        ("make a list of the digits", "split the number into its digits"),
        ("explode the figure into ciphers",),
        stateful=True,
    ),
    Operation(
        "divisor_list",
        "int",
        "ints",
        _divisors,
        "factors",
        ("make a list of the divisors", "list all numbers that divide it"),
        ("enumerate its factors",),
        stateful=True,
    ),
    Operation(
        "countdown",
        "int",
        "ints",
        lambda n: list(range(_natural(n, most=60), 0, -1)),
        "countdown",
        ("make a list that counts down from the number to 1", "list the numbers from it down to 1"),
        ("enumerate the rocket launch",),
    ),
    Operation(
        "halvings",
        "int",
        "ints",
        _halvings,
        "halves",
        ("halve the number down to 1 and list each value", "make a list of the repeated halves"),
        ("enumerate the bisection trail",),
        stateful=True,
    ),
    Operation(
        "binary",
        "int",
        "text",
        lambda n: bin(_natural(n))[2:],
        "binary",
        ("write the number in binary", "convert the number to binary text"),
        ("render the figure in radix two",),
        stateful=True,
    ),
)
