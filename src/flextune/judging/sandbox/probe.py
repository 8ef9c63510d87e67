"""Which isolation this machine offers: each kind is tried."""

from __future__ import annotations

import os
import shutil
from functools import cache
from typing import Literal

from flextune.errors import FlextuneError
from flextune.judging.sandbox.command import Command, SandboxFault
from flextune.judging.sandbox.isolation import Isolation
from flextune.judging.sandbox.limits import Limits
from flextune.judging.sandbox.sandbox import Sandbox


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
        try:
            with Sandbox(candidate) as sandbox:
                if sandbox.run(Command(("/bin/sh", "-c", ":")), Limits()).status == 0:
                    return candidate
            detail = "a program that does nothing failed in it"
        except SandboxFault as fault:
            detail = str(fault)
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
        "or run them unprotected, at your own risk, with --no-sandbox (in Python: sandbox=False)"
    )
