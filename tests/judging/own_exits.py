# ruff: noqa: E501 - a program reads better unbroken
"""Tests that end the program themselves, in languages that run solution and tests in one process."""

from __future__ import annotations

from tests.judging.kinds import Kind

_RB = ("def add(a, b)\n", "  a + b\nend\n")
_PHP = ("<?php\nfunction add($a, $b) {\n", "    return $a + $b;\n}\n")
_PL = ("sub add {\n    my ($a, $b) = @_;\n", "    return $a + $b;\n}\n")
_LUA = ("local function add(a, b)\n", "  return a + b\nend\n")
_SH = ("add() {\n", "  echo $(( $1 + $2 ))\n}\n")
_R = ("add <- function(a, b) {\n", "  a + b\n}\n")
_RKT = ("#lang racket\n(define (add a b)\n", "  (+ a b))\n")
_MAIN_RB = "def main\n  raise 'no' unless add(2, 3) == 5\n  0\nend\n"
_MAIN_PL = "sub main { die 'no' unless add(2, 3) == 5; return 0; }\n"
_SUITE = '(require rackunit rackunit/text-ui)\n(define suite (test-suite "add" (check-equal? (add 2 3) 5)))\n(exit (run-tests suite))\n'

#: Language, then what the tests end in; each passes for a right solution.
OWN_EXITS: dict[str, dict[str, Kind]] = {
    "rb": {
        "exit(main)": Kind(*_RB, _MAIN_RB + "exit(main)\n"),
        "exit main": Kind(*_RB, _MAIN_RB + "exit main\n"),
        "exit!": Kind(*_RB, _MAIN_RB + "main\nexit!\n"),
        "an exit in a method": Kind(*_RB, _MAIN_RB.replace("  0\n", "  exit 0\n") + "main\n"),
        "an exit where it failed": Kind(*_RB, "exit 1 unless add(2, 3) == 5\n"),
        "an exit where it held": Kind(*_RB, "exit if add(2, 3) == 5\nraise 'no'\n"),
        "a data section": Kind(*_RB, "raise 'no' unless add(2, 3) == DATA.read.to_i\n__END__\n5\n"),
        "the word in a text": Kind(*_RB, "raise 'exit (now' unless add(2, 3) == 5\nputs 'a; exit b'\n"),
    },
    "php": {
        "exit(main())": Kind(*_PHP, "function main() { if (add(2, 3) !== 5) { exit(1); } return 0; }\nexit(main());\n"),
        "an exit in a function": Kind(*_PHP, "function main() { if (add(2, 3) !== 5) { exit(1); } exit(0); }\nmain();\n"),
        "die": Kind(*_PHP, "if (add(2, 3) !== 5) { exit(1); }\ndie;\n"),
        "an assertion that the tests catch": Kind(*_PHP, "try { assert(false); exit(1); } catch (AssertionError $error) {}\nassert(add(2, 3) === 5);\n"),
    },
    "pl": {
        "exit(main())": Kind(*_PL, _MAIN_PL + "exit(main());\n"),
        "exit main() unless caller": Kind(*_PL, _MAIN_PL + "exit main() unless caller;\n"),
        "an exit in a function": Kind(*_PL, _MAIN_PL.replace("return 0", "exit 0") + "main();\n"),
        "a count of failures": Kind(*_PL, "my @failed = grep { add($_, 1) != $_ + 1 } 1 .. 3;\nexit $#failed + 1;\n"),
        "tests that skip themselves": Kind(*_PL, "use Test::More;\nis(add(2, 3), 5);\nSKIP: { skip 'later', 1; ok(0); }\ndone_testing;\n"),
        "checks in a loop": Kind(*_PL, "use Test::More;\nfor my $n (1 .. 3) {\n    is(add($n, 1), $n + 1);\n}\nok(1) for 1 .. 2;\ndone_testing;\n"),
    },
    "lua": {
        "os.exit(main())": Kind(*_LUA, "local function main() assert(add(2, 3) == 5) return 0 end\nos.exit(main())\n"),
        "an exit in a function": Kind(*_LUA, "local function main() assert(add(2, 3) == 5) os.exit(0) end\nmain()\n"),
        "a returned exit": Kind(*_LUA, "assert(add(2, 3) == 5)\nreturn os.exit(true)\n"),
    },
    "sh": {
        "exit $failed": Kind(*_SH, "failed=0\n[[ $(add 2 3) = 5 ]] || failed=1\n[[ $failed = 1 ]] && echo no\nexit $failed\n"),
        "an exit in a function": Kind(*_SH, "main() { [[ $(add 2 3) = 5 ]] || exit 1; exit 0; }\nmain\n"),
        "an exit in a text": Kind(*_SH, 'bash -c "true; exit 3"\n[[ $? = 3 && $(add 2 3) = 5 ]]\n'),
        "an exit in a subshell": Kind(*_SH, "set -e\n( [[ $(add 2 3) = 5 ]]; exit 0 )\n[[ $(add 1 1) = 2 ]]\n"),
        "a here-document that has one": Kind(*_SH, "cat > /tmp/three <<end\nexit 3\nend\nbash /tmp/three\n[[ $? = 3 && $(add 2 3) = 5 ]] || exit 1\nexit 0\n"),
        "a lock on descriptor 9": Kind(_SH[0], _SH[1] + "exec 9> /tmp/lock\n", "set -e\n[[ $(add 2 3) = 5 ]]\n"),
        "options that the solution changes for a while": Kind(_SH[0], "  set +e; false; set -e\n" + _SH[1], "set -e\n[[ $(add 2 3) = 5 ]]\n"),
    },
    "r": {
        "quit": Kind(*_R, "main <- function() { stopifnot(add(2, 3) == 5); 0 }\nquit('no', main())\n"),
        "quit with a status": Kind(*_R, "quit(save = 'no', status = if (add(2, 3) == 5) 0 else 1)\n"),
        "q()": Kind(*_R, "stopifnot(add(2, 3) == 5)\nq()\n"),
    },
    "rkt": {
        "a status": Kind(*_RKT, "(exit (if (= (add 2 3) 5) 0 1))\n"),
        "the number of failures": Kind(*_RKT, _SUITE),
        "no status": Kind(*_RKT, "(unless (= (add 2 3) 5) (exit 1))\n(exit)\n"),
    },
}  # fmt: skip
