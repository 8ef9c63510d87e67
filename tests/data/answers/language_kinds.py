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
        "```java\nclass Problem {\n    /**\n     * Length.\n     * ```java\n     * strlen(\"abc\");\n     * ```\n     */\n" + _JAVA + "}\n```\n",
        "import org.junit.jupiter.api.Test;\nimport static org.junit.jupiter.api.Assertions.*;\n\nclass Solution {\n" + _JAVA + "}\n\nclass SolutionTest {\n    @Test\n    void works() {\n        assertEquals(4, Solution.strlen(\"abc\"));\n    }\n}\n",
        "public long strlen(String string) {\n    return count(string);\n}\n\nprivate long count(String s) {\n    return s.length();\n}\n",
        "public static long strlen(String string) {\n    return new Box(string).size();\n}\n\nprivate static class Box {\n    final String s;\n    Box(String s) { this.s = s; }\n    long size() { return s.length(); }\n}\n",
        "interface Sizer {\n    default long size(String s) { return s.length(); }\n}\n\nclass Solution implements Sizer {\n    public static long strlen(String string) {\n        return new Solution().size(string);\n    }\n}\n",
    ],
    "cs": [_CS, f"public class Solution\n{{\n{_CS.replace(' static', '')}}}\n", f"using System;\nnamespace X;\npublic class P\n{{\n{_CS}}}\n",
        f"using System;\n\nConsole.WriteLine(Solution.Strlen(\"abc\"));\n\npublic static class Solution\n{{\n{_CS}}}\n",
        "public static class Ext\n{\n" + _CS.replace("(string", "(this string") + "}\n",
    ],
    "scala": [_SCALA.replace("\n  ", "\n").lstrip(), f"class Solution {{\n{_SCALA}}}\n", "string.length\n",
        f"object Solution {{\n{_SCALA}}}\n\nclass SolutionSpec extends org.scalatest.funsuite.AnyFunSuite {{\n  test(\"x\") {{ assert(Solution.strlen(\"a\") == 2) }}\n}}\n",
    ],
    "cpp": [
        f"#include <iostream>\nclass Solution {{\npublic:\n{_CPP}}};\n\nint main() {{\n    Solution s;\n    std::cout << s.string_length(\"a\");\n}}\n",
        f"```cpp\n#include <string>\nlong helper(const std::string& s);\n```\n```cpp\nlong helper(const std::string& s) {{ return s.size(); }}\n```\n```cpp\n{_CPP.replace('string.length()', 'helper(string)')}```\n",
        "    return string.length();\n", f"Here:\n\n#include <string>\n\n{_CPP}\nThat's O(1).\n", f"```cpp\n{_CPP}\nlong other(int x) {{\n    return x +", f"```c\n{_CPP}```\n",
        f"```cpp\n{_CPP}```\nIn plain C:\n```c\nlong string_length(const char *s) {{\n    return strlen(s);\n}}\n```\n",
        f"Here is it:\n\n#include <iostream>\n{_CPP}\nExample usage:\n\nint main() {{\n    std::cout << string_length(\"abc\");\n}}\n\nThis prints 3.\n",
        "#include &lt;string&gt;\nlong string_length(std::string string) {\n    long n = 0;\n    for (size_t i = 0; i &lt; string.size() &amp;&amp; true; i++) n++;\n    return n;\n}\n",
        "auto string_length = [](std::string s) -> long { return s.size(); };\n",
        "#include <string>\nnamespace strings {\nlong string_length(std::string s) { return s.size(); }\n}\n",
        "#include <string>\nlong string_length(const char *s, int n) { return n; }\nlong string_length(std::string s) { return s.size(); }\n",
        f"#include <gtest/gtest.h>\n{_CPP}\nTEST(Length, Works) {{\n    EXPECT_EQ(string_length(\"a\"), 2);\n}}\n",
        "```cpp\n#define ONE 1\n```\n```cpp\n" + _CPP.replace("length()", "length() * ONE") + "```\n",
        f"```cpp\n{_CPP}\nint ma",
    ],
    "js": [
        "const strlen = (string) => string.length;\n", "class Solution {\n  strlen(string) {\n    return string.length;\n  }\n}\n", f"{_JS}module.exports = {{ strlen }};\n", "  return string.length;\n", "return string.length;\n}\n",
        f"const T = {{}};\nfunction fill() {{ for (let i = 0; i < 3; i++) T[i] = 1; }}\nfill();\n{_JS.replace('string.length', 'string.length * T[2]')}console.log(strlen('a'));\n",
        f"{_JS}function main() {{\n  console.log(strlen('abc'));\n  process.exit(0);\n}}\nmain();\n", f"{_JS}function runTests() {{\n  if (strlen('abc') !== 4) throw new Error('x');\n}}\nrunTests();\n",
        f"{_JS}\nconst s = prompt('Enter');\nalert(strlen(s));\n",
        f"{_JS}\nconst tests = [{{ i: 'a', e: 2 }}];\ntests.forEach(({{ i, e }}) => {{\n  if (strlen(i) !== e) throw new Error('x');\n}});\n",
        f"{_JS}\nfor (const [i, e] of [['a', 2]]) {{\n  if (strlen(i) !== e) {{\n    throw new Error('bad');\n  }}\n}}\n",
        f"const {{ strict: assert }} = require('node:assert');\n{_JS}\nassert.equal(strlen('a'), 2);\n",
        f"import assert from 'node:assert/strict';\nexport {_JS}\nassert.equal(strlen('a'), 2);\n",
        "import { inspect as show } from 'util';\nfunction strlen(string) {\n  return show(string).length - 2;\n}\n\nexport {\n  strlen,\n};\n",
        f"{_JS}\ndescribe('strlen', () => {{\n  it('works', () => {{\n    expect(strlen('a')).toBe(1);\n  }});\n}});\n",
        f"{_JS}\nfunction test() {{\n  if (strlen('a') !== 2) throw new Error('x');\n}}\ntest();\n",
        f"{_JS}\n(() => {{\n  if (strlen('a') !== 2) throw new Error('x');\n}})();\n",
        f"{_JS}\nconst bad = strlen(null);\nconsole.log(bad);\n",
        f"{_JS}\ndocument.title = strlen('a');\n",
        f"Here's the function:\n\n{_JS}\nExample usage:\n\nconsole.log(strlen('abc'));\n\nIt's O(1).\n",
        "  return string.length;\n}\n\nif (strlen('a') !== 2) throw new Error('x');\n",
        "const n = string.length;\nreturn n;\n",
        f"```js\n{_JS}    ```\nUsage:\n```js\nstrlen(1);\n```\n",
        "Use ```const strlen = (string) => string.length;``` and you are done.",
        "```js\nconst ONE = 1;\n```\n```js\n" + _JS.replace("length;", "length * ONE;") + "```\n",
        "exports.strlen = function (string) {\n  return string.length;\n};\n",
        "module.exports = function strlen(string) {\n  return string.length;\n};\n",
        "class Solution {\n  static strlen(string) {\n    return string.length;\n  }\n}\n",
        f"```js\n{_JS}```\nWith a check:\n```js\nfunction strlen(string) {{\n  if (!string) throw 1;\n  // ... existing code ...\n}}\n```\n",
        f"// ends at <|endoftext|>\n{_JS}",
    ],
    "ts": ["class Solution {\n  strlen(string: string): number {\n    return string.length;\n  }\n}\n", "  return string.length;\n", f"{_TS}export {{ strlen }};\nexport default strlen;\n",
        f"```typescript\n{_TS}```\nPlain JavaScript:\n```javascript\nfunction strlen(string) {{\n  return string.size;\n}}\n```\n",
        f"{_TS}\nfunction test(): void {{\n  console.log(strlen('a'));\n}}\ntest();\n",
        f"import {{ describe, it, expect }} from '@jest/globals';\n{_TS}\ndescribe('strlen', () => {{\n  it('works', () => {{\n    expect(strlen('a')).toBe(1);\n  }});\n}});\n",
        "let n: number = 0;\nfor (const c of string) {\n  n++;\n}\nreturn n;\n",
        "export class Solution {\n  public static strlen(string: string): number {\n    return string.length;\n  }\n}\n",
    ],
    "go": [
        f"package main\n\nimport \"fmt\"\n\n{_GO}\nfunc main() {{\n\tfmt.Println(strlen(\"abc\"))\n}}\n", "return len(myString)\n", "    return len(myString)\n}\n",
        "package strlen\n\nimport (\n\tstr \"strings\"\n\t\"unicode/utf8\"\n)\n\nfunc strlen(myString string) int {\n\treturn utf8.RuneCountInString(str.Clone(myString))\n}\n",
        f"package strlen_test\n\nimport \"testing\"\n\n{_GO}\nfunc TestStrlen(t *testing.T) {{\n\tif strlen(\"abc\") != 4 {{\n\t\tt.Errorf(\"bad\")\n\t}}\n}}\n",
        "```go\npackage main\n\nfunc size(s string) int { return len(s) }\n```\n```go\npackage main\n\nfunc strlen(myString string) int {\n\treturn size(myString)\n}\n```\n",
    ],
    "rs": [
        f"use std::collections::HashMap;\n\npub {_RS}\nfn main() {{\n    let _m: HashMap<i32, i32> = HashMap::new();\n}}\n\n#[cfg(test)]\nmod tests {{\n    use super::*;\n    #[test]\n    fn t() {{ assert_eq!(strlen(String::new()), 0); }}\n}}\n",
        f"struct Solution;\n\nimpl Solution {{\n    pub {_RS}}}\n", "string.len() as isize\n",
        "```rust\nuse std::collections::HashMap;\n\nfn one(_: &HashMap<char, i32>) -> isize { 1 }\n```\n```rust\nuse std::collections::HashMap;\n\nfn strlen(string: String) -> isize {\n    let m: HashMap<char, i32> = HashMap::new();\n    string.len() as isize * one(&m)\n}\n```\n",
    ],
    "d": [f"module answer;\nimport std.stdio;\n\n{_D}\nunittest\n{{\n    assert(strlen(\"a\") == 1);\n}}\nvoid main()\n{{\n    writeln(strlen(\"a\"));\n}}\n", "    return string.length;\n"],
    "php": [f"<?php\n{_PHP}?>\n", f"<?php\n\ndeclare(strict_types=1);\n\n{_PHP}\necho add(1, 2);\nexit(0);\n", f"<?php\nclass Solution {{\n    {_PHP}}}\n", "return $x + $y;\n", "    return $x + $y;\n}\n",
        f"<?php\n/**\n * Adds.\n *\n * ```php\n * add(1, 2);\n * ```\n */\n{_PHP}",
        f"<?php\n{_PHP}\nfunction test() {{\n    assert(add(1, 2) === 4);\n}}\ntest();\n",
        f"<?php\n{_PHP}?>\n<p><?= add(1, 2) ?></p>\n",
        f"<?php\n{_PHP}\nif (php_sapi_name() === 'cli') {{\n    if ($argc < 3) {{\n        exit(1);\n    }}\n    echo add($argv[1], $argv[2]);\n}}\n",
        f"<?php\nuse PHPUnit\\Framework\\TestCase;\n\n{_PHP}\nclass AddTest extends TestCase\n{{\n    public function testAdd()\n    {{\n        $this->assertSame(4, add(1, 2));\n    }}\n}}\n",
        "```php\n<?php\nfunction one($x) { return $x; }\n```\n```php\n<?php\nfunction add($x, $y) {\n    return one($x) + one($y);\n}\n```\n",
    ],
    "rb": [f"{_RB}\nputs strlen('abc')\nexit\n", f"class Solution\n  {_RB}end\n", "string.length\n", "  string.length\nend\n", f"TABLE = {{}}\n3.times {{ |i| TABLE[i] = 1 }}\n{_RB.replace('string.length', 'string.length * TABLE[2]')}", f"{_RB}\nif $PROGRAM_NAME == __FILE__\n  raise 'x'\nend\n",
        f"{_RB}\nprint 'Enter: '\ns = gets.chomp\nputs \"Length: #{{strlen(s)}}\"\n",
        f"require 'minitest/autorun'\n{_RB}\nclass TestStrlen < Minitest::Test\n  def test_it\n    assert_equal 4, strlen('abc')\n  end\nend\n",
        f"{_RB}\n[['a', 2]].each do |s, e|\n  raise 'bad' unless strlen(s) == e\nend\n",
        f"{_RB}\nraise 'bad' unless strlen('abc') == 4\n",
        f"{_RB}\nif ARGV.empty?\n  abort 'usage'\nelse\n  puts strlen(ARGV[0])\nend\n",
        "```ruby\nONE = 1\n```\nand\n```ruby\ndef strlen(string)\n  string.length * ONE\nend\n```\n",
        f"irb(main):001:0> {_RB}".replace("\n ", "\nirb(main):002:1>  ").replace("\nend", "\nirb(main):003:0> end") + "=> :strlen\n",
        f"```ruby\n{_RB}```\nOr:\n```ruby\ndef strlen(string)\n  string.each_char do |c|\n    n +=",
        f"```ruby\n{_RB}\ndef other(x)\n  x.each do |y|\n    y",
        "  string.length\nend\n\nraise 'x' unless strlen('a') == 2\n",
        "class Solution\n  def self.strlen(string)\n    string.length\n  end\nend\n",
        "module Strings\n  module_function\n\n  def strlen(string)\n    string.length\n  end\nend\n\nputs Strings.strlen('abc')\n",
    ],
    "pl": [f"#!/usr/bin/perl\nuse strict;\nuse warnings;\n\n{_PL}\nprint strlen('abc'), \"\\n\";\n1;\n", f"{_PL}\nsub main {{\n    print strlen('a');\n    exit(0);\n}}\n\nmain();\n", f"{_PL}exit 0;\n\n__END__\nmore\n", "return length($string);\n",
        f"{_PL}\ndie 'bad' unless strlen('abc') == 4;\n",
        f"{_PL}\nforeach my $t (['a', 2]) {{\n    my ($s, $e) = @$t;\n    die \"bad\" if strlen($s) != $e;\n}}\n",
        f"{_PL}\nmy $in = shift @ARGV or die 'usage';\nprint strlen($in);\n",
        f"use Test::More;\n{_PL}\nis(strlen('abc'), 4);\ndone_testing();\n",
    ],
    "lua": [f"local {_LUA}", f"{_LUA}\nprint(strlen('a'))\nos.exit(0)\n", f"local M = {{}}\nfunction M.size(s) return #s end\n{_LUA.replace('#string', 'M.size(string)')}return M\n", "return #string\n",
        f"{_LUA}\nfor _, t in ipairs({{{{'a', 2}}}}) do\n  if strlen(t[1]) ~= t[2] then\n    error('bad')\n  end\nend\n",
        f"{_LUA}\nfor i = 1, 2 do print(strlen(nil)) end\n",
        f"local lu = require('luaunit')\n{_LUA}\nfunction test_it()\n  lu.assertEquals(strlen('abc'), 4)\nend\n\nos.exit(lu.LuaUnit.run())\n",
        f"```lua\n{_LUA}\nlocal function other(x)\n  for i = 1, x do\n    y",
        "local n = #string\nreturn n\n",
        "local M = {}\n\nfunction M.strlen(string)\n  return #string\nend\n\nreturn M\n",
        "local Solution = {}\n\nfunction Solution:strlen(string)\n  return #string\nend\n\nreturn Solution\n",
    ],
    "r": [_R.replace("<-", "="), f"{_R}\nprint(strlen('a'))\nquit(status = 0)\n", "nchar(string)\n",
        "strlen <- \\(string) nchar(string)\n\nx <- strlen(1, 2)\nprint(x)\nfor (s in 1:2) {\n  stop(strlen(s))\n}\n",
    ],
    "rkt": [f"#lang racket\n(provide strlen)\n{_RKT}(module+ test\n  (require rackunit)\n  (check-equal? (strlen \"a\") 2))\n(exit 0)\n", "(string-length string)\n",
        f"#lang racket\n{_RKT}(define result (strlen 5))\n(for ([s '(1)])\n  (strlen s))\n",
    ],
    "sh": [
        f"{_SH}\nmain() {{\n    strlen \"$1\"\n    exit 0\n}}\n\nmain \"$@\"\n", f"{_SH}\nif [[ \"${{BASH_SOURCE[0]}}\" == \"${{0}}\" ]]; then\n    strlen \"$@\"\n    exit 1\nfi\n", "echo \"${#1}\"\n",
        f"```bash\n{_SH}```\n\nUsage:\n\n```bash\nstrlen \"abc\"  # {'long ' * 40}\n```\n", f"#!/bin/bash\nset -euo pipefail\n{_SH}strlen abc\nexit 0\n",
        "strlen() (\n    echo \"${#1}\"\n)\n\nstrlen \"$@\"\n",
        f"#!/bin/bash\nif [ $# -ne 1 ]; then\n    echo \"Usage: $0 STRING\"\n    exit 1\nfi\n{_SH}strlen \"$1\"\n",
        f"set -e\n{_SH}\nread -p 'Enter: ' s\nresult=$(strlen \"$s\")\necho \"$result\"\n",
        f"{_SH}\nfor s in a bb; do\n    n=$(strlen \"$s\")\n    [ \"$n\" -eq 4 ] || exit 1\ndone\n",
        f"{_SH}\ncase \"$1\" in\n    -h) echo help; exit 0 ;;\n    *) strlen \"$1\"; exit 0 ;;\nesac\n",
    ],
}  # fmt: skip

