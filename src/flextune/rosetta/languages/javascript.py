"""JavaScript, for Node.js 20."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from flextune.rosetta.composition import Step
from flextune.rosetta.languages.base import PARAMETERS, PLAIN, Language, read_snippets
from flextune.rosetta.operations import Kind

KEYWORDS = """
    arguments await break case catch class const continue debugger default delete do else enum eval
    export extends false finally for function if implements import in instanceof interface let new null
    package private protected public return static super switch this throw true try typeof var void
    while with yield
"""

SNIPPETS = read_snippets(
    r"""
add: $k + $x
    $x + $k
multiply: $k * $x
    $x * $k
modulo: $x - $k * Math.floor($x / $k)
    ($x % $k + $k) % $k
digit_sum: [...String($x)].reduce((a, c) => a + Number(c), 0)
    let $y = 0;
    for (const c of String($x)) {
        $y += Number(c);
    }
reverse_digits: Number([...String($x)].reverse().join(""))
    let $y = 0;
    for (let n = $x; n > 0; n = Math.floor(n / 10)) {
        $y = $y * 10 + n % 10;
    }
largest_digit: Math.max(...String($x))
    let $y = 0;
    for (const c of String($x)) {
        $y = Math.max($y, Number(c));
    }
divisor_count: Array.from({ length: $x }, (_, i) => i + 1).filter(i => $x % i === 0).length
    let $y = 0;
    for (let i = 1; i <= $x; i++) {
        if ($x % i === 0) $y++;
    }
collatz_steps:
    let $y = 0;
    for (let n = $x; n !== 1; n = n % 2 === 0 ? n / 2 : 3 * n + 1) {
        $y++;
    }
    or
    const $path = [$x];
    while ($path.at(-1) !== 1) {
        $path.push($path.at(-1) % 2 === 0 ? $path.at(-1) / 2 : 3 * $path.at(-1) + 1);
    }
    const $y = $path.length - 1;
common_divisor:
    let $y = 1;
    for (let i = 1; i <= $k; i++) {
        if ($x % i === 0 && $k % i === 0) $y = i;
    }
    or
    Math.max(...Array.from({ length: $k }, (_, i) => i + 1).filter(i => $x % i === 0 && $k % i === 0))
ones: $x.toString(2).split("1").length - 1
    let $y = 0;
    for (let n = $x; n > 0; n = Math.floor(n / 2)) {
        $y += n % 2;
    }

digits: [...String($x)].map(Number)
    const $y = [];
    for (const c of String($x)) {
        $y.push(Number(c));
    }
divisor_list: Array.from({ length: $x }, (_, i) => i + 1).filter(i => $x % i === 0)
    const $y = [];
    for (let i = 1; i <= $x; i++) {
        if ($x % i === 0) $y.push(i);
    }
countdown: Array.from({ length: $x }, (_, i) => $x - i)
    const $y = [];
    for (let i = $x; i > 0; i--) {
        $y.push(i);
    }
halvings: [...$x.toString(2)].map((_, i) => $x >> i)
    const $y = [];
    for (let n = $x; n > 0; n = Math.floor(n / 2)) {
        $y.push(n);
    }
binary: $x.toString(2)
    let $y = "";
    for (let n = $x; n > 0; n = Math.floor(n / 2)) {
        $y = n % 2 + $y;
    }

keep_even: $x.filter(x => x % 2 === 0)
    const $y = [];
    for (const x of $x) {
        if (x % 2 === 0) $y.push(x);
    }
keep_odd: $x.filter(x => x % 2 !== 0)
    const $y = [];
    for (const x of $x) {
        if (x % 2 !== 0) $y.push(x);
    }
keep_positive: $x.filter(x => x > 0)
    const $y = [];
    for (const x of $x) {
        if (x > 0) $y.push(x);
    }
keep_above: $x.filter(x => x > $k)
    const $y = [];
    for (const x of $x) {
        if (x > $k) $y.push(x);
    }
