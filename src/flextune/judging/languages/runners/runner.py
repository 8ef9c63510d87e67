"""Runs one Python program as ``__main__`` and tells, over descriptor 0, how far it came.

It imports next to nothing: every millisecond here is paid once per judged program.
"""

from __future__ import annotations

import posix
import sys
from _sitebuiltins import Quitter
from types import CodeType, TracebackType

SECRET_BYTES = 32


def main() -> None:
    """Read the secret, compile, run, show the secret."""
    secret = posix.read(0, SECRET_BYTES)
    # The program gets an empty standard input instead, and its children no way to reach the judge.
    channel = posix.dup(0)
    posix.set_inheritable(channel, False)
    null = posix.open("/dev/null", posix.O_RDONLY)
    posix.dup2(null, 0)
    posix.close(null)
    posix.write(channel, b"S")
    path = sys.argv[1]
    code = compiled(path)
    if code is None:
        posix.write(channel, b"C")
        sys.exit(1)
    posix.write(channel, b"R")
    reason = execute(code, path)
    posix.write(channel, secret if reason is None else reason)
    sys.exit(0 if reason is None else 1)


def compiled(path: str) -> CodeType | None:
    """The program's code; None, and the error on standard error, when it is no program."""
    with open(path, "rb") as file:
        source = file.read()
    try:
        return compile(source, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError, RecursionError, MemoryError, OverflowError) as error:
        sys.__excepthook__(type(error), error.with_traceback(None), None)
        return None


def execute(code: CodeType, path: str) -> bytes | None:
    """Run the program; None when it came to its end, else why not, in the judge's letters."""
    import builtins

    module = type(sys)("__main__")
    module.__dict__.update(__file__=path, __builtins__=builtins)
    sys.modules["__main__"] = module
    sys.argv = [path]
    # ``site`` would add these; without it many programs that end early would fail otherwise.
    builtins.exit, builtins.quit = Quitter("exit", "Ctrl-D"), Quitter("quit", "Ctrl-D")
    show = sys.__excepthook__
    try:
        exec(code, module.__dict__)
    except SystemExit:
        raise
    except BaseException as error:
        trace = without_runner(error.__traceback__)
        show(type(error), error.with_traceback(trace), trace)
        if isinstance(error, AssertionError):
            return b"A"
        return b"M" if isinstance(error, MemoryError) else b"E"
    return None


def without_runner(trace: TracebackType | None) -> TracebackType | None:
    """The traceback from the program's first line on."""
    return trace.tb_next if trace else None


if __name__ == "__main__":
    main()
