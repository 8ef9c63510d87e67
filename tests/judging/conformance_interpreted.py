# ruff: noqa: E501 - a program reads better unbroken
"""The programs of ``conformance_programs`` in the interpreted languages (Python and JavaScript are there).

A case is left out where the language cannot express it; the comment says why.
"""

from __future__ import annotations

from tests.judging.conformance_programs import JAVASCRIPT

# The compiler does not know what is Node's.
_DECLARATIONS = "declare var require: any; declare var process: any; declare var Buffer: any; declare var __filename: string;\n"

TYPESCRIPT = {name: _DECLARATIONS + source for name, source in JAVASCRIPT.items()} | {
    "right answer": "const sum: number = [1, 2].reduce((x, y) => x + y);\nif (sum !== 3) throw new Error('sum');",
    # What JavaScript says here, `null.length`, does not compile.
    "uncaught exception": "const none: number[] = null;\nnone.length;",
}


def _ruby_test(statement: str) -> str:
    return f"require 'test/unit'\nclass TestIt < Test::Unit::TestCase\n  def test_it\n    {statement}\n  end\nend\n"


RUBY = {
    "right answer": _ruby_test("assert_equal(3, [1, 2].sum)"),
    "wrong answer": _ruby_test("assert_equal(4, [1, 2].sum, 'Assertion')"),
    "uncaught exception": "[].fetch(1)",
    "nonzero exit": "exit 3",
    "syntax error": "def f(\n  1 +",
    "infinite loop": "loop {}",
    "sleep": "sleep 60",
    "memory bomb": "kept = []\nloop { kept << 'x' * 10_000_000 }",
    "flood of standard output": "loop { puts 'x' * 10_000 }",
    "flood of standard error": "loop { warn 'x' * 10_000 }",
    "exit 0 before the tests": "exit 0\n" + _ruby_test("assert_equal(4, [1, 2].sum)"),
    "200 KB of output": "puts 'x' * 200_000\nwarn 'y' * 200_000",
    "closed standard output": "$stdout.close\n$stderr.close",
    "output that is not UTF-8": "$stdout.write((0..255).to_a.pack('C*'))\n$stderr.write((0..255).to_a.pack('C*'))",
    "standard input is at its end": "raise 'input' unless $stdin.read.empty?",
    "deep recursion": "def f(n) = f(n + 1) + 1\nf(0)",
    "no network": (
        "require 'socket'\nconnected = begin\n  TCPSocket.new('127.0.0.1', @PORT@)\nrescue SystemCallError\n  false\nend\n"
        "raise 'connected' if connected"
    ),
    "no file of the host": "raise 'canary' if File.exist?('@CANARY@')",
    "no writing outside /tmp": (
        "['/x', '/usr/x', '/etc/x', '/dev/x', '/flextune/program/x', __FILE__].each do |path|\n"
        "  written = begin\n    File.write(path, 'x')\n  rescue SystemCallError\n    false\n  end\n"
        "  raise path if written\nend\nFile.write('/tmp/x', 'x')"
    ),
    "leaves a file in /tmp": "File.write('/tmp/left', 'x')",
    "finds /tmp empty": "raise 'left' unless Dir.empty?('/tmp')",
    "no process of the host": (
        "Dir.glob('/proc/[0-9]*/cmdline') { |path| raise path if File.binread(path).include?('@MARK@') }"
    ),
    "no variable of the host": "raise 'variable' if ENV.key?('FLEXTUNE_CANARY')",
}

