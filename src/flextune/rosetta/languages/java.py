"""Java 17."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from flextune.rosetta.languages.base import PARAMETERS, Language, read_snippets
from flextune.rosetta.operations import Kind

TYPES: dict[Kind, str] = {
    "int": "long",
    "ints": "ArrayList<Long>",
    "text": "String",
    "words": "ArrayList<String>",
    "counts": "HashMap<String, Long>",
}

KEYWORDS = """
    abstract assert boolean break byte case catch char class const continue default do double else enum
    extends false final finally float for goto if implements import instanceof int interface long native
    new null package private protected public return short static strictfp super switch synchronized
    this throw throws transient true try var void volatile while yield
"""

# A lambda may only read variables that are assigned once, so an idiomatic snippet assigns $y once.
SNIPPETS = read_snippets(
    r"""
add: $k + $x
    $x + $k
multiply: $k * $x
    $x * $k
modulo: Math.floorMod($x, $k)
    ($x % $k + $k) % $k
digit_sum: String.valueOf($x).chars().map(c -> c - '0').sum()
    long $y = 0;
    for (long n = $x; n > 0; n = n / 10) {
        $y += n % 10;
    }
reverse_digits: Long.parseLong(new StringBuilder("" + $x).reverse().toString())
    long $y = 0;
    for (long n = $x; n > 0; n = n / 10) {
        $y = $y * 10 + n % 10;
    }
largest_digit: String.valueOf($x).chars().map(c -> c - '0').max().getAsInt()
    long $y = 0;
    for (long n = $x; n > 0; n = n / 10) {
        $y = Math.max($y, n % 10);
    }
divisor_count: LongStream.rangeClosed(1, $x).filter(i -> $x % i == 0).count()
    long $y = 0;
    for (long i = 1; i <= $x; i++) {
        if ($x % i == 0) $y++;
    }
collatz_steps: LongStream.iterate($x, n -> n != 1, n -> n % 2 == 0 ? n / 2 : 3 * n + 1).count()
    long $y = 0;
    for (long n = $x; n != 1; n = n % 2 == 0 ? n / 2 : 3 * n + 1) {
        $y++;
    }
common_divisor: LongStream.rangeClosed(1, $k).filter(i -> $x % i == 0 && $k % i == 0).max().getAsLong()
    long $y = 1;
    for (long i = 1; i <= $k; i++) {
        if ($x % i == 0 && $k % i == 0) $y = i;
    }
ones: Long.bitCount($x)
    long $y = 0;
    for (long n = $x; n > 0; n = n / 2) {
        $y += n % 2;
    }

digits:
    ArrayList<Long> $y = new ArrayList<>();
    for (char c : String.valueOf($x).toCharArray()) {
        $y.add(c - 0L - '0');
    }
    or
    String.valueOf($x).chars().mapToObj(c -> c - 0L - '0')
        .collect(Collectors.toCollection(ArrayList::new))
divisor_list:
    ArrayList<Long> $y = new ArrayList<>();
    for (long i = 1; i <= $x; i++) {
        if ($x % i == 0) $y.add(i);
    }
    or
    LongStream.rangeClosed(1, $x).filter(i -> $x % i == 0).boxed()
        .collect(Collectors.toCollection(ArrayList::new))
countdown:
    ArrayList<Long> $y = new ArrayList<>();
    for (long i = $x; i > 0; i--) {
        $y.add(i);
    }
    or
    LongStream.iterate($x, i -> i > 0, i -> i - 1).boxed().collect(Collectors.toCollection(ArrayList::new))
halvings:
    ArrayList<Long> $y = new ArrayList<>();
    for (long n = $x; n > 0; n = n / 2) {
        $y.add(n);
    }
    or
    LongStream.iterate($x, n -> n > 0, n -> n / 2).boxed().collect(Collectors.toCollection(ArrayList::new))
