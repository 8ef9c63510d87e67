"""Python."""

from __future__ import annotations

import builtins
import keyword
from collections.abc import Sequence
from typing import Any

from flextune.rosetta.languages.base import PARAMETERS, Language, read_snippets
from flextune.rosetta.operations import Kind

TYPES: dict[Kind, str] = {
    "int": "int",
    "ints": "list[int]",
    "text": "str",
    "words": "list[str]",
    "counts": "dict[str, int]",
}

SNIPPETS = read_snippets(
    r"""
add: $k + $x
    $x + $k
multiply: $k * $x
    $x * $k
modulo: divmod($x, $k)[1]
    $x % $k
digit_sum: sum(int(c) for c in str($x))
    $y = 0
    for c in str($x):
        $y += int(c)
reverse_digits: int(str($x)[::-1])
    $y = 0
    for c in reversed(str($x)):
        $y = $y * 10 + int(c)
largest_digit: max(int(c) for c in str($x))
    $y = 0
    for c in str($x):
        $y = max($y, int(c))
divisor_count: sum($x % i == 0 for i in range(1, $x + 1))
    $y = 0
    for i in range(1, $x + 1):
        if $x % i == 0:
            $y += 1
collatz_steps:
    $y = 0
    $n = $x
    while $n != 1:
        if $n % 2 == 0:
            $n = $n // 2
        else:
            $n = 3 * $n + 1
        $y += 1
    or
    $path = [$x]
    while $path[-1] != 1:
        $path.append(3 * $path[-1] + 1 if $path[-1] % 2 else $path[-1] // 2)
    $y = len($path) - 1
common_divisor: max(i for i in range(1, $k + 1) if $x % i == 0 and $k % i == 0)
    $y = 1
    for i in range(1, $k + 1):
        if $x % i == 0 and $k % i == 0:
            $y = i
ones: bin($x).count("1")
    $y = 0
    $n = $x
    while $n > 0:
        $y += $n % 2
        $n = $n // 2
digits: [int(c) for c in str($x)]
    $y = []
    for c in str($x):
        $y.append(int(c))
divisor_list: [i for i in range(1, $x + 1) if $x % i == 0]
    $y = []
    for i in range(1, $x + 1):
        if $x % i == 0:
            $y.append(i)
countdown: list(range($x, 0, -1))
    $y = []
    for i in range($x, 0, -1):
        $y.append(i)
halvings: [$x >> i for i in range($x.bit_length())]
    $y = []
    $n = $x
    while $n > 0:
        $y.append($n)
        $n = $n // 2
binary: bin($x)[2:]
    $y = ""
    $n = $x
    while $n > 0:
        $y = str($n % 2) + $y
        $n = $n // 2

keep_even: [x for x in $x if x % 2 == 0]
    $y = []
    for x in $x:
        if x % 2 == 0:
            $y.append(x)
keep_odd: [x for x in $x if x % 2 != 0]
    $y = []
    for x in $x:
        if x % 2 != 0:
            $y.append(x)
keep_positive: [x for x in $x if x > 0]
    $y = []
    for x in $x:
        if x > 0:
            $y.append(x)
keep_above: [x for x in $x if x > $k]
    $y = []
    for x in $x:
        if x > $k:
            $y.append(x)
keep_below: [x for x in $x if x < $k]
    $y = []
    for x in $x:
        if x < $k:
            $y.append(x)
keep_multiples: [x for x in $x if x % $k == 0]
    $y = []
    for x in $x:
        if x % $k == 0:
            $y.append(x)
above_mean: [x for x in $x if x * len($x) > sum($x)]
    $y = []
    for x in $x:
        if x > sum($x) / len($x):
            $y.append(x)
scale: [x * $k for x in $x]
    $y = []
    for x in $x:
        $y.append(x * $k)
shift: [x + $k for x in $x]
    $y = []
    for x in $x:
        $y.append(x + $k)
square: [x * x for x in $x]
    $y = []
    for x in $x:
        $y.append(x * x)
negate: [-x for x in $x]
    $y = []
    for x in $x:
        $y.append(-x)
absolute: [abs(x) for x in $x]
    $y = []
    for x in $x:
        $y.append(abs(x))
cap: [min(x, $k) for x in $x]
    $y = []
    for x in $x:
        $y.append(min(x, $k))
zero_negatives: [max(x, 0) for x in $x]
    $y = []
    for x in $x:
        $y.append(max(x, 0))
remainders: [x % 3 for x in $x]
    $y = []
    for x in $x:
        $y.append(x % 3)
running_sum: [sum($x[: i + 1]) for i in range(len($x))]
    $y = []
    $total = 0
    for x in $x:
        $total += x
        $y.append($total)
running_max: [max($x[: i + 1]) for i in range(len($x))]
    $y = []
    $best = float("-inf")
    for x in $x:
        $best = max($best, x)
        $y.append($best)
differences: [b - a for a, b in zip($x, $x[1:])]
    $y = []
    for i in range(1, len($x)):
        $y.append($x[i] - $x[i - 1])
drop_repeats: [x for i, x in enumerate($x) if i == 0 or x != $x[i - 1]]
    $y = []
    for x in $x:
        if not $y or x != $y[-1]:
            $y.append(x)
unique: list(dict.fromkeys($x))
    $y = []
    for x in $x:
        if x not in $y:
            $y.append(x)
reverse: $x[::-1]
    $y = []
    for x in $x:
        $y.insert(0, x)
sort_up: sorted($x)
    $y = list($x)
    $y.sort()
sort_down: sorted($x, reverse=True)
    $y = list($x)
    $y.sort(reverse=True)
every_second: $x[::2]
    $y = []
    for i in range(0, len($x), 2):
        $y.append($x[i])
take: $x[:$k]
    $y = []
    for x in $x:
        if len($y) < $k:
            $y.append(x)
skip: $x[$k:]
    $y = []
    for i in range($k, len($x)):
        $y.append($x[i])
rotate: [$x[(i + $k) % len($x)] for i in range(len($x))]
    $y = []
    for i in range(len($x)):
        $y.append($x[(i + $k) % len($x)])
peaks: [$x[i] for i in range(1, len($x) - 1) if $x[i] > $x[i - 1] and $x[i] > $x[i + 1]]
    $y = []
    for i in range(1, len($x) - 1):
        if $x[i] > $x[i - 1] and $x[i] > $x[i + 1]:
            $y.append($x[i])
swap_pairs: [x for i in range(0, len($x), 2) for x in reversed($x[i : i + 2])]
    $y = list($x)
    for i in range(0, len($y) - 1, 2):
        $y[i], $y[i + 1] = $y[i + 1], $y[i]
zeros_last: sorted($x, key=lambda x: x == 0)
    $y = []
    for x in $x:
        if x != 0:
            $y.append(x)
    while len($y) < len($x):
        $y.append(0)
repeat_each: [x for x in $x for _ in range(2)]
    $y = []
    for x in $x:
        $y.append(x)
        $y.append(x)
alternate_signs: [x if i % 2 == 0 else -x for i, x in enumerate($x)]
    $y = []
    $sign = 1
    for x in $x:
        $y.append($sign * x)
        $sign = -$sign

total: sum($x)
    $y = 0
    for x in $x:
        $y += x
largest: max($x)
    $y = $x[0]
    for x in $x:
        $y = max($y, x)
smallest: min($x)
    $y = $x[0]
    for x in $x:
        $y = min($y, x)
spread: max($x) - min($x)
    $high = max($x)
    $low = min($x)
    $y = $high - $low
size: len($x)
    $y = 0
    for x in $x:
        $y += 1
count_even: sum(x % 2 == 0 for x in $x)
    $y = 0
    for x in $x:
        if x % 2 == 0:
            $y += 1
count_above: sum(x > $k for x in $x)
    $y = 0
    for x in $x:
        if x > $k:
            $y += 1
alternating_sum: sum(x if i % 2 == 0 else -x for i, x in enumerate($x))
    $y = 0
    $sign = 1
    for x in $x:
        $y += $sign * x
        $sign = -$sign
longest_rise:
    $y = 1
    $run = 1
    for i in range(1, len($x)):
        $run = $run + 1 if $x[i] > $x[i - 1] else 1
        $y = max($y, $run)
    or
    $runs = [1]
    for a, b in zip($x, $x[1:]):
        $runs.append($runs[-1] + 1 if b > a else 1)
    $y = max($runs)
longest_plateau:
    $y = 1
    $run = 1
    for i in range(1, len($x)):
        $run = $run + 1 if $x[i] == $x[i - 1] else 1
        $y = max($y, $run)
    or
    $runs = [1]
    for a, b in zip($x, $x[1:]):
        $runs.append($runs[-1] + 1 if b == a else 1)
    $y = max($runs)
last: $x[-1]
    $x[len($x) - 1]
second_largest: sorted(set($x))[-2]
    $best = max($x)
    $y = min($x)
    for x in $x:
        if x != $best:
            $y = max($y, x)
most_common: max(sorted($x), key=$x.count)
    $y = min($x)
    for x in sorted($x):
        if $x.count(x) > $x.count($y):
            $y = x
distinct: len(set($x))
    $seen = []
    for x in $x:
        if x not in $seen:
            $seen.append(x)
    $y = len($seen)
sign_changes: sum((a < 0) != (b < 0) for a, b in zip($x, $x[1:]))
    $y = 0
    for i in range(1, len($x)):
        if ($x[i] < 0) != ($x[i - 1] < 0):
            $y += 1
largest_step: max(abs(b - a) for a, b in zip($x, $x[1:]))
    $y = 0
    for i in range(1, len($x)):
        $y = max($y, abs($x[i] - $x[i - 1]))
largest_position: $x.index(max($x))
    $y = 0
    for i in range(len($x)):
        if $x[i] > $x[$y]:
            $y = i
best_prefix: max(sum($x[: i + 1]) for i in range(len($x)))
    $y = $x[0]
    $total = 0
    for x in $x:
        $total += x
        $y = max($y, $total)
pairs_adding: sum(a + b == $k for i, a in enumerate($x) for b in $x[i + 1 :])
    $y = 0
    for i in range(len($x)):
        for j in range(i + 1, len($x)):
            if $x[i] + $x[j] == $k:
                $y += 1
parity_counts: {"even": sum(x % 2 == 0 for x in $x), "odd": sum(x % 2 != 0 for x in $x)}
    $y = {"even": 0, "odd": 0}
    for x in $x:
        $y["even" if x % 2 == 0 else "odd"] += 1
sign_counts:
    $y = {"negative": 0, "zero": 0, "positive": 0}
    for x in $x:
        $y["negative" if x < 0 else "zero" if x == 0 else "positive"] += 1
    or
    $y = {"negative": sum(x < 0 for x in $x), "zero": $x.count(0), "positive": sum(x > 0 for x in $x)}

reverse_text: $x[::-1]
    $y = ""
    for c in $x:
        $y = c + $y
upper: $x.upper()
    $y = ""
    for c in $x:
        $y += c.upper()
swap_case: $x.swapcase()
    $y = ""
    for c in $x:
        $y += c.lower() if c.isupper() else c.upper()
drop_vowels: "".join(c for c in $x if c not in "aeiouAEIOU")
    $y = ""
    for c in $x:
        if c not in "aeiouAEIOU":
            $y += c
mask_vowels: "".join("*" if c in "aeiouAEIOU" else c for c in $x)
    $y = ""
    for c in $x:
        $y += "*" if c in "aeiouAEIOU" else c
double_letters: "".join(c + c for c in $x)
    $y = ""
    for c in $x:
        $y += c + c
first_letters: $x[:$k]
    $y = ""
    for c in $x:
        if len($y) < $k:
            $y += c
skip_letters: $x[$k:]
    $y = ""
    for i in range($k, len($x)):
        $y += $x[i]
sort_letters: "".join(sorted($x))
    $chars = list($x)
    $chars.sort()
    $y = "".join($chars)
squeeze: "".join(c for i, c in enumerate($x) if i == 0 or c != $x[i - 1])
    $y = ""
    for c in $x:
        if not $y.endswith(c):
            $y += c
unique_letters: "".join(dict.fromkeys($x))
    $y = ""
    for c in $x:
        if c not in $y:
            $y += c
caesar: "".join(chr((ord(c) - 97 + $k) % 26 + 97) if c.islower() else c for c in $x)
    $y = ""
    for c in $x:
        if "a" <= c <= "z":
            $y += chr((ord(c) - 97 + $k) % 26 + 97)
        else:
            $y += c
run_lengths:
    $y = ""
    $run = 0
    for i, c in enumerate($x):
        $run += 1
        if i + 1 == len($x) or $x[i + 1] != c:
            $y += c + str($run)
            $run = 0
    or
    $runs = []
    for c in $x:
        if $runs and c in $runs[-1]:
            $runs[-1] += c
        else:
            $runs.append(c)
    $y = "".join(w[0] + str(len(w)) for w in $runs)
text_length: len($x)
    $y = 0
    for c in $x:
        $y += 1
vowel_count: sum(c in "aeiouAEIOU" for c in $x)
    $y = 0
    for c in $x:
        if c in "aeiouAEIOU":
            $y += 1
word_count: len($x.split())
    $y = 0
    for w in $x.split():
        $y += 1
distinct_letters: len(set($x))
    $seen = []
    for c in $x:
        if c not in $seen:
            $seen.append(c)
    $y = len($seen)
longest_run:
    $y = 1
    $run = 1
    for i in range(1, len($x)):
        $run = $run + 1 if $x[i] == $x[i - 1] else 1
        $y = max($y, $run)
    or
    $runs = [1]
    for a, b in zip($x, $x[1:]):
        $runs.append($runs[-1] + 1 if b == a else 1)
    $y = max($runs)
digit_total: sum(int(c) for c in $x if c.isdigit())
    $y = 0
    for c in $x:
        if c.isdigit():
            $y += int(c)
split: $x.split()
    $y = []
    for w in $x.split(" "):
        if w != "":
            $y.append(w)
letter_counts: {c: $x.count(c) for c in $x if c != " "}
    $y = {}
    for c in $x:
        if c != " ":
            $y[c] = $y.get(c, 0) + 1

reverse_words: $x[::-1]
    $y = []
    for w in $x:
        $y.insert(0, w)
sort_words: sorted($x)
    $y = list($x)
    $y.sort()
sort_by_length: sorted($x, key=len)
    $y = list($x)
    $y.sort(key=len)
keep_longer: [w for w in $x if len(w) > $k]
    $y = []
    for w in $x:
        if len(w) > $k:
            $y.append(w)
vowel_words: [w for w in $x if w.startswith(tuple("aeiou"))]
    $y = []
    for w in $x:
        if w.startswith(tuple("aeiou")):
            $y.append(w)
upper_words: [w.upper() for w in $x]
    $y = []
    for w in $x:
        $y.append(w.upper())
reverse_each: [w[::-1] for w in $x]
    $y = []
    for w in $x:
        $y.append(w[::-1])
unique_words: list(dict.fromkeys($x))
    $y = []
    for w in $x:
        if w not in $y:
            $y.append(w)
number_words: [w + str(i) for i, w in enumerate($x)]
    $y = []
    for i in range(len($x)):
        $y.append($x[i] + str(i))
join: "-".join($x)
    $y = ""
    for i in range(len($x)):
        $y += $x[i] if i == 0 else "-" + $x[i]
longest_word: max($x, key=len)
    $y = $x[0]
    for w in $x:
        if len(w) > len($y):
            $y = w
initials: "".join(w[:1] for w in $x)
    $y = ""
    for w in $x:
        $y += w[:1]
word_lengths: [len(w) for w in $x]
    $y = []
    for w in $x:
        $y.append(len(w))
letter_total: sum(len(w) for w in $x)
    $y = 0
    for w in $x:
        $y += len(w)
word_counts: {w: $x.count(w) for w in $x}
    $y = {}
    for w in $x:
        $y[w] = $y.get(w, 0) + 1
initial_counts:
    $y = {}
    for w in $x:
        if w != "":
            $y[w[0]] = $y.get(w[0], 0) + 1
    or
    $heads = [w[0] for w in $x if w != ""]
    $y = {c: $heads.count(c) for c in $heads}
length_map: {w: len(w) for w in $x}
    $y = {}
    for w in $x:
        $y[w] = len(w)

keep_values: {w: x for w, x in $x.items() if x > $k}
    $y = {}
    for w in $x:
        if $x[w] > $k:
            $y[w] = $x[w]
raise_values: {w: x + $k for w, x in $x.items()}
    $y = {}
    for w in $x:
        $y[w] = $x[w] + $k
scale_values: {w: x * $k for w, x in $x.items()}
    $y = {}
    for w in $x:
        $y[w] = $x[w] * $k
value_total: sum($x.values())
    $y = 0
    for x in $x.values():
        $y += x
key_count: len($x)
    $y = 0
    for w in $x:
        $y += 1
largest_value: max($x.values())
    $y = float("-inf")
    for x in $x.values():
        $y = max($y, x)
values_above: sum(x > $k for x in $x.values())
    $y = 0
    for x in $x.values():
        if x > $k:
            $y += 1
sorted_keys: sorted($x)
    $y = list($x)
    $y.sort()
keys_by_value: sorted($x, key=lambda w: (-$x[w], w))
    $y = sorted($x)
    $y.sort(key=lambda w: -$x[w])
top_key: min($x, key=lambda w: (-$x[w], w))
    $y = min($x)
    for w in sorted($x):
        if $x[w] > $x[$y]:
            $y = w
sorted_values: sorted($x.values())
    $y = list($x.values())
    $y.sort()
"""
)


class Python(Language):
    """Python, with the tests as a ``check`` function as in HumanEval."""

    name = "py"
    stop = ("\nclass", "\ndef", "\n#", "\n@", "\nprint", "\nif", "\n```")
    closing = "\n"
    snippets = SNIPPETS
    reserved = frozenset(keyword.kwlist) | frozenset(dir(builtins))

    def prompt(self, description: str, takes: Kind, gives: Kind) -> str:
        """A signature with types and a docstring."""
        signature = f"def solve({PARAMETERS[takes]}: {TYPES[takes]}) -> {TYPES[gives]}:"
        return f'{signature}\n    """{description}\n    """\n'

    def tests(self, takes: Kind, gives: Kind, cases: Sequence[tuple[Any, Any]]) -> str:
        """A function ``check`` and its call."""
        lines = [f"    assert candidate({value!r}) == {expected!r}" for value, expected in cases]
        return "\n".join(["", "def check(candidate):", *lines, "", "check(solve)", ""])

    def assignment(self, kind: Kind, variable: str, expression: str) -> str:
        """``variable = expression``."""
        return f"{variable} = {expression}"

    def returned(self, expression: str) -> str:
        """``return expression``."""
        return f"return {expression}"


LANGUAGE = Python()