PHP = {
    "right answer": "<?php\nif (array_sum([1, 2]) !== 3) { throw new Exception('Test failed!'); }",
    "wrong answer": "<?php\nassert(array_sum([1, 2]) === 4);",
    "uncaught exception": "<?php\nfunction f(int $x) { return $x; }\nf('IndexError');",
    "nonzero exit": "<?php\nexit(3);",
    "syntax error": "<?php\nfunction f( {",
    "infinite loop": "<?php\nwhile (true);",
    "sleep": "<?php\nsleep(60);",
    "memory bomb": "<?php\n$kept = [];\nwhile (true) $kept[] = str_repeat('x', 1000000);",
    "flood of standard output": "<?php\nwhile (true) echo str_repeat('x', 10000);",
    "flood of standard error": "<?php\nwhile (true) fwrite(STDERR, str_repeat('x', 10000));",
    "exit 0 before the tests": "<?php\nexit(0);\nthrow new Exception('Test failed!');",
    "200 KB of output": "<?php\necho str_repeat('x', 200000);\nfwrite(STDERR, str_repeat('y', 200000));",
    "closed standard output": "<?php\nfclose(STDOUT);\nfclose(STDERR);",
    "output that is not UTF-8": "<?php\n$all = implode('', array_map('chr', range(0, 255)));\necho $all;\nfwrite(STDERR, $all);",
    "standard input is at its end": "<?php\nif (stream_get_contents(STDIN) !== '') throw new Exception('input');",
    # No "deep recursion": PHP keeps its calls on the heap, so that it is a memory bomb.
    "no network": "<?php\nif (@fsockopen('127.0.0.1', @PORT@, $code, $said, 2)) throw new Exception('connected');",
    "no file of the host": "<?php\nif (file_exists('@CANARY@')) throw new Exception('canary');",
    "no writing outside /tmp": (
        "<?php\nforeach (['/x', '/usr/x', '/etc/x', '/dev/x', '/flextune/program/x', __FILE__] as $path) {\n"
        "    if (@file_put_contents($path, 'x') !== false) throw new Exception($path);\n}\n"
        "if (file_put_contents('/tmp/x', 'x') !== 1) throw new Exception('/tmp');"
    ),
    "leaves a file in /tmp": "<?php\nif (file_put_contents('/tmp/left', 'x') !== 1) throw new Exception('left');",
    "finds /tmp empty": "<?php\nif (count(scandir('/tmp')) !== 2) throw new Exception('left');",
    "no process of the host": (
        "<?php\nforeach (glob('/proc/[0-9]*/cmdline') as $path) {\n"
        "    if (str_contains(file_get_contents($path), '@MARK@')) throw new Exception($path);\n}"
    ),
    "no variable of the host": "<?php\nif (getenv('FLEXTUNE_CANARY') !== false) throw new Exception('variable');",
}

PERL = {
    "right answer": "use Test::Deep;\nif (eq_deeply([1, { a => 2 }], [1, { a => 2 }])) { print 'ok!' } else { exit 1 }",
    "wrong answer": (
        "use Test::Deep;\nif (eq_deeply([1, { a => 2 }], [1, { a => 3 }])) { print 'ok!' }"
        " else { print STDERR 'Assertion'; exit 1 }"
    ),
    "uncaught exception": "die 'IndexError';",
    "nonzero exit": "exit 3;",
    "syntax error": "sub f { (",
    "infinite loop": "while (1) {}",
    "sleep": "sleep 60;",
    "memory bomb": "my @kept; push @kept, 'x' x 10_000_000 while 1;",
    "flood of standard output": "print 'x' x 10_000 while 1;",
    "flood of standard error": "print STDERR 'x' x 10_000 while 1;",
    "exit 0 before the tests": "exit 0;\ndie;",
    "200 KB of output": "print 'x' x 200_000; print STDERR 'y' x 200_000;",
    "closed standard output": "close STDOUT; close STDERR;",
    "output that is not UTF-8": "print map chr, 0 .. 255; print STDERR map chr, 0 .. 255;",
    "standard input is at its end": "die 'input' if defined <STDIN>;",
    # No "deep recursion": Perl keeps its calls on the heap, so that it is a memory bomb.
    "no network": (
        "use Socket;\nsocket(my $s, PF_INET, SOCK_STREAM, 0) or exit;\n"
        "die 'connected' if connect($s, sockaddr_in(@PORT@, inet_aton('127.0.0.1')));"
    ),
    "no file of the host": "die 'canary' if -e '@CANARY@';",
    "no writing outside /tmp": (
        "for my $path ('/x', '/usr/x', '/etc/x', '/dev/x', '/flextune/program/x', __FILE__) {\n"
        "    die $path if open(my $file, '>', $path);\n}\nopen(my $file, '>', '/tmp/x') or die; print $file 'x';"
    ),
    "leaves a file in /tmp": "open(my $file, '>', '/tmp/left') or die; print $file 'x';",
    "finds /tmp empty": "die 'left' if glob('/tmp/*');",
    "no process of the host": (
        "for my $path (glob '/proc/[0-9]*/cmdline') {\n    open(my $file, '<', $path) or next;\n"
        "    die $path if join('', <$file>) =~ /@MARK@/;\n}"
    ),
    "no variable of the host": "die 'variable' if exists $ENV{FLEXTUNE_CANARY};",
}