binary: Long.toBinaryString($x)
    String $y = "";
    for (long n = $x; n > 0; n = n / 2) {
        $y = n % 2 + $y;
    }

keep_even: $x.stream().filter(x -> x % 2 == 0).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (x % 2 == 0) $y.add(x);
    }
keep_odd: $x.stream().filter(x -> x % 2 != 0).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (x % 2 != 0) $y.add(x);
    }
keep_positive: $x.stream().filter(x -> x > 0).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (x > 0) $y.add(x);
    }
keep_above: $x.stream().filter(x -> x > $k).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (x > $k) $y.add(x);
    }
keep_below: $x.stream().filter(x -> x < $k).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (x < $k) $y.add(x);
    }
keep_multiples: $x.stream().filter(x -> x % $k == 0).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (x % $k == 0) $y.add(x);
    }
above_mean:
    long $total = 0;
    for (long x : $x) {
        $total += x;
    }
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (x * $x.size() > $total) $y.add(x);
    }
    or
    long $total = $x.stream().mapToLong(x -> x).sum();
    ArrayList<Long> $y = new ArrayList<>($x);
    $y.removeIf(x -> x * $x.size() <= $total);
scale: $x.stream().map(x -> x * $k).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(x * $k);
    }
shift: $x.stream().map(x -> x + $k).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(x + $k);
    }
square: $x.stream().map(x -> x * x).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(x * x);
    }
negate: $x.stream().map(x -> -x).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(-x);
    }
absolute: $x.stream().map(x -> Math.abs(x)).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(Math.abs(x));
    }
cap: $x.stream().map(x -> Math.min(x, $k)).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(Math.min(x, $k));
    }
zero_negatives: $x.stream().map(x -> Math.max(x, 0)).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(Math.max(x, 0));
    }
remainders: $x.stream().map(x -> Math.floorMod(x, 3L)).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add((x % 3 + 3) % 3);
    }
running_sum:
    ArrayList<Long> $y = new ArrayList<>();
    long $total = 0;
    for (long x : $x) {
        $total += x;
        $y.add($total);
    }
    or
    ArrayList<Long> $y = new ArrayList<>($x);
    for (int i = 1; i < $y.size(); i++) {
        $y.set(i, $y.get(i) + $y.get(i - 1));
    }
running_max:
    ArrayList<Long> $y = new ArrayList<>();
    long $best = Long.MIN_VALUE;
    for (long x : $x) {
        $best = Math.max($best, x);
        $y.add($best);
    }
    or
    ArrayList<Long> $y = new ArrayList<>($x);
    for (int i = 1; i < $y.size(); i++) {
        $y.set(i, Math.max($y.get(i), $y.get(i - 1)));
    }
differences:
    ArrayList<Long> $y = new ArrayList<>();
    for (int i = 1; i < $x.size(); i++) {
        $y.add($x.get(i) - $x.get(i - 1));
    }
    or
    IntStream.range(1, $x.size()).mapToObj(i -> $x.get(i) - $x.get(i - 1))
        .collect(Collectors.toCollection(ArrayList::new))
drop_repeats:
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if ($y.isEmpty() || x != $y.get($y.size() - 1)) $y.add(x);
    }
    or
    IntStream.range(0, $x.size())
        .filter(i -> i == 0 || !$x.get(i).equals($x.get(i - 1)))
        .mapToObj(i -> $x.get(i)).collect(Collectors.toCollection(ArrayList::new))
unique: $x.stream().distinct().collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (!$y.contains(x)) $y.add(x);
    }
reverse:
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(0, x);
    }
    or
    ArrayList<Long> $y = new ArrayList<>($x);
    Collections.reverse($y);
sort_up: $x.stream().sorted().collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>($x);
    Collections.sort($y);
sort_down: $x.stream().sorted(Collections.reverseOrder()).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>($x);
    Collections.sort($y, Collections.reverseOrder());
