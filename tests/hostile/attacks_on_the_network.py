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
    Case(
        name="opens a socket of no namespace",
        outcome="passed",
        programs={
            "py": python("""
                for family in range(48):
                    for protocol in range(1 if family == 16 else 0, 22):
                        for kind in (1, 2, 3, 5):
                            if family in (1, 2, 10): continue
                            try:
                                socket.socket(family, kind, protocol)
                            except OSError:
                                continue
                            worked()
            """),
            "cpp": cpp("""
                int pair[2];
                for (int family = 0; family < 48; family++)
                    for (int protocol = family == AF_NETLINK; protocol < 22; protocol++)
                        for (int kind : {SOCK_STREAM, SOCK_DGRAM, SOCK_RAW, SOCK_SEQPACKET})
                            if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
                                if (socket(family, kind, protocol) >= 0 || socketpair(family, kind, protocol, pair) == 0) worked();
            """),
        },
        without={"java": "it has no such sockets", "js": "it has no such sockets"},
    ),
)
