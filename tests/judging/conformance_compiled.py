# ruff: noqa: E501 - a program reads better unbroken
"""The programs of ``conformance_programs`` in the compiled languages, case by case."""

from __future__ import annotations

_CPP_HEAD = """#include <assert.h>
#include <bits/stdc++.h>
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
using namespace std;
int f(volatile int n) { return f(n + 1) + n; }
string content(const string &path) { ifstream in(path, ios::binary); return {istreambuf_iterator<char>(in), {}}; }
int main(int count, char **) { """


def _cpp(statements: str) -> str:
    return f"{_CPP_HEAD}{statements} }}\n"


CPP = {
    "right answer": _cpp("assert((vector<int>{1, 2}) == (vector<int>{1, 2}));"),
    "wrong answer": _cpp("assert((vector<int>{1, 2}) == (vector<int>{1, 3}));"),
    "uncaught exception": _cpp("vector<int>().at(1);"),
    "nonzero exit": _cpp("exit(3);"),
    "syntax error": _cpp("int x = ;"),
    "infinite loop": _cpp("while (count) {}"),
    "sleep": _cpp("sleep(60);"),
    "memory bomb": _cpp(
        "vector<vector<char>> kept; while (true) { kept.emplace_back(10000000, 'x'); kept.shrink_to_fit(); }"
    ),
    "flood of standard output": _cpp("while (true) cout << string(10000, 'x') << endl;"),
    "flood of standard error": _cpp("while (true) cerr << string(10000, 'x') << endl;"),
    "exit 0 before the tests": _cpp("exit(0); assert(false);"),
    "200 KB of output": _cpp("cout << string(200000, 'x'); cerr << string(200000, 'y');"),
    "closed standard output": _cpp("fclose(stdout); close(2);"),
    "output that is not UTF-8": _cpp('cout << "\\x00\\x80\\xff\\n"sv;'),
    "standard input is at its end": _cpp("assert(cin.get() == EOF);"),
    "deep recursion": _cpp("return f(count) ? 0 : 1;"),
    "no network": _cpp(
        "sockaddr_in to{}; to.sin_family = AF_INET; to.sin_port = htons(@PORT@); to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);"
        ' if (!connect(socket(AF_INET, SOCK_STREAM, 0), (sockaddr *)&to, sizeof to)) throw runtime_error("connected");'
    ),
    "no file of the host": _cpp('assert(access("@CANARY@", F_OK) != 0);'),
    "no writing outside /tmp": _cpp(
        'for (string path : {"/x", "/usr/x", "/etc/x", "/dev/x", "/flextune/program/x", "/flextune/program/program", "/flextune/runtime/shim.o"})'
        " if (open(path.c_str(), O_WRONLY | O_CREAT, 0600) >= 0) throw runtime_error(path);"
        ' assert(open("/tmp/x", O_WRONLY | O_CREAT, 0600) >= 0);'
    ),
    "leaves a file in /tmp": _cpp('ofstream("/tmp/left") << "x";'),
    "finds /tmp empty": _cpp('assert(filesystem::is_empty("/tmp"));'),
    "no process of the host": _cpp(
        'for (auto &entry : filesystem::directory_iterator("/proc")) if (isdigit(entry.path().filename().string()[0]))'
        ' if (content(entry.path() / "cmdline").find("@MARK@") != string::npos) throw runtime_error(entry.path());'
    ),
    "no variable of the host": _cpp('assert(!getenv("FLEXTUNE_CANARY"));'),
}

_RUST_HEAD = """#![allow(unconditional_recursion)]
use std::io::{Read, Write};
fn f(n: u64) -> u64 { f(n + 1) + n }
fn main() { """


def _rust(statements: str) -> str:
    return f"{_RUST_HEAD}{statements} }}\n"


