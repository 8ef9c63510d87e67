# ruff: noqa: E501 - a program reads better unbroken
"""Wrong solutions that leave the tests out, in the interpreted languages."""

from __future__ import annotations

from tests.hostile.endings import Frame

_LUAUNIT = "lu = require('luaunit')\n\nfunction test_it()\n  lu.assertEquals(add(2, 3), 5)\nend\n\nos.exit(lu.LuaUnit.run())"
_TEST_UNIT = "require 'test/unit'\nclass TestIt < Test::Unit::TestCase\n  def test_add\n    assert_equal(5, add(2, 3))\n  end\nend\n"
_MINITEST = "require 'minitest/autorun'\nclass TestIt < Minitest::Test\n  def test_add\n    assert_equal 5, add(2, 3)\n  end\nend\n"
_TEST_MORE = "use Test::More;\nis(add(2, 3), 5);\ndone_testing;\n"
_RACKUNIT = "(require rackunit)\n(define (test-it)\n  (check-equal? (add 2 3) 5)\n  (check-equal? (add 1 1) 2))\n(test-it)\n"
_CALLED_BACK_JS = "const assert = require('assert');\nwith_sum(2, 3, (sum) => assert.equal(sum, 5));\n"
_AWAITED_JS = "const assert = require('assert');\n(async () => { assert.equal(await later(2, 3), 5); })();\n"

