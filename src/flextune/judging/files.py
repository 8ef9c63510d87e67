"""Files of problems and samples in, verdicts out, resumed where it was stopped."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Generator, Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict, dataclass, field
from pathlib import Path

from flextune.data.problem_rows import Problems
from flextune.data.problem_rows import read_problems as _read_problems
from flextune.data.samples import LONGEST_SOURCE, read_samples
from flextune.errors import FlextuneError
from flextune.files.lenient import Skipped
from flextune.files.lines import LineWriter, read_lines, read_records, write_lines
from flextune.files.locks import locked
from flextune.files.output import check_no_input, check_output
from flextune.judging.judgement import Judgement
from flextune.judging.languages import languages
from flextune.judging.packages import Packages, packages_in
from flextune.judging.scoring import LanguageScore, score_verdicts
from flextune.judging.settings import (
    JudgeSettings,
    note_faults,
    note_missing_libraries,
    note_missing_toolchains,
    note_not_strict,
    note_unsupported,
    with_progress,
)
from flextune.judging.verdict_files import Identity, identity
from flextune.progress import Reporter, Silent
from flextune.records import UNKNOWN_OUTCOMES, Completion, Problem, Verdict, as_row

#: Characters of an output's name that its lock file repeats.
_LONGEST_NAME = 100
#: Lines about skipped input, and names in one line, that a person will read.
_LINES_SHOWN, _NAMES_SHOWN = 20, 3


@dataclass(frozen=True)
class Request:
    """What is to be judged.

    Attributes:
        pairs: Problems and completions in the samples' order.
        skipped: What was left out of the files, with the reason.
        missing: Language to the problems in it that have no sample, where the problems are known.
    """

    pairs: list[tuple[Problem, Completion]]
    skipped: tuple[Skipped, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Judged:
    """What came of a request.

    Attributes:
        verdicts: In the samples' order.
        skipped: What was left out of the files, with the reason.
        missing: Language to the problems in it that have no sample, where the problems are known.
    """

    verdicts: list[Verdict]
    skipped: tuple[Skipped, ...] = ()
    missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """How many verdicts each outcome has; ``total``, ``passed`` and ``unknown`` are always there."""
        return _counts(self.verdicts)

    @property
    def scores(self) -> list[LanguageScore]:
        """pass@k of each language with its interval."""
        return score_verdicts(self.verdicts, self.missing)

    @property
    def by_language(self) -> dict[str, dict[str, int]]:
        """``counts`` for each language, in the order in which they come."""
        verdicts: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            verdicts.setdefault(verdict.language, []).append(verdict)
        return {language: _counts(group) for language, group in verdicts.items()}


def judge_files(
    samples: Path | str,
    problems: Path | str | Sequence[Problem] | None = None,
    settings: JudgeSettings | None = None,
    *,
    limit: int | None = None,
    output: Path | str | None = None,
    keep_programs: Path | str | None = None,
    reporter: Reporter | None = None,
) -> Judged:
    """Judge a file of samples: ``flextune judge`` as a call.

    Args:
        samples: A file, or a folder of MultiPL-E's.
        problems: A file of problems, or problems; None where the samples bring their own.
        settings: How programs are judged.
        limit: Judge the samples of the first ``limit`` problems only.
        output: File for the verdicts, one JSON line each. What is judged is kept beside it as it comes, and
            the same call continues where it was stopped.
        keep_programs: Folder in which every program is written as ``<name>/<sample>/<source file>``.
        reporter: Told of skipped lines, missing toolchains and progress.

    Raises:
        FlextuneError: A file cannot be read, nothing in it can be used, programs cannot be isolated here, or
            ``output`` is a file of something else than verdicts.
    """
    source = Path(problems) if isinstance(problems, str) else problems
    if output is not None:
        given = source if isinstance(source, Path) else None
        check_no_input(
            Path(output),
            {"samples": Path(samples), "problems": given, "cache": settings.cache if settings else None},
        )
    request = read_request(Path(samples), problems=source, limit=limit)
    return judge_request(
        request,
        settings or JudgeSettings(),
        output=None if output is None else Path(output),
        keep_programs=None if keep_programs is None else Path(keep_programs),
        reporter=reporter or Silent(),
    )


def read_problems(path: Path) -> Problems:
    """Problems of a file that can be judged; languages and formats may be mixed.

    Raises:
        FlextuneError: The file cannot be read, or there are none.
    """
    return _read_problems(path, languages())


def read_request(
    samples: Path,
    *,
    problems: Path | Sequence[Problem] | None = None,
    limit: int | None = None,
) -> Request:
    """Samples with their problems.

    Args:
        samples: A file, or a folder of MultiPL-E's.
        problems: A file of problems, or problems; None where the samples bring their own.
        limit: Take the samples of the first ``limit`` problems only.

    Raises:
        FlextuneError: A file cannot be read, or nothing in it can be used.
    """
    known: Problems | None = None
    if isinstance(problems, Path):
        known = read_problems(problems)
    elif problems is not None:
        known = Problems(tuple(problems))
    pairs, skipped = read_samples(
        samples,
        None if known is None else known.found,
        refused=() if known is None else known.skipped,
        judged=languages(),
        limit=limit,
    )
    missing = {} if known is None else _missing(known.found[:limit], pairs)
    return Request(pairs, (*(known.skipped if known else ()), *skipped), missing)


def _missing(
    problems: Sequence[Problem], pairs: Sequence[tuple[Problem, Completion]]
) -> dict[str, tuple[str, ...]]:
    answered = {(problem.language, problem.name) for problem, _ in pairs}
    missing: dict[str, list[str]] = {}
    for problem in problems:
        if (problem.language, problem.name) not in answered:
            missing.setdefault(problem.language, []).append(problem.name)
    return {language: tuple(names) for language, names in missing.items()}


def reference_request(problems: Sequence[Problem]) -> Request:
    """The reference answers of problems, to test the judge with.

    Raises:
        FlextuneError: No problem has one.
    """
    pairs = [(p, Completion(p.name, 0, p.reference)) for p in problems if p.reference is not None]
    if not pairs:
        benchmarks = ", ".join(sorted({f"{p.benchmark} ({p.language})" for p in problems})) or "no problems"
        raise FlextuneError(f"{benchmarks}: no reference answers to judge")
    return Request(pairs)


def judge_request(
    request: Request,
    settings: JudgeSettings,
    *,
    output: Path | None = None,
    keep_programs: Path | None = None,
    reporter: Reporter,
) -> Judged:
    """Judge what a request asks for.

    Args:
        request: Problems and completions, no two with the same identity.
        settings: How programs are judged.
        output: As for ``judge_files``.
        keep_programs: As for ``judge_files``.
        reporter: As for ``judge_files``.

    Raises:
        FlextuneError: Programs cannot be isolated here, a file cannot be written, ``output`` is a file of
            something else than verdicts, or another process is writing it.
    """
    if output is not None:
        check_output(output, fields=("name", "sample", "outcome", "stage"), what="verdicts")
    # What cannot be used is said before any work begins.
    packages = None if settings.site_packages is None else packages_in(settings.site_packages)
    _note(request, settings, reporter)
    if output is None:
        return _judge(request, settings, packages, None, keep_programs, reporter)
    doing = "another flextune process is writing its verdicts there; wait for it, or choose another file"
    with locked(output.with_name(f".{output.name[:_LONGEST_NAME]}.lock"), f"{output}: {doing}"):
        return _judge(request, settings, packages, output, keep_programs, reporter)


def _judge(
    request: Request,
    settings: JudgeSettings,
    packages: Packages | None,
    output: Path | None,
    keep_programs: Path | None,
    reporter: Reporter,
) -> Judged:
    pairs = request.pairs
    partial = None if output is None else _partial(output, pairs, settings, packages, keep_programs)
    known = {} if partial is None else _known(partial)
    pending = [pair for pair in pairs if _identity(*pair) not in known]
    verdicts = _verdicts(pending, settings, keep_programs)
    watched = with_progress(verdicts, reporter, "judge", len(pairs), done=len(known))
    with ExitStack() as stack:
        stack.enter_context(closing(watched))
        writer = None if partial is None else stack.enter_context(LineWriter(partial))
        for verdict in watched:
            known[identity(verdict)] = verdict
            if writer:
                writer.write([as_row(verdict)])
    note_missing_libraries(known.values(), reporter)
    note_faults(known.values(), reporter)
    note_unsupported(known.values(), reporter)
    ordered = [known[_identity(*pair)] for pair in pairs]
    if output is not None and partial is not None:
        _note_replaced(output, ordered, reporter)
        write_lines(output, map(as_row, ordered))
        partial.unlink()
    return Judged(ordered, request.skipped, request.missing)


def _note_replaced(output: Path, verdicts: Sequence[Verdict], reporter: Reporter) -> None:
    """Say so where verdicts of an earlier call, perhaps on other samples, are about to go."""
    new = {identity(verdict): verdict.outcome for verdict in verdicts}
    held = [
        ((row.get("language", ""), row["name"], row["sample"]), row["outcome"]) for row in read_lines(output)
    ]
    changed = sum(new.get(key) != outcome for key, outcome in held)
    if changed:
        reporter.note(f"{output}: {changed} of the {len(held)} verdicts that it held are replaced by others")


def note_skipped(skipped: Sequence[Skipped], reporter: Reporter) -> None:
    """Report what was left out and why, the first of it at least."""
    for line in skipped[:_LINES_SHOWN]:
        reporter.note(f"skipped {line}")
    if len(skipped) > _LINES_SHOWN:
        reporter.note(f"skipped {len(skipped) - _LINES_SHOWN} more (--json lists them all)")


def _note(request: Request, settings: JudgeSettings, reporter: Reporter) -> None:
    note_skipped(request.skipped, reporter)
    _note_missing(request, reporter)
    note_missing_toolchains((problem.language for problem, _ in request.pairs), reporter)
    if settings.strict:
        note_not_strict((problem for problem, _ in request.pairs), reporter)


def _note_missing(request: Request, reporter: Reporter) -> None:
    answered = Counter(language for language, _ in {(p.language, p.name) for p, _ in request.pairs})
    for language, names in request.missing.items():
        total = answered[language] + len(names)
        shown = ", ".join(names[:_NAMES_SHOWN]) + (", ..." if len(names) > _NAMES_SHOWN else "")
        reporter.note(f"{language}: {len(names)} of {total} problems have no sample ({shown}); not scored")


def _verdicts(
    pairs: list[tuple[Problem, Completion]], settings: JudgeSettings, keep_programs: Path | None
) -> Generator[Verdict, None, None]:
    """Verdicts as they come; what is too long to be source is refused without a run."""
    runnable = []
    for problem, completion in pairs:
        if len(completion.text) > LONGEST_SOURCE:
            yield _TOO_LONG.verdict(*_identity(problem, completion))
        else:
            runnable.append((problem, completion))
    with settings.judge() as judge:
        yield from judge.verdicts(runnable, keep_programs=keep_programs)


_TOO_LONG = Judgement(
    "compile_error", "compile", f"more than {LONGEST_SOURCE:,} characters of source; not run"
)


def _identity(problem: Problem, completion: Completion) -> Identity:
    return problem.language, completion.name, completion.sample


def _partial(
    output: Path,
    pairs: list[tuple[Problem, Completion]],
    settings: JudgeSettings,
    packages: Packages | None,
    keep_programs: Path | None,
) -> Path:
    """Where the verdicts of this very request are kept until all are known."""
    programs = [[*_identity(p, c), p.program(c.text), [asdict(case) for case in p.cases]] for p, c in pairs]
    kept = None if keep_programs is None else str(keep_programs.resolve())
    limits = {**asdict(settings.limits), "wall_seconds": settings.limits.wall_limit}
    digest = None if packages is None else packages.digest
    manner = [settings.sandbox, settings.strict, settings.tolerance, digest]
    content = json.dumps([programs, limits, manner, kept])
    return output.with_name(f".{output.name}.{hashlib.sha256(content.encode()).hexdigest()[:16]}.partial")


def _known(partial: Path) -> dict[Identity, Verdict]:
    verdicts = (verdict for verdict in read_records(partial, Verdict))
    return {identity(verdict): verdict for verdict in verdicts if verdict.outcome not in UNKNOWN_OUTCOMES}


def _counts(verdicts: Sequence[Verdict]) -> dict[str, int]:
    counts: dict[str, int] = {"total": len(verdicts), "passed": 0}
    counts.update(Counter(verdict.outcome for verdict in verdicts))
    return {**counts, "unknown": sum(verdict.outcome in UNKNOWN_OUTCOMES for verdict in verdicts)}
