"""Whatever solutions give and tests do with it: strict mode judges it right, or says that it cannot."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.judging.ending_kinds import ENDING_KINDS
from tests.judging.kinds import Kind
from tests.judging.strict_kinds_javascript import JAVASCRIPT_KINDS
from tests.judging.strict_kinds_python import PYTHON_KINDS
from tests.support.judged import Once, judged_warm, needs_toolchain
from tests.support.judging import LIMITS

from flextune.records import Verdict

pytestmark = pytest.mark.slow

#: What JavaScript tests begin with.
HEAD = {"py": "", "js": "const assert = require('node:assert');\n"}
KINDS: dict[str, dict[str, Kind]] = {"py": PYTHON_KINDS, "js": JAVASCRIPT_KINDS}
#: In two processes nobody sees where the tests of one process would have ended.
IN_TWO_PROCESSES = {
    "unittest, and a solution that raises SystemExit": "ended_early",
    "recursion that is one too deep": "passed",
}
Judged = Callable[[str], dict[str, Verdict]]


@pytest.fixture
def judged(sandboxed: None, once: Once) -> Judged:
    def run(language: str) -> dict[str, Verdict]:
        needs_toolchain(language)
        pairs = [kind.pair(name, language, HEAD[language]) for name, kind in KINDS[language].items()]
        return once(
            f"kinds-{language}", lambda: {v.name: v for v in judged_warm(pairs, limits=LIMITS, strict=True)}
        )

    return run


@pytest.mark.parametrize("name", PYTHON_KINDS)
def test_python(name: str, judged: Judged) -> None:
    verdict = judged("py")[name]
    assert verdict.outcome == PYTHON_KINDS[name].outcome, verdict.message


@pytest.mark.toolchain
@pytest.mark.parametrize("name", JAVASCRIPT_KINDS)
def test_javascript(name: str, judged: Judged) -> None:
    verdict = judged("js")[name]
    assert verdict.outcome == JAVASCRIPT_KINDS[name].outcome, verdict.message


@pytest.mark.parametrize("strict", [False, True])
def test_tests_may_end_the_program_themselves(strict: bool, sandboxed: None) -> None:
    pairs = [kind.pair(name, "py") for name, kind in ENDING_KINDS.items()]
    found = {v.name: v.outcome for v in judged_warm(pairs, limits=LIMITS, strict=strict)}
    expected = {name: kind.outcome for name, kind in ENDING_KINDS.items()}
    assert found == expected | (IN_TWO_PROCESSES if strict else {})
