# ruff: noqa: E501 - a program reads better unbroken
"""The network: whatever listens on the machine, and names."""

from __future__ import annotations

from tests.hostile.attack_cases import Case, cpp, java, javascript, python

CASES = (
    Case(
        name="connects by TCP",
        outcome="passed",
        evidence="tcp",
        programs={
            "py": python("""
                try:
                    socket.create_connection(('127.0.0.1', @TCP@), 1)
                except OSError:
                    pass
            """),
            "java": java('try { new Socket("127.0.0.1", @TCP@); } catch (IOException refused) { }'),
            "js": javascript("""
                const connection = require('net').connect(@TCP@, '127.0.0.1', () => connection.destroy());
                connection.on('error', () => {});
            """),
            "cpp": cpp("""
                sockaddr_in place = {};
                place.sin_family = AF_INET;
                place.sin_port = htons(@TCP@);
                place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                connect(socket(AF_INET, SOCK_STREAM, 0), (sockaddr*)&place, sizeof place);
            """),
        },
    ),
    Case(
        name="sends by UDP",
        outcome="passed",
        evidence="udp",
        programs={
            "py": python(
                "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', @UDP@))"
            ),
            "java": java("""
                new DatagramSocket().send(new DatagramPacket(new byte[1], 1, InetAddress.getByName("127.0.0.1"), @UDP@));
            """),
            "js": javascript("""
                const mail = require('dgram').createSocket('udp4');
                mail.send('x', @UDP@, '127.0.0.1', () => mail.close());
            """),
            "cpp": cpp("""
                sockaddr_in place = {};
                place.sin_family = AF_INET;
                place.sin_port = htons(@UDP@);
                place.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
                sendto(socket(AF_INET, SOCK_DGRAM, 0), "x", 1, 0, (sockaddr*)&place, sizeof place);
            """),
        },
    ),
    Case(
        name="asks a name server",
        outcome="passed",
        evidence="dns",
        seconds=6,
        programs={
            "py": python("""
                try:
                    socket.gethostbyname('canary.example.org')
                except OSError:
                    pass
                else:
                    worked()
            """),
            "java": java("""
                try {
                    InetAddress.getByName("canary.example.org");
                } catch (UnknownHostException refused) {
                    return;
                }
                worked();
            """),
            "js": javascript("""
                require('dns').lookup('canary.example.org', (error) => { if (!error) worked(); });
            """),
            "cpp": cpp("""
                addrinfo* found;
                if (getaddrinfo("canary.example.org", nullptr, nullptr, &found) == 0) worked();
            """),
        },
    ),
    Case(
        name="connects to an abstract socket",
        outcome="passed",
        evidence="abstract socket",
        programs={
            "py": python("""
                try:
                    socket.socket(socket.AF_UNIX).connect('\\0@WORD@')
                except OSError:
                    pass
            """),
            "cpp": cpp("""
                sockaddr_un place = {};
                place.sun_family = AF_UNIX;
                const std::string name = "@WORD@";
                memcpy(place.sun_path + 1, name.data(), name.size());
                socklen_t size = (socklen_t)(offsetof(sockaddr_un, sun_path) + 1 + name.size());
                connect(socket(AF_UNIX, SOCK_STREAM, 0), (sockaddr*)&place, size);
            """),
        },
        without={"java": "it has no abstract sockets", "js": "it has no abstract sockets in every version"},
    ),
)