keep_below: $x.filter(x => x < $k)
    const $y = [];
    for (const x of $x) {
        if (x < $k) $y.push(x);
    }
keep_multiples: $x.filter(x => x % $k === 0)
    const $y = [];
    for (const x of $x) {
        if (x % $k === 0) $y.push(x);
    }
above_mean:
    let $total = 0;
    for (const x of $x) {
        $total += x;
    }
    const $y = [];
    for (const x of $x) {
        if (x * $x.length > $total) $y.push(x);
    }
    or
    const $total = $x.reduce((a, b) => a + b, 0);
    const $y = $x.filter(x => x * $x.length > $total);
scale: $x.map(x => x * $k)
    const $y = [];
    for (const x of $x) {
        $y.push(x * $k);
    }
shift: $x.map(x => x + $k)
    const $y = [];
    for (const x of $x) {
        $y.push(x + $k);
    }
square: $x.map(x => x * x)
    const $y = [];
    for (const x of $x) {
        $y.push(x * x);
    }
negate: $x.map(x => -x)
    const $y = [];
    for (const x of $x) {
        $y.push(-x);
    }
absolute: $x.map(x => Math.abs(x))
    const $y = [];
    for (const x of $x) {
        $y.push(Math.abs(x));
    }
cap: $x.map(x => Math.min(x, $k))
    const $y = [];
    for (const x of $x) {
        $y.push(Math.min(x, $k));
    }
zero_negatives: $x.map(x => Math.max(x, 0))
    const $y = [];
    for (const x of $x) {
        $y.push(Math.max(x, 0));
    }
remainders: $x.map(x => (x % 3 + 3) % 3)
    const $y = [];
    for (const x of $x) {
        $y.push((x % 3 + 3) % 3);
    }
running_sum:
    const $y = [];
    let $total = 0;
    for (const x of $x) {
        $total += x;
        $y.push($total);
    }
    or
    let $total = 0;
    const $y = $x.map(x => $total += x);
running_max:
    const $y = [];
    let $best = -Infinity;
    for (const x of $x) {
        $best = Math.max($best, x);
        $y.push($best);
    }
    or
    let $best = -Infinity;
    const $y = $x.map(x => $best = Math.max($best, x));
differences: $x.slice(1).map((x, i) => x - $x[i])
    const $y = [];
    for (let i = 1; i < $x.length; i++) {
        $y.push($x[i] - $x[i - 1]);
    }
drop_repeats: $x.filter((x, i) => x !== $x[i - 1])
    const $y = [];
    for (const x of $x) {
        if (x !== $y[$y.length - 1]) $y.push(x);
    }
unique: [...new Set($x)]
    const $y = [];
    for (const x of $x) {
        if (!$y.includes(x)) $y.push(x);
    }
reverse: [...$x].reverse()
    const $y = [];
    for (const x of $x) {
        $y.unshift(x);
    }
sort_up: [...$x].sort((a, b) => a - b)
    const $y = $x.slice();
    $y.sort((a, b) => a - b);
sort_down: [...$x].sort((a, b) => b - a)
    const $y = $x.slice();
    $y.sort((a, b) => b - a);
every_second: $x.filter((x, i) => i % 2 === 0)
    const $y = [];
    for (let i = 0; i < $x.length; i += 2) {
        $y.push($x[i]);
    }
take: $x.slice(0, $k)
    const $y = [];
    for (const x of $x) {
        if ($y.length < $k) $y.push(x);
    }
skip: $x.slice($k)
    const $y = [];
    for (let i = $k; i < $x.length; i++) {
        $y.push($x[i]);
    }
rotate: $x.map((x, i) => $x[(i + $k) % $x.length])
    const $y = [];
    for (let i = 0; i < $x.length; i++) {
        $y.push($x[(i + $k) % $x.length]);
    }
peaks: $x.filter((x, i) => x > $x[i - 1] && x > $x[i + 1])
    const $y = [];
    for (let i = 1; i < $x.length - 1; i++) {
        if ($x[i] > $x[i - 1] && $x[i] > $x[i + 1]) $y.push($x[i]);
    }
