"""A template file: its keys, the fields in its texts, and what is wrong with one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, model_validator

from flextune.config.reading import kind_of, parse_yaml
from flextune.config.section import Int, Section
from flextune.config.validation import SettingError, validate
from flextune.errors import FlextuneError, did_you_mean
from flextune.records import CompletionKind

#: What may stand in double braces, and what takes its place.
FIELDS: dict[str, str] = {
    "prompt": "the benchmark's prompt",
    "language": "the language's full name, Java",
    "tag": "what a markdown fence calls the language, java",
    "comment": "what begins a comment in the language, //",
    "examples": "the solved examples, each as `example` says",
    "solution": "the Python solution of the same problem",
    "closing": "the braces with which the tests close what the prompt opens",
}
#: The same in ``example``.
EXAMPLE_FIELDS: dict[str, str] = {
    "prompt": "the example's prompt",
    "completion": "its solution, what follows the prompt",
    **{name: FIELDS[name] for name in ("language", "tag", "comment")},
}

#: Where an experiment names its template.
_KEY = "generate.prompt"
#: The template of a model that continues the problem's prompt.
COMPLETION = "completion"

_FIELD = re.compile(r"\{\{\s*([^{}]*?)\s*\}\}")
_ENDINGS = (".yaml", ".yml")
_FOLDER = resources.files("flextune.generation.prompts") / "templates"


class TurnSection(Section):
    """One turn of a chat."""

    role: Literal["system", "user", "assistant"] = Field(
        description="Role of the speaker: system, user or assistant."
    )
    content: str = Field(description="Text of the turn, with fields.")


class ExamplesSection(Section):
    """Where solved examples come from."""

    source: Literal["rosetta", "mbpp"] = Field(
        description="rosetta: its fine-tuning split; mbpp: tasks 1 to 10, its own split for prompts."
    )
    count: Int = Field(3, ge=1, le=10, description="Number of examples.")


class ExampleSection(Section):
    """One solved example of a user's own."""

    prompt: str = Field(description="Prompt of the example, as the benchmark poses problems.")
    completion: str = Field(description="Text that follows the prompt.")


class TemplateSection(Section):
    """The keys of a template file."""

    description: str = Field("", description="Description of the template, in one line.")
    text: str = Field("", description="Text that the model continues, with fields.")
    messages: list[TurnSection] = Field(
        default_factory=list, description="The turns of a chat, posed in the model's own chat template."
    )
    suffix: str | None = Field(
        None, description="What follows the gap that the answer fills; makes it a template for infilling."
    )
    answer: CompletionKind | None = Field(
        None,
        description="completion: it follows the benchmark's prompt. answer: markdown that holds the program. "
        "null: answer for a chat, else completion.",
    )
    stop: list[str] = Field(
        default_factory=list, description="Stop strings; a completion also has the benchmark's."
    )
    examples: ExamplesSection | list[ExampleSection] = Field(
        default_factory=list, description="Solved examples: a source, or a list of {prompt, completion}."
    )
    example: str = Field("{{prompt}}{{completion}}\n\n", description="How one example is written.")

    @model_validator(mode="after")
    def _consistent(self) -> TemplateSection:
        if bool(self.text) == bool(self.messages):
            raise ValueError("a template has either text or messages")
        if self.messages and self.messages[-1].role != "user":
            raise ValueError(f"messages: the last turn is the user's (found: {self.messages[-1].role})")
        if self.messages and self.suffix is not None:
            raise ValueError("suffix: infilling needs text, not messages")
        if self.messages and self.answer == "completion":
            raise ValueError("answer: a chat gives answers, not completions")
        if self.suffix is not None and self.answer == "answer":
            raise ValueError("answer: what fills a gap is a completion")
        if "" in self.stop:
            raise ValueError("stop: an empty stop string would end every answer at once")
        return self