def _lua_test(statement: str) -> str:
    return f"lu = require('luaunit')\nfunction test_it()\n  {statement}\nend\nos.exit(lu.LuaUnit.run())"


LUA = {
    "right answer": _lua_test("lu.assertEquals({1, 2}, {1, 2})"),
    "wrong answer": _lua_test("lu.assertEquals({1, 2}, {1, 3}, 'Assertion')"),
    "uncaught exception": "error('IndexError')",
    "nonzero exit": "os.exit(3)",
    "syntax error": "function f(",
    "infinite loop": "while true do end",
    # It has no sleep of its own.
    "sleep": "os.execute('sleep 60')",
    "memory bomb": "local kept = {}\nwhile true do kept[#kept + 1] = ('x'):rep(10000000) end",
    "flood of standard output": "while true do io.write(('x'):rep(10000)) end",
    "flood of standard error": "while true do io.stderr:write(('x'):rep(10000)) end",
    "exit 0 before the tests": "os.exit(0)\n" + _lua_test("lu.assertEquals(1, 2)"),
    "200 KB of output": "print(('x'):rep(200000))\nio.stderr:write(('y'):rep(200000))",
    "closed standard output": "io.stdout:close()\nio.stderr:close()",
    "output that is not UTF-8": "for byte = 0, 255 do io.write(string.char(byte)) io.stderr:write(string.char(byte)) end",
    "standard input is at its end": "assert(io.read('a') == '')",
    "deep recursion": "local function f(n) return f(n + 1) + 1 end\nf(0)",
    # It has no sockets; Bash, which it can start, has.
    "no network": "assert(not os.execute([[bash -c 'exec 9<>/dev/tcp/127.0.0.1/@PORT@' 2>/dev/null]]))",
    "no file of the host": "assert(not io.open('@CANARY@'))",
    "no writing outside /tmp": (
        "for _, path in ipairs({'/x', '/usr/x', '/etc/x', '/dev/x', '/flextune/program/x', arg[0]}) do\n"
        "  assert(not io.open(path, 'w'), path)\nend\nassert(io.open('/tmp/x', 'w')):write('x')"
    ),
    "leaves a file in /tmp": "assert(io.open('/tmp/left', 'w')):write('x')",
    "finds /tmp empty": "assert(io.popen('ls -A /tmp'):read('a') == '')",
    "no process of the host": "assert(not io.popen('cat /proc/[0-9]*/cmdline'):read('a'):find('@MARK@', 1, true))",
    "no variable of the host": "assert(os.getenv('FLEXTUNE_CANARY') == nil)",
}

