"""How programs are kept apart from the machine, and the bubblewrap command line that asks for it."""

from __future__ import annotations

import os
import random
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

#: Where a program finds its own files and its language's runtime.
INSIDE = "/flextune"
PROGRAM = f"{INSIDE}/program"
PATH = "/usr/local/bin:/usr/bin:/bin"

_SYSTEM = ("/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_ETC = ("ld.so.cache", "alternatives", "java*", "ssl/openssl.cnf")
#: Names of users, hosts and services, the same on every machine.
_OWN_ETC = Path(__file__).parent / "etc"
#: Each program has a user of its own, so these lie where every program gets a file system of its own.
_USERS = "/etc/users"
_DEVICES = ("null", "zero", "full", "random", "urandom")
#: Rights of the helper in its own namespaces: to make others, mount in them, and give up what it has.
#: Programs have none.
_CAPABILITIES = ("SYS_ADMIN", "SETPCAP", "NET_ADMIN")


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


def free_user() -> int:
    """A user number nobody has, so that the limit on processes counts this program's alone."""
    top = _users()
    low = 100_000 if top > 200_000 else min(60_000, top - 1)
    return random.SystemRandom().randrange(low, min(top, 2**31))


@cache
def _users() -> int:
    """User numbers of this process's namespace are below it."""
    with open("/proc/self/uid_map") as file:
        return max(int(start) + int(length) for start, _, length in map(str.split, file))


def wrap(
    isolation: Isolation,
    argv: tuple[str, ...],
    *,
    mounts: Iterable[tuple[Path, str]] = (),
    hidden: Iterable[Path] = (),
    environment: Iterable[tuple[str, str]] = (),
) -> tuple[str, ...]:
    """The command line that runs the helper ``argv`` isolated, with the right to isolate further.

    Args:
        isolation: ``root`` or ``user``.
        argv: Program and arguments as seen inside.
        mounts: Path on the host, path inside; read-only.
        hidden: Folders in them that are empty inside.
        environment: Variables of the helper.
    """
    options = ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts", "--unshare-cgroup-try"]
    options += ["--hostname", "sandbox", "--die-with-parent", "--new-session", "--as-pid-1"]
    options += _visible_system(mounts)
    for path in hidden:
        options += ["--perms", "0755", "--tmpfs", str(path), "--remount-ro", str(path)]
    # The fresh file systems of every program are mounted on these two.
    options += ["--dir", "/tmp", "--dir", "/dev/shm", "--perms", "0755", "--dir", PROGRAM]
    options += ["--remount-ro", "/", "--chdir", "/", "--clearenv"]
    for name, value in environment:
        options += ["--setenv", name, value]
    options += ["--cap-drop", "ALL"]
    for name in _CAPABILITIES:
        options += ["--cap-add", f"CAP_{name}"]
    if isolation.kind == "root":
        options += ["--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        options += ["--unshare-user", "--uid", "65534", "--gid", "65534"]
    return (isolation.bubblewrap, *options, "--", *argv)


def _visible_system(mounts: Iterable[tuple[Path, str]]) -> list[str]:
    """Bind options for the system's programs and libraries, a few devices and ``mounts``."""
    options = ["--ro-bind", "/usr", "/usr"]
    for path in _SYSTEM:
        if os.path.islink(path):
            options += ["--symlink", os.readlink(path), path]
        elif os.path.isdir(path):
            options += ["--ro-bind", path, path]
    pairs = [(path, str(path)) for pattern in _ETC for path in sorted(Path("/etc").glob(pattern))]
    pairs += [(path, f"/etc/{path.name}") for path in sorted(_OWN_ETC.iterdir())]
    pairs += mounts
    # Folders that bubblewrap makes on the way are closed to the program's user.
    made: set[str] = {"/"}
    for _, inside in [*pairs, (Path(), PROGRAM)]:
        for parent in reversed(Path(inside).parents):
            if str(parent) not in made and not str(parent).startswith("/usr"):
                made.add(str(parent))
                options += ["--perms", "0755", "--dir", str(parent)]
    for source, inside in pairs:
        options += ["--ro-bind", str(source), inside]
    options += ["--perms", "0755", "--dir", _USERS]
    for name in ("passwd", "group"):
        options += ["--symlink", f"{_USERS}/{name}", f"/etc/{name}"]
    options += ["--symlink", "/usr/share/zoneinfo/Etc/UTC", "/etc/localtime"]
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
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        options += ["--symlink", f"/proc/self/fd/{number}", f"/dev/{name}"]
    for device in _DEVICES:
        options += ["--dev-bind", f"/dev/{device}", f"/dev/{device}"]
    return options