swap_pairs: $x.map((x, i) => $x[i % 2 === 0 ? i + 1 : i - 1] ?? x)
    const $y = $x.slice();
    for (let i = 0; i < $y.length - 1; i += 2) {
        [$y[i], $y[i + 1]] = [$y[i + 1], $y[i]];
    }
zeros_last: [...$x.filter(x => x !== 0), ...$x.filter(x => x === 0)]
    const $y = [];
    for (const x of $x) {
        if (x !== 0) $y.push(x);
    }
    while ($y.length < $x.length) {
        $y.push(0);
    }
repeat_each: $x.flatMap(x => [x, x])
    const $y = [];
    for (const x of $x) {
        $y.push(x);
        $y.push(x);
    }
alternate_signs: $x.map((x, i) => i % 2 === 0 ? x : -x)
    const $y = [];
    let $sign = 1;
    for (const x of $x) {
        $y.push($sign * x);
        $sign = -$sign;
    }

total: $x.reduce((a, b) => a + b, 0)
    let $y = 0;
    for (const x of $x) {
        $y += x;
    }
largest: Math.max(...$x)
    let $y = $x[0];
    for (const x of $x) {
        $y = Math.max($y, x);
    }
smallest: Math.min(...$x)
    let $y = $x[0];
    for (const x of $x) {
        $y = Math.min($y, x);
    }
spread: Math.max(...$x) - Math.min(...$x)
    const $high = Math.max(...$x);
    const $low = Math.min(...$x);
    const $y = $high - $low;
size: $x.length
    let $y = 0;
    for (const x of $x) {
        $y++;
    }
count_even: $x.filter(x => x % 2 === 0).length
    let $y = 0;
    for (const x of $x) {
        if (x % 2 === 0) $y++;
    }
count_above: $x.filter(x => x > $k).length
    let $y = 0;
    for (const x of $x) {
        if (x > $k) $y++;
    }
alternating_sum: $x.reduce((a, x, i) => i % 2 === 0 ? a + x : a - x, 0)
    let $y = 0;
    let $sign = 1;
    for (const x of $x) {
        $y += $sign * x;
        $sign = -$sign;
    }
longest_rise:
    let $y = 1;
    let $run = 1;
    for (let i = 1; i < $x.length; i++) {
        $run = $x[i] > $x[i - 1] ? $run + 1 : 1;
        $y = Math.max($y, $run);
    }
    or
    let $run = 0;
    const $y = Math.max(...$x.map((x, i) => $run = x > $x[i - 1] ? $run + 1 : 1));
longest_plateau:
    let $y = 1;
    let $run = 1;
    for (let i = 1; i < $x.length; i++) {
        $run = $x[i] === $x[i - 1] ? $run + 1 : 1;
        $y = Math.max($y, $run);
    }
    or
    let $run = 0;
    const $y = Math.max(...$x.map((x, i) => $run = x === $x[i - 1] ? $run + 1 : 1));
last: $x.at(-1)
    $x[$x.length - 1]
second_largest: [...new Set($x)].sort((a, b) => b - a)[1]
    const $best = Math.max(...$x);
    let $y = Math.min(...$x);
    for (const x of $x) {
        if (x !== $best) $y = Math.max($y, x);
    }
most_common:
    const $count = n => $x.filter(x => x === n).length;
    let $y = Math.min(...$x);
    for (const x of [...$x].sort((a, b) => a - b)) {
        if ($count(x) > $count($y)) $y = x;
    }
    or
    const $count = n => $x.filter(x => x === n).length;
    const $y = [...$x].sort((a, b) => $count(b) - $count(a) || a - b)[0];
distinct: new Set($x).size
    const $seen = [];
    for (const x of $x) {
        if (!$seen.includes(x)) $seen.push(x);
    }
    const $y = $seen.length;
sign_changes: $x.slice(1).filter((x, i) => (x < 0) !== ($x[i] < 0)).length
    let $y = 0;
    for (let i = 1; i < $x.length; i++) {
        if (($x[i] < 0) !== ($x[i - 1] < 0)) $y++;
    }
