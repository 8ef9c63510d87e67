"""A judge without protection, in namespaces of its own: what an attack does to it is seen.

It is run as the first process of a throw-away container by ``control.py`` and reads a request from its
standard input. Its judge compiles and runs a program in a folder under its own rights, keeps its result in a
file beside the program, and then runs the next program in the same folder.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import resource
import secrets
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import IO, Any

from tests.hostile.canaries import Canaries

WORK, BESIDE = Path("/tmp/work"), Path("/tmp/beside")
HOME, CACHE = Path("/tmp/home"), Path("/tmp/cache")
#: Where the judge keeps what it found.
RESULT = WORK / "result.txt"
SECRET, REPLY = Path("/tmp/secret"), Path("/tmp/reply")
KEPT_BYTES = 1 << 20
_CACHED = "compiled for everybody"


@dataclass
class Observation:
    """What an attack did.

    Attributes:
        compiler: What the compiler said, None where there is none.
        compiler_slow: The compiler was still at work when its time was over.
        built_bytes: Size of what was compiled.
        status: Exit status, negative after a signal; None when the program did not run or did not end.
        state: Its state in ``/proc`` when its time was over.
        output: The first of what it printed, to both streams.
        printed_bytes: All that it printed.
        text: Whether the output was text.
        held: Its output was still open after its end.
        result_blocked: The judge could not write its result.
        next_output: What the next program printed, or the one beside.
        left_processes: Processes that outlived the program.
        left_files: Files that it left.
        touched: Canaries that were reached, the judge and its cache among them.
        told_secret: Its runner's secret came back.
        seconds: How long the program ran.
    """

    compiler: str | None = None
    compiler_slow: bool = False
    built_bytes: int = 0
    status: int | None = None
    state: str = ""
    output: str = ""
    printed_bytes: int = 0
    text: bool = True
    held: bool = False
    result_blocked: bool = False
    next_output: str = ""
    left_processes: int = 0
    left_files: int = 0
    touched: list[str] = field(default_factory=list)
    told_secret: bool = False
    seconds: float = 0.0


def main() -> None:
    """Judge what is asked for and print the observation."""
    if os.getpid() != 1 or not Path("/tmp/tests/hostile").is_dir():
        sys.exit("this is for a throw-away container only")
    request = json.load(sys.stdin)
    for folder in (WORK, BESIDE, HOME, CACHE, Path("/tmp/host")):
        folder.mkdir()
    # A judge's own folders are mostly like that.
    WORK.chmod(0o777)
    (CACHE / "runtime").write_text(_CACHED)
    with Canaries(Path("/tmp/host"), name_server=True) as canaries:
        (HOME / "answers.txt").write_text(canaries.word)
        reader, writer = os.pipe()
        judge = os.fork()
        if judge == 0:
            os.write(
                writer,
                json.dumps(
                    asdict(judge_together(request) if request["beside"] else naive_judge(request, canaries))
                ).encode(),
            )
            os._exit(0)
        os.close(writer)
        touched = follow(judge, time.monotonic() + request["seconds"] + request["compile_seconds"] + 25)
        said = b"" if touched else read_all(reader)
        observation = json.loads(said or b"{}")
        observation["touched"] = sorted(touched | canaries.touched())
        if (CACHE / "runtime").read_text() != _CACHED:
            observation["touched"].append("cache")
    print(json.dumps(observation))
    sys.stdout.flush()
    # Whatever still runs ends with this process, the first of its namespace.
    os._exit(0)


def follow(judge: int, deadline: float) -> set[str]:
    """Wait for the judge; what happened to it before it was done."""
    while time.monotonic() < deadline:
        pid, status = os.waitpid(-1, os.WNOHANG | os.WUNTRACED)
        if pid == judge and os.WIFSTOPPED(status):
            return {"judge stopped"}
        if pid == judge and os.WIFSIGNALED(status):
            return {"judge killed"}
        if pid == judge:
            return set()
        if pid == 0:
            time.sleep(0.01)
    return {"judge hangs"}


def read_all(descriptor: int) -> bytes:
    """To its end."""
    with open(descriptor, "rb") as file:
        return file.read()


def naive_judge(request: dict[str, Any], canaries: Canaries) -> Observation:
    """Compile, run, keep the result, run the next program."""
    seen = Observation()
    if not build(request, canaries.fill(request["source"]), seen):
        return seen
    processes, files = set(living()), count_files()
    run(request, seen)
    time.sleep(0.05)
    seen.left_processes = len(set(living()) - processes)
    seen.left_files = count_files() - files
    seen.result_blocked = not keep_result()
    if request["next"]:
        after = Observation()
        if build(request, canaries.fill(request["next"]), after):
            run({**request, "input": "", "unread": False}, after)
        seen.next_output = after.output + (after.compiler or "")
    return seen


def judge_together(request: dict[str, Any]) -> Observation:
    """Run two programs at the same time, each in a folder of its own."""
    seen = (Observation(), Observation())
    threads = []
    for source, one, folder in zip((request["source"], request["beside"]), seen, (WORK, BESIDE), strict=True):
        if build(request, source, one, folder):
            threads.append(threading.Thread(target=run, args=(request, one, folder)))
    start_all(threads)
    for thread in threads:
        thread.join()
    seen[0].next_output = seen[1].output
    return seen[0]


def build(request: dict[str, Any], source: str, seen: Observation, folder: Path = WORK) -> bool:
    """Write the source and compile it; whether there is a program."""
    (folder / request["file"]).write_text(source, errors="surrogateescape")
    if not request["compile"]:
        return True
    start = time.monotonic()
    process = subprocess.Popen(
        request["compile"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        preexec_fn=bound_memory if request["bounded"] else None,
    )
    try:
        said, _ = process.communicate(timeout=request["compile_seconds"])
    except subprocess.TimeoutExpired:
        seen.compiler_slow = True
        os.killpg(process.pid, signal.SIGKILL)
        said, _ = process.communicate()
    seen.compiler = said.decode("utf-8", "replace")[-20_000:]
    seen.seconds = time.monotonic() - start
    with contextlib.suppress(OSError):
        seen.built_bytes = (folder / "program").stat().st_size
    return process.returncode == 0


def bound_memory() -> None:
    """A compiler that is made to eat memory is not to eat this machine's."""
    resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))


