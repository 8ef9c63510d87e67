# ruff: noqa: E501 - a program reads better unbroken
"""Facts about single interpreted languages: a program for each, and the outcome it must have."""

from __future__ import annotations

#: Language, then fact, to program and outcome.
FACTS: dict[str, dict[str, tuple[str, str]]] = {
    "ts": {
        "an error of types does not compile": ("const x: number = 'a';", "compile_error"),
        "what is loose, but not wrong, compiles": (
            "function f(x, y?: string) { return x && y.length; }\nf(null);",
            "passed",
        ),
        "the library is the newest": ("if ([[1], [2]].flat().at(-1) !== 2) throw 1;", "passed"),
        "an interface that breaks the library's own does not compile": (
            "interface Node { value: number; next: Node | null }",
            "compile_error",
        ),
        "packages are not there": ("import fs from 'fs-of-another';", "compile_error"),
        "modules of Node need no types": ("import fs from 'fs';\nfs.existsSync('/');", "passed"),
        "nor do its names": ("const fs = require('node:fs');\nprocess.stdout.write('x');", "passed"),
        "but other names do": ("require('fs');\nunknown;", "compile_error"),
        "a module is run as one": ("export const x = 1;", "passed"),
        "what one program declares": (
            "interface Array<T> { extra: T }\ndeclare var extra: number;",
            "passed",
        ),
        "the next does not see": ("[1].extra;", "compile_error"),
        "nor does its variable": ("extra + 1;", "compile_error"),
    },
    "rb": {
        "exit in a function is not a pass": ("def f = exit(0)\nf", "ended_early"),
        "exit! is not a pass": ("exit!(0)", "ended_early"),
        "return before the tests is not a pass": ("return\nraise 'tests'", "ended_early"),
        "__END__ before the tests is not a pass": ("puts 1\n__END__\nraise 'tests'", "ended_early"),
        "an exit handler does not hide an exception": ("at_exit { exit 0 }\nraise 'x'", "ended_early"),
        "an exit handler that leaves is not a pass": ("at_exit { exit!(0) }", "ended_early"),
        "the end cannot be claimed before it": ("flextune_mark('x')\nexit 0", "ended_early"),
        "a test that exits is not a pass": (
            "require 'test/unit'\nclass T < Test::Unit::TestCase\n  def test_it = exit(0)\nend",
            "ended_early",
        ),
        "tests that were switched off are run": (
            "require 'test/unit'\nTest::Unit::AutoRunner.need_auto_run = false\n"
            "class T < Test::Unit::TestCase\n  def test_it = assert_equal(1, 2)\nend",
            "wrong_answer",
        ),
        "an exception in a test is no wrong answer": (
            "require 'test/unit'\nclass T < Test::Unit::TestCase\n  def test_it = raise('x')\nend",
            "exception",
        ),
        "a child's end is not the program's": ("Process.wait(fork { exit 3 })", "passed"),
        "it is the main script": ("raise unless __FILE__ == $0 && ARGV.empty? && caller.empty?", "passed"),
        "packages outside the standard library are found": (
            "require 'prime'\nraise unless 7.prime?\nraise unless Gem::VERSION",
            "passed",
        ),
    },
    "php": {
        "exit in a function is not a pass": ("<?php\nfunction f() { exit(0); }\nf();", "ended_early"),
        "die with a message is not a pass": ("<?php\ndie('bye');", "ended_early"),
        "return before the tests is not a pass": ("<?php\nreturn;\nthrow new Exception('x');", "ended_early"),
        "tests outside the tags are not a pass": ("<?php\necho 1;\n?>\ntest();", "ended_early"),
        "a program may end with a tag": ("<?php\necho 1;\n?>\n", "passed"),
        "__halt_compiler is not a pass": ("<?php\n__halt_compiler();\ntest();", "ended_early"),
        "a shutdown function does not hide an exception": (
            "<?php\nregister_shutdown_function(function () { exit(0); });\nthrow new Exception('x');",
            "ended_early",
        ),
        "the end cannot be claimed before it": ("<?php\nFlextuneTests::mark('x');\nexit(0);", "ended_early"),
        "MultiPL-E's failure is a wrong answer": (
            "<?php\nthrow new Exception('Test failed!');",
            "wrong_answer",
        ),
        "another exception is none": ("<?php\nthrow new Exception('Test failed');", "exception"),
        "an error in evaluated code is none of syntax": ("<?php\neval('f(');", "exception"),
        "declarations that come first may": (
            "<?php\ndeclare(strict_types=1);\nnamespace A;\nif (!\\ctype_digit('1')) throw new \\Exception('x');",
            "passed",
        ),
        "deep recursion fills the memory": (
            "<?php\nfunction f($n) { return f($n + 1) + 1; }\nf(0);",
            "memory_limit",
        ),
    },
    "pl": {
        "exit in a function is not a pass": ("sub f { exit 0 }\nf();", "ended_early"),
        "_exit is not a pass": ("use POSIX;\nPOSIX::_exit(0);", "ended_early"),
        "CORE::exit is not a pass": ("CORE::exit(0);", "ended_early"),
        "__END__ before the tests is not a pass": ("print 1;\n__END__\ndie;", "ended_early"),
        "documentation without end is not a pass": ("print 1;\n=pod\n\ndie;", "ended_early"),
        "an END block does not hide a failed test": ("END { $? = 0 }\nexit 1;", "ended_early"),
        "the end cannot be claimed before it": ("Flextune::mark('x');\nexit 0;", "ended_early"),
        "exit status 1 is a wrong answer": ("exit 1;", "wrong_answer"),
        "what dies is none": ("my $x; $x->f();", "exception"),
        "a child's end is not the program's": ("if (fork) { wait } else { exit 1 }", "passed"),
        "it is the main script": ("die if caller || @ARGV;", "passed"),
        "hashes keep their order": (
            "my %h = map { $_ => 1 } 'a' .. 'h';\n"
            "open(my $other, '-|', $^X, '-e', q(my %h = map { $_ => 1 } 'a' .. 'h'; print keys %h));\n"
            "exit 1 if join('', keys %h) ne <$other>;",
            "passed",
        ),
        "Test::Deep's own tests work": (
            "use Test::More;\nuse Test::Deep;\ncmp_deeply([1, 2], bag(2, 1));\ndone_testing;",
            "passed",
        ),
        "deep recursion fills the memory": ("sub f { f(@_) + 1 }\nf(1);", "memory_limit"),
    },
    "lua": {
        "os.exit in a function is not a pass": ("local function f() os.exit(0) end\nf()", "ended_early"),
        "a return in the middle is not a pass": ("do return end\nerror('tests')", "ended_early"),
        "a return at the end is one": ("return 5", "passed"),
        "the end cannot be claimed before it": (
            "flextune_mark('x')\nos.exit(0)\nerror('tests')",
            "ended_early",
        ),
        "os.exit before luaunit has run is not a pass": (
            "lu = require('luaunit')\nos.exit(0)\nfunction test_it() end\nos.exit(lu.LuaUnit.run())",
            "ended_early",
        ),
        "luaunit without a test is not a pass": (
            "lu = require('luaunit')\nos.exit(lu.LuaUnit.run())",
            "ended_early",
        ),
        "an os.exit kept from before luaunit is not a pass": (
            "local exit = os.exit\nlu = require('luaunit')\nfunction test_it() exit(0) end\n"
            "os.exit(lu.LuaUnit.run())",
            "ended_early",
        ),
        "luaunit's failure counts without os.exit": (
            "lu = require('luaunit')\nfunction test_it() lu.assertEquals(1, 2) end\nlu.LuaUnit.run()",
            "wrong_answer",
        ),
        "an error in a test is no wrong answer": (
            "lu = require('luaunit')\nfunction test_it() error('x') end\nos.exit(lu.LuaUnit.run())",
            "exception",
        ),
        "assert is a test": ("assert(1 == 2)", "wrong_answer"),
        "it is the main script": ("assert(arg[0]:find('main.lua') and #arg == 0 and ... == nil)", "passed"),
    },
    "r": {
        "quit in a function is not a pass": ("f <- function() quit('no', 0)\nf()", "ended_early"),
        "a return before the tests is no pass": ("return(1)\nstopifnot(TRUE)", "exception"),
        "an error handler that quits is not a pass": (
            "options(error = quote(q('no', 0)))\nstop('x')",
            "ended_early",
        ),
        "a finalizer that quits is not a pass": (
            "reg.finalizer(globalenv(), function(e) quit('no', 0), onexit = TRUE)\nstopifnot(FALSE)",
            "ended_early",
        ),
        "the end cannot be claimed in a function": (
            "f <- function() flextune_mark('x')\nf()\nquit('no', 0)",
            "ended_early",
        ),
        "an error that stopifnot was given is no wrong answer": (
            "f <- function() stop('x')\nstopifnot(f() == 1)",
            "exception",
        ),
        "an error that is handled is none": (
            "x <- try(stop('a'), silent = TRUE)\ny <- tryCatch(stop('b'), error = function(e) 1)\nstopifnot(y == 1)",
            "passed",
        ),
        "default packages are there": (
            "stopifnot(median(c(1, 3, 2)) == 2, nrow(head(mtcars, 2)) == 2, is.function(plot), is.function(rgb))",
            "passed",
        ),
        "also by their names in text": (
            "stopifnot(do.call('var', list(c(1, 3))) == 2, sapply(list(1:3), 'median') == 2, exists('combn'))",
            "passed",
        ),
        "and look attached": (
            "stopifnot(all(paste0('package:', c('stats', 'utils', 'methods')) %in% search()), require(stats))",
            "passed",
        ),
        "their methods for base's functions, too": (
            "stopifnot(identical(capture.output(print(y ~ x)), 'y ~ x'))",
            "passed",
        ),
        "what they offer cannot be assigned to": ("f <- function() sd <<- 1\nf()", "exception"),
        "classes of both kinds work": (
            "setClass('P', representation(n = 'numeric'))\nA <- setRefClass('A', fields = list(x = 'numeric'))\n"
            "stopifnot(new('P', n = 1)@n == A$new(x = 1)$x)",
            "passed",
        ),
        "also where only text names them": (
            "eval(parse(text = \"setClass('P', representation(n = 'numeric')); stopifnot(is(new('P', n = 1), 'P'))\"))",
            "passed",
        ),
    },
    "sh": {
        "exit in a function is not a pass": ("f() { exit 0; }\nf", "ended_early"),
        "an exit trap does not hide a failed test": (
            "trap 'exit 0' EXIT\nset -e\n[[ a = b ]]",
            "ended_early",
        ),
        "an open here-document is not a pass": ("cat <<END\nexit 1", "ended_early"),
        "exec is not a pass": ("exec true", "ended_early"),
        "the status of the last command counts": ("[[ a = b ]]", "wrong_answer"),
        "another status is no wrong answer": ("set -e\ntrue\n(exit 4)", "exception"),
        "extended patterns may be switched on": (
            "shopt -s extglob\ncase aab in +([ab])) ;; *) exit 1 ;; esac",
            "passed",
        ),
        "it is the main script": ('[[ "${BASH_SOURCE[0]}" = "$0" && $# = 0 && $0 = */main.sh ]]', "passed"),
        "strict modes work": ("set -euo pipefail\necho x | cat", "passed"),
    },
    "rkt": {
        "exit in a function is not a pass": ("#lang racket\n(define (f) (exit 0))\n(f)", "ended_early"),
        "exit after a failed check is not a pass": (
            "#lang racket\n(require rackunit)\n(check-equal? 1 2)\n(exit 0)",
            "ended_early",
        ),
        "a failed check counts after one that holds": (
            "#lang racket\n(require rackunit)\n(check-equal? 1 2)\n(check-equal? 1 1)",
            "wrong_answer",
        ),
        "an exception in a check is no wrong answer": (
            "#lang racket\n(require rackunit)\n(check-within (car 5) 1 0.1)",
            "exception",
        ),
        "an unbound name does not compile": ("#lang racket\n(nowhere 5)", "compile_error"),
        "a program without a language does not compile": ("(display 1)", "compile_error"),
        "the main submodule is run": ("#lang racket\n(module+ main (error 'x))", "exception"),
        "the test submodule is not": ("#lang racket\n(module+ test (error 'x))", "passed"),
        "deep recursion fills the memory": (
            "#lang racket\n(define (f n) (+ 1 (f (+ n 1))))\n(f 0)",
            "memory_limit",
        ),
    },
}
