# ruff: noqa: E501 - a program reads better unbroken
"""Memory: 500 MB, half as much again as the suite allows."""

from __future__ import annotations

from tests.hostile.attack_cases import Case, cpp, java, javascript, python

# Holds 100 MB in one process: dd has read all of it before it finds that nobody reads on.
_HOLDER = "dd if=/dev/zero bs=100M count=1 2>/dev/null | sleep 60"
# Pages that all processes hold together.
_HELD = "cat /proc/[0-9]*/statm | (sum=0; while read a b c; do sum=$((sum+b)); done; echo $sum)"

CASES = (
    Case(
        name="heap",
        outcome="memory_limit",
        programs={
            "py": python("kept = [b'x' * 10_000_000 + bytes([n]) for n in range(50)]\nworked()"),
            "java": java("""
                List<byte[]> kept = new ArrayList<>();
                while (kept.size() < 50) kept.add(new byte[10_000_000]);
                worked();
            """),
            "js": javascript("""
                const kept = [];
                while (kept.length < 500) kept.push(new Array(125_000).fill(kept.length + 0.5));
                worked();
            """),
            "cpp": cpp("""
                std::vector<std::string> kept;
                while (kept.size() < 50) kept.emplace_back(10'000'000, 'x');
                worked();
            """),
        },
    ),
    Case(
        name="outside the heap",
        outcome="memory_limit",
        programs={
            "java": java("""
                for (int n = 0; n < 50; n++) unsafe().setMemory(unsafe().allocateMemory(10_000_000), 10_000_000, (byte) 1);
                worked();
            """),
            "js": javascript("""
                const kept = [];
                while (kept.length < 50) kept.push(Buffer.alloc(10_000_000, 1));
                worked();
            """),
        },
        without={"py": "there is one heap", "cpp": "there is one heap"},
    ),
    Case(
        name="in buffers of the runtime",
        outcome="memory_limit",
        programs={
            "java": java("""
                List<ByteBuffer> kept = new ArrayList<>();
                while (kept.size() < 50) kept.add(ByteBuffer.allocateDirect(10_000_000));
                worked();
            """),
            "js": javascript("""
                const kept = [];
                while (kept.length < 50) kept.push(new Uint8Array(new SharedArrayBuffer(10_000_000)).fill(1));
                worked();
            """),
        },
        without={"py": "it has none", "cpp": "it has none"},
    ),
    Case(
        name="threads with heaps of their own",
        outcome="memory_limit",
        programs={
            "js": javascript("""
                const { Worker } = require('worker_threads');
                let up = 0;
                for (let n = 0; n < 5; n++)
                    new Worker(`const kept = Buffer.alloc(100_000_000, 1);
                        require('worker_threads').parentPort.postMessage(kept.length); setTimeout(() => kept, 60000)`,
                        { eval: true }).on('message', () => { if (++up === 5) worked(); });
            """),
        },
        without={"py": "threads share a heap", "java": "threads share a heap", "cpp": "threads share a heap"},
    ),
    Case(
        name="spread over children",
        outcome="memory_limit",
        programs={
            "py": python("""
                reader, writer = os.pipe()
                for number in range(5):
                    if os.fork() == 0:
                        kept = b'x' * 100_000_000
                        os.write(writer, kept[:1])
                        time.sleep(60)
                os.close(writer)
                if len([os.read(reader, 1) for _ in range(5)]) == 5: worked()
            """),
            "java": java(f"""
                for (int n = 0; n < 5; n++) new ProcessBuilder("/bin/sh", "-c", "{_HOLDER}").start();
                for (int n = 0; n < 30; n++, Thread.sleep(200))
                    if (Integer.parseInt(shell("{_HELD}").strip()) > 110_000) worked();
            """),
            "js": javascript(f"""
                for (let n = 0; n < 5; n++) spawn('/bin/sh', ['-c', '{_HOLDER}'], {{ stdio: 'ignore' }}).unref();
                let looks = 0;
                const timer = setInterval(() => {{
                    if (Number(shell('{_HELD}')) > 110_000) worked();
                    if (++looks === 30) clearInterval(timer);
                }}, 200);
            """),
            "cpp": cpp("""
                int ends[2];
                if (pipe(ends)) return 0;
                for (int n = 0; n < 5; n++)
                    if (fork() == 0) {
                        std::string kept(100'000'000, 'x');
                        if (write(ends[1], kept.data(), 1) == 1) sleep(60);
                        _exit(0);
                    }
                close(ends[1]);
                char up;
                for (int n = 0; n < 5; n++) if (read(ends[0], &up, 1) != 1) return 0;
                worked();
            """),
        },
    ),
    Case(
        name="shared between children",
        outcome="memory_limit",
        programs={
            "py": python("""
                import mmap
                try:
                    kept = mmap.mmap(-1, 500_000_000)
                except OSError:
                    pass
                else:
                    for start in range(0, 500_000_000, 4096): kept[start] = 1
                    worked()
            """),
            "cpp": cpp("""
                const size_t size = 500'000'000;
                void* kept = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
                if (kept == MAP_FAILED) return 0;
                memset(kept, 1, size);
                worked();
            """),
        },
        without={"java": "it cannot map memory that has no file", "js": "it cannot map memory"},
    ),
    Case(
        name="memory file",
        outcome="passed",
        programs={
            "py": python("""
                try:
                    for number in range(10):
                        descriptor = os.memfd_create(str(number))
                        for _ in range(50): os.write(descriptor, b'x' * 1_000_000)
                except OSError:
                    pass
                else:
                    worked()
            """),
            "cpp": cpp("""
                std::string piece(1'000'000, 'x');
                for (int n = 0; n < 10; n++) {
                    int descriptor = (int)syscall(SYS_memfd_create, "kept", 0);
                    for (int m = 0; m < 50; m++) if (write(descriptor, piece.data(), piece.size()) < 0) return 0;
                }
                worked();
            """),
        },
        without={"java": "it has no such call", "js": "it has no such call"},
    ),
    Case(
        name="System V shared memory",
        outcome="passed",
        programs={
            "py": python("""
                libc = ctypes.CDLL(None)
                libc.shmat.restype = ctypes.c_void_p
                for _ in range(10):
                    number = libc.shmget(0, 50_000_000, 0o1600)
                    if number < 0: break
                    place = libc.shmat(number, None, 0)
                    ctypes.memset(place, 1, 50_000_000)
                    libc.shmdt(ctypes.c_void_p(place))
                else:
                    worked()
            """),
            "cpp": cpp("""
                for (int n = 0; n < 10; n++) {
                    int number = shmget(IPC_PRIVATE, 50'000'000, IPC_CREAT | 0600);
                    if (number < 0) return 0;
                    void* place = shmat(number, nullptr, 0);
                    memset(place, 1, 50'000'000);
                    shmdt(place);
                }
                worked();
            """),
        },
        without={"java": "it has no such call", "js": "it has no such call"},
    ),
    Case(
        name="files in memory",
        outcome="passed",
        programs={
            "py": python("""
                for folder in ('/dev/shm', '/run', '/tmp', '/var/tmp', '/dev'):
                    written = 0
                    try:
                        for number in range(150):
                            with open(f'{folder}/{number}', 'wb') as file: file.write(b'x' * 3_500_000)
                            written += 3_500_000
                    except OSError:
                        continue
                    worked()
            """),
            "java": java("""
                for (String folder : List.of("/dev/shm", "/run", "/tmp", "/var/tmp", "/dev")) {
                    try {
                        for (int n = 0; n < 150; n++) Files.write(Path.of(folder, "" + n), new byte[3_500_000]);
                    } catch (IOException refused) {
                        continue;
                    }
                    worked();
                }
            """),
            "js": javascript("""
                const piece = Buffer.alloc(3_500_000, 1);
                for (const folder of ['/dev/shm', '/run', '/tmp', '/var/tmp', '/dev']) {
                    try {
                        for (let n = 0; n < 150; n++) fs.writeFileSync(`${folder}/${n}`, piece);
                    } catch {
                        continue;
                    }
                    worked();
                }
            """),
            "cpp": cpp("""
                std::string piece(3'500'000, 'x');
                for (std::string folder : {"/dev/shm/", "/run/", "/tmp/", "/var/tmp/", "/dev/"}) {
                    int n = 0;
                    for (; n < 150; n++) {
                        int file = open((folder + std::to_string(n)).c_str(), O_CREAT | O_WRONLY, 0600);
                        ssize_t written = write(file, piece.data(), piece.size());
                        close(file);
                        if (written != (ssize_t)piece.size()) break;
                    }
                    if (n == 150) worked();
                }
            """),
        },
    ),
    Case(
        name="mapped file",
        outcome="passed",
        programs={
            "java": java("""
                try (RandomAccessFile file = new RandomAccessFile("/tmp/kept", "rw")) {
                    ByteBuffer kept = file.getChannel().map(FileChannel.MapMode.READ_WRITE, 0, 500_000_000);
                    for (int place = 0; place < 500_000_000; place += 4096) kept.put(place, (byte) 1);
                } catch (IOException refused) {
                    return;
                }
                worked();
            """),
        },
        without={
            "py": "see the files in memory",
            "js": "it cannot map memory",
            "cpp": "see the files in memory",
        },
    ),
    Case(
        name="deep recursion",
        outcome="exception",
        # An interpreter that judges in its own process is gone.
        evidence={"py": "crash", "java": "failure", "js": "failure", "cpp": "crash"},
        programs={
            "py": python("""
                sys.setrecursionlimit(10**8)
                class Deep:
                    def __repr__(self): return repr(self)
                repr(Deep())
            """),
            "java": java("f(0);", "static int f(int n) { return f(n + 1) + 1; }"),
            "js": javascript("const f = (n) => f(n + 1) + 1;\nf(0);"),
            "cpp": cpp(
                'printf("%d", f(1));',
                "int f(int n) { volatile char kept[4096]; kept[n & 4095] = 1; return n ? f(n + 1) + kept[1] : 0; }",
            ),
        },
    ),
)