RUST = {
    "right answer": _rust("assert_eq!(vec![1, 2], [1, 2]);"),
    "wrong answer": _rust("assert_eq!(vec![1, 2], [1, 3]);"),
    "uncaught exception": _rust("let none: Vec<i32> = vec![]; let _ = none[std::env::args().count()];"),
    "nonzero exit": _rust("std::process::exit(3);"),
    "syntax error": _rust("let x = ;"),
    "infinite loop": _rust("loop {}"),
    "sleep": _rust("std::thread::sleep(std::time::Duration::from_secs(60));"),
    "memory bomb": _rust("let mut kept = vec![]; loop { kept.push(vec![1u8; 10_000_000]); }"),
    "flood of standard output": _rust('loop { println!("{}", "x".repeat(10_000)); }'),
    "flood of standard error": _rust('loop { eprintln!("{}", "x".repeat(10_000)); }'),
    "exit 0 before the tests": _rust("std::process::exit(0); assert!(false);"),
    "200 KB of output": _rust('print!("{}", "x".repeat(200_000)); eprint!("{}", "y".repeat(200_000));'),
    # The standard library has no way to close it; a file that owns the descriptor has.
    "closed standard output": _rust(
        "use std::os::fd::FromRawFd; unsafe { drop(std::fs::File::from_raw_fd(1)); drop(std::fs::File::from_raw_fd(2)); }"
    ),
    "output that is not UTF-8": _rust("std::io::stdout().write_all(&[0, 128, 255, 10]).unwrap();"),
    "standard input is at its end": _rust(
        "let mut text = vec![]; assert_eq!(std::io::stdin().read_to_end(&mut text).unwrap(), 0);"
    ),
    "deep recursion": _rust('println!("{}", f(0));'),
    "no network": _rust(
        'if std::net::TcpStream::connect("127.0.0.1:@PORT@").is_ok() { panic!("connected"); }'
    ),
    "no file of the host": _rust('assert!(!std::path::Path::new("@CANARY@").exists());'),
    "no writing outside /tmp": _rust(
        'for path in ["/x", "/usr/x", "/etc/x", "/dev/x", "/flextune/program/x", "/flextune/program/program", "/flextune/runtime/shim.o"] {'
        ' if std::fs::OpenOptions::new().write(true).create(true).open(path).is_ok() { panic!("{}", path); } }'
        ' std::fs::write("/tmp/x", "x").unwrap();'
    ),
    "leaves a file in /tmp": _rust('std::fs::write("/tmp/left", "x").unwrap();'),
    "finds /tmp empty": _rust('assert_eq!(std::fs::read_dir("/tmp").unwrap().count(), 0);'),
    "no process of the host": _rust(
        'for entry in std::fs::read_dir("/proc").unwrap() { if let Ok(line) = std::fs::read(entry.unwrap().path().join("cmdline"))'
        ' { assert!(!String::from_utf8_lossy(&line).contains("@MARK@")); } }'
    ),
    "no variable of the host": _rust('assert!(std::env::var("FLEXTUNE_CANARY").is_err());'),
}


def _go(statements: str, *packages: str) -> str:
    imports = "".join(f'import "{package}"\n' for package in ("testing", *packages))
    return (
        f"package x_test\n\n{imports}\nfunc f(n int) int {{ return f(n+1) + n }}\n\n"
        f"func TestX(t *testing.T) {{ {statements} }}\n"
    )


