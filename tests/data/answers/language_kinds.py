# ruff: noqa: E501 - an answer reads better unbroken
"""Right answers to one problem of MultiPL-E in other languages, in the forms in which models give them.

The problem is HumanEval/23, ``strlen``; HumanEval/53, ``add``, in PHP, which has a ``strlen`` already. What is in
``ANSWERS`` stands in a fenced block of the language, unless it has a fence or prose of its own.
"""

from __future__ import annotations

from collections.abc import Iterator

#: What a fence calls a language where that is not its short name.
TAGS = {
    "cpp": "c++",
    "js": "javascript",
    "ts": "typescript",
    "rs": "rust",
    "cs": "csharp",
    "rb": "ruby",
    "pl": "perl",
    "rkt": "racket",
    "sh": "bash",
}

_JAVA = "    public static long strlen(String string) {\n        return string.length();\n    }\n"
_CS = "    public static long Strlen(string str)\n    {\n        return str.Length;\n    }\n"
_SCALA = "  def strlen(string: String): Long = {\n    string.length.toLong\n  }\n"
_CPP = "long string_length(std::string string) {\n    return string.length();\n}\n"
_JS = "function strlen(string) {\n  return string.length;\n}\n"
_TS = "function strlen(string: string): number {\n  return string.length;\n}\n"
_GO = "func strlen(myString string) int {\n\treturn len(myString)\n}\n"
_RS = "fn strlen(string: String) -> isize {\n    string.len() as isize\n}\n"
_D = "long strlen(string text)\n{\n    return text.length;\n}\n"
_PHP = "function add($x, $y) {\n    return $x + $y;\n}\n"
_RB = "def strlen(string)\n  string.length\nend\n"
_PL = "sub strlen {\n    my ($string) = @_;\n    return length($string);\n}\n"
_LUA = "function strlen(string)\n  return #string\nend\n"
_R = "strlen <- function(string) {\n  nchar(string)\n}\n"
_RKT = "(define (strlen string)\n  (string-length string))\n"
_SH = 'strlen() {\n    echo "${#1}"\n}\n'

#: The function alone.
FUNCTIONS = {
    "java": _JAVA, "cs": _CS, "scala": _SCALA, "cpp": _CPP, "js": _JS, "ts": _TS, "go": _GO, "rs": _RS, "d": _D, "php": _PHP, "rb": _RB,
    "pl": _PL, "lua": _LUA, "r": _R, "rkt": _RKT, "sh": _SH,
}  # fmt: skip

