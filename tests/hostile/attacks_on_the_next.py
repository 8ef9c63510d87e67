# ruff: noqa: E501 - a program reads better unbroken
"""The next program: modules, caches and files that wait for it."""

from __future__ import annotations

from tests.hostile.attack_cases import Case, by_shell, cpp, java, javascript, python

_POISON = (
    "for file in $(find /flextune /tmp/cache /etc /opt /var/lib -type f 2>/dev/null); do "
    "if [ -w $file ]; then echo poisoned >$file; fi; done"
)

CASES = (
    Case(
        name="leaves a module for the next program",
        outcome="passed",
        evidence="the next program",
        programs={
            "py": python("""
                for folder in {'.', os.path.dirname(os.path.abspath(__file__)), '/tmp', os.path.expanduser('~')}:
                    try:
                        with open(f'{folder}/colorsys.py', 'w') as file: file.write("raise RuntimeError('WOR' + 'KED')")
                    except OSError:
                        pass
            """),
            "java": java(
                """
                byte[] content = Problem.class.getResourceAsStream("Planted.class").readAllBytes();
                for (String folder : List.of(".", "/tmp", System.getProperty("user.home")))
                    try { Files.write(Path.of(folder, "Planted.class"), content); } catch (IOException refused) { }
                """
            )
            + "class Planted { }\n",
            "js": javascript("""
                for (const folder of ['.', __dirname, '/tmp', process.env.HOME])
                    try {
                        fs.mkdirSync(`${folder}/node_modules`, { recursive: true });
                        fs.writeFileSync(`${folder}/node_modules/planted.js`, "throw new Error('WOR' + 'KED');");
                    } catch { }
            """),
            "cpp": cpp("""
                for (std::string folder : {"./", "/tmp/"})
                    if (FILE* file = fopen((folder + "planted.h").c_str(), "w")) {
                        fputs("#include <cstdio>\\nint planted = puts(\\"WOR\\" \\"KED\\");\\n", file);
                        fclose(file);
                    }
            """),
        },
        followers={
            "py": "import colorsys\nassert colorsys.rgb_to_hsv(0, 0, 0) == (0, 0, 0)\n",
            "java": java("""
                try {
                    Class.forName("Planted");
                } catch (ClassNotFoundException right) {
                    return;
                }
                worked();
            """),
            "js": (
                "try { require('planted'); } catch (error) { if (error.code !== 'MODULE_NOT_FOUND') throw error; }\n"
            ),
            "cpp": '#if __has_include("planted.h")\n#include "planted.h"\n#endif\nint main() {}\n',
        },
    ),
    Case(
        name="leaves a file for the next program",
        outcome="passed",
        evidence="the next program",
        programs={
            "py": python("for path in ('left', '/tmp/left'): open(path, 'w').write('left')"),
            "java": java(
                'for (String path : List.of("left", "/tmp/left")) Files.writeString(Path.of(path), "left");'
            ),
            "js": javascript("for (const path of ['left', '/tmp/left']) fs.writeFileSync(path, 'left');"),
            "cpp": cpp('for (const char* path : {"left", "/tmp/left"}) fputs("left", fopen(path, "w"));'),
        },
        followers={
            "py": python("if os.path.exists('left') or os.path.exists('/tmp/left'): worked()"),
            "java": java('if (new File("left").exists() || new File("/tmp/left").exists()) worked();'),
            "js": javascript("if (fs.existsSync('left') || fs.existsSync('/tmp/left')) worked();"),
            "cpp": cpp('if (access("left", F_OK) == 0 || access("/tmp/left", F_OK) == 0) worked();'),
        },
    ),
    Case(
        name="leaves a process that waits for the next program",
        outcome="passed",
        evidence="the next program",
        programs={
            "py": python("""
                if os.fork() == 0:
                    os.setsid()
                    listener = socket.create_server(('127.0.0.1', 45671))
                    os.closerange(0, 3)
                    time.sleep(20)
                    os._exit(0)
                time.sleep(0.3)
            """),
            "java": java("""
                if (args.length > 0) { new ServerSocket(45671); Thread.sleep(20000); }
                String self = ProcessHandle.current().info().command().get();
                new ProcessBuilder(self, "-cp", System.getProperty("java.class.path"), "Problem", "listen").start();
                Thread.sleep(1000);
            """),
            "js": javascript("""
                const script = "require('net').createServer().listen(45671); setTimeout(process.exit, 20000)";
                spawn(process.execPath, ['-e', script], { stdio: 'ignore', detached: true }).unref();
                setTimeout(() => {}, 500);
            """),
            "cpp": cpp("""
                if (fork() == 0) {
                    setsid();
                    sockaddr_in place = {};
                    place.sin_family = AF_INET;
                    place.sin_port = htons(45671);
                    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                    int listener = socket(AF_INET, SOCK_STREAM, 0);
                    if (bind(listener, (sockaddr*)&place, sizeof place) || listen(listener, 9)) _exit(1);
                    for (int n = 0; n < 3; n++) close(n);
                    sleep(20);
                    _exit(0);
                }
                usleep(300000);
            """),
        },
        followers={
            "py": python("if socket.socket().connect_ex(('127.0.0.1', 45671)) == 0: worked()"),
            "java": java("""
                try { new Socket("127.0.0.1", 45671); } catch (IOException right) { return; }
                worked();
            """),
            "js": javascript("require('net').connect(45671, '127.0.0.1', worked).on('error', () => {});"),
            "cpp": cpp("""
                sockaddr_in place = {};
                place.sin_family = AF_INET;
                place.sin_port = htons(45671);
                place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                if (connect(socket(AF_INET, SOCK_STREAM, 0), (sockaddr*)&place, sizeof place) == 0) worked();
            """),
        },
    ),
    Case(
        name="leaves shared memory for the next program",
        outcome="passed",
        evidence="the next program",
        programs={
            "py": python("ctypes.CDLL(None).shmget(0x5eed, 4096, 0o1666)"),
            "cpp": cpp("shmget(0x5eed, 4096, IPC_CREAT | 0666);"),
        },
        followers={
            "py": python("if ctypes.CDLL(None).shmget(0x5eed, 4096, 0) >= 0: worked()"),
            "cpp": cpp("if (shmget(0x5eed, 4096, 0) >= 0) worked();"),
        },
        without={"java": "it has no such call", "js": "it has no such call"},
    ),
    Case(
        name="poisons what is kept for later programs",
        outcome="passed",
        evidence="cache",
        programs=by_shell(_POISON),
    ),
)
