"""The application: its commands, and what a user sees when something fails."""

from __future__ import annotations

import errno
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import click
import typer

import flextune
from flextune.cli import (
    compare,
    doctor,
    evaluate,
    generate,
    judge,
    quickstart,
    report,
    rosetta,
    run_file,
    runs,
    schema,
    train,
)
from flextune.records import FlextuneError

INTERRUPTED = 130
_INTERRUPTED = "interrupted; what is finished is kept, run the same command again to go on"

app = typer.Typer(
    help="Fine-tune code models in one language and know what it does to the others.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run")(run_file.run_file)
app.command("quickstart")(quickstart.quickstart)
app.command("train")(train.train)
app.command("generate")(generate.generate)
app.command("judge")(judge.judge)
app.command("eval")(evaluate.evaluate)
app.command("compare")(compare.compare)
app.command("report")(report.report)
app.command("runs")(runs.runs)
app.command("doctor")(doctor.doctor)
app.command("schema")(schema.schema)
app.add_typer(rosetta.app, name="rosetta")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flextune {flextune.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Fine-tune code models in one language and know what it does to the others."""


def _terminate(number: int, frame: FrameType | None) -> None:
    # As Ctrl-C: children are ended and files closed on the way out.
    raise KeyboardInterrupt


def run() -> NoReturn:
    """Run the command line; every failure a user can meet ends in one line and an exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    try:
        code = app(standalone_mode=False)
    except FlextuneError as error:
        _fail(str(error))
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        _fail(_INTERRUPTED, code=INTERRUPTED)
    except BrokenPipeError:
        # Whoever read our output has gone; Python would complain again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(141)
    except OSError as error:
        _fail(_explain(error))
    if code == INTERRUPTED:  # typer has caught a KeyboardInterrupt
        _fail(_INTERRUPTED, code=INTERRUPTED)
    sys.exit(code if isinstance(code, int) else 0)


def _explain(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    if error.errno == errno.ENOSPC:
        return f"{where}the disk is full; free some space and run the same command again to go on"
    return f"{where}{error.strerror or error}"


def _fail(message: str, code: int = 1) -> NoReturn:
    sys.stdout.flush()
    print(f"flextune: {message}", file=sys.stderr)
    sys.exit(code)
