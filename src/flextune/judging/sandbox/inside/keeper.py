"""The sandbox's helper: starts one program after another, each in fresh namespaces, and reports how it ended.

It is run as a script by a bare interpreter, as the first process of bubblewrap's namespaces, and stays small:
a fork of it is cheap. With a warm runner (a Python file given at the start) that fork runs a Python program
itself, without starting an interpreter. It never reads a program's secret, and a program never runs in this
process.

Protocol, over the sequenced-packet socket at descriptor 0: a request is JSON with descriptors; the answers
are ``{"ready": true}`` once at the start, and for each request ``{"status": n, "cpu": seconds, "peak":
bytes}`` or ``{"error": text}`` when the last process of the program is gone. While one runs, ``end`` ends it.

A program is the child of a first process (pid 1 of its namespace): signals then mean what they mean outside,
and when the first process ends the kernel ends and reaps all others, so that its usage is that of the whole
tree.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.sandbox.inside import confine, seccomp
else:
    # Beside this file there is no package inside the sandbox.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import confine
    import seccomp

    del sys.path[0]

#: What a program's descriptors 0 to 4 are; a main program with a companion has 5 and 6 towards it.
STREAMS = 5


class Keeper:
    """Starts programs on request.

    Args:
        control: The socket to the judge.
        kind: ``root``, ``user`` or ``none``, as in ``Isolation``.
        folder: Where a program finds its files.
        warm: The warm runner, if there is one.
    """

    def __init__(self, control: socket.socket, kind: str, folder: str, warm: ModuleType | None) -> None:
        self.control, self.kind, self.folder, self.warm = control, kind, folder, warm
        self.filter = seccomp.program(os.uname().machine) if kind != "none" else None
        self.own_namespace = os.open("/proc/self/ns/pid", os.O_RDONLY) if kind != "none" else -1

    def serve(self) -> None:
        """Answer requests until the judge closes its end."""
        self.control.send(json.dumps({"ready": True}).encode())
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.control, 1 << 20, 16)
            if not message:
                return
            # An ``end`` that crossed with the report is answered already.
            if message == b"end":
                continue
            try:
                answer = self.run(json.loads(message), descriptors)
            except OSError as error:
                answer = {"error": str(error)}
            finally:
                for number in descriptors:
                    os.close(number)
            self.control.send(json.dumps(answer).encode())

    def run(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Start a program and its companion, if any, and wait until nothing of them is left.

        Args:
            request: ``program`` and perhaps ``companion``, each with ``argv``, ``warm``, ``environment``,
                ``files`` (name and size), ``user`` and ``rlimits``; ``tmp`` (bytes), ``directory``.
            descriptors: Standard input, output and errors, the pipe of the secret, the pipe of the reports,
                and a file with the contents of all files one after the other.
        """
        streams, contents = descriptors[:STREAMS], descriptors[STREAMS]
        trouble, complaints = os.pipe()
        opened = [trouble]
        started: list[int] = []
        try:
            offset = 0
            wiring = [streams]
            if "companion" in request:
                asked, asks = os.pipe()
                answered, answers = os.pipe()
                null = os.open("/dev/null", os.O_RDWR)
                wiring = [[*streams, answered, asks], [null, *streams[1:3], asked, answers]]
                opened += [null, asked, asks, answered, answers]
            parts = [request[name] for name in ("program", "companion") if name in request]
            for part, numbers in zip(parts, wiring, strict=True):
                files = []
                for name, size in part["files"]:
                    files.append((name, os.pread(contents, size, offset)))
                    offset += size
                started.append(self.start(part, request, numbers, files, complaints))
            os.close(complaints)
            complaints = -1
            for number in opened[1:]:
                os.close(number)
            opened = opened[:1]
            return self.wait(started, trouble)
        finally:
            for pid in started:
                self.kill(pid)
                os.waitpid(pid, 0)
            for number in [*opened, *([complaints] if complaints >= 0 else [])]:
                os.close(number)

    def start(
        self,
        part: dict[str, Any],
        request: dict[str, Any],
        numbers: list[int],
        files: list[tuple[str, bytes]],
        complaints: int,
    ) -> int:
        """Fork the first process of a program's namespace; its number."""
        if self.kind != "none":
            confine.next_child_leads_a_pid_namespace(self.own_namespace)
        pid = confine.bare_fork()
        if pid == 0:
            self.lead(part, request, numbers, files, complaints)
        return pid

    def lead(
        self,
        part: dict[str, Any],
        request: dict[str, Any],
        numbers: list[int],
        files: list[tuple[str, bytes]],
        complaints: int,
    ) -> NoReturn:
        """Be the first process of a program's namespace, or the program itself where there is none."""
        try:
            self.control.close()
            confine.leave_keyring()
            if self.kind == "none":
                self.become(part, request, numbers, complaints)
            os.close(self.own_namespace)
            confine.prefer_to_be_killed()
            confine.enter_namespaces()
            confine.mount_private(self.folder, files, request["tmp"])
            program = os.fork()
            if program == 0:
                self.become(part, request, numbers, complaints)
        except BaseException as error:
            os.write(complaints, f"{type(error).__name__}: {error}".encode())
            os._exit(127)
        # Whoever waits for the end of a pipe must not find it open here.
        confine.place_descriptors([])
        reap_until(program)

    def become(
        self, part: dict[str, Any], request: dict[str, Any], numbers: list[int], complaints: int
    ) -> NoReturn:
        """Turn this process into the program."""
        warm = self.warm if part["warm"] else None
        try:
            os.setsid()
            confine.default_signals(ignored=[signal.SIGPIPE, signal.SIGXFSZ] if warm else [])
            if warm:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            confine.place_descriptors([*numbers, complaints])
            complaints = len(numbers)
            os.set_inheritable(complaints, False)
            os.chdir(request["directory"])
            confine.set_limits(part["rlimits"])
            if self.kind != "none":
                confine.drop_capabilities(part["user"])
                confine.gain_no_privileges()
            if self.filter is not None:
                seccomp.install(self.filter)
            if warm is None:
                os.execve(part["argv"][0], part["argv"], part["environment"])
            os.close(complaints)
        except BaseException as error:
            os.write(complaints, f"{type(error).__name__}: {error}".encode())
            os._exit(127)
        gc.enable()
        os._exit(warm.main(part["argv"]))

    def wait(self, started: list[int], trouble: int) -> dict[str, Any]:
        """Wait for the first of ``started``, end the others, and add up what they used."""
        main = started[0]
        ended = os.pidfd_open(main)
        try:
            poll = select.poll()
            poll.register(self.control, select.POLLIN)
            poll.register(ended, select.POLLIN)
            while all(number != ended for number, _ in poll.poll()):
                if not self.control.recv(64):
                    # The judge is gone; with this process everything ends.
                    os._exit(0)
                for pid in started:
                    self.kill(pid)
        finally:
            os.close(ended)
        cpu, peak, code = 0.0, 0, 0
        for pid in started:
            if pid != main:
                self.kill(pid)
            _, status, usage = os.wait4(pid, 0)
            cpu += usage.ru_utime + usage.ru_stime
            peak = max(peak, usage.ru_maxrss * 1024)
            if pid == main:
                code = os.waitstatus_to_exitcode(status)
        started.clear()
        if self.kind == "none":
            reap_strays()
        if said := os.read(trouble, 2000):
            return {"error": said.decode("utf-8", "replace")}
        return {"status": code if code >= 0 else 128 - code, "cpu": cpu, "peak": peak}

    def kill(self, pid: int) -> None:
        """End a program; of an unprotected one, what it started too."""
        if self.kind == "none":
            end_strays()
        else:
            os.kill(pid, signal.SIGKILL)