every_second:
    ArrayList<Long> $y = new ArrayList<>();
    for (int i = 0; i < $x.size(); i += 2) {
        $y.add($x.get(i));
    }
    or
    IntStream.range(0, $x.size()).filter(i -> i % 2 == 0)
        .mapToObj(i -> $x.get(i)).collect(Collectors.toCollection(ArrayList::new))
take: $x.stream().limit($k).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if ($y.size() < $k) $y.add(x);
    }
skip: $x.stream().skip($k).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (int i = $k; i < $x.size(); i++) {
        $y.add($x.get(i));
    }
rotate:
    ArrayList<Long> $y = new ArrayList<>();
    for (int i = 0; i < $x.size(); i++) {
        $y.add($x.get((i + $k) % $x.size()));
    }
    or
    ArrayList<Long> $y = new ArrayList<>($x);
    Collections.rotate($y, -$k);
peaks:
    ArrayList<Long> $y = new ArrayList<>();
    for (int i = 1; i < $x.size() - 1; i++) {
        if ($x.get(i) > $x.get(i - 1) && $x.get(i) > $x.get(i + 1)) $y.add($x.get(i));
    }
    or
    IntStream.range(1, $x.size() - 1)
        .filter(i -> $x.get(i) > $x.get(i - 1) && $x.get(i) > $x.get(i + 1))
        .mapToObj(i -> $x.get(i)).collect(Collectors.toCollection(ArrayList::new))
swap_pairs:
    ArrayList<Long> $y = new ArrayList<>($x);
    for (int i = 0; i < $y.size() - 1; i += 2) {
        $y.set(i, $x.get(i + 1));
        $y.set(i + 1, $x.get(i));
    }
    or
    ArrayList<Long> $y = new ArrayList<>($x);
    for (int i = 0; i < $y.size() - 1; i += 2) {
        Collections.swap($y, i, i + 1);
    }
zeros_last:
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        if (x != 0) $y.add(x);
    }
    while ($y.size() < $x.size()) {
        $y.add(0L);
    }
    or
    ArrayList<Long> $y = new ArrayList<>($x);
    $y.sort(Comparator.comparing(x -> x == 0));
repeat_each: $x.stream().flatMap(x -> Stream.of(x, x)).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (long x : $x) {
        $y.add(x);
        $y.add(x);
    }
alternate_signs:
    ArrayList<Long> $y = new ArrayList<>();
    long $sign = 1;
    for (long x : $x) {
        $y.add($sign * x);
        $sign = -$sign;
    }
    or
    IntStream.range(0, $x.size()).mapToObj(i -> i % 2 == 0 ? $x.get(i) : -$x.get(i))
        .collect(Collectors.toCollection(ArrayList::new))

total: $x.stream().mapToLong(x -> x).sum()
    long $y = 0;
    for (long x : $x) {
        $y += x;
    }
largest: Collections.max($x)
    long $y = $x.get(0);
    for (long x : $x) {
        $y = Math.max($y, x);
    }
smallest: Collections.min($x)
    long $y = $x.get(0);
    for (long x : $x) {
        $y = Math.min($y, x);
    }
spread: Collections.max($x) - Collections.min($x)
    long $high = Collections.max($x);
    long $low = Collections.min($x);
    long $y = $high - $low;
size: $x.size()
    long $y = 0;
    for (long x : $x) {
        $y++;
    }
count_even: $x.stream().filter(x -> x % 2 == 0).count()
    long $y = 0;
    for (long x : $x) {
        if (x % 2 == 0) $y++;
    }
count_above: $x.stream().filter(x -> x > $k).count()
    long $y = 0;
    for (long x : $x) {
        if (x > $k) $y++;
    }
alternating_sum: IntStream.range(0, $x.size()).mapToLong(i -> i % 2 == 0 ? $x.get(i) : -$x.get(i)).sum()
    long $y = 0;
    long $sign = 1;
    for (long x : $x) {
        $y += $sign * x;
        $sign = -$sign;
    }
