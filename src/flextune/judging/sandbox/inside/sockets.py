"""Makes a program's network namespace when it opens its first socket, which few do.

A network namespace costs more than all else of a program's start, and the kernel makes it and takes it down
under locks of the whole machine. So a program begins in the sandbox's network namespace, in which nobody ever
opens a socket of a network. Its calls of ``socket`` stop in the kernel (seccomp's user
notification, ``seccomp_unotify(2)``) until its leader answers. The leader moves to a fresh network namespace
first, opens the socket there, and hands it over as the result of the call. A socket belongs to the namespace
in which it was opened, and nothing of it outlives the program. (A signal with a handler that comes just then
can interrupt the call, which it elsewhere cannot.)
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import re
import socket
import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flextune.judging.sandbox.inside import confine, seccomp
else:
    import confine
    import seccomp

SECCOMP_SET_MODE_FILTER, NEW_LISTENER = 1, 1 << 3
#: The first kernel that hands over a descriptor as the result of a call.
KERNEL = (5, 14)
#: A call that was received is not interrupted by signals any more, from that kernel on.
WAIT_KILLABLE, KILLABLE_KERNEL = 1 << 5, (5, 19)
RECEIVE, SEND, ADD_DESCRIPTOR = 0xC0502100, 0xC0182101, 0x40182103
ANSWER_WITH_IT = 2
#: The calls ``seccomp`` and ``socket`` on x86-64 and arm64.
SECCOMP = {"x86_64": 317, "aarch64": 277}
#: struct seccomp_notif: its id, the process, flags; then struct seccomp_data with six arguments.
_NOTICE = struct.Struct("QIIiIQ6Q")
_ANSWER = struct.Struct("QqiI")
_ADDITION = struct.Struct("QIIII")
_libc = ctypes.CDLL(None, use_errno=True)


def available(notify: seccomp.Filter) -> bool:
    """Whether this kernel can do it, and whoever runs this container allows it: a child tries."""
    if release() < KERNEL:
        return False
    child = confine.bare_fork()
    if child == 0:
        try:
            Sockets(notify)
        except BaseException:
            os._exit(1)
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


def release() -> tuple[int, ...]:
    """The kernel's version, its first two numbers."""
    return tuple(map(int, re.findall(r"\d+", os.uname().release)[:2]))


class Sockets:
    """The sockets of one program, opened by its leader.

    Made by the leader before it forks the program: the filter is inherited, and what tells the leader of
    calls is not.

    Args:
        notify: Stops the calls of ``socket``, but for this object's own.

    Attributes:
        calls: Readable when the program waits for a socket.
    """

    def __init__(self, notify: seccomp.Filter) -> None:
        self._number = seccomp.SOCKET[seccomp.MACHINES[os.uname().machine][0]]
        self._moved = False
        flags = NEW_LISTENER | (WAIT_KILLABLE if release() >= KILLABLE_KERNEL else 0)
        number = SECCOMP[os.uname().machine]
        self.calls = _libc.syscall(number, SECCOMP_SET_MODE_FILTER, flags, notify.header)
        if self.calls < 0:
            raise OSError(ctypes.get_errno(), f"seccomp: {os.strerror(ctypes.get_errno())}")

    def answer(self) -> None:
        """Open the socket that the program waits for."""
        notice = bytearray(_NOTICE.size)
        try:
            fcntl.ioctl(self.calls, RECEIVE, notice)
        except OSError:
            # Who asked is gone.
            return
        call, _, _, _, _, _, family, kind, protocol, *_ = _NOTICE.unpack(notice)
        try:
            self._hand_over(call, family, kind, protocol)
        except OSError as error:
            try:
                fcntl.ioctl(self.calls, SEND, _ANSWER.pack(call, 0, -(error.errno or errno.EPERM), 0))
            except OSError:
                return

    def _hand_over(self, call: int, family: int, kind: int, protocol: int) -> None:
        if not self._moved:
            confine.leave_network()
            confine.raise_loopback(self._open(socket.AF_INET, socket.SOCK_DGRAM, 0))
            self._moved = True
        opened = self._open(family, kind, protocol)
        try:
            closing = os.O_CLOEXEC if kind & socket.SOCK_CLOEXEC else 0
            addition = _ADDITION.pack(call, ANSWER_WITH_IT, opened, 0, closing)
            fcntl.ioctl(self.calls, ADD_DESCRIPTOR, addition)
        finally:
            os.close(opened)

    def _open(self, family: int, kind: int, protocol: int) -> int:
        values = [ctypes.c_long(value & 0xFFFFFFFF) for value in (family, kind, protocol)]
        nothing, own = ctypes.c_long(0), ctypes.c_long(seccomp.OWN_CALL)
        opened = _libc.syscall(ctypes.c_long(self._number), *values, nothing, nothing, own)
        if opened < 0:
            raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
        return int(opened)
