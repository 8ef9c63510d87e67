# ruff: noqa: E501 - a program reads better unbroken
"""Forged verdicts in Java."""

from __future__ import annotations

from tests.hostile.forgeries import MARKER, Forgery, java

_NOTHING = "return new ArrayList<>();"
_HUNT = """
    Set<String> found = new HashSet<>();
    try (BufferedReader maps = new BufferedReader(new FileReader("/proc/self/maps"));
            RandomAccessFile memory = new RandomAccessFile("/proc/self/mem", "r")) {
        byte[] content = new byte[1 << 20];
        for (String line; (line = maps.readLine()) != null;) {
            String[] ends = line.split(" ")[0].split("-");
            if (!line.contains(" rw") || ends[0].length() > 15) continue;
            long end = Long.parseLong(ends[1], 16);
            for (long start = Long.parseLong(ends[0], 16); start < end; start += content.length - 64) {
                memory.seek(start);
                int count = 0, run = 0;
                try { count = memory.read(content, 0, (int) Math.min(content.length, end - start)); } catch (IOException e) { }
                for (int n = 0; n < count; n++) {
                    int c = content[n];
                    run = c >= '0' && c <= '9' || c >= 'a' && c <= 'f' ? run + 1 : 0;
                    if (run == 32) found.add(new String(content, n - 31, 32, "ISO-8859-1"));
                }
            }
        }
        FileOutputStream reports = new FileOutputStream("/dev/fd/4");
        // Runtimes know rows of digits; a secret has letters too. The other such row marks the tests, as a property.
        for (String secret : found)
            if (!secret.matches("[0-9]*") && System.getProperty(secret) == null) reports.write(secret.getBytes());
    } catch (IOException e) {
        throw new Error(e);
    }
    Runtime.getRuntime().halt(0);
    return null;
"""
_OFF = """
    static {
        try {
            Field field = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
            field.setAccessible(true);
            sun.misc.Unsafe unsafe = (sun.misc.Unsafe) field.get(null);
            Field disabled = Problem.class.getDeclaredField("$assertionsDisabled");
            unsafe.putBoolean(unsafe.staticFieldBase(disabled), unsafe.staticFieldOffset(disabled), true);
        } catch (ReflectiveOperationException e) {
            throw new Error(e);
        }
    }
"""
_EQUAL = """
    static class Equal extends ArrayList<Long> {
        public boolean equals(Object other) { return true; }
    }
"""

CASES = (
    Forgery("leaves when called", java(f"System.exit(0);\n{_NOTHING}"), "ended_early"),
    Forgery("halts when called", java(f"Runtime.getRuntime().halt(0);\n{_NOTHING}"), "ended_early"),
    Forgery("leaves while its class loads", java(_NOTHING, "static { System.exit(0); }"), "ended_early"),
    Forgery(
        "halts while its class loads",
        java(_NOTHING, "static { Runtime.getRuntime().halt(0); }"),
        "ended_early",
    ),
    Forgery(
        "halts in a shutdown hook",
        java(
            _NOTHING,
            "static { Runtime.getRuntime().addShutdownHook(new Thread(() -> Runtime.getRuntime().halt(0))); }",
        ),
        "ended_early",
    ),
    Forgery(
        "halts in a thread",
        java(
            f"while (a > -99) {{}}\n{_NOTHING}",
            "static { new Thread(() -> Runtime.getRuntime().halt(0)).start(); }",
        ),
        "ended_early",
    ),
    Forgery(
        "handles what nobody catches",
        java(
            _NOTHING,
            "static { Thread.setDefaultUncaughtExceptionHandler((thread, error) -> Runtime.getRuntime().halt(0)); }",
        ),
        "ended_early",
    ),
    Forgery(
        "prints the marker",
        java(f'System.out.println("{MARKER}");\nSystem.exit(0);\n{_NOTHING}'),
        "ended_early",
        fooled="marker",
    ),
    Forgery(
        "writes the marker to every descriptor",
        java(f"""
            for (int descriptor = 0; descriptor < 64; descriptor++)
                for (String text : List.of("SR", "{MARKER}", "f".repeat(32)))
                    try (FileOutputStream out = new FileOutputStream("/dev/fd/" + descriptor)) {{
                        out.write(text.getBytes());
                    }} catch (IOException e) {{
                    }}
            Runtime.getRuntime().halt(0);
            {_NOTHING}
        """),
        "ended_early",
        fooled="marker",
    ),
    Forgery("an object that equals everything", java("return new Equal();", _EQUAL), "passed"),
    Forgery("switches assertions off", java(_NOTHING, _OFF), "passed"),
    Forgery(
        "a class in the place of one that the tests use",
        java("return new ArrayList<Long>();", "").replace("return", "return (ArrayList<Long>)")
        + "    }\n    static class Arrays { static List<Long> asList(long... all) { return List.of(); }\n",
        "passed",
    ),
    Forgery("hunts for the secret in memory", java(_HUNT), "passed", fooled="default"),
)