longest_rise:
    long $y = 1;
    long $run = 1;
    for (int i = 1; i < $x.size(); i++) {
        $run = $x.get(i) > $x.get(i - 1) ? $run + 1 : 1;
        $y = Math.max($y, $run);
    }
    or
    ArrayList<Long> $runs = new ArrayList<>(List.of(1L));
    for (int i = 1; i < $x.size(); i++) {
        $runs.add($x.get(i) > $x.get(i - 1) ? $runs.get(i - 1) + 1 : 1);
    }
    long $y = Collections.max($runs);
longest_plateau:
    long $y = 1;
    long $run = 1;
    for (int i = 1; i < $x.size(); i++) {
        $run = $x.get(i).equals($x.get(i - 1)) ? $run + 1 : 1;
        $y = Math.max($y, $run);
    }
    or
    ArrayList<Long> $runs = new ArrayList<>(List.of(1L));
    for (int i = 1; i < $x.size(); i++) {
        $runs.add($x.get(i).equals($x.get(i - 1)) ? $runs.get(i - 1) + 1 : 1);
    }
    long $y = Collections.max($runs);
last: $x.stream().reduce((a, b) -> b).get()
    $x.get($x.size() - 1)
second_largest: new TreeSet<>($x).lower(Collections.max($x))
    long $best = Collections.max($x);
    long $y = Collections.min($x);
    for (long x : $x) {
        if (x != $best) $y = Math.max($y, x);
    }
most_common: Collections.max(new TreeSet<>($x), Comparator.comparing(x -> Collections.frequency($x, x)))
    long $y = Collections.min($x);
    for (long x : new TreeSet<>($x)) {
        if (Collections.frequency($x, x) > Collections.frequency($x, $y)) $y = x;
    }
distinct: $x.stream().distinct().count()
    ArrayList<Long> $seen = new ArrayList<>();
    for (long x : $x) {
        if (!$seen.contains(x)) $seen.add(x);
    }
    long $y = $seen.size();
sign_changes: IntStream.range(1, $x.size()).filter(i -> ($x.get(i) < 0) != ($x.get(i - 1) < 0)).count()
    long $y = 0;
    for (int i = 1; i < $x.size(); i++) {
        if (($x.get(i) < 0) != ($x.get(i - 1) < 0)) $y++;
    }
largest_step:
    long $y = 0;
    for (int i = 1; i < $x.size(); i++) {
        $y = Math.max($y, Math.abs($x.get(i) - $x.get(i - 1)));
    }
    or
    IntStream.range(1, $x.size()).mapToLong(i -> Math.abs($x.get(i) - $x.get(i - 1))).max().getAsLong()
largest_position: $x.indexOf(Collections.max($x))
    long $y = 0;
    for (int i = 0; i < $x.size(); i++) {
        if ($x.get(i) > $x.get((int) $y)) $y = i;
    }
best_prefix:
    long $y = $x.get(0);
    long $total = 0;
    for (long x : $x) {
        $total += x;
        $y = Math.max($y, $total);
    }
    or
    ArrayList<Long> $sums = new ArrayList<>($x);
    for (int i = 1; i < $sums.size(); i++) {
        $sums.set(i, $sums.get(i) + $sums.get(i - 1));
    }
    long $y = Collections.max($sums);
pairs_adding:
    long $y = 0;
    for (int i = 0; i < $x.size(); i++) {
        for (int j = i + 1; j < $x.size(); j++) {
            if ($x.get(i) + $x.get(j) == $k) $y++;
        }
    }
    or
    IntStream.range(0, $x.size())
        .mapToLong(i -> $x.stream().skip(i + 1).filter(x -> $x.get(i) + x == $k).count()).sum()

