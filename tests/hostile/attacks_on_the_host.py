# ruff: noqa: E501 - a program reads better unbroken
"""The host: its processes, files, variables, names and clock, and what only the superuser may do."""

from __future__ import annotations

from tests.hostile.attack_cases import Case, cpp, java, javascript, python

_BY_TOOL = {"java": "it would start a tool; see JavaScript"}

CASES = (
    Case(
        name="kills a process of the host",
        outcome="passed",
        evidence="process killed",
        programs={
            "py": python("""
                try:
                    os.kill(@PID@, signal.SIGKILL)
                except OSError:
                    pass
            """),
            "java": java('shell("kill -KILL @PID@");'),
            "js": javascript("try { process.kill(@PID@, 'SIGKILL'); } catch { }"),
            "cpp": cpp("kill(@PID@, SIGKILL);"),
        },
    ),
    Case(
        name="stops a process of the host",
        outcome="passed",
        evidence="process stopped",
        programs={
            "py": python("""
                try:
                    os.kill(@PID@, signal.SIGSTOP)
                except OSError:
                    pass
            """),
            "java": java('shell("kill -STOP @PID@");'),
            "js": javascript("try { process.kill(@PID@, 'SIGSTOP'); } catch { }"),
            "cpp": cpp("kill(@PID@, SIGSTOP);"),
        },
    ),
    Case(
        name="kills every process it may",
        # In Java a shell does it, and so the program is among those killed.
        outcome={"py": "passed", "java": "exception", "js": "passed", "cpp": "passed"},
        evidence="judge killed",
        programs={
            "py": python("""
                try:
                    os.kill(-1, signal.SIGKILL)
                except OSError:
                    pass
            """),
            "java": java('shell("kill -KILL -1");'),
            "js": javascript("try { process.kill(-1, 'SIGKILL'); } catch { }"),
            "cpp": cpp("kill(-1, SIGKILL);"),
        },
    ),
    Case(
        name="kills its parent",
        outcome="passed",
        evidence="judge killed",
        programs={
            "py": python("""
                try:
                    os.kill(os.getppid(), signal.SIGKILL)
                except OSError:
                    pass
            """),
            "java": java("""
                shell("kill -KILL " + ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(1L));
            """),
            "js": javascript("try { process.kill(process.ppid, 'SIGKILL'); } catch { }"),
            "cpp": cpp("kill(getppid(), SIGKILL);"),
        },
    ),
    Case(
        name="stops its parent",
        outcome="passed",
        evidence="judge stopped",
        programs={
            "py": python("""
                try:
                    os.kill(os.getppid(), signal.SIGSTOP)
                except OSError:
                    pass
            """),
            "java": java("""
                shell("kill -STOP " + ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(1L));
            """),
            "js": javascript("try { process.kill(process.ppid, 'SIGSTOP'); } catch { }"),
            "cpp": cpp("kill(getppid(), SIGSTOP);"),
        },
    ),
    Case(
        name="traces another process",
        outcome="passed",
        programs={
            "py": python("""
                libc = ctypes.CDLL(None)
                PTRACE_SEIZE = 0x4206
                for pid in (@PID@, os.getppid()):
                    if libc.ptrace(PTRACE_SEIZE, pid, None, None) == 0: worked()
            """),
            "cpp": cpp("""
                for (pid_t pid : {@PID@, getppid()}) if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) worked();
            """),
        },
        without={"java": "it has no such call", "js": "it has no such call"},
    ),
    Case(
        name="reads the memory of another process",
        outcome="passed",
        programs={
            "py": python("""
                for pid in ('@PID@', str(os.getppid())):
                    try:
                        start = int(open(f'/proc/{pid}/maps').readline().split('-')[0], 16)
                        if os.pread(os.open(f'/proc/{pid}/mem', os.O_RDONLY), 16, start): worked()
                    except OSError:
                        pass
            """),
            "java": java("""
                for (String pid : List.of("@PID@", "" + ProcessHandle.current().parent().map(ProcessHandle::pid).orElse(1L)))
                    try (RandomAccessFile memory = new RandomAccessFile("/proc/" + pid + "/mem", "r")) {
                        String map = Files.readAllLines(Path.of("/proc/" + pid + "/maps")).get(0);
                        memory.seek(Long.parseLong(map.substring(0, map.indexOf('-')), 16));
                        if (memory.read() >= 0) worked();
                    } catch (IOException refused) {
                    }
            """),
            "js": javascript("""
                for (const pid of ['@PID@', process.ppid]) {
                    let memory = 0;
                    try {
                        const start = parseInt(fs.readFileSync(`/proc/${pid}/maps`, 'latin1'), 16);
                        memory = fs.readSync(fs.openSync(`/proc/${pid}/mem`, 'r'), Buffer.alloc(16), 0, 16, start);
                    } catch { }
                    if (memory) worked();
                }
            """),
            "cpp": cpp("""
                for (pid_t pid : {@PID@, getppid()}) {
                    unsigned long start = 0;
                    FILE* maps = fopen(("/proc/" + std::to_string(pid) + "/maps").c_str(), "r");
                    if (!maps || fscanf(maps, "%lx", &start) != 1) continue;
                    int memory = open(("/proc/" + std::to_string(pid) + "/mem").c_str(), O_RDONLY);
                    char kept[16];
                    if (pread(memory, kept, 16, (off_t)start) > 0) worked();
                }
            """),
        },
    ),
    Case(
        name="looks for other processes",
        outcome="passed",
        programs={
            "py": python("""
                import glob
                for path in glob.glob('/proc/[0-9]*/cmdline') + glob.glob('/proc/[0-9]*/environ'):
                    try:
                        if path.split('/')[2] != str(os.getpid()) and b'@WORD@' in open(path, 'rb').read(): worked()
                    except OSError:
                        pass
            """),
            "java": java("""
                for (File process : new File("/proc").listFiles((folder, name) -> name.matches("[0-9]+")))
                    if (!process.getName().equals("" + ProcessHandle.current().pid()))
                        try {
                            if (Files.readString(process.toPath().resolve("cmdline")).contains("@WORD@")) worked();
                        } catch (IOException refused) {
                        }
            """),
            "js": javascript("""
                for (const pid of fs.readdirSync('/proc').filter((name) => /^[0-9]+$/.test(name))) {
                    let found = '';
                    try { found = fs.readFileSync(`/proc/${pid}/cmdline`, 'latin1'); } catch { }
                    if (pid !== `${process.pid}` && found.includes('@WORD@')) worked();
                }
            """),
            "cpp": cpp("""
                DIR* processes = opendir("/proc");
                while (dirent* entry = readdir(processes)) {
                    if (atoi(entry->d_name) == 0 || atoi(entry->d_name) == getpid()) continue;
                    int file = open(("/proc/" + std::string(entry->d_name) + "/cmdline").c_str(), O_RDONLY);
                    char kept[4096] = {};
                    ssize_t count = read(file, kept, sizeof kept);
                    close(file);
                    if (count > 0 && std::string(kept, count).find("@WORD@") != std::string::npos) worked();
                }
            """),
        },
    ),
    Case(
        name="reads the host's variables",
        outcome="passed",
        programs={
            "py": python("if '@WORD@' in os.environ.values(): worked()"),
            "java": java('if (System.getenv().containsValue("@WORD@")) worked();'),
            "js": javascript("if (Object.values(process.env).includes('@WORD@')) worked();"),
            "cpp": cpp(
                """
                for (char** variable = environ; *variable; variable++) if (strstr(*variable, "@WORD@")) worked();
                """
            ),
        },
    ),
    Case(
        name="reads answers and home folders",
        outcome="passed",
        programs={
            "py": python("""
                for folder in (os.path.expanduser('~'), '/root', '/home', '/work', '/tmp/home', os.path.dirname('@FILE@'), '..'):
                    try:
                        for name in os.listdir(folder):
                            path = os.path.join(folder, name)
                            if os.path.isfile(path) and '@WORD@' in open(path, errors='replace').read(10_000): worked()
                    except OSError:
                        pass
            """),
            "java": java("""
                for (String folder : List.of(System.getenv("HOME"), "/root", "/home", "/work", "/tmp/home", "..")) {
                    File[] files = new File(folder).listFiles(File::isFile);
                    for (File file : files == null ? new File[0] : files)
                        if (new String(Files.readAllBytes(file.toPath())).contains("@WORD@")) worked();
                }
                if (Files.isReadable(Path.of("@FILE@"))) worked();
            """),
            "js": javascript("""
                for (const folder of [process.env.HOME, '/root', '/home', '/work', '/tmp/home', '..']) {
                    let names = [];
                    try { names = fs.readdirSync(folder); } catch { }
                    for (const name of names) {
                        let found = '';
                        try { found = fs.readFileSync(`${folder}/${name}`, 'latin1'); } catch { }
                        if (name.endsWith('.txt') && found.includes('@WORD@')) worked();
                    }
                }
                if (fs.existsSync('@FILE@')) worked();
            """),
            "cpp": cpp("""
                for (std::string path : {std::string(getenv("HOME")) + "/answers.txt", std::string("@FILE@")}) {
                    char kept[4096] = {};
                    if (read(open(path.c_str(), O_RDONLY), kept, sizeof kept - 1) > 0 && strstr(kept, "@WORD@")) worked();
                }
            """),
        },
    ),
    Case(
        name="reads what only the superuser may",
        needs_superuser=True,
        outcome="passed",
        programs={
            "py": python("""
                for path in ('/etc/shadow', '/proc/1/root/etc/shadow', '/proc/self/root/etc/shadow', '/proc/kcore'):
                    try:
                        if open(path, 'rb').read(1): worked()
                    except OSError:
                        pass
            """),
            "java": java("""
                for (String path : List.of("/etc/shadow", "/proc/1/root/etc/shadow", "/proc/kcore"))
                    try (InputStream file = new FileInputStream(path)) {
                        if (file.read() >= 0) worked();
                    } catch (IOException refused) {
                    }
            """),
            "js": javascript("""
                for (const path of ['/etc/shadow', '/proc/1/root/etc/shadow', '/proc/kcore']) {
                    let count = 0;
                    try { count = fs.readSync(fs.openSync(path), Buffer.alloc(1)); } catch { }
                    if (count) worked();
                }
            """),
            "cpp": cpp("""
                char kept;
                for (const char* path : {"/etc/shadow", "/proc/1/root/etc/shadow", "/proc/kcore"})
                    if (read(open(path, O_RDONLY), &kept, 1) > 0) worked();
            """),
        },
    ),
    Case(
        name="becomes the superuser",
        outcome="passed",
        programs={
            "py": python("""
                try:
                    os.setresuid(0, 0, 0)
                except OSError:
                    pass
                else:
                    worked()
            """),
            "js": javascript("""
                try { process.setuid(0); } catch { }
                if (process.getuid() === 0) worked();
            """),
            "cpp": cpp("if (setresuid(0, 0, 0) == 0) worked();"),
        },
        without={"java": "it has no such call"},
    ),
    Case(
        name="changes its root",
        outcome="passed",
        programs={
            "py": python("""
                os.mkdir('root')
                try:
                    os.chroot('root')
                except OSError:
                    pass
                else:
                    worked()
            """),
            "js": javascript("""
                if (shell('mkdir root && /usr/sbin/chroot . /bin/true 2>&1').includes('failed to run')) worked();
            """),
            "cpp": cpp('if (chroot("/tmp") == 0) worked();'),
        },
        without=_BY_TOOL,
    ),
    Case(
        name="makes namespaces",
        outcome="passed",
        programs={
            "py": python("""
                libc = ctypes.CDLL(None)
                for kind in (0x10000000, 0x20000, 0x20000000, 0x40000000):
                    if libc.unshare(kind) == 0: worked()
            """),
            "js": javascript(
                "if (shell('unshare --user --map-root-user id -u; unshare --mount id -u').length) worked();"
            ),
            "cpp": cpp("""
                for (int kind : {CLONE_NEWUSER, CLONE_NEWNS, CLONE_NEWPID, CLONE_NEWNET}) {
                    if (unshare(kind) == 0) worked();
                    pid_t child = (pid_t)syscall(SYS_clone, kind | SIGCHLD, 0, 0, 0, 0);
                    if (child == 0) _exit(0);
                    if (child > 0) worked();
                }
            """),
        },
        without=_BY_TOOL,
    ),
    Case(
        name="mounts",
        outcome="passed",
        programs={
            "py": python("""
                libc = ctypes.CDLL(None)
                os.mkdir('place')
                if libc.mount(b'none', b'place', b'tmpfs', 0, None) == 0: worked()
                if libc.umount2(b'/proc', 2) == 0: worked()
            """),
            "js": javascript(
                "if (shell('mkdir place && mount -t tmpfs none place && echo mounted').length) worked();"
            ),
            "cpp": cpp("""
                mkdir("place", 0700);
                if (mount("none", "place", "tmpfs", 0, nullptr) == 0 || umount2("/proc", MNT_DETACH) == 0) worked();
            """),
        },
        without=_BY_TOOL,
    ),
    Case(
        name="makes a device",
        needs_superuser=True,
        outcome="passed",
        programs={
            "py": python("""
                try:
                    os.mknod('disk', 0o60600, os.makedev(254, 0))
                except OSError:
                    pass
                else:
                    worked()
            """),
            "js": javascript("if (shell('mknod disk b 254 0 && echo made').length) worked();"),
            "cpp": cpp('if (mknod("disk", S_IFBLK | 0600, makedev(254, 0)) == 0) worked();'),
        },
        without=_BY_TOOL,
    ),
    Case(
        name="renames the machine",
        outcome="passed",
        programs={
            "py": python("""
                try:
                    socket.sethostname('renamed')
                except OSError:
                    pass
                else:
                    worked()
            """),
            "js": javascript("if (shell('hostname renamed && hostname').includes('renamed')) worked();"),
            "cpp": cpp('if (sethostname("renamed", 7) == 0) worked();'),
        },
        without=_BY_TOOL,
    ),
    Case(
        name="sets the clock",
        needs_superuser=True,
        # It tunes the clock to what it is tuned to already, which takes the same right and changes nothing.
        outcome="passed",
        programs={
            "py": python("""
                class Timex(ctypes.Structure):
                    _fields_ = [('modes', ctypes.c_uint), ('offset', ctypes.c_long), ('freq', ctypes.c_long),
                                ('rest', ctypes.c_byte * 256)]
                libc, timex = ctypes.CDLL(None), Timex()
                libc.adjtimex(ctypes.byref(timex))
                timex.modes = 2
                if libc.adjtimex(ctypes.byref(timex)) >= 0: worked()
            """),
            "cpp": cpp("""
                timex state = {};
                adjtimex(&state);
                state.modes = ADJ_FREQUENCY;
                if (adjtimex(&state) >= 0) worked();
            """),
        },
        without={"java": "it has no such call", "js": "it has no such call"},
    ),
    Case(
        name="restarts the machine",
        # Without a sandbox, but in a container, it ends the container.
        outcome="passed",
        evidence="machine restarted",
        programs={
            "py": python("ctypes.CDLL(None).reboot(0x1234567)"),
            "cpp": cpp("reboot(RB_AUTOBOOT);"),
        },
        without={"java": "it has no such call", "js": "it has no such call"},
    ),
    Case(
        name="asks the kernel for what no test needs",
        outcome="passed",
        programs={
            "py": python("""
                libc = ctypes.CDLL(None)
                for number in {'x86_64': (425, 250), 'aarch64': (425, 219)}[os.uname().machine]:
                    parameters = ctypes.create_string_buffer(256)
                    if libc.syscall(number, 1, parameters, 0, 0, 0) >= 0: worked()
            """),
            "cpp": cpp("""
                char parameters[256] = {};
                if (syscall(SYS_io_uring_setup, 1, parameters) >= 0 || syscall(SYS_keyctl, 1, nullptr) >= 0) worked();
            """),
        },
        without={"java": "it has no such call", "js": "it has no such call"},
    ),
)