@dataclass(frozen=True)
class Template:
    """A way of posing problems.

    Attributes:
        name: The file's, without its ending.
        source: The file's text.
        section: What it says.
    """

    name: str
    source: str
    section: TemplateSection

    @property
    def revision(self) -> str:
        """12 hexadecimal digits that stand for the file's text."""
        return hashlib.sha256(self.source.encode()).hexdigest()[:12]

    @property
    def kind(self) -> CompletionKind:
        """How what the model writes becomes a program."""
        return self.section.answer or ("answer" if self.section.messages else "completion")

    def uses(self, field: str) -> bool:
        """Whether a field stands in its texts."""
        return any(field == name for text in self._texts() for name in _FIELD.findall(text))

    def _texts(self) -> Iterator[str]:
        yield self.section.text
        yield from (turn.content for turn in self.section.messages)
        yield self.section.suffix or ""


def filled(text: str, values: Mapping[str, str]) -> str:
    """``text`` with its fields replaced; what a value holds is no field."""
    return _FIELD.sub(lambda found: values[found[1]], text)


def template_names() -> tuple[str, ...]:
    """The templates that come with flextune."""
    names = (file.name.removesuffix(".yaml") for file in _FOLDER.iterdir() if file.name.endswith(".yaml"))
    return tuple(sorted(names))


def find_template(name: str) -> Template:
    """The template of that name, or a user's own file.

    Args:
        name: A name, or a path: it ends in ``.yaml`` or ``.yml``, or has a slash.

    Raises:
        FlextuneError: There is none, or the file is no template; in one line, with file and key.
    """
    if _is_path(name):
        path = Path(name).expanduser()
        try:
            source = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise SettingError(_KEY, f"{{key}}: {path} cannot be read ({reason})") from None
        return _parsed(path.stem, source, str(path))
    known = template_names()
    if name not in known:
        raise SettingError(
            _KEY,
            f"{{key}}: unknown template {name!r}{did_you_mean(name, known)} "
            f"(known: {', '.join(known)}, or a file NAME.yaml)",
        )
    return _parsed(name, (_FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), f"{name}.yaml")


def anywhere(name: str) -> str:
    """A name that means the same in every folder."""
    return str(Path(name).expanduser().absolute()) if _is_path(name) else name


def _is_path(name: str) -> bool:
    return name.endswith(_ENDINGS) or "/" in name


def _parsed(name: str, source: str, where: str) -> Template:
    raw = parse_yaml(source, where=where)
    if not isinstance(raw, Mapping):
        raise FlextuneError(
            f'{where}: a prompt template is a mapping of keys, as in `text: "{{{{prompt}}}}"` '
            f"(found: {kind_of(raw)})"
        )
    try:
        section = validate(TemplateSection, raw)
    except FlextuneError as error:
        raise FlextuneError(f"{where}: {error}") from None
    _check_fields(section, where)
    return Template(name, source, section)


def _check_fields(section: TemplateSection, where: str) -> None:
    """Refuse fields that there are not, a template without the prompt, and examples that go nowhere.

    Raises:
        FlextuneError: In one line, with file, key and field.
    """
    texts: dict[str, Any] = {"text": section.text, "suffix": section.suffix or ""}
    texts |= {f"messages.{n}.content": turn.content for n, turn in enumerate(section.messages)}
    used = set()
    for key, text in texts.items():
        used |= _fields(text, FIELDS, f"{where}: {key}")
    inner = _fields(section.example, EXAMPLE_FIELDS, f"{where}: example")
    if not {"prompt", "solution"} & used:
        raise FlextuneError(
            f"{where}: no text has the field {{{{prompt}}}}, so every problem would be the same"
        )
    if ("examples" in used) != bool(section.examples):
        raise FlextuneError(
            f"{where}: the field {{{{examples}}}} and the key examples belong together; one is missing"
        )
    if section.examples and not {"prompt", "completion"} <= inner:
        raise FlextuneError(f"{where}: example must have the fields {{{{prompt}}}} and {{{{completion}}}}")


def _fields(text: str, known: Mapping[str, str], where: str) -> set[str]:
    found = set(_FIELD.findall(text))
    for name in sorted(found - set(known)):
        hint = did_you_mean(name, known)
        raise FlextuneError(f"{where}: unknown field {{{{{name}}}}}{hint} (known: {', '.join(known)})")
    return found
