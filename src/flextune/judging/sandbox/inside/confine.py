"""Puts the calling process into fresh namespaces, takes away its rights, and moves its descriptors."""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import signal
import socket
import struct
from collections.abc import Callable, Iterable, Mapping

CLONE_VM, CLONE_VFORK = 0x100, 0x4000
CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS = 0x20000, 0x2000000, 0x4000000
CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = 0x8000000, 0x20000000, 0x40000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
PR_CAPBSET_DROP, PR_SET_NO_NEW_PRIVS, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL = 24, 38, 47, 4
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
KEYCTL_JOIN_SESSION_KEYRING = 1
CAPABILITY_VERSION, LAST_CAPABILITY = 0x20080522, 63
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1
RLIMITS = {
    "cpu": resource.RLIMIT_CPU,
    "processes": resource.RLIMIT_NPROC,
    "file": resource.RLIMIT_FSIZE,
    "open_files": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
}

#: Descriptors above the program's limit: one that closes all of its own does not close the runner's.
_SPARE_FILES = 4
#: Where the names of users are looked up, each program's own among them.
USERS = "/etc/users"
#: Everything that a program is not to share with whoever ran before.
NAMESPACES = CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS | CLONE_NEWNET | CLONE_NEWCGROUP
#: What is left where the filter refuses every call that could leave something in the others.
FILTERED_NAMESPACES = CLONE_NEWPID | CLONE_NEWNS
#: Stack that the helper may still need below what it has used.
_STACK_MARGIN = 1 << 18

