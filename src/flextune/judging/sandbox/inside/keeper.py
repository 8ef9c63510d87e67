"""The sandbox's helper: starts one program after another, each in fresh namespaces, and reports how it ended.

It is run as a script by a bare interpreter, as the first process of bubblewrap's namespaces, and stays small:
a fork of it is cheap. With a warm runner (a Python file given at the start) that fork runs a Python program
itself, without starting an interpreter. A program never runs in this process.

What this process holds in memory, every later program can read: it is a copy. So it never reads anything of a
program. Secrets and input come through pipes that are only handed on. The files go from one file descriptor
to another inside the kernel. What to run is read by the program's own process, from its own descriptor.

Protocol, over the sequenced-packet socket at descriptor 0: a request is JSON (sizes, and names of files that
the language chose) with descriptors; the answers are ``{"ready": true}`` once at the start, and for each
request ``{"status": n, "cpu": seconds, "peak": bytes}`` or ``{"error": text}`` when the last process of the
program is gone. While one runs, ``end`` ends it.

A program is the child of a leader (pid 1 of its namespace): signals then mean what they mean outside, and
when the leader ends the kernel ends and reaps all others, so that its usage is that of the whole tree. While
a program runs it is the leader that listens to the judge.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import sys
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

if TYPE_CHECKING:
    from flextune.judging.sandbox.inside import confine, seccomp, sockets, strays
else:
    # Beside this file there is no package inside the sandbox.
    sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
    import confine
    import seccomp
    import sockets
    import strays

    del sys.path[0]

#: A program's descriptors 0 to 4; a main program with a companion has 5 and 6 towards it.
STREAMS = 5
#: What a companion has of its own: standard output and errors.
COMPANION_STREAMS = 2
#: How long an orphan may wait to be reaped.
REAP_MILLISECONDS = 20


@dataclass
class Task:
    """One program to start.

    Attributes:
        contents: A file that begins with the program's sheet, JSON that only the program's process reads:
            ``argv``, ``warm``, ``environment``, ``directory``, ``user`` and ``rlimits``.
        sheet: Bytes of the sheet.
        files: Name, descriptor of the file that has it, where it begins there, and size.
        tmp: Bytes that it may keep in ``/tmp``.
        user: Number of its user, -1 for that of this process.
        numbers: Its descriptors, in order.
        complaints: Where to write what went wrong before it started.
        main: Whether its end is the end of all; its leader listens to the judge, a companion's does not.
    """

    contents: int
    sheet: int
    files: list[tuple[str, int, int, int]]
    tmp: int
    user: int
    numbers: list[int]
    complaints: int
    main: bool


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
        self.filter: seccomp.Filter | None = None
        self.notify: seccomp.Filter | None = None
        self.task: Task | None = None
        if kind == "none":
            return
        confine.leave_keyring()
        confine.gain_nothing()
        machine = os.uname().machine
        program = seccomp.program(machine)
        self.filter = seccomp.Filter(program) if program else None
        if program:
            notify = seccomp.Filter(seccomp.notifier(machine))
            self.notify = notify if sockets.available(notify) else None
        namespaces = confine.FILTERED_NAMESPACES if self.notify else confine.NAMESPACES
        self.leaders = confine.Leaders(self.lead, namespaces)

    def serve(self) -> None:
        """Answer requests until the judge closes its end."""
        self.control.send(json.dumps({"ready": True}).encode())
        while True:
            message, descriptors, _, _ = socket.recv_fds(self.control, 1 << 16, 32)
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
            try:
                self.control.send(json.dumps(answer).encode())
            except BrokenPipeError:
                return

    def run(self, request: dict[str, Any], descriptors: list[int]) -> dict[str, Any]:
        """Start a program and its companion, if any, and wait until nothing of them is left.

        Args:
            request: ``tmp`` (bytes) and ``parts``, the program and perhaps a companion, each with
                ``contents``, ``sheet``, ``files`` and ``user`` as in ``Task``; files are named by their place
                in ``descriptors``.
            descriptors: Standard input, output and errors, the pipe of the secret, the pipe of the reports;
                a companion's output and errors; and the files.
        """
        parts = request["parts"]
        trouble, complaints = os.pipe()
        opened = [trouble]
        started: list[int] = []
        try:
            wiring = [descriptors[:STREAMS]]
            if len(parts) == 2:
                asked, asks = os.pipe()
                answered, answers = os.pipe()
                null = os.open("/dev/null", os.O_RDWR)
                own = descriptors[STREAMS : STREAMS + COMPANION_STREAMS]
                wiring = [[*wiring[0], answered, asks], [null, *own, asked, answers]]
                opened += [null, asked, asks, answered, answers]
            for part, numbers in zip(parts, wiring, strict=True):
                self.task = Task(
                    descriptors[part["contents"]],
                    part["sheet"],
                    [(name, descriptors[at], start, size) for name, at, start, size in part["files"]],
                    request["tmp"],
                    part["user"],
                    numbers,
                    complaints,
                    not started,
                )
                started.append(self.start(alone=len(parts) == 1))
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

    def start(self, *, alone: bool) -> int:
        """Start the task's leader, or the program itself where there is no namespace to lead; its number."""
        if self.kind != "none":
            # Two programs that run at once need this process awake: it holds the ends of their pipes.
            return self.leaders.start(shared=alone)
        pid = confine.bare_fork()
        if pid == 0:
            self.become()
        return pid

    def lead(self) -> int:
        """Be the first process of the program's namespaces; the exit status."""
        task = self.task
        assert task is not None
        try:
            opened = sockets.Sockets(self.notify) if self.notify else None
            if opened is None:
                confine.raise_loopback(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).detach())
            confine.mount_private(self.folder, task.files, task.tmp, task.user)
            program = confine.bare_fork()
            if program == 0:
                self.become()
            # Whoever waits for the end of a pipe must not find it open here.
            kept = [self.control.fileno(), task.complaints]
            if opened is not None:
                kept.append(opened.calls)
                opened.calls = len(kept) - 1
            confine.place_descriptors(kept)
            task.complaints = 1
            return attend(program, 0 if task.main else None, opened)
        except BaseException as error:
            complain(task.complaints, error)
            return 127

    def become(self) -> NoReturn:
        """Turn this process into the program."""
        task = self.task
        assert task is not None
        complaints = task.complaints
        try:
            self.control.close()
            sheet = json.loads(os.pread(task.contents, task.sheet, 0))
            warm = self.warm if sheet["warm"] else None
            os.setsid()
            confine.default_signals(ignored=[signal.SIGPIPE, signal.SIGXFSZ] if warm else [])
            if warm:
                signal.signal(signal.SIGINT, signal.default_int_handler)
            confine.place_descriptors([*task.numbers, complaints])
            complaints = len(task.numbers)
            os.set_inheritable(complaints, False)
            os.chdir(sheet["directory"])
            confine.set_limits(sheet["rlimits"])
            if self.kind != "none":
                confine.prefer_to_be_killed()
                confine.drop_capabilities(sheet["user"])
            if self.filter is not None:
                self.filter.install()
            else:
                # Nothing keeps the program from this process's keys.
                confine.leave_keyring()
            if warm is None:
                os.execve(sheet["argv"][0], sheet["argv"], sheet["environment"])
            os.close(complaints)
        except BaseException as error:
            complain(complaints, error)
            os._exit(127)
        gc.enable()
        os._exit(warm.main(sheet["argv"]))

    def wait(self, started: list[int], trouble: int) -> dict[str, Any]:
        """Wait for the first of ``started``, end the others, and add up what they used."""
        main = started[0]
        if self.kind == "none":
            self.listen(main)
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
            strays.reap_strays()
        if said := os.read(trouble, 2000):
            return {"error": said.decode("utf-8", "replace")}
        return {"status": code if code >= 0 else 128 - code, "cpu": cpu, "peak": peak}

    def listen(self, program: int) -> None:
        """Wait for the end of an unprotected program; end it when the judge says so."""
        ended = os.pidfd_open(program)
        try:
            poll = select.poll()
            poll.register(self.control, select.POLLIN)
            poll.register(ended, select.POLLIN)
            while all(number != ended for number, _ in poll.poll()):
                if not self.control.recv(64):
                    # The judge is gone; with this process everything ends.
                    os._exit(0)
                self.kill(program)
        finally:
            os.close(ended)

    def kill(self, pid: int) -> None:
        """End a program; of an unprotected one, what it started too."""
        if self.kind == "none":
            strays.end_strays()
        else:
            os.kill(pid, signal.SIGKILL)


