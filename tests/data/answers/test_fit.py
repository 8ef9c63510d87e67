"""Answers in every language become programs that compile with the tests and pass them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest
from tests.support.judged import needs_toolchain, verdicts_on

from flextune.data import multipl_e
from flextune.data.answers import read_answer, read_program
from flextune.records import Problem

needs_sandbox = pytest.mark.usefixtures("sandboxed")

#: For HumanEval/23 (HumanEval/53 in PHP, which has a strlen already): a chat answer with imports, a helper,
#: the function, and a main or examples of its own.
ANSWERS = {
    "java": """Sure! Here's the code:
```java
package com.example;

import java.util.*;
import java.util.function.IntFunction;

public class Solution {
    static class Box { long value; }

    // A main( in a comment { must not matter.
    private static long count(String text) {
        Box box = new Box();
        for (char c : text.toCharArray()) { box.value++; }
        return box.value;
    }

    public static long strlen(String string) {
        return count(string);
    }

    public static void main(String[] args) {
        System.out.println("strlen } " + strlen("abc"));
    }
}

interface Unneeded {}
```
It runs in O(n).""",
    "cs": """```csharp
using System;
using System.Collections.Generic;

namespace Answers
{
    public class Program
    {
        private static long Count(string text) { long n = 0; foreach (char c in text) { n++; } return n; }

        public static long Strlen(string str)
        {
            return Count(str);
        }

        public static void Main(string[] args)
        {
            Console.WriteLine(Strlen("abc"));
        }
    }
}
```""",
    "scala": """```scala
object Problem {
  case class Box(n: Long)

  def strlen(string: String): Long = {
    val box = Box(string.length.toLong)
    box.n
  }

  def main(args: Array[String]): Unit = {
    println(strlen("abc"))
  }
}
```""",
    "cpp": """```cpp
#include <iostream>
using namespace std;

struct Counter { long n = 0; };

long string_length(string text) {
    Counter counter;
    for (char c : text) { counter.n += (c == '{' || c != '}') ? 1 : 1; }
    return counter.n;
}

int main() {
    cout << string_length("abc") << endl;
}
```""",
    "rs": """```rust
fn helper<'a>(text: &'a str) -> isize { text.chars().count() as isize }

pub fn strlen(string: String) -> isize {
    helper(&string)
}

fn main() {
    println!("{}", strlen(String::from("abc")));
}
```""",
    "go": """```go
package main

import (
	"fmt"
	"os"
	"unicode/utf8"
)

func strlen(myString string) int {
	return utf8.RuneCountInString(myString)
}

func main() {
	fmt.Fprintln(os.Stdout, strlen("abc"))
}
```""",
    "d": """```d
import std.stdio;

size_t count(string text) { return text.length; }

long strlen(string text)
{
    return cast(long) count(text);
}

void main()
{
    writeln(strlen("abc"));
}
```""",
    "js": """```javascript
const assert = require('assert');

const count = (text) => text.replace(/[{"]/g, 'x').length;

export function strlen(string) {
  return count(string);
}

// Example
console.log(
  strlen("abc {"),
);
if (require.main === module) {
  assert.strictEqual(strlen("abc"), 4);
}
```""",
    "ts": """```ts
export function strlen(string: string): number {
    const size: number = string.length;
    return size;
}

console.log(strlen("abc"));
```""",
    "php": """```php
<?php

function sum_of_numbers($numbers) {
    return array_sum($numbers); // not "}"
}

function add($x, $y) {
    return sum_of_numbers([$x, $y]);
}

echo add(1, 2) . "\\n";
?>
```""",
    "rb": """```ruby
def helper(text)
  text.length
end

def strlen(string)
  helper(string)
end

puts strlen("abc")

if __FILE__ == $0
  raise "never" unless strlen("abc") == 4
end
```""",
    "pl": """```perl
use strict;
use warnings;

sub strlen {
    my ($string) = @_;
    return length($string);
}

print strlen("abc"), "\\n";
```""",
    "lua": """```lua
local M = {}

function strlen(string)
    return #string
end

print(strlen("abc"))
return M
```""",
    "r": """```r
helper <- function(text) nchar(text)

strlen <- function(string) {
    helper(string)
}

print(strlen("abc"))
```""",
    "rkt": """```racket
#lang racket

(define (strlen string)
  (string-length string))

(displayln (strlen "abc"))
(module+ main
  (displayln "main"))
```""",
    "sh": """```bash
#!/bin/bash

helper() {
    echo "${#1}"
}

strlen() {
    helper "$1"
}

strlen "abc"
echo "$(strlen "abcd")"
```""",
}


def problem_23(language: str, folder: Path) -> Problem:
    number = 53 if language == "php" else 23
    found = multipl_e.problems(language, folder)
    return next(problem for problem in found if problem.name.startswith(f"HumanEval_{number}_"))


@needs_sandbox
@pytest.mark.parametrize("language", ANSWERS)
def test_a_whole_answer_with_a_main_of_its_own_passes(real_data: Path, language: str) -> None:
    needs_toolchain(language)
    problem = problem_23(language, real_data)
    [verdict] = verdicts_on([read_answer(problem, ANSWERS[language]).pair])
    assert (verdict.outcome, verdict.message) == ("passed", "")


@needs_sandbox
@pytest.mark.parametrize(
    ("language", "body"),
    [
        ("java", "        return string.length();\n    }\n}"),
        ("java", "return string.length();"),
        ("cpp", "    return string.length();\n}"),
        ("js", "  return string.length;\n}"),
        ("sh", '    echo "${#1}"\n}'),
        ("go", "    return len(myString)\n}"),
    ],
)
def test_an_answer_that_only_goes_on_is_closed_once(real_data: Path, language: str, body: str) -> None:
    needs_toolchain(language)
    problem = problem_23(language, real_data)
    [verdict] = verdicts_on([read_answer(problem, f"```\n{body}\n```").pair])
    assert (verdict.outcome, verdict.message) == ("passed", "")


@needs_sandbox
@pytest.mark.toolchain
def test_helpers_of_the_prompt_that_an_answer_leaves_out_are_there(real_data: Path) -> None:
    needs_toolchain("cpp")
    problem = next(p for p in multipl_e.problems("cpp", real_data) if "103_rounded_avg" in p.name)
    answer = """```cpp
Union_std_string_long rounded_avg(long n, long m) {
    if (n > m) return -1L;
    long average = lround((n + m) / 2.0), digits = average;
    if ((n + m) % 2 && average % 2) digits = --average;
    std::string text;
    for (; digits; digits /= 2) text = char('0' + digits % 2) + text;
    return "0b" + text;
}
```"""
    judged, text = read_answer(problem, answer).pair
    assert "union Union_std_string_long" in text
    [verdict] = verdicts_on([(judged, text)])
    assert verdict.outcome != "compile_error", verdict.message


#: Answers that do not compile, and why it is the answer's or the benchmark's doing.
FAULTS = {
    "java": {
        "HumanEval_23_strlen": "defines stringLength, with Pair<Long>",
        "HumanEval_104_unique_digits": "defines a method within a method",
        "HumanEval_149_sorted_list_sum": "defines listSort; a List is no ArrayList",
        "HumanEval_87_get_row": "breaks off within the comment or the method",
    },
    "js": {"HumanEval_51_remove_vowels": "the benchmark's tests hold a text over two lines"},
    "cpp": {
        "HumanEval_69_search": "using namespace std makes the tests' search ambiguous",
        "HumanEval_137_compare_one": "compares two nullopt_t",
        "HumanEval_162_string_to_md5": "needs -lcrypto",
    },
}


@needs_sandbox
@pytest.mark.parametrize(("language", "at_least"), [("java", 130), ("js", 136), ("cpp", 135)])
def test_real_chat_answers_compile(real_data: Path, language: str, at_least: int) -> None:
    needs_toolchain(language)
    problems = {problem.name: problem for problem in multipl_e.problems(language, real_data)}
    lines = (real_data / "multipl-e" / f"model-answers-{language}.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in lines]
    found = verdicts_on([read_answer(problems[row["name"]], row["answer"]).pair for row in rows])
    refused = {verdict.name: verdict.message for verdict in found if verdict.outcome == "compile_error"}
    assert set(refused) <= set(FAULTS[language]), refused
    assert Counter(verdict.outcome for verdict in found)["passed"] >= at_least


def test_a_python_answer_keeps_imports_and_helpers_and_loses_examples() -> None:
    prompt = "import math\n\ndef half(x):\n    return x / 2\n\ndef f(x):\n    '''Doc.'''\n"
    problem = Problem("p", "b", "py", prompt, "check(f)", entry_point="f")
    answer = """```python
from __future__ import annotations
import re

TABLE = {}

def helper(x):
    return half(x)

def f(x):
    return helper(x)

print(f(1))
assert f(2) == 1
for n in range(3):
    print(f(n))
if __name__ == '__main__':
    f(input())
```"""
    judged, text = read_answer(problem, answer).pair
    assert (judged.prompt, judged.tests) == ("", problem.tests)
    assert text.startswith("from __future__ import annotations\n")
    for kept in ("import math", "def half", "import re", "TABLE = {}", "def helper", "def f"):
        assert text.count(kept) == 1
    for gone in ("print", "assert", "for n", "__main__"):
        assert gone not in text
    compile(text, "it", "exec")


def test_a_program_keeps_its_statements_but_no_main() -> None:
    problem = Problem("p", "b", "py", "def f(x):\n", "check(f)", entry_point="f")
    _, text = read_program(
        problem, "def f(x):\n    return x\n\nassert f(1) == 1\n\nif __name__ == '__main__':\n    f(2)\n"
    ).pair
    assert "assert f(1) == 1" in text
    assert "__main__" not in text


def test_a_python_body_without_indentation_is_indented() -> None:
    problem = Problem("p", "b", "py", "def f(x):\n", "check(f)")
    judged, text = read_answer(problem, "```python\ny = x\nreturn y\n```").pair
    assert (judged, text) == (problem, "    y = x\n    return y\n")


def test_an_answer_to_a_description_goes_on_after_it() -> None:
    problem = Problem("MBPP/1", "mbpp", "py", '"""\nAdd.\n"""\n', "assert add(1, 2) == 3")
    judged, text = read_answer(
        problem, "```python\ndef add(a, b):\n    return a + b\n\nprint(add(1, 2))\n```"
    ).pair
    assert (judged, text) == (problem, "def add(a, b):\n    return a + b\n\n")