_libc = ctypes.CDLL(None, use_errno=True)
_locked_libc = ctypes.PyDLL(None, use_errno=True)
_Body = ctypes.PYFUNCTYPE(ctypes.c_int, ctypes.c_void_p)
_locked_libc.clone.argtypes = [_Body, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result


class Leaders:
    """Starts processes that run ``body`` as the first ones of namespaces of their own.

    Page tables and copies of pages are most of what a fork costs. A leader that shares this process's memory
    has neither, and this process sleeps until it ends (as in ``vfork``), so that the two never run at once.
    Its frames lie on the same stack, below all that are alive here: what it forks has the stack that every
    process has.

    Args:
        body: Gives the exit status; it raises nothing, and does not exit.
        namespaces: Flags of ``clone``.
    """

    def __init__(self, body: Callable[[], int], namespaces: int = NAMESPACES) -> None:
        self._namespaces = namespaces
        self._body = _Body(lambda _: body())
        with open("/proc/self/maps") as file:
            [stack] = [line for line in file if line.rstrip().endswith("[stack]")]
        self._top = (int(stack.partition("-")[0], 16) - _STACK_MARGIN) & ~15

    def start(self, *, shared: bool) -> int:
        """Start one; its number.

        Args:
            shared: In this process's memory: it has ended when this returns, and waits to be reaped.
        """
        memory = CLONE_VM | CLONE_VFORK if shared else 0
        flags = self._namespaces | memory | signal.SIGCHLD
        return _checked(_locked_libc.clone(self._body, self._top, flags, None), "clone")


def bare_fork() -> int:
    """Fork without Python's hooks: they renew locks and random states, which only a Python program needs.

    Safe here because the caller has one thread, which keeps the interpreter's lock across the call.
    """
    return _checked(_locked_libc.fork(), "fork")


def leave_network() -> None:
    """Move to a new network namespace."""
    _checked(_libc.unshare(CLONE_NEWNET), "unshare")


def raise_loopback(descriptor: int) -> None:
    """Make the one interface of a new network namespace work.

    Args:
        descriptor: A socket in it; it is closed.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM, fileno=descriptor) as control:
        name = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack("16sH14x", fcntl.ioctl(control, SIOCGIFFLAGS, name))[1]
        fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def mount_private(folder: str, files: Iterable[tuple[str, int, int, int]], tmp_bytes: int, user: int) -> None:
    """Fresh ``/proc``, ``/tmp`` and ``/dev/shm``, and files in ``folder``, which nobody can change.

    Args:
        folder: An existing, empty folder.
        files: Name, descriptor of a file that has the content, where it begins there, and size.
        tmp_bytes: Size of ``/tmp``, and of ``/dev/shm``.
        user: The program's user, for whom there is a name.
    """
    _mount("proc", "/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, "")
    # Every file of a tmpfs costs kernel memory beside its pages, so their number is bounded too.
    for shared in ("/tmp", "/dev/shm"):
        data = f"mode=1777,size={tmp_bytes},nr_inodes={tmp_bytes >> 12}"
        _mount("tmpfs", shared, MS_NOSUID | MS_NODEV, data)
    _mount("tmpfs", folder, MS_NOSUID | MS_NODEV, "mode=0755")
    copy_files(folder, files)
    _mount("tmpfs", folder, MS_NOSUID | MS_NODEV | MS_REMOUNT | MS_RDONLY, "")
    _mount("tmpfs", USERS, MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0755,size=16k,nr_inodes=8")
    for name, content in _users(os.getuid() if user < 0 else user):
        with open(f"{USERS}/{name}", "xb") as file:
            file.write(content)
            os.fchmod(file.fileno(), 0o644)


def _users(number: int) -> list[tuple[str, bytes]]:
    """What ``/etc/passwd`` and ``/etc/group`` say about root and the program's user."""
    passwd = f"root:x:0:0::/nonexistent:/bin/false\nprogram:x:{number}:{number}::/tmp:/bin/sh\n"
    return [("passwd", passwd.encode()), ("group", f"root:x:0:\nprogram:x:{number}:\n".encode())]


def copy_files(folder: str, files: Iterable[tuple[str, int, int, int]]) -> None:
    """Copy files into ``folder``, readable and executable for everybody, without reading them.

    Programs descend from this process, and could find in its memory whatever had been there.
    """
    for name, source, start, size in files:
        target = os.open(f"{folder}/{name}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o755)
        end = start + size
        while start < end:
            start += os.sendfile(target, source, start, end - start)
        os.close(target)


def _mount(kind: str, target: str, flags: int, data: str) -> None:
    arguments = (kind.encode(), target.encode(), kind.encode(), ctypes.c_ulong(flags), data.encode())
    _checked(_libc.mount(*arguments), f"mount {target}")


def leave_keyring() -> None:
    """Join a new session keyring: the caller's is readable by whoever holds it, and outlives a program."""
    number = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
    if number is not None:
        _libc.syscall(number, KEYCTL_JOIN_SESSION_KEYRING, None)


def set_limits(limits: Mapping[str, int]) -> None:
    """Set limits by their names in ``RLIMITS``; a runner can open a few files that the program cannot."""
    for name, value in limits.items():
        hard = resource.getrlimit(RLIMITS[name])[1]
        spare = _SPARE_FILES if name == "open_files" else 0
        wanted = value + spare if hard == resource.RLIM_INFINITY else min(value + spare, hard)
        resource.setrlimit(RLIMITS[name], (min(value, wanted), wanted))


def prefer_to_be_killed() -> None:
    """When memory runs out the kernel is to end this process, not one of the sandbox's."""
    descriptor = os.open("/proc/self/oom_score_adj", os.O_WRONLY)
    os.write(descriptor, b"1000")
    os.close(descriptor)


def gain_nothing() -> None:
    """Whatever this process or a descendant executes has no right that its caller has not."""
    for number in range(LAST_CAPABILITY + 1):
        # The numbers end where this kernel knows no more.
        if _libc.prctl(PR_CAPBSET_DROP, number, 0, 0, 0) < 0:
            break
    _libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0)
    _checked(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "prctl")


def drop_capabilities(user: int) -> None:
    """Give up every capability; after ``gain_nothing`` there is no way back to one.

    Args:
        user: The user to become, whom no other process has; -1: stay who this process is.
    """
    if user >= 0:
        os.setgroups([])
        os.setresgid(user, user, user)
        os.setresuid(user, user, user)
    header = struct.pack("Ii", CAPABILITY_VERSION, 0)
    _checked(_libc.capset(header, bytes(24)), "capset")


def place_descriptors(numbers: list[int]) -> None:
    """Make ``numbers`` the descriptors 0, 1, 2, ... of this process and close all others."""
    # Two rounds, because a target number may be one of the sources.
    high = [fcntl.fcntl(number, fcntl.F_DUPFD, 64) for number in numbers]
    for target, number in enumerate(high):
        os.dup2(number, target)
    os.closerange(len(numbers), resource.getrlimit(resource.RLIMIT_NOFILE)[0])


def follow_parent(parent: int, number: signal.Signals) -> None:
    """Get a signal when ``parent`` ends, and inherit the orphans among this process's descendants."""
    _checked(_libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")
    _checked(_libc.prctl(PR_SET_PDEATHSIG, number, 0, 0, 0), "prctl")
    if os.getppid() != parent:
        os._exit(0)


def default_signals(ignored: Iterable[signal.Signals] = ()) -> None:
    """Signals as a new process has them; what is ignored here would stay ignored after exec."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_IGN if number in ignored else signal.SIG_DFL)
