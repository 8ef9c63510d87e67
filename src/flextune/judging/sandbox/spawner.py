"""A small process that starts one program after another and reports how each ended.

It is run as a script by the bare interpreter, for three reasons. The kernel counts the memory of
whoever calls exec into the new program's peak, so the caller must be small (a judge may have torch
loaded). ``--die-with-parent`` watches the thread that forked, so that thread must be the process. And as
the reaper of its descendants it finds those that left their process group.

Protocol, over the sequenced-packet socket at descriptor 0: a JSON request with three descriptors (for
the program's 0, 1, 2), then one for each file; the answers are ``{"pid": n}`` and, at the end,
``{"status": n, "cpu": seconds, "peak": bytes}``, or ``{"error": text}``.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import signal
import socket
import sys
from typing import Any, NoReturn

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
KEYCTL_JOIN_SESSION_KEYRING = 1
RLIMITS = {
    "cpu": resource.RLIMIT_CPU,
    "address_space": resource.RLIMIT_AS,
    "processes": resource.RLIMIT_NPROC,
    "file": resource.RLIMIT_FSIZE,
    "open_files": resource.RLIMIT_NOFILE,
    "core": resource.RLIMIT_CORE,
    "stack": resource.RLIMIT_STACK,
}


def become(request: dict[str, Any], descriptors: list[int]) -> NoReturn:
    """Turn the forked child into the program."""
    try:
        for path in request["cgroups"]:
            with open(path, "w") as file:
                file.write("0")
        os.setsid()
        leave_keyring()
        # What is ignored here stays ignored after exec.
        for changed in (signal.SIGINT, signal.SIGTERM, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(changed, signal.SIG_DFL)
        # Two rounds, because a target number may be one of the sources.
        moved = [os.dup(number) for number in descriptors]
        high = [os.dup2(number, 100 + index, inheritable=False) for index, number in enumerate(moved)]
        for index, number in enumerate(high):
            os.dup2(number, index)
        os.closerange(len(high), 100)
        for name, value in request["rlimits"].items():
            resource.setrlimit(RLIMITS[name], (value, value))
        os.chdir(request["directory"])
        os.execve(request["argv"][0], request["argv"], request["environment"])
    except BaseException as error:
        os.write(2, f"spawner: {error}\n".encode())
    os._exit(127)


def leave_keyring() -> None:
    """Join a new session keyring: the caller's is readable by whoever holds it, and outlives a program."""
    number = {"x86_64": 250, "aarch64": 219}.get(os.uname().machine)
    if number is not None:
        ctypes.CDLL(None).syscall(number, KEYCTL_JOIN_SESSION_KEYRING, None)


def reap_strays() -> None:
    """End what is left of the tree; the program's own namespace, where it has one, is gone already."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid:
            continue
        for name in os.listdir("/proc"):
            if name.isdecimal() and parent_of(name) == os.getpid():
                os.kill(int(name), signal.SIGKILL)
        os.waitpid(-1, 0)


def parent_of(pid: str) -> int:
    """The parent's number, 0 for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def serve(channel: socket.socket) -> None:
    """Answer requests until the judge closes its end."""
    while True:
        message, descriptors, _, _ = socket.recv_fds(channel, 1 << 20, 64)
        if not message:
            return
        try:
            answer = run(channel, json.loads(message), descriptors)
        except OSError as error:
            answer = {"error": str(error)}
        channel.send(json.dumps(answer).encode())


def run(channel: socket.socket, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
    """Start one program, say its number, and wait until nothing of it is left."""
    try:
        pid = os.fork()
        if pid == 0:
            become(request, descriptors)
    finally:
        for number in descriptors:
            os.close(number)
    channel.send(json.dumps({"pid": pid}).encode())
    _, status, usage = os.wait4(pid, 0)
    reap_strays()
    code = os.waitstatus_to_exitcode(status)
    return {
        "status": code if code >= 0 else 128 - code,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": usage.ru_maxrss * 1024,
    }


def stop(number: int, frame: object) -> NoReturn:
    """End everything, because the judge is gone."""
    reap_strays()
    os._exit(128 + number)


def main() -> None:
    """Tie this process's life to the judge's, then serve."""
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    # Not SIGKILL: bubblewrap has given up the right to end a program that runs as another user, so it is
    # for this process to do.
    signal.signal(signal.SIGTERM, stop)
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != int(sys.argv[1]):
        return
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve(socket.socket(fileno=os.dup(0)))


if __name__ == "__main__":
    main()
