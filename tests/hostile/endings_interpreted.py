# ruff: noqa: E501 - a program reads better unbroken
"""Wrong solutions that leave the tests out, in the interpreted languages."""

from __future__ import annotations

from tests.hostile.endings import Frame

_LUAUNIT = "lu = require('luaunit')\n\nfunction test_it()\n  lu.assertEquals(add(2, 3), 5)\nend\n\nos.exit(lu.LuaUnit.run())"
_TEST_UNIT = "require 'test/unit'\nclass TestIt < Test::Unit::TestCase\n  def test_add\n    assert_equal(5, add(2, 3))\n  end\nend\n"
_MINITEST = "require 'minitest/autorun'\nclass TestIt < Minitest::Test\n  def test_add\n    assert_equal 5, add(2, 3)\n  end\nend\n"
_TEST_MORE = "use Test::More;\nis(add(2, 3), 5);\ndone_testing;\n"
_RACKUNIT = "(require rackunit)\n(define (test-it)\n  (check-equal? (add 2 3) 5)\n  (check-equal? (add 1 1) 2))\n(test-it)\n"
_UNITTEST = "import unittest\nclass TestIt(unittest.TestCase):\n    def test_add(self):\n        self.assertEqual(add(2, 3), 5)\nunittest.main()\n"
_MAIN_RB = "def main\n  raise 'no' unless add(2, 3) == 5\n  0\nend\nexit(main)\n"
_MAIN_PHP = (
    "function main() { if (other(2, 3) !== 5) { throw new Exception('no'); } return 0; }\nexit(main());\n"
)
_MAIN_PL = "sub main { die 'no' unless add(2, 3) == 5; return 0; }\nexit(main());\n"
_MAIN_R = "main <- function() { stopifnot(add(2, 3) == 5); 0 }\nquit('no', main())\n"
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
        "a function that is exit": ("add = exit", "assert add(0) == 5\n"),
        "an exit in what an exit is given": ("add = quit", "import sys\nsys.exit(0 if add(0) == 5 else 1)\n"),
        "tests of unittest that are skipped": ("import unittest\ndef add(a, b): raise unittest.SkipTest('later')", _UNITTEST),
        "other tests of unittest": (
            "import unittest\ndef load_tests(*_): return unittest.TestSuite([unittest.FunctionTestCase(int)])",
            _UNITTEST,
        ),
        "arguments that choose tests of unittest": (
            "import sys\nclass TestOther(__import__('unittest').TestCase):\n    def test_nothing(self): pass\nsys.argv.append('TestOther')",
            _UNITTEST,
        ),
        "a failure that unittest expects": (
            "import unittest\nsetattr(unittest.TestCase, '__unittest_expecting_failure__', True)",
            _UNITTEST,
        ),
        "a callback that is never called": (
            "def with_sum(a, b, then): pass",
            "def check(sum):\n    assert sum == 5\n\nwith_sum(2, 3, check)\n",
        ),
        "a failure in a thread": (
            "import threading\ndef with_sum(a, b, then): threading.Timer(0.05, then, (0,)).start()",
            "def check(sum):\n    assert sum == 5\n\nwith_sum(2, 3, check)\n",
        ),
        "another name of the module": ("__name__ = 'other'", "if __name__ == '__main__':\n    assert add(2, 3) == 5\n"),
        "an indented line before the tests": ("@lambda check: print", "    \ndef check():\n    assert add(2, 3) == 5\n\ncheck()\n"),
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
        "a callback that is never called by its name": (
            "function with_sum(a, b, then) {}",
            "const assert = require('assert');\nfunction check(sum) { assert.equal(sum, 5); }\nwith_sum(2, 3, check);\n",
        ),
        "a function that is an exit": "add = process.exit.bind(process, 0);",
        "another status": (
            "process.on('exit', () => { process.exitCode = 0; });",
            "require('node:test')('adds', () => require('assert').equal(add(2, 3), 5));\n",
        ),
        "another module": ("module = {};", "if (require.main === module) require('assert').equal(add(2, 3), 5);\n"),
        "an exit in a conversion": (
            "add = () => ({ valueOf: process.exit.bind(process, 0) });",
            "if (!(add(2, 3) == 5)) throw new Error('no');\n",
        ),
        "an exception that is hidden": (
            "process.on('uncaughtException', () => {});\nfunction with_sum(a, b, then) { setTimeout(() => then(0), 1); }",
            "with_sum(2, 3, (sum) => { if (sum !== 5) throw new Error('no'); });\n",
        ),
        "a rejection that is hidden": (
            "process.on('unhandledRejection', () => {});\nasync function later() { return 0; }",
            "later(2, 3).then((sum) => { if (sum !== 5) throw new Error('no'); });\n",
        ),
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
        "an exit in what an exit is given": ("def add(a, b) = exit(0)", _MAIN_RB),
        "a jump back to before the tests": (
            "require 'continuation'\n$times = 0\ncallcc { |here| $here = here }\ndef add(a, b) = ($times += 1) < 2 ? $here.call : exit(0)",
            "raise 'no' unless add(2, 3) == 5\n",
        ),
        "another name of the program": ("$0 = 'other'", "raise 'no' if __FILE__ == $0 && add(2, 3) != 5\n"),
        "a caught assertion of minitest": (
            "def with_sum\n  yield 0\nrescue Exception\n  0\nend",
            _MINITEST.replace("assert_equal 5, add(2, 3)", "with_sum { |sum| assert_equal 5, sum }"),
        ),
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
        "an exit in what an exit is given": ("function other() { exit(0); }", _MAIN_PHP),
        "assertions that are switched off": ("ini_set('zend.assertions', 0);", "assert(add(2, 3) === 5);\n"),
        "assertions that throw nothing": ("ini_set('assert.exception', 0); error_reporting(0);", "assert(add(2, 3) === 5);\n"),
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
        "an exit in what an exit is given": ("no warnings;\n*add = sub { exit 0 };", _MAIN_PL),
        "a check that is never made": ("sub with_sum {}", "use Test::More;\nok(1);\nwith_sum(sub { is($_[0], 5) });\ndone_testing;\n"),
        "fewer checks than planned": (
            "use Test::More;\nTest::More->builder->no_ending(1);\nsub with_sum {}",
            "use Test::More tests => 2;\nok(1);\nwith_sum(sub { is($_[0], 5) }) if 1;\n",
        ),
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
        "an exit in what an exit is given": ("add = function() return os.exit(0) end", "os.exit(add(2, 3) == 5)\n"),
        "a callback that is never called": ("function with_sum(check) end", "with_sum(function(sum) assert(sum == 5) end)\n"),
        "a function that is an exit": ("add = os.exit", "os.exit(add(true) == 5)\n"),
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
        "an exit in what an exit is given": ("add <- function(a, b) quit('no', 0)", _MAIN_R),
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
        "failures that end nothing": ("add() { set +e; sum=0; }", "set -e\nadd 2 3\n[[ $sum = 5 ]]\ntrue\n"),
        "another name of the program": (
            "BASH_ARGV0=other",
            'if [[ "${BASH_SOURCE[0]}" = "$0" ]]; then\n  [[ $(add 2 3) = 5 ]]\nfi\n',
        ),
        "another exit": ("exit() { :; }", "[[ $(add 2 3) = 5 ]] || exit 1\n"),
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
        "an exit in what an exit is given": ("(set! add (lambda (a b) (exit 0)))", "(exit (if (= (add 2 3) 5) 0 1))\n"),
        "checks that are switched off": ("(require rackunit)\n(current-check-around void)", _RACKUNIT),
    },
)  # fmt: skip