parity_counts:
    HashMap<String, Long> $y = new HashMap<>(Map.of("even", 0L, "odd", 0L));
    for (long x : $x) {
        $y.merge(x % 2 == 0 ? "even" : "odd", 1L, Long::sum);
    }
    or
    HashMap<String, Long> $y = new HashMap<>();
    $y.put("even", $x.stream().filter(x -> x % 2 == 0).count());
    $y.put("odd", $x.stream().filter(x -> x % 2 != 0).count());
sign_counts:
    HashMap<String, Long> $y = new HashMap<>(Map.of("negative", 0L, "zero", 0L, "positive", 0L));
    for (long x : $x) {
        $y.merge(x < 0 ? "negative" : x == 0 ? "zero" : "positive", 1L, Long::sum);
    }
    or
    HashMap<String, Long> $y = new HashMap<>();
    $y.put("negative", $x.stream().filter(x -> x < 0).count());
    $y.put("zero", $x.stream().filter(x -> x == 0).count());
    $y.put("positive", $x.stream().filter(x -> x > 0).count());

reverse_text: new StringBuilder($x).reverse().toString()
    String $y = "";
    for (char c : $x.toCharArray()) {
        $y = c + $y;
    }
upper: $x.toUpperCase()
    String $y = "";
    for (char c : $x.toCharArray()) {
        $y += Character.toUpperCase(c);
    }
swap_case:
    String $y = "";
    for (char c : $x.toCharArray()) {
        $y += Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c);
    }
    or
    $x.chars().map(c -> Character.isUpperCase(c) ? Character.toLowerCase(c) : Character.toUpperCase(c))
        .mapToObj(Character::toString).collect(Collectors.joining())
drop_vowels: $x.replaceAll("[aeiouAEIOU]", "")
    String $y = "";
    for (char c : $x.toCharArray()) {
        if ("aeiouAEIOU".indexOf(c) < 0) $y += c;
    }
mask_vowels: $x.replaceAll("[aeiouAEIOU]", "*")
    String $y = "";
    for (char c : $x.toCharArray()) {
        $y += "aeiouAEIOU".indexOf(c) >= 0 ? '*' : c;
    }
double_letters: $x.replaceAll("(.)", "$$1$$1")
    String $y = "";
    for (char c : $x.toCharArray()) {
        $y = $y + c + c;
    }
first_letters: $x.substring(0, Math.min($k, $x.length()))
    String $y = "";
    for (char c : $x.toCharArray()) {
        if ($y.length() < $k) $y += c;
    }
skip_letters: $x.substring(Math.min($k, $x.length()))
    String $y = "";
    for (int i = $k; i < $x.length(); i++) {
        $y += $x.charAt(i);
    }
sort_letters: $x.chars().sorted().mapToObj(Character::toString).collect(Collectors.joining())
    char[] $chars = $x.toCharArray();
    Arrays.sort($chars);
    String $y = new String($chars);
squeeze: $x.replaceAll("(.)\\1+", "$$1")
    String $y = "";
    for (char c : $x.toCharArray()) {
        if (!$y.endsWith("" + c)) $y += c;
    }
unique_letters: $x.chars().distinct().mapToObj(Character::toString).collect(Collectors.joining())
    String $y = "";
    for (char c : $x.toCharArray()) {
        if ($y.indexOf(c) < 0) $y += c;
    }
caesar:
    String $y = "";
    for (char c : $x.toCharArray()) {
        $y += c >= 'a' && c <= 'z' ? (char) ((c - 'a' + $k) % 26 + 'a') : c;
    }
    or
    $x.chars().map(c -> c >= 'a' && c <= 'z' ? (c - 'a' + $k) % 26 + 'a' : c)
        .mapToObj(Character::toString).collect(Collectors.joining())