largest_step: Math.max(...$x.slice(1).map((x, i) => Math.abs(x - $x[i])))
    let $y = 0;
    for (let i = 1; i < $x.length; i++) {
        $y = Math.max($y, Math.abs($x[i] - $x[i - 1]));
    }
largest_position: $x.indexOf(Math.max(...$x))
    let $y = 0;
    for (let i = 0; i < $x.length; i++) {
        if ($x[i] > $x[$y]) $y = i;
    }
best_prefix:
    let $y = $x[0];
    let $total = 0;
    for (const x of $x) {
        $total += x;
        $y = Math.max($y, $total);
    }
    or
    let $total = 0;
    const $y = Math.max(...$x.map(x => $total += x));
pairs_adding: $x.flatMap((a, i) => $x.slice(i + 1).filter(b => a + b === $k)).length
    let $y = 0;
    for (let i = 0; i < $x.length; i++) {
        for (let j = i + 1; j < $x.length; j++) {
            if ($x[i] + $x[j] === $k) $y++;
        }
    }

parity_counts: { even: $x.filter(x => x % 2 === 0).length, odd: $x.filter(x => x % 2 !== 0).length }
    const $y = { even: 0, odd: 0 };
    for (const x of $x) {
        $y[x % 2 === 0 ? "even" : "odd"]++;
    }
sign_counts:
    const $y = { negative: 0, zero: 0, positive: 0 };
    for (const x of $x) {
        $y[x < 0 ? "negative" : x === 0 ? "zero" : "positive"]++;
    }
    or
    const $y = {};
    $y.negative = $x.filter(x => x < 0).length;
    $y.zero = $x.filter(x => x === 0).length;
    $y.positive = $x.filter(x => x > 0).length;

reverse_text: [...$x].reverse().join("")
    let $y = "";
    for (const c of $x) {
        $y = c + $y;
    }
upper: $x.toUpperCase()
    let $y = "";
    for (const c of $x) {
        $y += c.toUpperCase();
    }
swap_case: [...$x].map(c => c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase()).join("")
    let $y = "";
    for (const c of $x) {
        $y += c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase();
    }
drop_vowels: $x.replace(/[aeiouAEIOU]/g, "")
    let $y = "";
    for (const c of $x) {
        if (!"aeiouAEIOU".includes(c)) $y += c;
    }
mask_vowels: $x.replace(/[aeiouAEIOU]/g, "*")
    let $y = "";
    for (const c of $x) {
        $y += "aeiouAEIOU".includes(c) ? "*" : c;
    }
double_letters: [...$x].map(c => c + c).join("")
    let $y = "";
    for (const c of $x) {
        $y += c + c;
    }
first_letters: $x.slice(0, $k)
    let $y = "";
    for (const c of $x) {
        if ($y.length < $k) $y += c;
    }
skip_letters: $x.slice($k)
    let $y = "";
    for (let i = $k; i < $x.length; i++) {
        $y += $x[i];
    }
sort_letters: [...$x].sort().join("")
    const $chars = $x.split("");
    $chars.sort();
    const $y = $chars.join("");
squeeze: [...$x].filter((c, i) => c !== $x[i - 1]).join("")
    let $y = "";
    for (const c of $x) {
        if (!$y.endsWith(c)) $y += c;
    }
unique_letters: [...new Set($x)].join("")
    let $y = "";
    for (const c of $x) {
        if (!$y.includes(c)) $y += c;
    }
caesar: $x.replace(/[a-z]/g, c => String.fromCharCode((c.charCodeAt(0) - 97 + $k) % 26 + 97))
    let $y = "";
    for (const c of $x) {
        $y += c >= "a" && c <= "z" ? String.fromCharCode((c.charCodeAt(0) - 97 + $k) % 26 + 97) : c;
    }
