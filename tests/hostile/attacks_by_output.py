"""Output and input: floods, what is no text, streams that never end or end too early."""

from __future__ import annotations

from tests.hostile.attack_cases import Case, cpp, java, javascript, python

CASES = (
    Case(
        name="flood of standard output",
        outcome="output_limit",
        evidence="flood",
        programs={
            "py": python("for _ in range(200): print('x' * 100_000)"),
            "java": java('for (int n = 0; n < 200; n++) System.out.println("x".repeat(100_000));'),
            "js": javascript("for (let n = 0; n < 200; n++) fs.writeSync(1, 'x'.repeat(100_000));"),
            "cpp": cpp("for (int n = 0; n < 200; n++) puts(std::string(100'000, 'x').c_str());"),
        },
    ),
    Case(
        name="flood of standard error",
        outcome="output_limit",
        evidence="flood",
        programs={
            "py": python("for _ in range(200): sys.stderr.write('x' * 100_000 + '\\n')"),
            "java": java('for (int n = 0; n < 200; n++) System.err.println("x".repeat(100_000));'),
            "js": javascript("for (let n = 0; n < 200; n++) fs.writeSync(2, 'x'.repeat(100_000));"),
            "cpp": cpp("for (int n = 0; n < 200; n++) fputs(std::string(100'000, 'x').c_str(), stderr);"),
        },
    ),
    Case(
        name="one huge line",
        outcome="output_limit",
        evidence="flood",
        programs={
            "py": python("print('x' * 20_000_000)"),
            "java": java('System.out.print("x".repeat(20_000_000)); System.out.flush();'),
            "js": javascript("process.stdout.write('x'.repeat(20_000_000));"),
            "cpp": cpp("fputs(std::string(20'000'000, 'x').c_str(), stdout);"),
        },
    ),
    Case(
        name="more than a pipe holds, and right",
        outcome="passed",
        evidence="hangs",
        unread=True,
        seconds=2,
        programs={
            "py": python("print('x' * 200_000, flush=True)\nsys.stderr.write('y' * 200_000)"),
            "java": java('System.out.println("x".repeat(200_000)); System.err.println("y".repeat(200_000));'),
            "js": javascript("fs.writeSync(1, 'x'.repeat(200_000)); fs.writeSync(2, 'y'.repeat(200_000));"),
            "cpp": cpp(
                "puts(std::string(200'000, 'x').c_str()); fputs(std::string(200'000, 'y').c_str(), stderr);"
            ),
        },
    ),
    Case(
        name="closes its output, and right",
        # A judge that looks for a printed word finds none.
        outcome="passed",
        evidence="quiet",
        programs={
            "py": python("os.close(1)\nos.close(2)\nsys.stdout = sys.stderr = None\nprint('passed')"),
            "java": java('System.out.close(); System.err.close();\nSystem.out.println("passed");'),
            "js": javascript(
                "fs.closeSync(1); fs.closeSync(2);\ntry { fs.writeSync(1, 'passed'); } catch { }"
            ),
            "cpp": cpp('close(1); close(2);\nputs("passed");'),
        },
    ),
    Case(
        name="a child keeps its output open, and right",
        outcome="passed",
        evidence="output held open",
        programs={
            "py": python("if os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)"),
            "java": java('new ProcessBuilder("/bin/sleep", "60").inheritIO().start();'),
            "js": javascript("spawn('/bin/sleep', ['60'], { stdio: 'inherit', detached: true }).unref();"),
            "cpp": cpp("if (fork() == 0) { sleep(60); _exit(0); }"),
        },
    ),
    Case(
        name="prints what is no text, and right",
        outcome="passed",
        evidence="no text",
        programs={
            "py": python("for stream in (1, 2): os.write(stream, bytes(range(256)) * 10)"),
            "java": java("""
                for (int n = 0; n < 2560; n++) { System.out.write(n); System.err.write(n); }
                System.out.flush();
            """),
            "js": javascript(
                "for (const stream of [1, 2]) fs.writeSync(stream, Buffer.from([0, 255, 254, 128, 10]));"
            ),
            "cpp": cpp("for (int n = 0; n < 2560; n++) { putchar(n & 255); putc(n & 255, stderr); }"),
        },
    ),
    Case(
        name="fails with what is no text",
        outcome="exception",
        evidence="no text",
        programs={
            "py": python("os.write(2, bytes(range(256)))\nos._exit(3)"),
            "java": java("for (int n = 0; n < 256; n++) System.err.write(n);\nSystem.exit(3);"),
            "js": javascript("fs.writeSync(2, Buffer.from([0, 255, 254, 128, 10]));\nprocess.exit(3);"),
            "cpp": cpp("for (int n = 0; n < 256; n++) putc(n, stderr);\nreturn 3;"),
        },
    ),
    Case(
        name="reads standard input to its end",
        outcome="passed",
        evidence="hangs",
        input="open",
        seconds=2,
        programs={
            "py": python("if sys.stdin.read(): worked()"),
            "java": java("if (System.in.readAllBytes().length > 0) worked();"),
            "js": javascript("if (fs.readFileSync(0).length) worked();"),
            "cpp": cpp("char read_[16];\nif (read(0, read_, 16) > 0) worked();"),
        },
    ),
    Case(
        name="asks at the terminal",
        outcome="passed",
        input="terminal",
        programs={
            "py": python("""
                try:
                    terminal = open('/dev/tty', 'r+b', buffering=0)
                except OSError:
                    pass
                else:
                    terminal.write(b'password: ')
                    worked()
            """),
            "java": java("""
                try (FileOutputStream terminal = new FileOutputStream("/dev/tty")) {
                    terminal.write("password: ".getBytes());
                } catch (IOException refused) {
                    return;
                }
                worked();
            """),
            "js": javascript("""
                let terminal;
                try { terminal = fs.openSync('/dev/tty', 'r+'); } catch { }
                if (terminal) { fs.writeSync(terminal, 'password: '); worked(); }
            """),
            "cpp": cpp("""
                int terminal = open("/dev/tty", O_RDWR);
                if (terminal >= 0 && write(terminal, "password: ", 10) == 10) worked();
            """),
        },
    ),
)