run_lengths:
    String $y = "";
    long $run = 0;
    for (int i = 0; i < $x.length(); i++) {
        $run++;
        if (i + 1 == $x.length() || $x.charAt(i + 1) != $x.charAt(i)) {
            $y = $y + $x.charAt(i) + $run;
            $run = 0;
        }
    }
    or
    Arrays.stream($x.split("(?<=(.))(?!\\1)")).filter(w -> !w.isEmpty())
        .map(w -> w.substring(0, 1) + w.length()).collect(Collectors.joining())

text_length: $x.length()
    long $y = 0;
    for (char c : $x.toCharArray()) {
        $y++;
    }
vowel_count: $x.chars().filter(c -> "aeiouAEIOU".indexOf(c) >= 0).count()
    long $y = 0;
    for (char c : $x.toCharArray()) {
        if ("aeiouAEIOU".indexOf(c) >= 0) $y++;
    }
word_count: Arrays.stream($x.split(" ")).filter(w -> !w.isEmpty()).count()
    long $y = 0;
    for (String w : $x.split(" ")) {
        if (!w.isEmpty()) $y++;
    }
distinct_letters: $x.chars().distinct().count()
    HashSet<Character> $seen = new HashSet<>();
    for (char c : $x.toCharArray()) {
        $seen.add(c);
    }
    long $y = $seen.size();
longest_run: Arrays.stream($x.split("(?<=(.))(?!\\1)")).mapToLong(w -> w.length()).max().getAsLong()
    long $y = 1;
    long $run = 1;
    for (int i = 1; i < $x.length(); i++) {
        $run = $x.charAt(i) == $x.charAt(i - 1) ? $run + 1 : 1;
        $y = Math.max($y, $run);
    }
digit_total: $x.chars().filter(c -> Character.isDigit(c)).map(c -> c - '0').sum()
    long $y = 0;
    for (char c : $x.toCharArray()) {
        if (Character.isDigit(c)) $y += c - '0';
    }
split:
    ArrayList<String> $y = new ArrayList<>();
    for (String w : $x.split(" ")) {
        if (!w.isEmpty()) $y.add(w);
    }
    or
    Arrays.stream($x.split(" ")).filter(w -> !w.isEmpty())
        .collect(Collectors.toCollection(ArrayList::new))
letter_counts:
    HashMap<String, Long> $y = new HashMap<>();
    for (char c : $x.toCharArray()) {
        if (c != ' ') $y.merge("" + c, 1L, Long::sum);
    }
    or
    $x.chars().filter(c -> c != ' ').mapToObj(Character::toString)
        .collect(Collectors.groupingBy(c -> c, HashMap::new, Collectors.counting()))

reverse_words:
    ArrayList<String> $y = new ArrayList<>();
    for (String w : $x) {
        $y.add(0, w);
    }
    or
    ArrayList<String> $y = new ArrayList<>($x);
    Collections.reverse($y);
sort_words: $x.stream().sorted().collect(Collectors.toCollection(ArrayList::new))
    ArrayList<String> $y = new ArrayList<>($x);
    Collections.sort($y);
sort_by_length:
    ArrayList<String> $y = new ArrayList<>($x);
    $y.sort(Comparator.comparing(w -> w.length()));
    or
    $x.stream().sorted(Comparator.comparing(w -> w.length()))
        .collect(Collectors.toCollection(ArrayList::new))
keep_longer: $x.stream().filter(w -> w.length() > $k).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<String> $y = new ArrayList<>();
    for (String w : $x) {
        if (w.length() > $k) $y.add(w);
    }
vowel_words: $x.stream().filter(w -> w.matches("[aeiou].*")).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<String> $y = new ArrayList<>();
    for (String w : $x) {
        if (w.matches("[aeiou].*")) $y.add(w);
    }
upper_words: $x.stream().map(w -> w.toUpperCase()).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<String> $y = new ArrayList<>();
    for (String w : $x) {
        $y.add(w.toUpperCase());
    }
