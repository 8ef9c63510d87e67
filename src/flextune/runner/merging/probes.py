"""On which problems a merge is audited: those of the adapter's own run, or prompts of a file."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from flextune.config import EvaluateConfig
from flextune.errors import FlextuneError
from flextune.files.rows import read_rows
from flextune.records import Problem
from flextune.runs import layout
from flextune.runs.pieces import Trained
from flextune.runs.run import Run
from flextune.sources.loading import load_problems

#: Prompts where nobody says how many.
DEFAULT_LIMIT = 32
#: What stands in for an adapter's own evaluation, where nothing is known of it.
_FALLBACK = (("rosetta", "py"), ("rosetta", "java"))


def run_problems(adapter: Path, limit: int | None) -> list[Problem]:
    """The problems that an adapter's own run poses it, evenly from each of its evaluations.

    Args:
        adapter: ``RUN/trained/KEY/adapter``; of any other folder nothing is known.
        limit: How many at most; None: ``DEFAULT_LIMIT``.

    Returns:
        [] for an adapter without a run, or before its run has generated anything.
    """
    trained = trained_of(adapter)
    if trained is None:
        return []
    run, key = Run(trained.folder.parent.parent), trained.key
    groups: dict[tuple[str, str, str | None], list[Problem]] = {}
    for path in sorted(run.folder.glob(f"{layout.GENERATED}/*/{layout.KEY}")):
        generated = run.generated(path.parent.name)
        if generated.settings().get("training") == key:
            for problem in generated.problems():
                members = groups.setdefault((problem.benchmark, problem.language, problem.lexicon), [])
                members += [problem] if problem not in members else []
    return evenly(list(groups.values()), limit or DEFAULT_LIMIT)


def trained_of(adapter: Path) -> Trained | None:
    """The training in a run that an adapter is from; None for any other folder."""
    folder = adapter.expanduser().absolute()
    if folder.name != layout.ADAPTER or folder.parent.parent.name != layout.TRAINED:
        return None
    return Trained(folder.parent)


def fallback_problems(limit: int | None) -> list[Problem]:
    """Problems of the embedded benchmark."""
    parts = [EvaluateConfig(benchmark=name, language=language) for name, language in _FALLBACK]
    return evenly([load_problems(part, None) for part in parts], limit or DEFAULT_LIMIT)


def file_problems(path: Path, limit: int | None) -> list[Problem]:
    """The prompts of a file: a field ``prompt`` a line in ``.jsonl``, else a line each.

    Raises:
        FlextuneError: No such file, a bad line, or no prompt in it.
    """
    if path.suffix in (".jsonl", ".gz"):
        prompts = [(row.where, row.text("prompt")) for row in read_rows(path)]
    else:
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise FlextuneError(f"{path}: cannot be read ({error})") from None
        prompts = [(f"{path.name}:{n}", line) for n, line in enumerate(lines, start=1) if line.strip()]
    if not prompts:
        raise FlextuneError(f"{path}: holds no prompt")
    return [Problem(name, "prompts", "text", prompt, "") for name, prompt in prompts[:limit]]


def evenly(groups: Sequence[Sequence[Problem]], limit: int) -> list[Problem]:
    """Up to ``limit`` problems, as many of each group as its size and the others allow, group by group."""
    taken = [0] * len(groups)
    while sum(taken) < limit:
        open_groups = [n for n, group in enumerate(groups) if taken[n] < len(group)]
        if not open_groups:
            break
        taken[min(open_groups, key=lambda n: (taken[n], n))] += 1
    return [problem for count, group in zip(taken, groups, strict=True) for problem in group[:count]]


def by_setting(problems: Sequence[Problem]) -> list[list[Problem]]:
    """Problems of one benchmark, language and lexicon together, in their order."""

    def setting(problem: Problem) -> tuple[str, str, str]:
        return problem.benchmark, problem.language, problem.lexicon or ""

    return [list(members) for _, members in groupby(sorted(problems, key=setting), key=setting)]
