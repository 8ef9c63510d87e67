"""Which isolation this machine offers, and the bubblewrap command line that asks for it."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from flextune.judging.sandbox.limits import Limits
from flextune.records import FlextuneError

#: Where a program finds its own files and its language's runtime.
INSIDE = "/flextune"
PATH = "/usr/local/bin:/usr/bin:/bin"

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("ld.so.cache", "alternatives", "localtime", "java*", "ssl/openssl.cnf")
_DEVICES = ("null", "zero", "full", "random", "urandom")
# The program runs as the child of a shell that is the first process of the namespace: signals then mean
# what they mean outside, and when the shell ends the kernel ends and reaps all others, so that the
# usage reported for bubblewrap is that of the whole tree.
_FIRST_PROCESS = ("/bin/sh", "-c", '"$@"; exit $?', "sh")


@dataclass(frozen=True, slots=True)
class Isolation:
    """How programs are kept apart from the machine.

    Attributes:
        kind: ``root``: bubblewrap with real namespaces, and a user of its own for every program;
            ``user``: bubblewrap in a user namespace; ``none``: limits only, at the user's own risk.
        bubblewrap: Path of ``bwrap``, empty for ``none``.
        detail: Why a stronger kind was not possible.
    """

    kind: Literal["root", "user", "none"]
    bubblewrap: str = ""
    detail: str = ""


@cache
def isolation() -> Isolation:
    """The strongest isolation that was seen to work here; probes once per process."""
    bubblewrap = shutil.which("bwrap")
    if bubblewrap is None:
        return Isolation("none", detail="bubblewrap is not installed")
    kinds: tuple[Literal["root", "user"], ...] = ("root", "user") if os.geteuid() == 0 else ("user",)
    detail = ""
    for kind in kinds:
        candidate = Isolation(kind, bubblewrap, detail)
        argv = wrap(candidate, ("/bin/sh", "-c", ":"), limits=Limits(), user=free_user())
        probe = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if probe.returncode == 0:
            return candidate
        detail = (probe.stderr.strip().splitlines() or ["no message"])[-1]
    return Isolation("none", detail=detail)


def check_isolation() -> Isolation:
    """The isolation of this machine.

    Raises:
        FlextuneError: If bubblewrap cannot run; says how to install it or to accept the risk.
    """
    found = isolation()
    if found.kind != "none":
        return found
    remedy = (
        "install it with: apt-get install bubblewrap"
        if "not installed" in found.detail
        else "bubblewrap 0.8 or newer is needed"
        if "nknown option" in found.detail
        else "allow user namespaces (sysctl kernel.unprivileged_userns_clone=1; on Ubuntu 24.04 "
        "kernel.apparmor_restrict_unprivileged_userns=0; in Docker --privileged)"
    )
    raise FlextuneError(
        f"programs cannot be isolated: {found.detail}; {remedy}; "
        "or run them unprotected, at your own risk, with --no-sandbox"
    )


def free_user() -> int:
    """A user number nobody has, so that the limit on processes counts this program's alone."""
    with open("/proc/self/uid_map") as file:
        top = max(int(start) + int(length) for start, _, length in map(str.split, file))
    low = 100_000 if top > 200_000 else min(60_000, top - 1)
    return random.SystemRandom().randrange(low, min(top, 2**31))


def wrap(
    isolation: Isolation,
    argv: tuple[str, ...],
    *,
    limits: Limits,
    user: int,
    files: Iterable[tuple[int, str]] = (),
    mounts: Iterable[tuple[Path, str]] = (),
    environment: Iterable[tuple[str, str]] = (),
) -> tuple[str, ...]:
    """The command line that runs ``argv`` isolated.

    Args:
        isolation: ``root`` or ``user``.
        argv: Program and arguments as seen inside.
        limits: Size of /tmp and, for ``user``, the number of processes.
        user: User number of the program, for ``root``.
        files: Descriptor to read from, path inside.
        mounts: Path on the host, path inside; read-only.
        environment: Variables of the program.
    """
    options = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    options += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--as-pid-1"]
    options += _visible_system(mounts)
    for descriptor, path in files:
        options += ["--perms", "0444", "--ro-bind-data", str(descriptor), path]
    options += ["--perms", "1777", "--size", str(limits.tmp_bytes), "--tmpfs", "/tmp"]
    options += ["--remount-ro", "/", "--chdir", "/tmp", "--clearenv"]
    for name, value in environment:
        options += ["--setenv", name, value]
    options += ["--cap-drop", "ALL"]
    if isolation.kind == "root":
        options += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
        inner = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        inner += ["--inh-caps=-all", "--"]
    else:
        options += ["--unshare-user", "--disable-userns", "--uid", "65534", "--gid", "65534"]
        # Set inside, where only the namespace's own processes count.
        inner = ["prlimit", f"--nproc={limits.processes}:{limits.processes}", "--"]
    return (isolation.bubblewrap, *options, "--", *inner, *_FIRST_PROCESS, *argv)


def _visible_system(mounts: Iterable[tuple[Path, str]]) -> list[str]:
    """Bind options for the system's programs and libraries, a few devices and ``mounts``."""
    options = ["--ro-bind", "/usr", "/usr"]
    for path in _SYSTEM:
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            options += ["--ro-bind", path, path]
    pairs = [(path, str(path)) for pattern in _ETC for path in sorted(Path("/etc").glob(pattern))]
    pairs += mounts
    # Folders that bubblewrap makes on the way are closed to the program's user.
    made: set[str] = {"/"}
    for _, inside in [*pairs, (Path(), f"{INSIDE}/program/x")]:
        for parent in reversed(Path(inside).parents):
            if str(parent) not in made and not str(parent).startswith("/usr"):
                made.add(str(parent))
                options += ["--perms", "0755", "--dir", str(parent)]
    for source, inside in pairs:
        options += ["--ro-bind", str(source), inside]
    options += [
        "--proc",
        "/proc",
        "--perms",
        "0755",
        "--dir",
        "/dev",
        "--symlink",
        "/proc/self/fd",
        "/dev/fd",
    ]
    for device in _DEVICES:
        options += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    return options