reverse_each:
    ArrayList<String> $y = new ArrayList<>();
    for (String w : $x) {
        $y.add(new StringBuilder(w).reverse().toString());
    }
    or
    $x.stream().map(w -> new StringBuilder(w).reverse().toString())
        .collect(Collectors.toCollection(ArrayList::new))
unique_words: $x.stream().distinct().collect(Collectors.toCollection(ArrayList::new))
    ArrayList<String> $y = new ArrayList<>();
    for (String w : $x) {
        if (!$y.contains(w)) $y.add(w);
    }
number_words:
    ArrayList<String> $y = new ArrayList<>();
    for (int i = 0; i < $x.size(); i++) {
        $y.add($x.get(i) + i);
    }
    or
    IntStream.range(0, $x.size()).mapToObj(i -> $x.get(i) + i)
        .collect(Collectors.toCollection(ArrayList::new))
join: String.join("-", $x)
    String $y = "";
    for (int i = 0; i < $x.size(); i++) {
        $y += i == 0 ? $x.get(i) : "-" + $x.get(i);
    }
longest_word: Collections.max($x, Comparator.comparing(w -> w.length()))
    String $y = $x.get(0);
    for (String w : $x) {
        if (w.length() > $y.length()) $y = w;
    }
initials:
    String $y = "";
    for (String w : $x) {
        if (!w.isEmpty()) $y += w.charAt(0);
    }
    or
    $x.stream().filter(w -> !w.isEmpty()).map(w -> w.substring(0, 1)).collect(Collectors.joining())
word_lengths: $x.stream().map(w -> (long) w.length()).collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>();
    for (String w : $x) {
        $y.add((long) w.length());
    }
letter_total: $x.stream().mapToLong(w -> w.length()).sum()
    long $y = 0;
    for (String w : $x) {
        $y += w.length();
    }
word_counts: $x.stream().collect(Collectors.groupingBy(w -> w, HashMap::new, Collectors.counting()))
    HashMap<String, Long> $y = new HashMap<>();
    for (String w : $x) {
        $y.merge(w, 1L, Long::sum);
    }
initial_counts:
    HashMap<String, Long> $y = new HashMap<>();
    for (String w : $x) {
        if (!w.isEmpty()) $y.merge(w.substring(0, 1), 1L, Long::sum);
    }
    or
    $x.stream().filter(w -> !w.isEmpty()).map(w -> w.substring(0, 1))
        .collect(Collectors.groupingBy(c -> c, HashMap::new, Collectors.counting()))
length_map:
    HashMap<String, Long> $y = new HashMap<>();
    for (String w : $x) {
        $y.put(w, (long) w.length());
    }
    or
    HashMap<String, Long> $y = new HashMap<>();
    $x.forEach(w -> $y.put(w, (long) w.length()));

keep_values:
    HashMap<String, Long> $y = new HashMap<>();
    for (String w : $x.keySet()) {
        if ($x.get(w) > $k) $y.put(w, $x.get(w));
    }
    or
    HashMap<String, Long> $y = new HashMap<>($x);
    $y.values().removeIf(x -> x <= $k);
raise_values:
    HashMap<String, Long> $y = new HashMap<>();
    for (String w : $x.keySet()) {
        $y.put(w, $x.get(w) + $k);
    }
    or
    HashMap<String, Long> $y = new HashMap<>($x);
    $y.replaceAll((w, x) -> x + $k);
scale_values:
    HashMap<String, Long> $y = new HashMap<>();
    for (String w : $x.keySet()) {
        $y.put(w, $x.get(w) * $k);
    }
    or
    HashMap<String, Long> $y = new HashMap<>($x);
    $y.replaceAll((w, x) -> x * $k);
value_total: $x.values().stream().mapToLong(x -> x).sum()
    long $y = 0;
    for (long x : $x.values()) {
        $y += x;
    }
key_count: $x.size()
    long $y = 0;
    for (String w : $x.keySet()) {
        $y++;
    }
