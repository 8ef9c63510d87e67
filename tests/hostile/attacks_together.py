# ruff: noqa: E501 - a program reads better unbroken
"""Two programs that run at the same time and look for one another, as parallel runs of one judge do."""

from __future__ import annotations

from dataclasses import dataclass

from tests.hostile.attack_cases import cpp, java, javascript, python


@dataclass(frozen=True)
class Meeting:
    """One program waits, the other comes; either says ``WORKED`` when they meet, and ends well when they do not.

    Attributes:
        name: How they would meet.
        waits: Language to the program that waits, for at most a second.
        comes: Language to the program that comes, again and again for that second.
    """

    name: str
    waits: dict[str, str]
    comes: dict[str, str]


_PLACE = """
    sockaddr_in place = {};
    place.sin_family = AF_INET;
    place.sin_port = htons(45673);
    place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
"""

MEETINGS = (
    Meeting(
        "a port",
        waits={
            "py": python("""
                listener = socket.create_server(('127.0.0.1', 45673))
                listener.settimeout(1.2)
                try:
                    listener.accept()
                except TimeoutError:
                    pass
                else:
                    worked()
            """),
            "java": java("""
                ServerSocket listener = new ServerSocket(45673);
                listener.setSoTimeout(1200);
                try { listener.accept(); } catch (SocketTimeoutException nobody) { return; }
                worked();
            """),
            "js": javascript("""
                const listener = require('net').createServer(worked).listen(45673, '127.0.0.1');
                setTimeout(() => listener.close(), 1200);
            """),
            "cpp": cpp(
                _PLACE
                + """
                int listener = socket(AF_INET, SOCK_STREAM, 0);
                timeval second = {1, 200000};
                setsockopt(listener, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof second);
                if (bind(listener, (sockaddr*)&place, sizeof place) || listen(listener, 5)) return 3;
                if (accept(listener, nullptr, nullptr) >= 0) worked();
                """
            ),
        },
        comes={
            "py": python("""
                for _ in range(12):
                    if socket.socket().connect_ex(('127.0.0.1', 45673)) == 0: worked()
                    time.sleep(0.1)
            """),
            "java": java("""
                for (int n = 0; n < 12; n++, Thread.sleep(100)) {
                    try { new Socket("127.0.0.1", 45673); } catch (IOException nobody) { continue; }
                    worked();
                }
            """),
            "js": javascript("""
                let count = 0;
                const timer = setInterval(() => {
                    require('net').connect(45673, '127.0.0.1', worked).on('error', () => {});
                    if (++count === 12) clearInterval(timer);
                }, 100);
            """),
            "cpp": cpp(
                _PLACE
                + """
                for (int n = 0; n < 12; n++, usleep(100000))
                    if (connect(socket(AF_INET, SOCK_STREAM, 0), (sockaddr*)&place, sizeof place) == 0) worked();
                """
            ),
        },
    ),
    Meeting(
        "a file",
        waits={
            "py": python("""
                for _ in range(12):
                    if os.path.exists('/tmp/met'): worked()
                    time.sleep(0.1)
            """),
            "java": java(
                'for (int n = 0; n < 12; n++, Thread.sleep(100)) if (new File("/tmp/met").exists()) worked();'
            ),
            "js": javascript("""
                let count = 0;
                const timer = setInterval(() => {
                    if (fs.existsSync('/tmp/met')) worked();
                    if (++count === 12) clearInterval(timer);
                }, 100);
            """),
            "cpp": cpp(
                'for (int n = 0; n < 12; n++, usleep(100000)) if (access("/tmp/met", F_OK) == 0) worked();'
            ),
        },
        comes={
            "py": python("open('/tmp/met', 'w')\ntime.sleep(1.2)"),
            "java": java('new File("/tmp/met").createNewFile();\nThread.sleep(1200);'),
            "js": javascript("fs.writeFileSync('/tmp/met', '');\nsetTimeout(() => {}, 1200);"),
            "cpp": cpp('fclose(fopen("/tmp/met", "w"));\nusleep(1200000);'),
        },
    ),
)