def run(request: dict[str, Any], seen: Observation, folder: Path = WORK) -> None:
    """Run the program and watch it."""
    ours, theirs = standard_input(request["input"])
    secret = secrets.token_hex(16)
    SECRET.write_text(secret)
    start = time.monotonic()
    process = subprocess.Popen(
        # As with our judge, the runner reads its secret from descriptor 3 and shows it on 4.
        ["/bin/sh", "-c", f'exec "$@" 3<{SECRET} 4>{REPLY}', "sh", *request["run"]],
        cwd=folder,
        env={**os.environ, "HOME": str(HOME)},
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        preexec_fn=partial(prepare, request["input"] == "terminal", request["processes"]),
    )
    os.close(theirs)
    kept = bytearray()
    readers = [
        threading.Thread(target=drain, args=(pipe, kept, seen), daemon=True)
        for pipe in (process.stdout, process.stderr)
    ]
    if not request["unread"]:
        start_all(readers)
    try:
        seen.status = process.wait(request["seconds"])
    except subprocess.TimeoutExpired:
        seen.state = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0]
        process.kill()
        process.wait()
    seen.seconds = time.monotonic() - start
    if request["unread"]:
        start_all(readers)
    for reader in readers:
        reader.join(0.3)
    seen.held = any(reader.is_alive() for reader in readers)
    os.close(ours)
    seen.told_secret = secret in REPLY.read_text(errors="replace")
    seen.output = bytes(kept[: 1 << 14]).decode("utf-8", "replace")
    seen.text = is_text(bytes(kept))


def standard_input(kind: str) -> tuple[int, int]:
    """The judge's end and the program's."""
    if kind == "terminal":
        return pty.openpty()
    reader, writer = os.pipe()
    if kind != "open":
        os.close(writer)
        writer = os.open("/dev/null", os.O_WRONLY)
    return writer, reader


def prepare(terminal: bool, processes: int) -> None:
    """Make standard input the session's terminal, as for who judges at one; limit the number of processes."""
    if terminal:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    if processes:
        resource.setrlimit(resource.RLIMIT_NPROC, (processes, processes))


def start_all(threads: list[threading.Thread]) -> None:
    """Start them."""
    for thread in threads:
        thread.start()


def drain(pipe: IO[bytes], kept: bytearray, seen: Observation) -> None:
    """Count what comes and keep its beginning."""
    while data := os.read(pipe.fileno(), 1 << 16):
        seen.printed_bytes += len(data)
        kept += data[: max(0, KEPT_BYTES - len(kept))]


def is_text(data: bytes) -> bool:
    """Whether it is UTF-8."""
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def keep_result() -> bool:
    """Write the result beside the program, as judges do; False when that blocks."""

    def late(number: int, frame: object) -> None:
        raise TimeoutError

    signal.signal(signal.SIGALRM, late)
    signal.setitimer(signal.ITIMER_REAL, 1)
    try:
        RESULT.write_text("judged")
    except TimeoutError:
        return False
    except OSError:
        # A folder in its place, a link to nowhere.
        return True
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return True


def living() -> Iterator[int]:
    """Processes of this namespace that are not just waiting to be reaped."""
    for name in os.listdir("/proc"):
        if name.isdecimal():
            with contextlib.suppress(OSError):
                if Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
                    yield int(name)


def count_files() -> int:
    """Files under the program's folder, however deep."""
    found = subprocess.run(["find", str(WORK), "-mindepth", "1"], capture_output=True, check=False)
    return found.stdout.count(b"\n")


if __name__ == "__main__":
    main()
