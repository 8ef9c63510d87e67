"""A program's network is its own, although it is made only when the program asks for a socket."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest

from flextune.judging import Limits, isolation
from flextune.judging.languages import python
from flextune.judging.sandbox.command import Command
from flextune.judging.sandbox.isolation import Isolation
from flextune.judging.sandbox.sandbox import Sandbox

pytestmark = pytest.mark.slow

LIMITS = Limits(cpu_seconds=5)
_RUNNER = Path(python.__file__).parent / "runners" / "runner.py"
#: Connections of every kind; some of them are still being closed at its end.
BUSY = """
import socket
listener = socket.socket()
listener.bind(('127.0.0.1', 8000))
listener.listen()
client = socket.create_connection(('127.0.0.1', 8000))
served, _ = listener.accept()
client.send(b'unread')
served.close()
for family, place in ((socket.AF_INET, ('127.0.0.1', 8001)), (socket.AF_INET6, ('::1', 8002))):
    mail = socket.socket(family, socket.SOCK_DGRAM)
    mail.bind(place)
    mail.sendto(b'mail', place)
named = socket.socket(socket.AF_UNIX)
named.bind('\\0name')
named.listen()
one, other = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
one.bind('\\0pair')
"""
#: What the kernel tells about the namespace in which a program starts; other lines are about the machine.
STATE = """
for name in 'netstat snmp snmp6 tcp udp unix dev'.split():
    try:
        print(name, open('/proc/net/' + name).read())
    except FileNotFoundError:
        pass
print(open('/proc/net/sockstat').readline())
"""


@pytest.fixture(params=["root", "user"])
def sandbox(request: pytest.FixtureRequest, sandboxed: None) -> Iterator[Sandbox]:
    kind: Literal["root", "user"] = request.param
    best = isolation()
    if best.kind == "user" and kind == "root":
        pytest.skip("not root")
    with Sandbox(Isolation(kind, best.bubblewrap)) as sandbox:
        yield sandbox


def said(sandbox: Sandbox, source: str) -> str:
    command = Command(("{program}/main.py",), {"main.py": source.encode()}, warm=_RUNNER)
    result = sandbox.run(command, LIMITS, bytes(32))
    assert (result.status, result.errors) == (0, b""), result.errors.decode()
    return result.output.decode()


def test_nothing_of_a_programs_sockets_is_left_for_the_next_one(sandbox: Sandbox) -> None:
    before = said(sandbox, STATE)
    for _ in range(2):
        # Without the option that takes addresses which are still being given up.
        said(sandbox, BUSY)
        assert said(sandbox, STATE) == before


def test_sockets_are_what_they_are_elsewhere(sandbox: Sandbox) -> None:
    source = """
import fcntl, os, select, socket
a = socket.socket()
assert (a.family, a.type, a.proto) == (socket.AF_INET, socket.SOCK_STREAM, 0)
# Python asks for both flags with the call.
assert not a.get_inheritable()
quick = socket.socket(type=socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
assert fcntl.fcntl(quick.fileno(), fcntl.F_GETFL) & os.O_NONBLOCK
assert [name for _, name in socket.if_nameindex()] == ['lo']
for wrong in ((99, 1, 0), (socket.AF_INET, 99, 0), (socket.AF_INET, socket.SOCK_RAW, 1), (40, 1, 0)):
    try: socket.socket(*wrong)
    except OSError: pass
    else: raise AssertionError(wrong)
kept = []
try:
    while True: kept.append(socket.socket())
except OSError as error:
    assert error.errno == 24, error
# Children have the same network.
a.bind(('127.0.0.1', 0)) or a.listen()
kept.clear()
if os.fork() == 0:
    socket.create_connection(a.getsockname()).send(b'child')
    os._exit(0)
print(a.accept()[0].recv(5))
"""
    assert said(sandbox, source) == "b'child'\n"


def test_many_threads_ask_at_once(sandbox: Sandbox) -> None:
    source = """
import socket, threading
opened = []
def ask():
    for _ in range(20):
        with socket.socket() as one: opened.append(one.fileno() > 2)
threads = [threading.Thread(target=ask) for _ in range(20)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(opened), all(opened))
"""
    assert said(sandbox, source) == "400 True\n"


def test_a_program_that_waits_for_sockets_for_ever_is_ended(sandbox: Sandbox) -> None:
    source = "import socket\nwhile True: socket.socket().close()\n"
    command = Command(("{program}/main.py",), {"main.py": source.encode()}, warm=_RUNNER)
    assert sandbox.run(command, Limits(cpu_seconds=1, wall_seconds=10), bytes(32)).breach in ("cpu", "wall")