def reap_until(program: int) -> NoReturn:
    """Be the first process of a namespace: end as the program ends."""
    while True:
        pid, status = os.wait()
        if pid == program:
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)


def end_strays() -> None:
    """Kill every child of this process; those of a killed one become children of this process."""
    own = os.getpid()
    for name in os.listdir("/proc"):
        if name.isdecimal() and parent_of(name) == own:
            os.kill(int(name), signal.SIGKILL)


def reap_strays() -> None:
    """End what an unprotected program left, down to the last descendant."""
    while True:
        try:
            pid, _ = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            end_strays()
            os.waitpid(-1, 0)


def stop(number: int, frame: object) -> NoReturn:
    """End everything, because the judge is gone."""
    reap_strays()
    os._exit(128 + number)


def parent_of(pid: str) -> int:
    """The parent's number, 0 for a process that is gone."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except OSError:
        return 0


def load(path: str) -> ModuleType:
    """A module from a file."""
    module = ModuleType("runner")
    module.__file__ = path
    with open(path, "rb") as file:
        exec(compile(file.read(), path, "exec"), module.__dict__)
    return module


def main() -> None:
    """``keeper.py KIND FOLDER WARM PARENT``: tie this process's life to the judge's, then serve."""
    kind, folder, warm, parent = sys.argv[1:]
    control = socket.socket(fileno=os.dup(0))
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    if kind == "none":
        signal.signal(signal.SIGTERM, stop)
        confine.follow_parent(int(parent), signal.SIGTERM)
    # From a terminal, Ctrl-C reaches the whole group; it is for the judge to say what ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.umask(0o022)
    runner = load(warm) if warm else None
    # A collection in a fork would touch, and so copy, every page with an object.
    gc.collect()
    gc.freeze()
    gc.disable()
    Keeper(control, kind, folder, runner).serve()


if __name__ == "__main__":
    main()