#: Whole programs that add two numbers, for problems with cases: nothing of them may be left out.
PROGRAMS: dict[str, list[str]] = {
    "py": ["import sys\n\ndef main():\n    a, b = map(int, sys.stdin.readline().split())\n    print(a + b)\n\nif __name__ == '__main__':\n    main()\n", "a, b = map(int, input().split())\nfor _ in range(1):\n    print(a + b)\n"],
    "java": ["package a.b;\nimport java.io.*;\nclass Helper { static int add(int a, int b) { return a + b; } }\npublic class Solution {\n    static void solve() throws IOException {\n        String[] p = new BufferedReader(new InputStreamReader(System.in)).readLine().split(\" \");\n        System.out.println(Helper.add(Integer.parseInt(p[0]), Integer.parseInt(p[1])));\n    }\n    public static void main(String[] args) throws IOException { solve(); }\n}\n"],
    "cpp": ["#include <cstdio>\nint add(int a, int b);\nint main(int argc, char **argv) { int a, b; if (scanf(\"%d %d\", &a, &b) != 2) return 1; printf(\"%d\\n\", add(a, b)); return 0; }\nint add(int a, int b) { return a + b; }\n"],
    "js": ["const readline = require('readline');\nconst rl = readline.createInterface({ input: process.stdin });\nrl.on('line', (line) => {\n  const [a, b] = line.split(' ').map(Number);\n  console.log(a + b);\n});\n", "const fs = require('fs');\nfunction main() {\n  const [a, b] = fs.readFileSync(0, 'utf8').trim().split(' ').map(Number);\n  console.log(a + b);\n}\nmain();\n"],
    "ts": ["import * as readline from 'readline';\nconst rl: readline.Interface = readline.createInterface({ input: process.stdin });\nrl.on('line', (line: string) => {\n  const [a, b] = line.split(' ').map(Number);\n  console.log(a + b);\n});\n", "const fs = require('fs');\nconst [a, b] = fs.readFileSync(0, 'utf8').trim().split(' ').map(Number);\nconsole.log(a + b);\n", "declare var require: any;\nconst fs = require('fs');\nfunction main(): void {\n  const [a, b] = fs.readFileSync(0, 'utf8').trim().split(' ').map(Number);\n  console.log(a + b);\n}\nmain();\n"],
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