R = {
    "right answer": "stopifnot(isTRUE(all.equal(sum(c(1, 2)), 3)))",
    "wrong answer": 'stopifnot("Assertion" = sum(c(1, 2)) == 4)',
    "uncaught exception": "stop('IndexError')",
    "nonzero exit": "quit(status = 3)",
    "syntax error": "f <- function( {",
    "infinite loop": "while (TRUE) {}",
    "sleep": "Sys.sleep(60)",
    "memory bomb": "kept <- list()\nwhile (TRUE) kept[[length(kept) + 1]] <- numeric(1e6)",
    "flood of standard output": "while (TRUE) cat(strrep('x', 10000))",
    "flood of standard error": "while (TRUE) cat(strrep('x', 10000), file = stderr())",
    "exit 0 before the tests": "quit(status = 0)\nstopifnot(FALSE)",
    "200 KB of output": "cat(strrep('x', 200000))\ncat(strrep('y', 200000), file = stderr())",
    # No "closed standard output": R does not let a program close it.
    "output that is not UTF-8": "writeBin(as.raw(0:255), pipe('cat', 'wb'))\nwriteBin(as.raw(0:255), pipe('cat >&2', 'wb'))",
    "standard input is at its end": "stopifnot(length(readLines(file('stdin'))) == 0)",
    "deep recursion": "f <- function(n) f(n + 1) + 1\nf(0)",
    "no network": (
        "connected <- tryCatch({ socketConnection('127.0.0.1', @PORT@, timeout = 2); TRUE },"
        " error = function(e) FALSE, warning = function(w) FALSE)\nstopifnot(!connected)"
    ),
    "no file of the host": "stopifnot(!file.exists('@CANARY@'))",
    "no writing outside /tmp": (
        "for (path in c('/x', '/usr/x', '/etc/x', '/dev/x', '/flextune/program/x', '/flextune/program/main.r')) {\n"
        "  stopifnot(!suppressWarnings(file.create(path)))\n}\nstopifnot(file.create('/tmp/x'))"
    ),
    "leaves a file in /tmp": "stopifnot(file.create('/tmp/left'))",
    # But for R's own folder.
    "finds /tmp empty": "stopifnot(identical(list.files('/tmp'), basename(tempdir())))",
    "no process of the host": (
        "for (path in Sys.glob('/proc/[0-9]*/cmdline')) {\n"
        "  said <- readBin(path, 'raw', 4096)\n  stopifnot(!grepl('@MARK@', rawToChar(said[said != 0])))\n}"
    ),
    "no variable of the host": "stopifnot(is.na(Sys.getenv('FLEXTUNE_CANARY', NA)))",
}

BASH = {
    "right answer": "set -e\n[[ $(( 1 + 2 )) = 3 ]]",
    "wrong answer": "set -e\necho Assertion >&2\n[[ $(( 1 + 2 )) = 4 ]]",
    "uncaught exception": "set -e\nIndexError",
    "nonzero exit": "exit 3",
    "syntax error": "f() {",
    "infinite loop": "while :; do :; done",
    "sleep": "sleep 60",
    "memory bomb": "kept=x\nwhile :; do kept=$kept$kept; done",
    "flood of standard output": "while :; do printf '%10000s' x; done",
    "flood of standard error": "while :; do printf '%10000s' x >&2; done",
    "exit 0 before the tests": "exit 0\n[[ a = b ]]",
    "200 KB of output": "printf '%200000s' x\nprintf '%200000s' y >&2",
    "closed standard output": "exec >&- 2>&-",
    "output that is not UTF-8": "printf '\\0\\200\\377\\n'\nprintf '\\0\\200\\377\\n' >&2",
    "standard input is at its end": "set -e\n[[ -z $(cat) ]]",
    # No "deep recursion": Bash takes seconds to run out of its stack.
    "no network": "if { exec 9<>/dev/tcp/127.0.0.1/@PORT@; } 2>/dev/null; then exit 5; fi",
    "no file of the host": "if [[ -e @CANARY@ ]]; then exit 5; fi",
    "no writing outside /tmp": (
        'for path in /x /usr/x /etc/x /dev/x /flextune/program/x "$0"; do\n'
        '    if { : > "$path"; } 2>/dev/null; then exit 5; fi\ndone\necho x > /tmp/x'
    ),
    "leaves a file in /tmp": "echo x > /tmp/left",
    "finds /tmp empty": "set -e\n[[ -z $(ls -A /tmp) ]]",
    "no process of the host": "set -e\nsaid=$(cat /proc/[0-9]*/cmdline | tr '\\0' ' ')\n[[ $said != *'@MARK@'* ]]",
    "no variable of the host": "set -e\n[[ -z ${FLEXTUNE_CANARY+set} ]]",
}