largest_value: Collections.max($x.values())
    long $y = Long.MIN_VALUE;
    for (long x : $x.values()) {
        $y = Math.max($y, x);
    }
values_above: $x.values().stream().filter(x -> x > $k).count()
    long $y = 0;
    for (long x : $x.values()) {
        if (x > $k) $y++;
    }
sorted_keys: $x.keySet().stream().sorted().collect(Collectors.toCollection(ArrayList::new))
    ArrayList<String> $y = new ArrayList<>($x.keySet());
    Collections.sort($y);
keys_by_value:
    ArrayList<String> $y = new ArrayList<>($x.keySet());
    Collections.sort($y);
    $y.sort(Comparator.comparing(w -> -$x.get(w)));
    or
    $x.keySet().stream().sorted().sorted(Comparator.comparing(w -> -$x.get(w)))
        .collect(Collectors.toCollection(ArrayList::new))
top_key: Collections.max(new TreeSet<>($x.keySet()), Comparator.comparing(w -> $x.get(w)))
    String $y = Collections.min($x.keySet());
    for (String w : new TreeSet<>($x.keySet())) {
        if ($x.get(w) > $x.get($y)) $y = w;
    }
sorted_values: $x.values().stream().sorted().collect(Collectors.toCollection(ArrayList::new))
    ArrayList<Long> $y = new ArrayList<>($x.values());
    Collections.sort($y);
"""
)

# Map.of takes at most ten pairs.
_MOST_PAIRS = 10


class Java(Language):
    """Java 17: a class ``Problem`` whose ``main`` holds the tests, as in MultiPL-E; run with ``-ea``."""

    name = "java"
    stop = ("\n    }\n",)
    closing = "\n    }\n}\n"
    margin = " " * 8
    snippets = SNIPPETS
    reserved = frozenset(KEYWORDS.split())

    def prompt(self, description: str, takes: Kind, gives: Kind) -> str:
        """Imports, the class and the method's head."""
        return (
            "import java.util.*;\nimport java.util.stream.*;\n\nclass Problem {\n"
            f"    // {description}\n"
            f"    public static {TYPES[gives]} solve({TYPES[takes]} {PARAMETERS[takes]}) {{\n"
        )

    def tests(self, takes: Kind, gives: Kind, cases: Sequence[tuple[Any, Any]]) -> str:
        """The rest of the class: ``solve``'s end and ``main``."""
        form = (
            "    assert(solve(({})) == ({}));" if gives == "int" else "    assert(solve(({})).equals(({})));"
        )
        lines = [form.format(literal(takes, value), literal(gives, expected)) for value, expected in cases]
        return "\n".join(
            ["    }", "    public static void main(String[] args) {", *lines, "    }", "", "}", ""]
        )

    def assignment(self, kind: Kind, variable: str, expression: str) -> str:
        """``Type variable = expression;``."""
        return f"{TYPES[kind]} {variable} = {expression};"


def literal(kind: Kind, value: Any) -> str:
    """``value`` in Java, spelled as MultiPL-E spells it."""
    if kind == "int":
        return f"{value}l"
    if kind == "text":
        return json.dumps(value)
    if kind == "ints":
        items = ", ".join(f"(long){x}l" for x in value)
        return f"new ArrayList<Long>(Arrays.asList({items}))"
    if kind == "words":
        items = ", ".join(f"(String){json.dumps(w)}" for w in value)
        return f"new ArrayList<String>(Arrays.asList({items}))"
    return f"new HashMap<String,Long>({_map(value)})"


def _map(counts: Mapping[str, int]) -> str:
    if not counts:
        return ""
    pairs = [f"{json.dumps(key)}, {value}l" for key, value in counts.items()]
    if len(pairs) <= _MOST_PAIRS:
        return f"Map.of({', '.join(pairs)})"
    return f"Map.ofEntries({', '.join(f'Map.entry({pair})' for pair in pairs)})"


LANGUAGE = Java()