ANSWERS: dict[str, list[str]] = {
    "java": [
        _JAVA, "return string.length();\n", f"import java.util.*;\npublic class Solution {{\n{_JAVA}}}\n",
        "import java.util.*;\n\nclass Solution {\n    private int more = 0;\n    public long strlen(String string) {\n        return size(string) + more;\n    }\n    long size(String s) { return s.length(); }\n}\n",
        "```java\nimport java.util.function.*;\n```\nCode:\n```java\nclass Problem {\n    public static long strlen(String string) {\n        Function<String, Integer> f = String::length;\n        return f.apply(string);\n    }\n}\n```\n"
        "Usage:\n```java\npublic class Main {\n    public static void main(String[] args) {\n        System.out.println(Problem.strlen(\"abc\"));\n    }\n}\n```\n",
    ],
    "cs": [_CS, f"public class Solution\n{{\n{_CS.replace(' static', '')}}}\n", f"using System;\nnamespace X;\npublic class P\n{{\n{_CS}}}\n"],
    "scala": [_SCALA.replace("\n  ", "\n").lstrip(), f"class Solution {{\n{_SCALA}}}\n", "string.length\n"],
    "cpp": [
        f"#include <iostream>\nclass Solution {{\npublic:\n{_CPP}}};\n\nint main() {{\n    Solution s;\n    std::cout << s.string_length(\"a\");\n}}\n",
        f"```cpp\n#include <string>\nlong helper(const std::string& s);\n```\n```cpp\nlong helper(const std::string& s) {{ return s.size(); }}\n```\n```cpp\n{_CPP.replace('string.length()', 'helper(string)')}```\n",
        "    return string.length();\n", f"Here:\n\n#include <string>\n\n{_CPP}\nThat's O(1).\n", f"```cpp\n{_CPP}\nlong other(int x) {{\n    return x +", f"```c\n{_CPP}```\n",
    ],
    "js": [
        "const strlen = (string) => string.length;\n", "class Solution {\n  strlen(string) {\n    return string.length;\n  }\n}\n", f"{_JS}module.exports = {{ strlen }};\n", "  return string.length;\n", "return string.length;\n}\n",
        f"const T = {{}};\nfunction fill() {{ for (let i = 0; i < 3; i++) T[i] = 1; }}\nfill();\n{_JS.replace('string.length', 'string.length * T[2]')}console.log(strlen('a'));\n",
        f"{_JS}function main() {{\n  console.log(strlen('abc'));\n  process.exit(0);\n}}\nmain();\n", f"{_JS}function runTests() {{\n  if (strlen('abc') !== 4) throw new Error('x');\n}}\nrunTests();\n",
    ],
    "ts": ["class Solution {\n  strlen(string: string): number {\n    return string.length;\n  }\n}\n", "  return string.length;\n", f"{_TS}export {{ strlen }};\nexport default strlen;\n"],
    "go": [
        f"package main\n\nimport \"fmt\"\n\n{_GO}\nfunc main() {{\n\tfmt.Println(strlen(\"abc\"))\n}}\n", "return len(myString)\n", "    return len(myString)\n}\n",
        "package strlen\n\nimport (\n\tstr \"strings\"\n\t\"unicode/utf8\"\n)\n\nfunc strlen(myString string) int {\n\treturn utf8.RuneCountInString(str.Clone(myString))\n}\n",
    ],
    "rs": [
        f"use std::collections::HashMap;\n\npub {_RS}\nfn main() {{\n    let _m: HashMap<i32, i32> = HashMap::new();\n}}\n\n#[cfg(test)]\nmod tests {{\n    use super::*;\n    #[test]\n    fn t() {{ assert_eq!(strlen(String::new()), 0); }}\n}}\n",
        f"struct Solution;\n\nimpl Solution {{\n    pub {_RS}}}\n", "string.len() as isize\n",
    ],
    "d": [f"module answer;\nimport std.stdio;\n\n{_D}\nunittest\n{{\n    assert(strlen(\"a\") == 1);\n}}\nvoid main()\n{{\n    writeln(strlen(\"a\"));\n}}\n", "    return string.length;\n"],
    "php": [f"<?php\n{_PHP}?>\n", f"<?php\n\ndeclare(strict_types=1);\n\n{_PHP}\necho add(1, 2);\nexit(0);\n", f"<?php\nclass Solution {{\n    {_PHP}}}\n", "return $x + $y;\n", "    return $x + $y;\n}\n"],
    "rb": [f"{_RB}\nputs strlen('abc')\nexit\n", f"class Solution\n  {_RB}end\n", "string.length\n", "  string.length\nend\n", f"TABLE = {{}}\n3.times {{ |i| TABLE[i] = 1 }}\n{_RB.replace('string.length', 'string.length * TABLE[2]')}", f"{_RB}\nif $PROGRAM_NAME == __FILE__\n  raise 'x'\nend\n"],
    "pl": [f"#!/usr/bin/perl\nuse strict;\nuse warnings;\n\n{_PL}\nprint strlen('abc'), \"\\n\";\n1;\n", f"{_PL}\nsub main {{\n    print strlen('a');\n    exit(0);\n}}\n\nmain();\n", f"{_PL}exit 0;\n\n__END__\nmore\n", "return length($string);\n"],
    "lua": [f"local {_LUA}", f"{_LUA}\nprint(strlen('a'))\nos.exit(0)\n", f"local M = {{}}\nfunction M.size(s) return #s end\n{_LUA.replace('#string', 'M.size(string)')}return M\n", "return #string\n"],
    "r": [_R.replace("<-", "="), f"{_R}\nprint(strlen('a'))\nquit(status = 0)\n", "nchar(string)\n"],
    "rkt": [f"#lang racket\n(provide strlen)\n{_RKT}(module+ test\n  (require rackunit)\n  (check-equal? (strlen \"a\") 2))\n(exit 0)\n", "(string-length string)\n"],
    "sh": [
        f"{_SH}\nmain() {{\n    strlen \"$1\"\n    exit 0\n}}\n\nmain \"$@\"\n", f"{_SH}\nif [[ \"${{BASH_SOURCE[0]}}\" == \"${{0}}\" ]]; then\n    strlen \"$@\"\n    exit 1\nfi\n", "echo \"${#1}\"\n",
        f"```bash\n{_SH}```\n\nUsage:\n\n```bash\nstrlen \"abc\"  # {'long ' * 40}\n```\n", f"#!/bin/bash\nset -euo pipefail\n{_SH}strlen abc\nexit 0\n",
    ],
}  # fmt: skip

