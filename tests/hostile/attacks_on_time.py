# ruff: noqa: E501 - a program reads better unbroken
"""Time and processes."""

from __future__ import annotations

from tests.hostile.attack_cases import Case, cpp, java, javascript, python

# Some seconds of a processor.
_BUSY = "i=0; while [ $i -lt 3000000 ]; do i=$((i+1)); done"

# 300 is far above the limit of the suite, and nothing to this machine.
CASES = (
    Case(
        name="busy loop",
        outcome="timeout",
        programs={
            "py": python("while time.process_time() < 2.5: pass\nworked()"),
            "java": java("""
                var clock = java.lang.management.ManagementFactory.getThreadMXBean();
                while (clock.getCurrentThreadCpuTime() < 2_500_000_000L) {}
                worked();
            """),
            "js": javascript("""
                let used;
                do { used = process.cpuUsage(); } while (used.user + used.system < 2.5e6);
                worked();
            """),
            "cpp": cpp("while (clock() < 2.5 * CLOCKS_PER_SEC) {}\nworked();"),
        },
    ),
    Case(
        name="busy children while it waits",
        outcome="timeout",
        seconds=60,
        programs={
            "py": python("""
                for _ in range(2):
                    if os.fork() == 0:
                        while time.process_time() < 1.5: pass
                        os._exit(0)
                os.wait()
                worked()
            """),
            "java": java(f"""
                for (int n = 0; n < 2; n++) new ProcessBuilder("/bin/sh", "-c", "{_BUSY}").start();
                shell("{_BUSY}");
                worked();
            """),
            "js": javascript(f"""
                for (let n = 0; n < 2; n++) spawn('/bin/sh', ['-c', '{_BUSY}']).on('exit', worked);
            """),
            "cpp": cpp("""
                for (int n = 0; n < 2; n++)
                    if (fork() == 0) { while (clock() < 1.5 * CLOCKS_PER_SEC) {} _exit(0); }
                wait(nullptr);
                worked();
            """),
        },
    ),
    Case(
        name="sleep",
        outcome="timeout",
        evidence="hangs",
        seconds=3,
        programs={
            "py": python("time.sleep(60)\nworked()"),
            "java": java("Thread.sleep(60_000);\nworked();"),
            "js": javascript("setTimeout(worked, 60_000);"),
            "cpp": cpp("sleep(60);\nworked();"),
        },
    ),
    Case(
        name="ignores every signal it can",
        outcome="timeout",
        evidence="hangs",
        seconds=3,
        programs={
            "py": python("""
                for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM, signal.SIGXCPU):
                    signal.signal(number, signal.SIG_IGN)
                    os.kill(os.getpid(), number)
                time.sleep(60)
                worked()
            """),
            "java": java("""
                for (String name : List.of("TERM", "INT", "HUP")) {
                    sun.misc.Signal.handle(new sun.misc.Signal(name), signal -> {});
                    sun.misc.Signal.raise(new sun.misc.Signal(name));
                }
                Thread.sleep(60_000);
                worked();
            """),
            "js": javascript("""
                for (const name of ['SIGTERM', 'SIGINT', 'SIGHUP', 'SIGALRM', 'SIGXCPU']) {
                    process.on(name, () => {});
                    process.kill(process.pid, name);
                }
                setTimeout(worked, 60_000);
            """),
            "cpp": cpp("""
                for (int number : {SIGTERM, SIGINT, SIGHUP, SIGALRM, SIGXCPU}) {
                    signal(number, SIG_IGN);
                    raise(number);
                }
                sleep(60);
                worked();
            """),
        },
    ),
    Case(
        name="stops itself",
        outcome="timeout",
        evidence="stopped",
        seconds=3,
        programs={
            "py": python("os.kill(os.getpid(), signal.SIGSTOP)"),
            "java": java('shell("kill -STOP " + ProcessHandle.current().pid());\nThread.sleep(1000);'),
            "js": javascript("process.kill(process.pid, 'SIGSTOP'); setTimeout(() => {}, 1000);"),
            "cpp": cpp("raise(SIGSTOP);"),
        },
    ),
    Case(
        name="fork bomb",
        outcome="passed",
        programs={
            "py": python("""
                count = 0
                try:
                    while count < 300:
                        if os.fork() == 0:
                            time.sleep(60)
                            os._exit(0)
                        count += 1
                except BlockingIOError:
                    pass
                if count == 300: worked()
            """),
            "java": java("""
                int count = 0;
                try {
                    for (; count < 300; count++) new ProcessBuilder("/bin/sleep", "60").start();
                } catch (IOException | OutOfMemoryError refused) {
                }
                if (count == 300) worked();
            """),
            "js": javascript("""
                let count = 0;
                for (; count < 300; count++) {
                    const child = spawn('/bin/sleep', ['60'], { stdio: 'ignore' });
                    child.on('error', () => {});
                    child.unref();
                    if (!child.pid) break;
                }
                if (count === 300) worked();
            """),
            "cpp": cpp("""
                int count = 0;
                for (; count < 300; count++) {
                    pid_t child = fork();
                    if (child == 0) { sleep(60); _exit(0); }
                    if (child < 0) break;
                }
                if (count == 300) worked();
            """),
        },
    ),
    Case(
        name="fork bomb without end",
        outcome="timeout",
        uncontrolled="it would only end with the machine; the fork bomb that counts is its control",
        programs={
            "py": python("""
                while True:
                    try:
                        os.fork()
                    except OSError:
                        pass
            """),
            "cpp": cpp("for (;;) fork();"),
        },
        without={"java": "it cannot fork itself", "js": "it cannot fork itself"},
    ),
    Case(
        name="thread bomb",
        outcome="passed",
        programs={
            "py": python("""
                count = 0
                try:
                    while count < 300:
                        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
                        count += 1
                except RuntimeError:
                    pass
                if count == 300: worked()
            """),
            "java": java("""
                int count = 0;
                try {
                    for (; count < 300; count++) {
                        Thread thread = new Thread(() -> { try { Thread.sleep(60000); } catch (InterruptedException e) {} });
                        thread.setDaemon(true);
                        thread.start();
                    }
                } catch (OutOfMemoryError refused) {
                }
                if (count == 300) worked();
            """),
            "cpp": cpp(
                """
                int count = 0;
                pthread_t thread;
                for (; count < 300; count++) if (pthread_create(&thread, nullptr, sleeping, nullptr)) break;
                if (count == 300) worked();
                """,
                "void* sleeping(void*) { sleep(60); return nullptr; }",
            ),
        },
        without={"js": "a thread is a worker with a heap of its own: it is a memory attack, see there"},
    ),
    Case(
        name="exits 0 while its child goes on",
        outcome="ended_early",
        evidence="left process",
        programs={
            "py": python("""
                if os.fork(): os._exit(0)
                os.setsid()
                time.sleep(60)
            """),
            "java": java('new ProcessBuilder("/bin/sleep", "60").start();\nSystem.exit(0);'),
            "js": javascript("spawn('/bin/sleep', ['60'], { detached: true });\nprocess.exit(0);"),
            "cpp": cpp("if (fork()) _exit(0);\nsetsid();\nsleep(60);"),
        },
    ),
    Case(
        name="double fork and a session of its own",
        outcome="passed",
        evidence="left process",
        programs={
            "py": python("""
                if os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        for number in range(1, 65):
                            try:
                                signal.signal(number, signal.SIG_IGN)
                            except (OSError, ValueError):
                                pass
                        os.closerange(0, 256)
                        time.sleep(60)
                    os._exit(0)
                os.wait()
            """),
            "java": java('shell("setsid sleep 60 >/dev/null 2>&1 </dev/null &");'),
            "js": javascript("shell('setsid sleep 60 >/dev/null 2>&1 </dev/null &');"),
            "cpp": cpp("""
                if (fork() == 0) {
                    setsid();
                    if (fork() == 0) {
                        for (int number = 1; number < 65; number++) signal(number, SIG_IGN);
                        for (int descriptor = 0; descriptor < 256; descriptor++) close(descriptor);
                        sleep(60);
                    }
                    _exit(0);
                }
                wait(nullptr);
            """),
        },
    ),
    Case(
        name="a thread that outlives the program",
        # C++ alone does not wait for its threads.
        outcome={"py": "timeout", "java": "timeout", "js": "timeout", "cpp": "passed"},
        evidence={"py": "hangs", "java": "hangs", "js": "hangs", "cpp": "exit status 0"},
        seconds=3,
        programs={
            "py": python("threading.Thread(target=time.sleep, args=(60,)).start()"),
            "java": java("new Thread(() -> { while (true) {} }).start();"),
            "js": javascript("new (require('worker_threads').Worker)('for (;;);', { eval: true });"),
            "cpp": cpp(
                "pthread_t thread; pthread_create(&thread, nullptr, busy, nullptr);",
                "void* busy(void*) { for (volatile int n = 0;; n++); }",
            ),
        },
    ),
)
