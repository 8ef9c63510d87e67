"""A filter for system calls that no judged program needs and that have opened sandboxes before.

The kernel runs a small program (classic BPF, ``linux/filter.h``) before every system call. What is listed
here fails with "operation not permitted"; ``clone3`` fails as if the kernel did not have it, because its
flags cannot be looked at, and the C library then uses ``clone``, whose flags can. Sockets are only of
families that belong to a network namespace: a program's own is empty, and through no other family does it
reach another one or the machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
from collections.abc import Mapping

PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 22, 2
ALLOW, NOTIFY, ERRNO = 0x7FFF0000, 0x7FC00000, 0x00050000
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
# Offsets in struct seccomp_data; an argument's low half comes first on the machines below.
NUMBER, ARCHITECTURE, FIRST_ARGUMENT, THIRD_ARGUMENT, SIXTH_ARGUMENT = 0, 4, 16, 32, 56
X32 = 0x40000000
#: CLONE_NEWTIME and the namespaces from CLONE_NEWNS to CLONE_NEWNET.
NEW_NAMESPACES = 0x80 | 0x20000 | 0x2000000 | 0x4000000 | 0x8000000 | 0x10000000 | 0x20000000 | 0x40000000

# fmt: off
#: Name to number on x86-64 and on arm64 (None: not there).
DENIED: Mapping[str, tuple[int | None, int | None]] = {
    # other processes' memory
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271), "kcmp": (312, 272),
    "pidfd_getfd": (438, 438), "userfaultfd": (323, 282),
    # memory that no limit on this process's own address space or files counts
    "memfd_create": (319, 279), "memfd_secret": (447, 447), "shmget": (29, 194), "msgget": (68, 186),
    "semget": (64, 190), "mq_open": (240, 180),
    # names and namespaces
    "unshare": (272, 97), "setns": (308, 268), "chroot": (161, 51), "pivot_root": (155, 41),
    "mount": (165, 40),
    "umount2": (166, 39), "open_tree": (428, 428), "move_mount": (429, 429), "fsopen": (430, 430),
    "fsconfig": (431, 431), "fsmount": (432, 432), "fspick": (433, 433), "mount_setattr": (442, 442),
    "name_to_handle_at": (303, 264), "open_by_handle_at": (304, 265),
    # the machine
    "reboot": (169, 142), "sethostname": (170, 161), "setdomainname": (171, 162), "settimeofday": (164, 170),
    "clock_settime": (227, 112), "clock_adjtime": (305, 266), "adjtimex": (159, 171), "swapon": (167, 224),
    "swapoff": (168, 225), "kexec_load": (246, 104), "kexec_file_load": (320, 294), "init_module": (175, 105),
    "finit_module": (313, 273), "delete_module": (176, 106), "acct": (163, 89), "quotactl": (179, 60),
    "syslog": (103, 116), "vhangup": (153, 58), "iopl": (172, None), "ioperm": (173, None),
    # much code of the kernel, little use to a test
    "bpf": (321, 280), "perf_event_open": (298, 241), "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427), "add_key": (248, 217), "request_key": (249, 218), "keyctl": (250, 219),
    "fanotify_init": (300, 262), "lookup_dcookie": (212, 18), "nfsservctl": (180, 42),
    "personality": (135, 92),
}
CLONE, CLONE3, PRLIMIT, SOCKET, SOCKETPAIR = (56, 220), (435, 435), (302, 261), (41, 198), (53, 199)
# fmt: on
#: The first process of a program's namespace is the sandbox's.
LEADER = 1
FAMILIES = (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6)
#: Lists a namespace's interfaces; the other protocols of its family are not all namespaced.
NETLINK_ROUTE = 0
#: The sixth argument of a leader's own calls of ``socket``, which has three. A program must not have it.
OWN_CALL = 0x464C5558
_libc = ctypes.CDLL(None, use_errno=True)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def program(machine: str) -> bytes | None:
    """The filter for a machine as ``uname`` names it; None where its numbers are not known."""
    if machine not in MACHINES:
        return None
    column, architecture = MACHINES[machine]
    refused = ERRNO | errno.EPERM
    lines = [
        _line(LOAD, ARCHITECTURE),
        # Calls of another architecture have other numbers.
        _line(EQUAL, architecture, 1, 0),
        _line(RETURN, refused),
        _line(LOAD, NUMBER),
    ]
    if machine == "x86_64":
        lines += [_line(AT_LEAST, X32, 0, 1), _line(RETURN, refused)]
    lines += [_line(EQUAL, CLONE3[column], 0, 1), _line(RETURN, ERRNO | errno.ENOSYS)]
    for numbers in DENIED.values():
        if (number := numbers[column]) is not None:
            lines += [_line(EQUAL, number, 0, 1), _line(RETURN, refused)]
    lines += _when(
        CLONE[column], FIRST_ARGUMENT, [_line(ANY_BIT, NEW_NAMESPACES, 0, 1), _line(RETURN, refused)]
    )
    lines += _when(PRLIMIT[column], FIRST_ARGUMENT, [_line(EQUAL, LEADER, 0, 1), _line(RETURN, refused)])
    for numbers in (SOCKET, SOCKETPAIR):
        lines += _when(
            numbers[column],
            SIXTH_ARGUMENT,
            [_line(EQUAL, OWN_CALL, 0, 1), _line(RETURN, refused), *_families()],
        )
    lines.append(_line(RETURN, ALLOW))
    return b"".join(lines)


def _when(number: int, argument: int, decide: list[bytes]) -> list[bytes]:
    """For the system call ``number`` look at ``argument`` and ``decide``, or else allow it."""
    block = [_line(LOAD, argument), *decide, _line(RETURN, ALLOW)]
    return [_line(EQUAL, number, 0, len(block)), *block]


def _families() -> list[bytes]:
    """Allow what belongs to a network namespace, refuse the rest."""
    allowed = [line for family in FAMILIES for line in (_line(EQUAL, family, 0, 1), _line(RETURN, ALLOW))]
    route = [
        _line(EQUAL, socket.AF_NETLINK, 0, 3),
        _line(LOAD, THIRD_ARGUMENT),
        _line(EQUAL, NETLINK_ROUTE, 0, 1),
        _line(RETURN, ALLOW),
    ]
    return [_line(LOAD, FIRST_ARGUMENT), *allowed, *route, _line(RETURN, ERRNO | errno.EAFNOSUPPORT)]


def notifier(machine: str) -> bytes:
    """A filter that leaves a process's calls of ``socket`` to whoever listens, and nothing else."""
    column, _ = MACHINES[machine]
    own = [_line(EQUAL, OWN_CALL, 0, 1), _line(RETURN, ALLOW), _line(RETURN, NOTIFY)]
    lines = [_line(LOAD, NUMBER), *_when(SOCKET[column], SIXTH_ARGUMENT, own), _line(RETURN, ALLOW)]
    return b"".join(lines)


def _line(code: int, value: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, if_true, if_false, value)


class Filter:
    """A filter program, ready to be installed."""

    def __init__(self, filter_program: bytes) -> None:
        self._content = ctypes.create_string_buffer(filter_program, len(filter_program))
        self.header = struct.pack("HxxxxxxP", len(filter_program) // 8, ctypes.addressof(self._content))

    def install(self) -> None:
        """Filter the system calls of this process and all its children; needs ``no_new_privs``.

        Raises:
            OSError: If the kernel does not take it.
        """
        if _libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, self.header, 0, 0) < 0:
            number = ctypes.get_errno()
            raise OSError(number, f"seccomp: {os.strerror(number)}")