#: Whole programs that add two numbers, for problems with cases: nothing of them may be left out.
PROGRAMS: dict[str, list[str]] = {
    "py": ["import sys\n\ndef main():\n    a, b = map(int, sys.stdin.readline().split())\n    print(a + b)\n\nif __name__ == '__main__':\n    main()\n", "a, b = map(int, input().split())\nfor _ in range(1):\n    print(a + b)\n"],
    "java": ["package a.b;\nimport java.io.*;\nclass Helper { static int add(int a, int b) { return a + b; } }\npublic class Solution {\n    static void solve() throws IOException {\n        String[] p = new BufferedReader(new InputStreamReader(System.in)).readLine().split(\" \");\n        System.out.println(Helper.add(Integer.parseInt(p[0]), Integer.parseInt(p[1])));\n    }\n    public static void main(String[] args) throws IOException { solve(); }\n}\n"],
    "cpp": ["#include <cstdio>\nint add(int a, int b);\nint main(int argc, char **argv) { int a, b; if (scanf(\"%d %d\", &a, &b) != 2) return 1; printf(\"%d\\n\", add(a, b)); return 0; }\nint add(int a, int b) { return a + b; }\n"],
    "js": ["const readline = require('readline');\nconst rl = readline.createInterface({ input: process.stdin });\nrl.on('line', (line) => {\n  const [a, b] = line.split(' ').map(Number);\n  console.log(a + b);\n});\n", "const fs = require('fs');\nfunction main() {\n  const [a, b] = fs.readFileSync(0, 'utf8').trim().split(' ').map(Number);\n  console.log(a + b);\n}\nmain();\n"],
    "ts": ["declare var require: any;\nconst fs = require('fs');\nfunction main(): void {\n  const [a, b] = fs.readFileSync(0, 'utf8').trim().split(' ').map(Number);\n  console.log(a + b);\n}\nmain();\n"],
    "go": ["package main\n\nimport \"fmt\"\n\nfunc main() {\n\tvar a, b int\n\tfmt.Scan(&a, &b)\n\tfmt.Println(a + b)\n}\n"],
    "rs": ["use std::io::{self, Read};\n\nfn main() {\n    let mut s = String::new();\n    io::stdin().read_to_string(&mut s).unwrap();\n    let v: Vec<i64> = s.split_whitespace().map(|x| x.parse().unwrap()).collect();\n    println!(\"{}\", v[0] + v[1]);\n}\n"],
    "cs": ["using System;\nusing System.Linq;\nnamespace App {\n  class Program {\n    static void Main(string[] args) {\n      Console.WriteLine(Console.ReadLine().Split(' ').Select(int.Parse).Sum());\n    }\n  }\n}\n"],
    "php": ["<?php\nfscanf(STDIN, '%d %d', $a, $b);\nprint($a + $b);\n?>\n"],
    "rb": ["def main\n  a, b = STDIN.read.split.map(&:to_i)\n  puts a + b\nend\n\nif __FILE__ == $0\n  main\nend\n"],
    "pl": ["sub main {\n    my @p = split ' ', <STDIN>;\n    print $p[0] + $p[1], \"\\n\";\n}\nmain() unless caller;\n"],
    "lua": ["local a, b = io.read('n', 'n')\nprint(a + b)\n"],
    "r": ["main <- function() {\n  x <- as.integer(strsplit(readLines('stdin')[1], ' ')[[1]])\n  cat(sum(x))\n}\nmain()\n"],
    "rkt": ["#lang racket\n(define (solve) (displayln (+ (read) (read))))\n(module+ main (solve))\n"],
    "scala": ["import scala.io.StdIn\nobject Solution extends App {\n  val p = StdIn.readLine().split(' ').map(_.toInt)\n  println(p.sum)\n}\n"],
    "sh": ["main() {\n  read a b\n  echo \"$((a + b))\"\n}\nmain \"$@\"\n"],
    "d": ["import std.stdio;\n\nvoid main() {\n    int a, b;\n    readf(\" %d %d\", &a, &b);\n    writeln(a + b);\n}\n"],
}  # fmt: skip


def answers(language: str) -> Iterator[str]:
    """The answers in one language, as models give them."""
    for answer in ANSWERS[language]:
        written = "```" in answer or answer.startswith("Here")
        yield answer if written else f"Sure.\n\n```{TAGS.get(language, language)}\n{answer}```\nDone.\n"


def explained(language: str, program: str) -> str:
    """A whole program amid an explanation, examples of its input and output, and commands."""
    return (
        f"Here it is.\n\n```{TAGS.get(language, language)}\n{program}```\n\nFor example:\n\n```\n1 2\n```\n\ngives\n\n```\n3\n```\n"
        f"Run it:\n```bash\necho 1 2 | ./run # {'long ' * 99}\n```\n"
    )
