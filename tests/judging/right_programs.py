# ruff: noqa: E501 - a program reads better unbroken
"""Right programs that ask for what every machine has, or that are run as their tools run them."""

from __future__ import annotations

#: What is asked for: language, prompt, solution, tests.
MACHINE: dict[str, tuple[str, str, str, str]] = {
    "py: names of users": (
        "py",
        "def f():\n",
        "    import getpass, pwd, os, grp\n    return getpass.getuser() == 'program' and pwd.getpwuid(os.getuid()).pw_dir == '/tmp' and grp.getgrgid(os.getgid()).gr_name == 'program'\n",
        "assert f()",
    ),
    "py: home folders": (
        "py",
        "def f():\n",
        "    import os\n    return os.path.expanduser('~') == '/tmp' and os.path.expanduser('~program') == '/tmp' and os.path.expanduser('~root')\n",
        "assert f()",
    ),
    "py: names of hosts and services": (
        "py",
        "def f():\n",
        "    import socket\n    return socket.gethostbyname('localhost') == '127.0.0.1' and socket.gethostbyname(socket.gethostname()) == '127.0.0.1' and socket.getservbyname('https') == 443 and socket.getservbyport(22) == 'ssh' and socket.getprotobyname('tcp') == 6 and socket.getfqdn()\n",
        "assert f()",
    ),
    "py: queues and locks between processes": (
        "py",
        "def f():\n",
        "    import multiprocessing as m\n    q = m.Queue(); p = m.Process(target=q.put, args=(5,)); p.start(); r = q.get(); p.join(); l = m.Lock(); s = m.Semaphore(2); v = m.Value('i', 3); a = m.Array('d', 3)\n    with l: v.value += 1\n    return r == 5 and v.value == 4\n",
        "assert f()",
    ),
    "py: memory shared by name": (
        "py",
        "def f():\n",
        "    from multiprocessing import shared_memory\n    s = shared_memory.SharedMemory(create=True, size=100); s.buf[0] = 7; t = shared_memory.SharedMemory(s.name); r = t.buf[0]; t.close(); s.close(); s.unlink(); return r == 7\n",
        "assert f()",
    ),
    "py: a pool of processes": (
        "py",
        "def f():\n",
        "    from multiprocessing import Pool\n    with Pool(2) as p: return p.map(abs, [-1, 2]) == [1, 2]\n",
        "assert f()",
    ),
    "py: an executor of processes": (
        "py",
        "def f():\n",
        "    from concurrent.futures import ProcessPoolExecutor\n    with ProcessPoolExecutor(2) as p: return list(p.map(abs, [-1, 2])) == [1, 2]\n",
        "assert f()",
    ),
    "py: the time zone": (
        "py",
        "def f():\n",
        "    import time, datetime\n    return time.tzname[0] == 'UTC' and datetime.datetime.now().astimezone().utcoffset().total_seconds() == 0\n",
        "assert f()",
    ),
    "py: the encoding": (
        "py",
        "def f():\n",
        "    import locale, sys\n    return sys.getfilesystemencoding() == 'utf-8' and locale.getpreferredencoding().lower() == 'utf-8' and sys.stdout.encoding == 'utf-8'\n",
        "assert f()",
    ),
    "py: a server and its client": (
        "py",
        "def f():\n",
        "    import asyncio\n    async def m():\n        async def h(r, w): w.write(await r.readline()); await w.drain(); w.close()\n        s = await asyncio.start_server(h, 'localhost', 0)\n        r, w = await asyncio.open_connection('localhost', s.sockets[0].getsockname()[1]); w.write(b'x\\n'); d = await r.readline(); s.close(); return d\n    return asyncio.run(m()) == b'x\\n'\n",
        "assert f()",
    ),
    "py: a mapped file": (
        "py",
        "def f():\n",
        "    import mmap, tempfile\n    with tempfile.NamedTemporaryFile() as t: t.write(b'abc'); t.flush(); return mmap.mmap(t.fileno(), 0)[:] == b'abc'\n",
        "assert f()",
    ),
    "py: poll and epoll on standard input": (
        "py",
        "def f():\n",
        "    import os, select\n    p = select.poll(); p.register(0, select.POLLIN); e = select.epoll(); e.register(0, select.EPOLLIN)\n    return p.poll(100) and e.poll(0.1)\n",
        "assert f()",
    ),
    "py: whoami": (
        "py",
        "def f():\n",
        "    import subprocess\n    return subprocess.run(['whoami'], capture_output=True, text=True).stdout.strip() == 'program'\n",
        "assert f()",
    ),
    "js: user, host and time zone": (
        "js",
        "function f() {\n",
        "  const os = require('os'); return os.userInfo().username === 'program' && os.hostname() === 'sandbox' && new Date().getTimezoneOffset() === 0 && Intl.DateTimeFormat().resolvedOptions().timeZone; }",
        "require('assert').equal(f(), 'UTC');",
    ),
    "js: a server and its client": (
        "js",
        "function f(cb) {\n",
        "  const s = require('http').createServer((q, r) => r.end('x')).listen(0, 'localhost', () => require('http').get(`http://localhost:${s.address().port}`, (r) => r.on('data', (d) => { cb(String(d)); s.close(); }))); }",
        "f((d) => require('assert').equal(d, 'x'));",
    ),
    "rb: users, services, time zone, encoding": (
        "rb",
        "def f\n",
        "  require 'etc'; require 'socket'; Etc.getpwuid.name == 'program' && Socket.getservbyname('http') == 80 && Time.now.utc_offset == 0 && TCPServer.new('localhost', 0) && 'é'.encoding.to_s == 'UTF-8' && Encoding.default_external.to_s == 'UTF-8'\nend\n",
        "raise unless f",
    ),
    "pl: users, services, hosts, time zone": (
        "pl",
        "sub f {\n",
        "  return (getpwuid($<))[0] eq 'program' && (getservbyname('http', 'tcp'))[2] == 80 && gethostbyname('localhost') && (localtime(0))[2] == 0; }\n",
        "exit 1 unless f();",
    ),
    "php: hosts, services, time zone": (
        "php",
        "<?php\nfunction f() {\n",
        "  return get_current_user() !== '' && gethostbyname('localhost') === '127.0.0.1' && getservbyname('http', 'tcp') === 80 && date_default_timezone_get() === 'UTC'; }\n",
        "assert(f());",
    ),
    "java: user, hosts, time zone, encoding": (
        "java",
        "class Problem { static boolean f() throws Exception {\n",
        '  return System.getProperty("user.name").equals("program") && java.net.InetAddress.getByName("localhost").isLoopbackAddress() && java.util.TimeZone.getDefault().getRawOffset() == 0 && java.nio.charset.Charset.defaultCharset().name().equals("UTF-8"); }\n',
        "public static void main(String[] a) throws Exception { assert f(); } }",
    ),
    "go: user, hosts, services, time zone": (
        "go",
        'package x_test\nimport ("testing"; "os/user"; "net"; "time")\nfunc f() bool {\n',
        '  u, err := user.Current(); a, err2 := net.LookupHost("localhost"); _, o := time.Now().Zone(); p, _ := net.LookupPort("tcp", "http"); return err == nil && u.Username == "program" && err2 == nil && a[0] == "127.0.0.1" && o == 0 && p == 80\n}\n',
        "func TestF(t *testing.T) { if !f() { t.Error() } }",
    ),
    "r: user, time zone, encoding": (
        "r",
        "f <- function() {\n",
        "  Sys.info()[['user']] == 'program' && Sys.timezone() %in% c('UTC', 'Etc/UTC') && format(as.POSIXct(0, origin='1970-01-01'), '%H') == '00' && nchar('é') == 1 }\n",
        "stopifnot(f())",
    ),
    "sh: user, home, host, time zone": (
        "sh",
        "f() {\n",
        "  [[ $(whoami) = program && ~ = /tmp && $(hostname) = sandbox && $(date +%Z) = UTC ]]\n",
        "}\nf",
    ),
    "cpp: user and semaphores": (
        "cpp",
        "#include <bits/stdc++.h>\n#include <pwd.h>\n#include <unistd.h>\n#include <semaphore.h>\n#include <fcntl.h>\nbool f() {\n",
        ' return getpwuid(getuid()) && sem_open("/x", O_CREAT, 0600, 1) != SEM_FAILED; }\n',
        "int main() { assert(f()); }",
    ),
    "cs: user and time zone": (
        "cs",
        "using System; using System.Diagnostics; class P { static bool F() {\n",
        ' return Environment.UserName == "program" && TimeZoneInfo.Local.BaseUtcOffset == TimeSpan.Zero; }\n',
        "public static void Main() { Debug.Assert(F()); } }",
    ),
    "rkt: home and a listener": (
        "rkt",
        "#lang racket\n(define (f)\n",
        ' (and (equal? (path->string (find-system-path \'home-dir)) "/tmp/") (let ([l (tcp-listen 0 4 #t "localhost")]) l)))\n',
        "(unless (f) (error 'x))",
    ),
}