GO = {
    "right answer": _go(
        "if !reflect.DeepEqual([]int{1, 2}, []int{1, 2}) { t.Errorf(`Assertion`) }", "reflect"
    ),
    "wrong answer": _go(
        "if !reflect.DeepEqual([]int{1, 2}, []int{1, 3}) { t.Errorf(`Assertion`) }", "reflect"
    ),
    "uncaught exception": _go("none := []int{}; none[len(t.Name())]++"),
    "nonzero exit": _go("os.Exit(3)", "os"),
    "syntax error": _go("x := ;"),
    "infinite loop": _go("for {}"),
    "sleep": _go("time.Sleep(time.Minute)", "time"),
    "memory bomb": _go(
        "kept := [][]byte{}; for { kept = append(kept, bytes.Repeat([]byte{1}, 10000000)) }; print(kept)",
        "bytes",
    ),
    "flood of standard output": _go("for { fmt.Println(strings.Repeat(`x`, 10000)) }", "fmt", "strings"),
    "flood of standard error": _go("for { println(strings.Repeat(`x`, 10000)) }", "strings"),
    "exit 0 before the tests": _go("os.Exit(0); t.Fatal()", "os"),
    "200 KB of output": _go(
        "fmt.Print(strings.Repeat(`x`, 200000)); print(strings.Repeat(`y`, 200000))", "fmt", "strings"
    ),
    "closed standard output": _go("os.Stdout.Close(); os.Stderr.Close()", "os"),
    "output that is not UTF-8": _go("os.Stdout.Write([]byte{0, 128, 255, 10})", "os"),
    "standard input is at its end": _go(
        "if read, _ := io.ReadAll(os.Stdin); len(read) > 0 { t.Fatal(read) }", "io", "os"
    ),
    "deep recursion": _go("f(0)"),
    "no network": _go(
        "if _, err := net.Dial(`tcp`, `127.0.0.1:@PORT@`); err == nil { panic(`connected`) }", "net"
    ),
    "no file of the host": _go("if _, err := os.Stat(`@CANARY@`); err == nil { t.Fatal(err) }", "os"),
    "no writing outside /tmp": _go(
        "for _, path := range []string{`/x`, `/usr/x`, `/etc/x`, `/dev/x`, `/flextune/program/x`, `/flextune/program/program`, `/flextune/runtime/std.zip`} {"
        " if _, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE, 0600); err == nil { panic(path) } };"
        " if err := os.WriteFile(`/tmp/x`, []byte(`x`), 0600); err != nil { t.Fatal(err) }",
        "os",
    ),
    "leaves a file in /tmp": _go(
        "if err := os.WriteFile(`/tmp/left`, []byte(`x`), 0600); err != nil { t.Fatal(err) }", "os"
    ),
    "finds /tmp empty": _go(
        "if list, err := os.ReadDir(`/tmp`); err != nil || len(list) > 0 { t.Fatal(list, err) }", "os"
    ),
    "no process of the host": _go(
        "list, _ := os.ReadDir(`/proc`); for _, entry := range list { line, _ := os.ReadFile(`/proc/` + entry.Name() + `/cmdline`);"
        " if bytes.Contains(line, []byte(`@MARK@`)) { panic(entry.Name()) } }",
        "bytes",
        "os",
    ),
    "no variable of the host": _go(
        "if _, found := os.LookupEnv(`FLEXTUNE_CANARY`); found { t.Fatal() }", "os"
    ),
}


def _d(statements: str) -> str:
    return (
        "import core.stdc.stdlib : exit;\nimport std.array, std.file, std.process, std.socket, std.stdio;\n"
        f"int f(int n) {{ return f(n + 1) + n; }}\nunittest {{ {statements} }}\nvoid main() {{}}\n"
    )