def _racket(forms: str) -> str:
    return f"#lang racket\n{forms}"


RACKET = {
    "right answer": _racket("(require rackunit)\n(check-equal? (+ 1 2) 3)"),
    "wrong answer": _racket('(require rackunit)\n(check-equal? (+ 1 2) 4 "Assertion")'),
    "uncaught exception": _racket('(error "IndexError")'),
    "nonzero exit": _racket("(exit 3)"),
    "syntax error": _racket("(define (f"),
    "infinite loop": _racket("(let loop () (loop))"),
    "sleep": _racket("(sleep 60)"),
    "memory bomb": _racket("(let loop ([kept '()]) (loop (cons (make-bytes 10000000 1) kept)))"),
    "flood of standard output": _racket("(let loop () (display (make-string 10000 #\\x)) (loop))"),
    "flood of standard error": _racket(
        "(let loop () (display (make-string 10000 #\\x) (current-error-port)) (loop))"
    ),
    "exit 0 before the tests": _racket("(exit 0)\n(error 'tests)"),
    "200 KB of output": _racket(
        "(display (make-string 200000 #\\x))\n(display (make-string 200000 #\\y) (current-error-port))"
    ),
    "closed standard output": _racket(
        "(close-output-port (current-output-port))\n(close-output-port (current-error-port))"
    ),
    "output that is not UTF-8": _racket(
        "(define all (apply bytes (range 256)))\n(void (write-bytes all) (write-bytes all (current-error-port)))"
    ),
    "standard input is at its end": _racket("(unless (eof-object? (read-char)) (error 'input))"),
    # No "deep recursion": Racket keeps its calls on the heap, so that it is a memory bomb.
    "no network": _racket(
        "(require racket/tcp)\n(define (connects?)\n"
        '  (let-values ([(in out) (tcp-connect "127.0.0.1" @PORT@)]) #t))\n'
        "(when (with-handlers ([exn:fail:network? (lambda (e) #f)]) (connects?)) (error 'connected))"
    ),
    "no file of the host": _racket('(when (file-exists? "@CANARY@") (error \'canary))'),
    "no writing outside /tmp": _racket(
        '(for ([path (list "/x" "/usr/x" "/etc/x" "/dev/x" "/flextune/program/x" "/flextune/program/main.rkt")])\n'
        "  (when (with-handlers ([exn:fail:filesystem? (lambda (e) #f)])\n"
        "          (call-with-output-file path void #:exists 'truncate) #t)\n    (error path)))\n"
        '(call-with-output-file "/tmp/x" void)'
    ),
    "leaves a file in /tmp": _racket('(call-with-output-file "/tmp/left" void)'),
    "finds /tmp empty": _racket('(unless (null? (directory-list "/tmp")) (error \'left))'),
    "no process of the host": _racket(
        '(for ([process (directory-list "/proc")] #:when (regexp-match? #rx"^[0-9]+$" (path->string process)))\n'
        '  (define said (file->bytes (build-path "/proc" process "cmdline")))\n'
        '  (when (regexp-match? #rx#"@MARK@" said) (error \'process)))'
    ),
    "no variable of the host": _racket('(when (getenv "FLEXTUNE_CANARY") (error \'variable))'),
}

PROGRAMS: dict[str, dict[str, str]] = {
    "ts": TYPESCRIPT,
    "rb": RUBY,
    "php": PHP,
    "pl": PERL,
    "lua": LUA,
    "r": R,
    "sh": BASH,
    "rkt": RACKET,
}