#: What reads a number and prints twice as much: language and source.
PLAIN: dict[str, tuple[str, str]] = {
    "py: asyncio reads standard input": (
        "py",
        "import asyncio, sys\nasync def main():\n    loop = asyncio.get_running_loop()\n    reader = asyncio.StreamReader()\n    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)\n    print(int(await reader.readline()) * 2)\nasyncio.run(main())\n",
    ),
    "rb: a data section and a return": (
        "rb",
        "n = gets.to_i\nreturn puts(n * DATA.read.lines.size)\n__END__\na\nb\n",
    ),
    "pl: a data section": (
        "pl",
        'my $n = <STDIN>;\nmy @lines = <DATA>;\nprint $n * @lines, "\\n";\n__END__\na\nb\n',
    ),
    "php: text after the tags": ("php", "<?php $n = (int) fgets(STDIN); ?>\n<?= $n * 2 ?>\n\n"),
    "php: a halted compiler": (
        "php",
        "<?php\n$n = (int) fgets(STDIN);\n$file = fopen(__FILE__, 'r');\nfseek($file, __COMPILER_HALT_OFFSET__);\necho $n * strlen(stream_get_contents($file));\n__halt_compiler();ab",
    ),
    "js: a module": (
        "js",
        "import * as fs from 'fs';\nconst n = await Promise.resolve(parseInt(fs.readFileSync(0, 'utf8')));\nconsole.log(n * 2);\nexport {};\n",
    ),
    "js: a return from the top level": (
        "js",
        "const n = parseInt(require('fs').readFileSync('/dev/stdin', 'utf8'));\nconsole.log(n * 2);\nif (n) return;\nconsole.log('more');\n",
    ),
    "lua: a return from the top level": ("lua", "print(io.read('n') * 2)\ndo return end\nprint('more')\n"),
    "sh: text after an exit": ("sh", "read n\necho $((n * 2))\nexit 0\nno bash ((( at all\n"),
    "sh: a script that reads itself": ("sh", "read n\necho $((n * $(grep -c '^#' \"$0\")))\n# a\n# b\n"),
    "rs: edition 2021": (
        "rs",
        'fn main() {\n    let mut line = String::new();\n    std::io::stdin().read_line(&mut line).unwrap();\n    let n: i64 = line.trim().parse().unwrap();\n    let m = i32::try_from(n).unwrap() * 2;\n    println!("{m}");\n}\n',
    ),
    "java: two main methods": (
        "java",
        "import java.util.*;\nclass Other { public static void main(String[] a) { System.out.println(1); } }\npublic class Main { public static void main(String[] a) { System.out.println(new Scanner(System.in).nextInt() * 2); } }\nclass Last { public static void main(String[] a) { System.out.println(1); } }\n",
    ),
    "scala: two main methods": (
        "scala",
        "object Main { def main(a: Array[String]): Unit = println(scala.io.StdIn.readInt() * 2) }\nobject Aux { def main(a: Array[String]): Unit = println(1) }\n",
    ),
    "go: a type T and a function that looks like its test": (
        "go",
        'package main\nimport "fmt"\ntype T struct{ v int }\nfunc TestValue(t *T) { t.v *= 2 }\nfunc main() { t := &T{}; fmt.Scan(&t.v); TestValue(t); fmt.Println(t.v) }\n',
    ),
    "d: an end of the source": (
        "d",
        'import std.stdio;\nvoid main() { int n; readf("%d", &n); writeln(n * 2); }\n__EOF__\nno D at all\n',
    ),
}