def attend(program: int, control: int | None, opened: sockets.Sockets | None) -> int:
    """Wait, as the first process of a namespace, until the program ends or the judge says that it must.

    Args:
        program: A child of this process.
        control: The socket to the judge; None: somebody else listens.
        opened: Where the program asks for sockets.

    Returns:
        The program's exit status. When this process ends, so does everything in its namespace.
    """
    ended = os.pidfd_open(program)
    poll = select.poll()
    if control is not None:
        poll.register(control, select.POLLIN)
    poll.register(ended, select.POLLIN)
    if opened is not None:
        poll.register(opened.calls, select.POLLIN)
    while True:
        said = {number for number, _ in poll.poll(REAP_MILLISECONDS)}
        if opened is not None and opened.calls in said:
            opened.answer()
        if control is not None and control in said:
            # With what it says unread, if the judge is gone: the helper has to see that too.
            if os.read(control, 64):
                return 128 + signal.SIGKILL
            return 0
        # Orphans come here to be reaped; until then they count as the program's processes.
        for pid, status in iter(lambda: os.waitpid(-1, os.WNOHANG), (0, 0)):
            if pid == program:
                code = os.waitstatus_to_exitcode(status)
                return code if code >= 0 else 128 - code


def complain(complaints: int, error: BaseException) -> None:
    """Tell the judge why a program did not start."""
    os.write(complaints, f"{type(error).__name__}: {error}".encode())


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
        signal.signal(signal.SIGTERM, strays.stop)
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