D = {
    "right answer": _d("assert([1, 2] == [1, 2]);"),
    "wrong answer": _d("assert([1, 2] == [1, 3]);"),
    "uncaught exception": _d("int[] none; none[none.length + 1]++;"),
    "nonzero exit": _d("exit(3);"),
    "syntax error": _d("int x = ;"),
    "infinite loop": _d("while (true) {}"),
    "sleep": _d("import core.thread; Thread.sleep(60.seconds);"),
    "memory bomb": _d(
        "ubyte[][] kept; while (true) { auto more = new ubyte[10_000_000]; more[] = 1; kept ~= more; }"
    ),
    "flood of standard output": _d("while (true) writeln(replicate(`x`, 10_000));"),
    "flood of standard error": _d("while (true) stderr.writeln(replicate(`x`, 10_000));"),
    "exit 0 before the tests": _d("exit(0); assert(false);"),
    "200 KB of output": _d("write(replicate(`x`, 200_000)); stderr.write(replicate(`y`, 200_000));"),
    "closed standard output": _d("stdout.close(); stderr.close();"),
    "output that is not UTF-8": _d("stdout.rawWrite([cast(ubyte) 0, 128, 255, 10]);"),
    "standard input is at its end": _d("assert(stdin.readln() is null);"),
    "deep recursion": _d("assert(f(0));"),
    "no network": _d(
        "bool connected = true; try { new TcpSocket(new InternetAddress(`127.0.0.1`, @PORT@)); } catch (SocketException e) { connected = false; }"
        " if (connected) throw new Exception(`connected`);"
    ),
    "no file of the host": _d("assert(!exists(`@CANARY@`));"),
    "no writing outside /tmp": _d(
        "foreach (path; [`/x`, `/usr/x`, `/etc/x`, `/dev/x`, `/flextune/program/x`, `/flextune/program/program`, `/flextune/runtime/shim.o`]) {"
        " bool written = true; try { File(path, `a`); } catch (Exception e) { written = false; } if (written) throw new Exception(path); }"
        " std.file.write(`/tmp/x`, `x`);"
    ),
    "leaves a file in /tmp": _d("std.file.write(`/tmp/left`, `x`);"),
    "finds /tmp empty": _d("assert(dirEntries(`/tmp`, SpanMode.shallow).empty);"),
    "no process of the host": _d(
        "import std.algorithm : canFind; foreach (entry; dirEntries(`/proc`, SpanMode.shallow)) { string line;"
        " try { foreach (part; File(entry.name ~ `/cmdline`).byChunk(4096)) line ~= cast(string) part.idup; } catch (Exception e) { }"
        " if (line.canFind(`@MARK@`)) throw new Exception(entry.name); }"
    ),
    "no variable of the host": _d("assert(environment.get(`FLEXTUNE_CANARY`) is null);"),
}


def _cs(statements: str) -> str:
    return (
        "using System;\nusing System.Collections.Generic;\nusing System.Diagnostics;\nusing System.IO;\nusing System.Linq;\n"
        "using System.Net.Sockets;\nusing System.Threading;\nclass Problem {\n    static int F(int n) { return F(n + 1) + n; }\n"
        f"    public static void Main(string[] args) {{\n        {statements}\n    }}\n}}\n"
    )


CSHARP = {
    "right answer": _cs("Debug.Assert(new List<int> { 1, 2 }.SequenceEqual(new[] { 1, 2 }));"),
    "wrong answer": _cs("Debug.Assert(new List<int> { 1, 2 }.SequenceEqual(new[] { 1, 3 }));"),
    "uncaught exception": _cs("int[] none = {}; none[1]++;"),
    "nonzero exit": _cs("Environment.Exit(3);"),
    "syntax error": _cs("int x = ;"),
    "infinite loop": _cs("while (args.Length == 0) {}"),
    "sleep": _cs("Thread.Sleep(60000);"),
    "memory bomb": _cs(
        "var kept = new List<byte[]>(); while (true) { var more = new byte[10000000]; for (int i = 0; i < more.Length; i += 4096) more[i] = 1; kept.Add(more); }"
    ),
    "flood of standard output": _cs("while (true) Console.WriteLine(new string('x', 10000));"),
    "flood of standard error": _cs("while (true) Console.Error.WriteLine(new string('x', 10000));"),
    "exit 0 before the tests": _cs("Environment.Exit(0); Debug.Assert(false);"),
    "200 KB of output": _cs(
        "Console.Write(new string('x', 200000)); Console.Error.Write(new string('y', 200000));"
    ),
    "closed standard output": _cs("Console.Out.Close(); Console.Error.Close();"),
    "output that is not UTF-8": _cs(
        "using (var stream = Console.OpenStandardOutput()) stream.Write(new byte[] { 0, 128, 255, 10 }, 0, 4);"
    ),
    "standard input is at its end": _cs("Debug.Assert(Console.In.Read() == -1);"),
    "deep recursion": _cs("F(0);"),
    "no network": _cs(
        'bool connected = true; try { new TcpClient("127.0.0.1", @PORT@); } catch (SocketException) { connected = false; }'
        ' if (connected) throw new Exception("connected");'
    ),
    "no file of the host": _cs('Debug.Assert(!File.Exists("@CANARY@"));'),
    "no writing outside /tmp": _cs(
        'foreach (var path in new[] { "/x", "/usr/x", "/etc/x", "/dev/x", "/flextune/program/x", "/flextune/runtime/launcher.exe" }) {'
        " bool written = true; try { new FileStream(path, FileMode.Append); } catch (Exception) { written = false; }"
        ' if (written) throw new Exception(path); } File.WriteAllText("/tmp/x", "x");'
    ),
    "leaves a file in /tmp": _cs('File.WriteAllText("/tmp/left", "x");'),
    "finds /tmp empty": _cs('Debug.Assert(!Directory.EnumerateFileSystemEntries("/tmp").Any());'),
    "no process of the host": _cs(
        'foreach (var folder in Directory.GetDirectories("/proc")) { string line = ""; try { line = File.ReadAllText(folder + "/cmdline"); }'
        ' catch (Exception) { } if (line.Contains("@MARK@")) throw new Exception(folder); }'
    ),
    "no variable of the host": _cs(
        'Debug.Assert(Environment.GetEnvironmentVariable("FLEXTUNE_CANARY") == null);'
    ),
}