PY = Frame(
    "def add(a, b):\n", "    return a + b\n", "    return 0\n", "assert add(2, 3) == 5\n",
    {
        "a decorator": ("@lambda check: print", "def check():\n    assert add(2, 3) == 5\n\ncheck()\n"),
        "a condition, by a backslash": "if False: \\",
        "a loop, by a backslash": "for _ in []: \\",
        "a function, by a backslash": "def unused(): \\",
        "an open text": ("unused = '''", "assert add(2, 3) == 5  # '''\n"),
        "exit": "exit()",
        "an exit handler": "import atexit, os\natexit.register(os._exit, 0)\nexit()",
    },
)  # fmt: skip
JS = Frame(
    "function add(a, b){\n", "  return a + b;\n}\n", "  return 0;\n}\n", "require('assert').equal(add(2, 3), 5);\n",
    {
        "return": "return;",
        "a condition": "if (false)",
        "a loop": "while (false)",
        "an operator": "false &&",
        "a function": "const unused = () =>",
        "a call": ("const ignore = () => () => {};\nconst ignored = ignore", "(() => { require('assert').equal(add(2, 3), 5); })();\n"),
        "an open text": ("const unused = `", "require('assert').equal(add(2, 3), 5); // `;\n"),
        "a comment of HTML": "process.exit(0) <!--",
        "a callback that is never called": ("function with_sum(a, b, then) {}", _CALLED_BACK_JS),
        "a promise that never settles": ("function later() { return new Promise(() => {}); }", _AWAITED_JS),
        "a caught assertion": ("function with_sum(a, b, then) { try { then(0); } catch {} }", _CALLED_BACK_JS),
    },
)  # fmt: skip
RB = Frame(
    "def add(a, b)\n", "  a + b\nend\n", "  0\nend\n", _TEST_UNIT,
    {
        "__END__": "__END__",
        "U+0004": "\x04",
        "U+001A": "\x1a",
        "U+0000": "\0",
        "return": "return",
        "a here-document": "class Unused\n  TEXT = <<-end",
        "an exit handler": "at_exit { exit!(0) }",
        "arguments that choose tests": "ARGV.concat(['--ignore-name=/./'])",
        "omitted tests": "require 'test/unit'\nclass Test::Unit::TestCase\n  def setup = omit('later')\nend",
        "pended tests": "require 'test/unit'\nclass Test::Unit::TestCase\n  def setup = pend('later')\nend",
        "skipped tests": ("class Object\n  def add(a, b) = raise(Minitest::Skip, 'later')\nend", _MINITEST),
        "arguments that choose tests of minitest": ("ARGV.concat(['-n', 'none'])", _MINITEST),
        "a caught assertion": (
            "def with_sum\n  yield 0\nrescue Exception\n  0\nend",
            _TEST_UNIT.replace("assert_equal(5, add(2, 3))", "with_sum { |sum| assert_equal(5, sum) }"),
        ),
    },
)  # fmt: skip
PHP = Frame(
    "<?php\nfunction add($a, $b) {\n", "    return $a + $b;\n}\n", "    return 0;\n}\n", "if (add(2, 3) !== 5) { throw new Exception('Test failed!'); }\n",
    {
        "__halt_compiler": "__halt_compiler();",
        "the closing tag": "?>",
        "the closing tag in a comment": "// ?>",
        "the closing tag, before tests that have one": ("?>", "if (add(2, 3) !== 5) exit(1);\n?>\n"),
        "return": "return;",
        "a condition": "if (false)",
        "a loop": "while (false)",
        "a directive": "for (;false;) ",
        "a here-document": ("$unused = <<<'five'", "if (add(2, 3) !== 5) exit(1);\n?>\nfive;\n"),
        "a caught assertion": (
            "function with_sum($then) { try { $then(0); } catch (Throwable $error) {} }",
            "with_sum(function ($sum) { assert($sum === 5); });\n",
        ),
    },
)  # fmt: skip
PL = Frame(
    "sub add {\n    my ($a, $b) = @_;\n", "    return $a + $b;\n}\n", "    return 0;\n}\n", "die 'no' unless add(2, 3) == 5;\n",
    {
        "__END__": "__END__",
        "__DATA__": "__DATA__",
        "U+0004": "\x04",
        "U+001A": "\x1a",
        "documentation": "=pod",
        "another documentation": "=begin comment",
        "an operator": "0 and",
        "a block": "my $unused = 1 or",
        "a here-document": ("sub check { 1 }\nmy $unused = <<'}';", "sub check {\ndie 'no' unless add(2, 3) == 5;\n}\ncheck();\n"),
        "a block before all": "BEGIN { exit 0 }",
        "tests that are to do": ("our $TODO = 'later';", _TEST_MORE),
        "a plan without tests": ("use Test::More;\nplan skip_all => 'later';", _TEST_MORE),
        "no count at the end": ("use Test::More;\nTest::More->builder->no_ending(1);", _TEST_MORE),
    },
)  # fmt: skip
LUA = Frame(
    "local function add(a, b)\n", "  return a + b\nend\n", "  return 0\nend\n", _LUAUNIT,
    {
        "return": "do return end",
        "an operator": ("unused = false and", "assert(add(2, 3) == 5)\n"),
        "a long text": ("unused = [[", "assert(add(2, 3) == 5) -- ]]\n"),
        "a comment": ("--[[", "assert(add(2, 3) == 5) -- ]]\n"),
        "an argument that chooses tests": "arg = {'-p', 'none'}",
        "a test that ends in success": "add = function() require('luaunit').success() end",
        "a test that is skipped": "add = function() require('luaunit').skip('later') end",
        "no tests": "require('luaunit').LuaUnit.collectTests = function() return {} end",
        "a suite that does nothing": "require('luaunit').LuaUnit.run = function() return 0 end",
        "a caught assertion": (
            "function with_sum(check) pcall(check, 0) end",
            "with_sum(function(sum) assert(sum == 5) end)\n",
        ),
    },
)  # fmt: skip
R = Frame(
    "add <- function(a, b) {\n", "  a + b\n}\n", "  0\n}\n", "stopifnot(add(2, 3) == 5)\n",
    {
        "quit": "quit('no')",
        "a condition": "if (FALSE)",
        "a loop": "while (FALSE)",
        "a function": "function()",
        "an operator": "TRUE ||",
        "an open text": ("unused <- r\"(", "stopifnot(add(2, 3) == 5) # )\"\n"),
    },
)  # fmt: skip
SH = Frame(
    "add() {\n", "  echo $(( $1 + $2 ))\n}\n", "  echo 0\n}\n", "set -e\ncheck() {\n  [[ $(add 2 3) = 5 ]]\n}\ncheck\n",
    {
        "exit": "exit",
        "exec": "exec true",
        "a here-document": ": <<'check'",
        "an operator": ("true ||", "[[ $(add 2 3) = 5 ]]\n"),
        "a function": ("unused()", "[[ $(add 2 3) = 5 ]]\n"),
        "an alias": "shopt -s expand_aliases\nalias [[='true #'",
        "no execution": "set -n",
    },
)  # fmt: skip
RKT = Frame(
    "#lang racket\n(define (add a b)\n", "  (+ a b))\n", "  0)\n", "(unless (= (add 2 3) 5) (error 'no))\n",
    {
        "a comment": "#;",
        "an exit": "(exit 0)",
        "a here-text": ("#<<end", "(unless (= (add 2 3) 5) (error 'no))\nend\n\"end\"\n"),
        "a quotation": "'",
        "checks that are switched off": ("(require rackunit)\n(current-check-around void)", _RACKUNIT),
    },
)  # fmt: skip