run_lengths: $x.replace(/(.)\1*/g, w => w[0] + w.length)
    let $y = "";
    let $run = 0;
    for (let i = 0; i < $x.length; i++) {
        $run++;
        if ($x[i + 1] !== $x[i]) {
            $y += $x[i] + $run;
            $run = 0;
        }
    }

text_length: $x.length
    let $y = 0;
    for (const c of $x) {
        $y++;
    }
vowel_count: [...$x].filter(c => "aeiouAEIOU".includes(c)).length
    let $y = 0;
    for (const c of $x) {
        if ("aeiouAEIOU".includes(c)) $y++;
    }
word_count: $x.split(" ").filter(w => w !== "").length
    let $y = 0;
    for (const w of $x.split(" ")) {
        if (w !== "") $y++;
    }
distinct_letters: new Set($x).size
    const $seen = [];
    for (const c of $x) {
        if (!$seen.includes(c)) $seen.push(c);
    }
    const $y = $seen.length;
longest_run: Math.max(...$x.match(/(.)\1*/g).map(w => w.length))
    let $y = 1;
    let $run = 1;
    for (let i = 1; i < $x.length; i++) {
        $run = $x[i] === $x[i - 1] ? $run + 1 : 1;
        $y = Math.max($y, $run);
    }
digit_total: [...$x].filter(c => c >= "0" && c <= "9").reduce((a, c) => a + Number(c), 0)
    let $y = 0;
    for (const c of $x) {
        if (c >= "0" && c <= "9") $y += Number(c);
    }
split: $x.split(" ").filter(w => w !== "")
    const $y = [];
    for (const w of $x.split(" ")) {
        if (w !== "") $y.push(w);
    }
letter_counts: [...$x].filter(c => c !== " ").reduce((a, c) => ({ ...a, [c]: (a[c] || 0) + 1 }), {})
    const $y = {};
    for (const c of $x) {
        if (c !== " ") $y[c] = ($y[c] || 0) + 1;
    }

reverse_words: [...$x].reverse()
    const $y = [];
    for (const w of $x) {
        $y.unshift(w);
    }
sort_words: [...$x].sort()
    const $y = $x.slice();
    $y.sort();
sort_by_length: [...$x].sort((a, b) => a.length - b.length)
    const $y = $x.slice();
    $y.sort((a, b) => a.length - b.length);
keep_longer: $x.filter(w => w.length > $k)
    const $y = [];
    for (const w of $x) {
        if (w.length > $k) $y.push(w);
    }
vowel_words: $x.filter(w => /^[aeiou]/.test(w))
    const $y = [];
    for (const w of $x) {
        if (/^[aeiou]/.test(w)) $y.push(w);
    }
upper_words: $x.map(w => w.toUpperCase())
    const $y = [];
    for (const w of $x) {
        $y.push(w.toUpperCase());
    }
reverse_each: $x.map(w => [...w].reverse().join(""))
    const $y = [];
    for (const w of $x) {
        $y.push([...w].reverse().join(""));
    }
unique_words: [...new Set($x)]
    const $y = [];
    for (const w of $x) {
        if (!$y.includes(w)) $y.push(w);
    }
number_words: $x.map((w, i) => w + i)
    const $y = [];
    for (let i = 0; i < $x.length; i++) {
        $y.push($x[i] + i);
    }
join: $x.join("-")
    let $y = "";
    for (let i = 0; i < $x.length; i++) {
        $y += i === 0 ? $x[i] : "-" + $x[i];
    }
longest_word: $x.reduce((a, b) => b.length > a.length ? b : a)
    let $y = $x[0];
    for (const w of $x) {
        if (w.length > $y.length) $y = w;
    }
initials: $x.map(w => w.slice(0, 1)).join("")
    let $y = "";
    for (const w of $x) {
        $y += w.slice(0, 1);
    }
word_lengths: $x.map(w => w.length)
    const $y = [];
    for (const w of $x) {
        $y.push(w.length);
    }
letter_total: $x.reduce((a, w) => a + w.length, 0)
    let $y = 0;
    for (const w of $x) {
        $y += w.length;
    }