def _scala(statements: str) -> str:
    return (
        "import java.io._\nimport java.net._\nimport java.nio.file._\nimport scala.collection.mutable._\n"
        "object Problem {\n    def f(n: Int): Int = f(n + 1) + n\n"
        f"    def main(args: Array[String]) = {{\n        {statements}\n    }}\n}}\n"
    )


SCALA = {
    "right answer": _scala("assert(List(1, 2) == Seq(1, 2))"),
    "wrong answer": _scala("assert(List(1, 2) == Seq(1, 3))"),
    "uncaught exception": _scala("val none = Array[Int](); none(1)"),
    "nonzero exit": _scala("sys.exit(3)"),
    "syntax error": _scala("val x = ;"),
    "infinite loop": _scala("while (args.isEmpty) {}"),
    "sleep": _scala("Thread.sleep(60000)"),
    "memory bomb": _scala(
        "val kept = ListBuffer[Array[Byte]](); while (true) kept += new Array[Byte](10000000)"
    ),
    "flood of standard output": _scala('while (true) println("x" * 10000)'),
    "flood of standard error": _scala('while (true) scala.Console.err.println("x" * 10000)'),
    "exit 0 before the tests": _scala("sys.exit(0); assert(false)"),
    "200 KB of output": _scala('print("x" * 200000); scala.Console.err.print("y" * 200000)'),
    "closed standard output": _scala("System.out.close(); System.err.close()"),
    "output that is not UTF-8": _scala("System.out.write(Array[Byte](0, -128, -1, 10))"),
    "standard input is at its end": _scala("assert(System.in.read() == -1)"),
    "deep recursion": _scala("f(0)"),
    "no network": _scala(
        'val connected = try { new Socket("127.0.0.1", @PORT@); true } catch { case e: IOException => false }'
        '; if (connected) throw new IllegalStateException("connected")'
    ),
    "no file of the host": _scala('assert(!new File("@CANARY@").exists)'),
    "no writing outside /tmp": _scala(
        'for (path <- List("/x", "/usr/x", "/etc/x", "/dev/x", "/flextune/program/x", "/flextune/runtime/launcher.jar")) {'
        " val written = try { new FileOutputStream(path, true); true } catch { case e: IOException => false };"
        ' if (written) throw new IllegalStateException(path) }; Files.write(Paths.get("/tmp/x"), Array[Byte](1))'
    ),
    "leaves a file in /tmp": _scala('Files.write(Paths.get("/tmp/left"), Array[Byte](1))'),
    "finds /tmp empty": _scala('assert(new File("/tmp").list.isEmpty)'),
    "no process of the host": _scala(
        'for (folder <- new File("/proc").listFiles if folder.getName.forall(_.isDigit))'
        ' assert(!new String(Files.readAllBytes(folder.toPath.resolve("cmdline"))).contains("@MARK@"))'
    ),
    "no variable of the host": _scala('assert(System.getenv("FLEXTUNE_CANARY") == null)'),
}

PROGRAMS = {"cpp": CPP, "rs": RUST, "go": GO, "d": D, "cs": CSHARP, "scala": SCALA}
