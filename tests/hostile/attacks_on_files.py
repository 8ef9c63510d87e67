# ruff: noqa: E501 - a program reads better unbroken
"""Files: too large, too many, of kinds that a judge does not expect, and in the judge's way."""

from __future__ import annotations

from tests.hostile.attack_cases import Case, by_shell, cpp, java, javascript, python

# A folder of a thousand levels, closed at its end, beside names that are hard to say.
_DEEP = 'mkdir -p $(printf "d/%.0s" $(seq 1100)) && touch "$(printf "\\377")" && chmod 0 $(printf "d/%.0s" $(seq 1100))'
# Everything that can be reached by a name, from the folder in which a judge keeps its result.
_LINKS = "for name in result.txt verdicts.jsonl ../result.txt ../verdicts.jsonl; do ln -sf @FILE@ $name; done"
_HARD_LINKS = "for name in result.txt verdicts.jsonl; do rm -f $name; ln @FILE@ $name; done"
_PIPES = "for name in result.txt verdicts.jsonl; do mkfifo $name; done"


CASES = (
    Case(
        name="huge file",
        outcome="passed",
        programs={
            "py": python("""
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                try:
                    with open('huge', 'wb', buffering=0) as file:
                        for _ in range(300): assert file.write(b'x' * 1_000_000) == 1_000_000
                except (OSError, AssertionError):
                    pass
                else:
                    worked()
            """),
            "java": java("""
                try (FileOutputStream file = new FileOutputStream("huge")) {
                    for (int n = 0; n < 300; n++) file.write(new byte[1_000_000]);
                } catch (IOException refused) {
                    return;
                }
                worked();
            """),
            "js": javascript("""
                process.on('SIGXFSZ', () => {});
                const file = fs.openSync('huge', 'w'), piece = Buffer.alloc(1_000_000, 1);
                let written = 0;
                try {
                    for (let n = 0; n < 300; n++) written += fs.writeSync(file, piece);
                } catch { }
                if (written === 300_000_000) worked();
            """),
            "cpp": cpp("""
                signal(SIGXFSZ, SIG_IGN);
                int file = open("huge", O_CREAT | O_WRONLY, 0600);
                std::string piece(1'000'000, 'x');
                for (int n = 0; n < 300; n++) if (write(file, piece.data(), piece.size()) != 1'000'000) return 0;
                worked();
            """),
        },
    ),
    Case(
        name="sparse file",
        outcome="passed",
        programs={
            "py": python("""
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                try:
                    os.truncate(os.open('sparse', os.O_CREAT | os.O_WRONLY), 2**40)
                except OSError:
                    pass
                else:
                    worked()
            """),
            "java": java("""
                try (RandomAccessFile file = new RandomAccessFile("sparse", "rw")) {
                    file.setLength(1L << 40);
                } catch (IOException refused) {
                    return;
                }
                worked();
            """),
            "js": javascript("""
                process.on('SIGXFSZ', () => {});
                try { fs.ftruncateSync(fs.openSync('sparse', 'w'), 2 ** 40); } catch { process.exitCode = 0; }
                if (fs.statSync('sparse').size) worked();
            """),
            "cpp": cpp("""
                signal(SIGXFSZ, SIG_IGN);
                if (ftruncate(open("sparse", O_CREAT | O_WRONLY, 0600), 1L << 40) == 0) worked();
            """),
        },
    ),
    Case(
        name="a file for every page",
        outcome="passed",
        programs={
            "py": python("""
                try:
                    for number in range(6000): os.close(os.open(f'/tmp/{number}', os.O_CREAT | os.O_WRONLY))
                except OSError:
                    pass
                else:
                    worked()
            """),
            "java": java("""
                try {
                    for (int n = 0; n < 6000; n++) new File("/tmp/" + n).createNewFile();
                } catch (IOException refused) {
                    return;
                }
                worked();
            """),
            "js": javascript("""
                let count = 0;
                try {
                    for (; count < 6000; count++) fs.closeSync(fs.openSync(`/tmp/${count}`, 'w'));
                } catch { }
                if (count === 6000) worked();
            """),
            "cpp": cpp("""
                for (int n = 0; n < 6000; n++) {
                    int file = open(("/tmp/" + std::to_string(n)).c_str(), O_CREAT | O_WRONLY, 0600);
                    if (file < 0) return 0;
                    close(file);
                }
                worked();
            """),
        },
    ),
    Case(
        name="folders that are hard to remove",
        outcome="passed",
        evidence="left files",
        programs=by_shell(_DEEP),
    ),
    Case(
        name="symbolic links where the result goes",
        outcome="passed",
        evidence="file",
        programs=by_shell(_LINKS),
    ),
    Case(
        name="hard links where the result goes",
        outcome="passed",
        evidence="file",
        programs=by_shell(_HARD_LINKS),
    ),
    Case(
        name="pipes where the result goes",
        outcome="passed",
        evidence="result blocked",
        programs=by_shell(_PIPES),
    ),
    Case(
        name="every descriptor",
        outcome="passed",
        programs={
            "py": python("""
                kept = []
                try:
                    while len(kept) < 3000: kept.append(os.open('/dev/null', os.O_RDONLY))
                except OSError:
                    pass
                else:
                    worked()
                for number in kept: os.close(number)
            """),
            "java": java("""
                List<Closeable> kept = new ArrayList<>();
                try {
                    while (kept.size() < 3000) kept.add(new FileInputStream("/dev/null"));
                } catch (IOException refused) {
                }
                if (kept.size() == 3000) worked();
            """),
            "js": javascript("""
                const kept = [];
                try {
                    while (kept.length < 3000) kept.push(fs.openSync('/dev/null'));
                } catch { }
                if (kept.length === 3000) worked();
            """),
            "cpp": cpp("""
                int last = 0;
                for (int n = 0; n < 3000 && last >= 0; n++) last = open("/dev/null", O_RDONLY);
                if (last >= 0) worked();
            """),
        },
    ),
    Case(
        name="writes where nothing is its own",
        outcome="passed",
        programs={
            "py": python("""
                for path in ('/x', '/usr/x', '/etc/x', '/dev/x', '/home/x', '/root/x', '/var/x', '/run/x',
                             '/flextune/x', '/flextune/program/x', __file__):
                    try:
                        open(path, 'w')
                    except OSError:
                        continue
                    worked()
            """),
            "java": java("""
                for (String path : List.of("/x", "/usr/x", "/etc/x", "/dev/x", "/home/x", "/root/x", "/var/x", "/run/x",
                                           "/flextune/x", "/flextune/program/x", "/flextune/program/program.jar")) {
                    try { new FileOutputStream(path).close(); } catch (IOException refused) { continue; }
                    worked();
                }
            """),
            "js": javascript("""
                for (const path of ['/x', '/usr/x', '/etc/x', '/dev/x', '/home/x', '/root/x', '/var/x', '/run/x',
                                    '/flextune/x', '/flextune/program/x', __filename]) {
                    try { fs.writeFileSync(path, 'x'); } catch { continue; }
                    worked();
                }
            """),
            "cpp": cpp("""
                for (const char* path : {"/x", "/usr/x", "/etc/x", "/dev/x", "/home/x", "/root/x", "/var/x", "/run/x",
                                         "/flextune/x", "/flextune/program/x", "/proc/self/exe"})
                    if (open(path, O_CREAT | O_WRONLY, 0600) >= 0) worked();
            """),
        },
    ),
)
