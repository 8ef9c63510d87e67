"""The application: its commands, and what a user sees when something fails."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

import typer

import flextune
from flextune.cli import (
    check_problems,
    clean,
    compare,
    doctor,
    evaluate,
    figures,
    generate,
    init,
    judge,
    listing,
    merge,
    overlap,
    power,
    quickstart,
    report,
    reproduce,
    rosetta,
    run_file,
    runs,
    schema,
    score,
    show_run,
    spectrum,
    sweep,
    train,
    tune,
)
from flextune.cli.commands import Command, Group
from flextune.cli.experiments import ExperimentCommand
from flextune.cli.options import BenchmarkCommand
from flextune.errors import EndedElsewhere, FlextuneError
from flextune.extras import belongs_to_an_extra, missing
from flextune.launch import launched

INTERRUPTED = 130
#: Commands that several processes (torchrun, accelerate launch) can work at together.
_TRAIN = {"run", "train", "sweep", "tune", "quickstart", "reproduce"}
_INTERRUPTED = "interrupted; what is finished is kept, run the same command again to continue"

app = typer.Typer(
    cls=Group,
    help="Fine-tune code models in one language and know what it does to the others.",
    epilog="Exit status: 0 done, 1 failed, 2 wrong command line, 3 partly unknown, 130 interrupted; "
    "docs/cli.md has these and the formats of --json.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", cls=ExperimentCommand)(run_file.run_file)
app.command("sweep", cls=ExperimentCommand)(sweep.sweep)
app.command("tune", cls=ExperimentCommand)(tune.tune)
app.command("init", cls=Command)(init.init)
app.command("quickstart", cls=ExperimentCommand)(quickstart.quickstart)
app.command("reproduce", cls=ExperimentCommand)(reproduce.reproduce)
app.command("train", cls=ExperimentCommand)(train.train)
app.command("generate", cls=BenchmarkCommand)(generate.generate)
app.command("judge", cls=BenchmarkCommand)(judge.judge)
app.command("check-problems", cls=Command)(check_problems.check_problems)
app.command("eval", cls=BenchmarkCommand)(evaluate.evaluate)
app.command("score", cls=Command)(score.score)
app.command("compare", cls=Command)(compare.compare)
app.command("overlap", cls=BenchmarkCommand)(overlap.overlap)
app.command("power", cls=Command)(power.power)
app.command("report", cls=Command)(report.report)
app.command("figures", cls=Command)(figures.figures)
app.command("merge", cls=BenchmarkCommand)(merge.merge)
app.command("spectrum", cls=Command)(spectrum.spectrum)
app.command("runs", cls=Command)(runs.runs)
app.command("show", cls=Command)(show_run.show)
app.command("clean", cls=Command)(clean.clean)
app.command("doctor", cls=Command)(doctor.doctor)
app.command("schema", cls=Command)(schema.schema)
app.add_typer(listing.app, name="list")
app.add_typer(rosetta.app, name="rosetta")


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"flextune {flextune.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "-V", "--version", callback=_version, is_eager=True, help="Print the version and exit."
    ),
) -> None:
    """Fine-tune code models in one language and know what it does to the others."""


def _terminate(number: int, frame: FrameType | None) -> None:
    # As Ctrl-C: children are ended and files closed on the way out.
    raise KeyboardInterrupt


def run() -> NoReturn:
    """Run the command line; every failure a user can meet ends in one line and an exit code."""
    signal.signal(signal.SIGTERM, _terminate)
    # peft imports bitsandbytes where it is installed, which warns of a kernel that nothing here asks for.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    try:
        try:
            _work()
        finally:
            # Here a pipe without a reader or a full disk is still ours to report.
            sys.stdout.flush()
    except EndedElsewhere:
        sys.exit(1)
    except FlextuneError as error:
        _fail(_with_remedy(str(error)))
    except ModuleNotFoundError as error:
        # The base install has all commands, and what some of them import comes with an extra.
        if error.name is None or not belongs_to_an_extra(error.name):
            raise
        _fail(missing(error.name))
    except KeyboardInterrupt:
        _fail(_INTERRUPTED, code=INTERRUPTED)
    except SystemExit as done:
        # typer makes an exit of Ctrl-C, and of a wrong option after it has shown the usage.
        if done.code == INTERRUPTED:
            _fail(_INTERRUPTED, code=INTERRUPTED)
        raise
    except BrokenPipeError:
        _silence_output()
        sys.exit(1)
    except OSError as error:
        _silence_output()
        _fail(_explain(error))
    sys.exit(0)


def _work() -> None:
    """Do what the command line says; of several processes at a command that trains, only the first does."""
    launch = launched()
    if launch.world == 1 or not _TRAIN & {*sys.argv[1:2]}:
        app()
        return
    from flextune.runner.together import follow, leading

    if launch.rank:
        follow()
        return
    with leading():
        app()


def _explain(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return _with_remedy(f"{where}{error.strerror or error}")


def _with_remedy(message: str) -> str:
    """What to do about a full disk, whichever library met it first."""
    if any(os.strerror(number) in message for number in (errno.ENOSPC, errno.EDQUOT)):
        return f"{message}; free some space and run the same command again to continue"
    return message


def _silence_output() -> None:
    """Drop what standard output could not take; Python would try and complain again at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(message: str, code: int = 1) -> NoReturn:
    print(f"flextune: {message}", file=sys.stderr)
    sys.exit(code)
