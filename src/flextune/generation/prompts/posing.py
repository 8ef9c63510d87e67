"""From problems to prompts: what a model is given for each, and what of it belongs in a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from flextune.config import EvaluateConfig, GenerateConfig
from flextune.data.answers.grammar import closed_scopes, grammar_of
from flextune.data.answers.program_end import has_policy
from flextune.errors import FlextuneError
from flextune.generation.engine import Prompt
from flextune.generation.prompts.examples import examples_of
from flextune.generation.prompts.template import Template, filled, find_template
from flextune.languages import language_name
from flextune.records import Message, Problem
from flextune.runs.keys import digest
from flextune.sources.translation import python_solutions

#: What begins a comment that ends with its line, where it is not ``//``.
_COMMENTS = {
    **dict.fromkeys(("py", "rb", "sh", "pl", "r", "jl"), "#"),
    "lua": "--",
    "rkt": ";",
}
#: What a markdown fence calls a language, where it is not its full name in lower case.
_TAGS = {"cpp": "cpp", "cs": "csharp", "sh": "bash"}


@dataclass(frozen=True)
class Posed:
    """How the problems of one benchmark and language are posed.

    Attributes:
        template: By which template; None where nobody asked for one.
        prompts: By problem's name; empty where every problem is posed as it is.
    """

    template: Template | None = None
    prompts: Mapping[str, Prompt] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether each answer is kept up to where the program ends, too."""
        return any(prompt.whole for prompt in self.prompts.values())

    @property
    def answers(self) -> bool:
        """Whether what is written is an answer in markdown, which follows no prompt."""
        return any(prompt.kind == "answer" for prompt in self.prompts.values())

    @property
    def chat(self) -> bool:
        """Whether the model's own chat template is needed."""
        return any(prompt.messages for prompt in self.prompts.values())

    @property
    def fills(self) -> bool:
        """Whether the tokenizer's tokens for infilling are needed."""
        return any(prompt.suffix is not None for prompt in self.prompts.values())

    def given(self) -> dict[str, Any]:
        """What of it belongs in a generation key; nothing where every problem is posed as it is."""
        if self.template is None or not self.prompts:
            return {}
        # What is as by default stays out, so that a later field changes no key.
        plain = asdict(Prompt())
        prompts = {
            name: {key: value for key, value in asdict(prompt).items() if value != plain[key]}
            for name, prompt in self.prompts.items()
        }
        return {"prompt": self.template.revision, "posed": digest(prompts)}

    def row(self) -> dict[str, Any]:
        """What a reader is told of it; nothing where every problem is posed as it is."""
        if self.template is None or not self.prompts:
            return {}
        template = self.template
        return {
            "prompt": {"name": template.name, "revision": template.revision, "text": template.source},
            "token_healing": any(prompt.healing for prompt in self.prompts.values()),
            "stops": "program" if self.whole else "benchmark",
        }


#: Every problem as it is.
AS_THEY_ARE = Posed()


def pose(
    generate: GenerateConfig, part: EvaluateConfig, problems: Sequence[Problem], data_dir: Path | None
) -> Posed:
    """The prompts for problems of one benchmark and language.

    Args:
        generate: Its ``prompt``, ``token_healing`` and ``stops`` count.
        part: The benchmark and language.
        problems: Those to pose.
        data_dir: Where sources of solutions and examples look for files.

    Raises:
        FlextuneError: A template that there is not or that is wrong, one that has nothing for this benchmark
            or language, or an option that it does not go with.
    """
    template = find_template(generate.prompt)
    _check(generate, template, part.language)
    shared = _shared(template, part.language, problems, data_dir)
    solutions = python_solutions(part, problems, data_dir) if template.uses("solution") else {}
    prompts = {}
    for problem in problems:
        own = {"prompt": problem.prompt, "closing": _closing(problem)}
        values = {**shared, **own, "solution": solutions.get(problem.name, "")}
        prompt = _prompt(template, problem, values)
        prompts[problem.name] = replace(
            prompt, whole=generate.stops == "program", healing=generate.token_healing
        )
    plain = {problem.name: Prompt(problem.prompt, stop=problem.stop) for problem in problems}
    return Posed(template, {} if prompts == plain else prompts)


def prompt_rows(posed: Posed) -> list[dict[str, Any]]:
    """The prompts as they are posed, a JSON object each; none where every problem is posed as it is."""
    keys = ("text", "messages", "suffix", "stop")
    return [
        {"name": name, **{key: value for key in keys if (value := asdict(prompt)[key])}}
        for name, prompt in posed.prompts.items()
    ]


def _check(generate: GenerateConfig, template: Template, language: str) -> None:
    """Refuse options that a template does not go with.

    Raises:
        FlextuneError: In one line that names the option.
    """
    name = template.name
    if generate.token_healing and (template.section.messages or template.section.suffix is not None):
        raise FlextuneError(
            f"generate.token_healing: prompt {name!r} ends in tokens of its own, so none can be taken back; "
            "it needs a prompt that is continued"
        )
    if generate.stops != "program":
        return
    if template.kind == "answer" or template.section.suffix is not None:
        raise FlextuneError(
            f"generate.stops: program: prompt {name!r} does not end at the benchmark's stop strings; "
            "it needs one whose answers are completions"
        )
    if not has_policy(language):
        raise FlextuneError(
            f"generate.stops: program: where a program in {language_name(language)} ends is not known here; "
            "use stops: benchmark"
        )


def _shared(
    template: Template, language: str, problems: Sequence[Problem], data_dir: Path | None
) -> dict[str, str]:
    """The values that are the same for all problems."""
    name = language_name(language)
    words = {
        "language": name,
        "tag": _TAGS.get(language, name.lower()),
        "comment": _COMMENTS.get(language, "//"),
    }
    if not template.section.examples:
        return {**words, "examples": ""}
    example = template.section.example
    solved = [
        filled(example, {**words, "prompt": one.prompt, "completion": one.completion})
        for one in examples_of(template, language, problems, data_dir)
    ]
    return {**words, "examples": "".join(solved)}


def _prompt(template: Template, problem: Problem, values: Mapping[str, str]) -> Prompt:
    section = template.section
    own = problem.stop if template.kind == "completion" else ()
    return Prompt(
        text=filled(section.text, values),
        messages=tuple(Message(turn.role, filled(turn.content, values)) for turn in section.messages),
        suffix=None if section.suffix is None else filled(section.suffix, values),
        stop=tuple(dict.fromkeys((*own, *section.stop))),
        kind=template.kind,
    )


def _closing(problem: Problem) -> str:
    """The braces that the tests close: what comes after a gap must not be there twice."""
    scopes = closed_scopes(grammar_of(problem.language).blank(problem.tests))
    return "".join(f"{'    ' * depth}}}\n" for depth in range(scopes - 1, -1, -1))