word_counts: $x.reduce((a, w) => ({ ...a, [w]: (a[w] || 0) + 1 }), {})
    const $y = {};
    for (const w of $x) {
        $y[w] = ($y[w] || 0) + 1;
    }
initial_counts: $x.filter(w => w !== "").reduce((a, w) => ({ ...a, [w[0]]: (a[w[0]] || 0) + 1 }), {})
    const $y = {};
    for (const w of $x) {
        if (w !== "") $y[w[0]] = ($y[w[0]] || 0) + 1;
    }
length_map: Object.fromEntries($x.map(w => [w, w.length]))
    const $y = {};
    for (const w of $x) {
        $y[w] = w.length;
    }

keep_values: Object.fromEntries(Object.entries($x).filter(([w, x]) => x > $k))
    const $y = {};
    for (const w in $x) {
        if ($x[w] > $k) $y[w] = $x[w];
    }
raise_values: Object.fromEntries(Object.entries($x).map(([w, x]) => [w, x + $k]))
    const $y = {};
    for (const w in $x) {
        $y[w] = $x[w] + $k;
    }
scale_values: Object.fromEntries(Object.entries($x).map(([w, x]) => [w, x * $k]))
    const $y = {};
    for (const w in $x) {
        $y[w] = $x[w] * $k;
    }
value_total: Object.values($x).reduce((a, b) => a + b, 0)
    let $y = 0;
    for (const x of Object.values($x)) {
        $y += x;
    }
key_count: Object.keys($x).length
    let $y = 0;
    for (const w in $x) {
        $y++;
    }
largest_value: Math.max(...Object.values($x))
    let $y = -Infinity;
    for (const x of Object.values($x)) {
        $y = Math.max($y, x);
    }
values_above: Object.values($x).filter(x => x > $k).length
    let $y = 0;
    for (const x of Object.values($x)) {
        if (x > $k) $y++;
    }
sorted_keys: Object.keys($x).sort()
    const $y = Object.keys($x);
    $y.sort();
keys_by_value: Object.keys($x).sort().sort((a, b) => $x[b] - $x[a])
    const $y = Object.keys($x);
    $y.sort();
    $y.sort((a, b) => $x[b] - $x[a]);
top_key: Object.keys($x).sort().sort((a, b) => $x[b] - $x[a])[0]
    const $keys = Object.keys($x).sort();
    let $y = $keys[0];
    for (const w of $keys) {
        if ($x[w] > $x[$y]) $y = w;
    }
sorted_values: Object.values($x).sort((a, b) => a - b)
    const $y = Object.values($x);
    $y.sort((a, b) => a - b);
"""
)


class JavaScript(Language):
    """JavaScript; the answer closes the function itself, as MultiPL-E's prompts and stops ask for."""

    name = "js"
    stop = ("\nfunction ", "\n/*", "\n//", "\nconsole.log")
    closing = "\n"
    snippets = SNIPPETS
    reserved = frozenset(KEYWORDS.split())

    def prompt(self, description: str, takes: Kind, gives: Kind) -> str:
        """A comment and the function's head."""
        return f"// {description}\nfunction solve({PARAMETERS[takes]}) {{\n"

    def tests(self, takes: Kind, gives: Kind, cases: Sequence[tuple[Any, Any]]) -> str:
        """A function ``test`` with ``assert.deepEqual``, and its call."""
        lines = [
            f"  assert.deepEqual(candidate({json.dumps(value)}),{json.dumps(expected)});"
            for value, expected in cases
        ]
        head = [
            "const assert = require('node:assert');",
            "",
            "",
            "function test() {",
            "  let candidate = solve;",
        ]
        return "\n".join([*head, *lines, "}", "", "test();"])

    def assignment(self, kind: Kind, variable: str, expression: str) -> str:
        """``const variable = expression;``."""
        return f"const {variable} = {expression};"

    def body(self, steps: Sequence[Step], style: int = PLAIN) -> str:
        """The statements and the function's closing brace."""
        return super().body(steps, style) + "\n}"


LANGUAGE = JavaScript()
