"""Things that no program may reach, and whether one did; on the host, and in a control's own namespaces."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType

VARIABLE = "FLEXTUNE_CANARY"
#: The port of name servers, where a control listens; the host's is its own.
DNS_PORT = 53


class Canaries:
    """A file, a listener of every kind, a process and an environment variable, all with a word of their own.

    Args:
        folder: Where the file is put.
        name_server: Whether to take the name servers' port too.
    """

    def __init__(self, folder: Path, *, name_server: bool = False) -> None:
        self.word = f"canary-{secrets.token_hex(8)}"
        self.file = folder / "canary.txt"
        # As C++ sees it, an error that shows the word.
        self.file.write_text(f'#error "{self.word}"\n')
        self.file.chmod(0o640)
        os.utime(self.file, ns=(10**18, 10**18))
        self._file = self._look()
        self._tcp = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._udp = _datagrams(0)
        self._abstract = socket.socket(socket.AF_UNIX)
        self._abstract.bind(f"\0{self.word}")
        self._abstract.listen(64)
        self._listeners = {"tcp": self._tcp, "abstract socket": self._abstract}
        self._mailboxes = {"udp": self._udp}
        if name_server:
            self._mailboxes["dns"] = _datagrams(DNS_PORT)
        os.environ[VARIABLE] = self.word
        self._process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(3600)", self.word])

    def __enter__(self) -> Canaries:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for each in (*self._listeners.values(), *self._mailboxes.values()):
            each.close()
        self._process.kill()
        self._process.wait()
        self.file.unlink(missing_ok=True)
        os.environ.pop(VARIABLE, None)

    @property
    def pid(self) -> int:
        """The process."""
        return self._process.pid

    def fill(self, source: str) -> str:
        """``source`` with the canaries put in for ``@FILE@``, ``@WORD@``, ``@PID@`` and the ports."""
        places = {
            "@FILE@": str(self.file),
            "@WORD@": self.word,
            "@PID@": str(self.pid),
            "@TCP@": str(self._tcp.getsockname()[1]),
            "@UDP@": str(self._udp.getsockname()[1]),
        }
        for name, value in places.items():
            source = source.replace(name, value)
        return source

    def touched(self) -> set[str]:
        """What was reached since the last call; the word of the process stays once it is dead."""
        found = {name for name, listener in self._listeners.items() if _accepted(listener)}
        found |= {name for name, mailbox in self._mailboxes.items() if _received(mailbox)}
        if self._look() != self._file:
            found.add("file")
        if self._process.poll() is not None:
            found.add("process killed")
        elif _state(self.pid) in "Tt":
            found.add("process stopped")
        return found

    def _look(self) -> tuple[str, int, int, int] | None:
        try:
            status = self.file.stat()
            return self.file.read_text(), status.st_mode, status.st_mtime_ns, status.st_nlink
        except OSError:
            return None


def _datagrams(port: int) -> socket.socket:
    mailbox = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    mailbox.bind(("127.0.0.1", port))
    return mailbox


def _accepted(listener: socket.socket) -> bool:
    listener.setblocking(False)
    try:
        listener.accept()[0].close()
    except OSError:
        return False
    return True


def _received(mailbox: socket.socket) -> bool:
    try:
        return bool(mailbox.recv(1 << 16, socket.MSG_DONTWAIT))
    except OSError:
        return False


def _state(pid: int) -> str:
    # A signal is delivered when its receiver next runs.
    time.sleep(0.05)
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
