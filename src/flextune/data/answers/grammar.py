"""As much of each language as it takes to fit an answer to a problem's tests: a table, no parsers."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from flextune.languages import spellings


@lru_cache(maxsize=8)
def _blank(comment: str, string: str, source: str, strings: bool) -> str:
    """See ``Grammar.blank``; the readers of one answer ask for the same few texts again and again."""
    pattern = re.compile(f"(?P<comment>{comment})|(?P<string>{string})", re.DOTALL | re.MULTILINE)

    def spaces(found: re.Match[str]) -> str:
        if found["comment"] is None and not strings:
            return found[0]
        return re.sub(r"[^\n]", " ", found[0])

    return pattern.sub(spaces, source)


@dataclass(frozen=True)
class Grammar:
    """Patterns of one language; all but ``comment`` and ``string`` are matched where those two are blanked.

    Attributes:
        short: MultiPL-E's short name of the language.
        comment: A comment.
        string: A literal whose content is no code.
        defines: Definition of the function ``{name}``.
        name: What a function may be called.
        method: Definition of the method ``{name}`` in a class, where ``defines`` does not find it.
        main: Head of a main function, up to its opening brace.
        example: How a statement begins that only shows the function off; ``{name}`` is the function.
        ends_early: Whether statements at the left margin run, so that one may end the program too early.
        container: Keyword of the type that methods must be in, where there is one.
        opener: Opens a scope that does nothing, for tests that begin by closing the function's.
        more_tags: What a markdown fence may call the language, besides its names and their spellings.
    """

    short: str
    comment: str
    string: str
    defines: str
    name: str = r"\w+"
    method: str | None = None
    main: str | None = None
    example: str | None = None
    ends_early: bool = False
    container: str | None = None
    opener: str = ""
    more_tags: tuple[str, ...] = ()

    @property
    def tags(self) -> tuple[str, ...]:
        """What a markdown fence may call the language, in lower case."""
        return (*spellings(self.short), *self.more_tags)

    def blank(self, source: str, *, strings: bool = True) -> str:
        """``source`` with comments, and literals if wanted, as spaces: every position keeps its meaning."""
        return _blank(self.comment, self.string, source, strings)

    def definition(self, name: str | None = None) -> re.Pattern[str]:
        """Finds where ``name``, or any function (as group ``name``), is defined."""
        wanted = f"(?P<name>{self.name if name is None else re.escape(name)})"
        return re.compile(self.defines.replace("{name}", wanted), re.MULTILINE)

    def has_definition(self, source: str, name: str) -> bool:
        """Whether ``source`` defines the function."""
        return self.definition(name).search(self.blank(source)) is not None

    def has_method(self, source: str, name: str) -> bool:
        """Whether ``source`` defines a method of that name which ``has_definition`` does not find."""
        return self.method is not None and self.find_method(self.blank(source), name) is not None

    def find_method(self, blanked: str, name: str) -> re.Match[str] | None:
        """The head of a method in ``blanked``; functions where a language has no pattern of its own."""
        pattern = self.method or self.defines
        return re.search(pattern.replace("{name}", re.escape(name)), blanked, re.MULTILINE)


_C_COMMENT = r"//[^\n]*|/\*.*?(?:\*/|\Z)"
_HASH = r"\#[^\n]*"
_DOUBLE = r'"(?:\\.|[^"\\\n])*"?'
_SINGLE = r"'(?:\\.|[^'\\\n])*'?"
_LONG = r'"(?:\\.|[^"\\])*+"?'
_LONG_SINGLE = r"'(?:\\.|[^'\\])*+'?"
# A quote may also begin a lifetime or a symbol, or group digits.
_CHARACTER = r"'(?:\\[^\n']{1,8}|\\'|[^'\\\n])'"
# Not a division: something that needs an operand stands before it.
_REGEX = (
    r"(?:(?<=[(,=:\[!&|?{};])|(?<=[(,=:\[!&|?{};] )|(?<=return ))"
    r"/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*+\]|[^/\\\[\n])++/"
)
# Bounded lengths and an atomic group, so that no text, however odd, takes long.
_C_FUNCTION = (
    r"[\w>\])&*?](?<!\breturn)(?<!\bnew)(?<!\belse)(?<!\bthrow)(?:\s{1,99}|(?<=[>&*\]?]))[&*]{0,3}\b{name}\s{0,99}"
    r"\((?>(?:[^(){};]|\([^(){};]*\))*)\)\s{0,99}(?:const\s{0,99})?(?:noexcept\s{0,99})?"
    r"(?:(?:throws\b|where\b|override\b|->)[^{};]{0,500})?(?:\{|=>|\Z)"
)
# C++ has closures, too.
_CPP_FUNCTION = _C_FUNCTION.replace(r"\b{name}\s{0,99}" r"\(", r"\b{name}\s{0,99}(?:=\s{0,99}\[|\(") + ")"
_JS_EXPORTED = r"exports\.(?=[\w$]+\s*=\s*(?:async\s*)?(?:function\b|\(|[\w$]+\s*=>))"
_JS = rf"\b(?:function\s*\*?\s*|(?:const|let|var)\s+|{_JS_EXPORTED}){{name}}\b(?!\s*[.,])"
_JS_METHOD = (
    r"^[ \t]+(?:(?:public|private|static|async)\s+)*\*?{name}\s*\([^(){}]*\)\s*(?::[^{};\n]{1,200})?\{"
)
_JS_EXAMPLE = (
    r"(?:(?:console|process)\s*\.|assert\b|{name}\s*\("
    r"|if\s*\(\s*require\.main\b)"
)

PYTHON = Grammar(
    "py",
    more_tags=("ipython", "sage", "cython", "pycon"),
    comment=_HASH,
    string=rf'[rbfuRBFU]{{0,2}}(?:""".*?(?:"""|\Z)|\'\'\'.*?(?:\'\'\'|\Z)|{_DOUBLE}|{_SINGLE})',
    defines=r"^[ \t]*(?:async[ \t]+)?def[ \t]+{name}\b",
)

GRAMMARS: dict[str, Grammar] = {
    "py": PYTHON,
    "java": Grammar(
        "java",
        comment=_C_COMMENT,
        string=rf'""".*?(?:"""|\Z)|{_DOUBLE}|{_SINGLE}',
        defines=_C_FUNCTION,
        main=r"(?:(?:public|static|final)\s+)+void\s+main\s*\([^)]{0,999}\)\s*(?:throws\s[\w.,\s]{1,999})?\{",
        container="class",
        opener="    static {\n",
    ),
    "cs": Grammar(
        "cs",
        more_tags=("c-sharp", "c"),
        comment=_C_COMMENT,
        string=rf'\$?@\$?"(?:""|[^"])*+"?|{_DOUBLE}|{_SINGLE}',
        defines=_C_FUNCTION,
        main=r"(?:(?:public|private|internal|static|async)\s+)+(?:void|int|(?:[\w.]+\.)?Task(?:<int>)?)\s+Main\s*\([^)]{0,999}\)\s*\{",
        container="class",
        opener="    static void Unused() {\n",
    ),
    "scala": Grammar(
        "scala",
        more_tags=("sc",),
        comment=_C_COMMENT,
        string=rf'""".*?(?:"""|\Z)|{_DOUBLE}|{_CHARACTER}',
        defines=r"\bdef\s+{name}\b",
        main=r"def\s+main\s*\([^)]{0,999}\)\s*(?::\s*Unit)?\s*=?\s*\{",
        container="object",
        opener="    def unused(): Unit = {\n",
    ),
    "cpp": Grammar(
        "cpp",
        more_tags=("cc", "cxx", "c", "h", "hpp", "cp"),
        comment=_C_COMMENT,
        string=rf'R"(\w{{0,16}})\(.*?(?:\)\3"|\Z)|{_DOUBLE}|(?<![0-9a-fA-F]){_CHARACTER}',
        defines=_CPP_FUNCTION,
        main=r"(?:(?:int|void|signed|auto)\s+main\s*\([^)]{0,999}\)\s*(?:->\s*int\s*)?"
        r"|\bTEST(?:_F|_P|_CASE)?\s*\([^)]{0,999}\)\s*)\{",
        opener="namespace {\n",
    ),
    "rs": Grammar(
        "rs",
        comment=_C_COMMENT,
        string=rf'\br(\#{{0,9}})".*?(?:"\3|\Z)|{_LONG}|{_CHARACTER}',
        defines=r"\bfn\s+{name}\b",
        main=r"(?:pub\s+)?fn\s+main\s*\(\s*\)\s*(?:->[^{;]{1,99})?\{",
        opener="mod unused {\n",
    ),
    "go": Grammar(
        "go",
        comment=_C_COMMENT,
        string=rf"`[^`]*+`?|{_DOUBLE}|{_CHARACTER}",
        defines=r"\bfunc\s+{name}\b",
        main=r"func\s+(?:(?:main|Example\w*)\s*\(\s*\)|(?:Test|Benchmark|Fuzz)\w*\s*\(\s*\w+\s+\*testing\.\w+\s*\))\s*\{",
    ),
    "d": Grammar(
        "d",
        comment=rf"{_C_COMMENT}|/\+.*?(?:\+/|\Z)",
        string=rf"`[^`]*+`?|{_LONG}|{_CHARACTER}",
        defines=_C_FUNCTION,
        main=r"(?:(?:int|void)\s+main\s*\([^)]{0,999}\)|unittest)\s*\{",
    ),
    "swift": Grammar(
        "swift",
        comment=_C_COMMENT,
        string=rf'""".*?(?:"""|\Z)|{_DOUBLE}',
        defines=r"\bfunc\s+{name}\b",
        example=r"(?:print|assert|{name})\s*\(",
        opener="do {\n",
    ),
    "js": Grammar(
        "js",
        ends_early=True,
        more_tags=("jsx", "mjs", "cjs", "ecmascript"),
        comment=_C_COMMENT,
        string=rf"`(?:\\.|[^`\\])*+`?|{_REGEX}|{_DOUBLE}|{_SINGLE}",
        defines=_JS,
        method=_JS_METHOD,
        name=r"[\w$]+",
        example=_JS_EXAMPLE,
    ),
    "ts": Grammar(
        "ts",
        ends_early=True,
        more_tags=("tsx", "javascript", "js"),
        comment=_C_COMMENT,
        string=rf"`(?:\\.|[^`\\])*+`?|{_REGEX}|{_DOUBLE}|{_SINGLE}",
        defines=_JS,
        method=_JS_METHOD,
        name=r"[\w$]+",
        example=_JS_EXAMPLE,
    ),
    "php": Grammar(
        "php",
        ends_early=True,
        more_tags=("html+php",),
        comment=rf"{_C_COMMENT}|{_HASH}",
        string=rf"{_LONG}|{_LONG_SINGLE}",
        defines=r"\bfunction\s+&?{name}\b",
        example=r"(?:(?:echo|print|assert|var_dump|print_r)\b|{name}\s*\()",
    ),
    "rb": Grammar(
        "rb",
        ends_early=True,
        more_tags=("irb",),
        comment=rf"^=begin\b.*?(?:^=end\b|\Z)|{_HASH}",
        string=rf"{_LONG}|{_LONG_SINGLE}",
        defines=r"^[ \t]*def\s+(?:self\.)?{name}",
        name=r"\w+[?!]?",
        example=r"(?:(?:puts|print|pp|p)\b|assert\w*\b|{name}\s*\(|if\s+(?:__FILE__\b|\$0\b|\$PROGRAM_NAME\b))",
    ),
    "pl": Grammar(
        "pl",
        ends_early=True,
        more_tags=("pl5",),
        comment=r"^=\w+.*?(?:^=cut\b|\Z)|(?<![$\w\\@{])\#[^\n]*",
        string=rf"{_LONG}|{_LONG_SINGLE}",
        defines=r"\bsub\s+{name}\b",
        example=r"(?:(?:print|printf|say)\b|{name}\s*\()",
    ),
    "lua": Grammar(
        "lua",
        ends_early=True,
        comment=r"--\[\[.*?(?:\]\]|\Z)|--[^\n]*",
        string=rf"\[\[.*?(?:\]\]|\Z)|{_DOUBLE}|{_SINGLE}",
        defines=r"(?:\bfunction\s+|\blocal\s+(?!function\b)){name}\b",
        method=r"\bfunction\s+(?P<table>\w+)(?P<call>[.:]){name}\b",
        # A chunk's return must be its last statement, and the tests come after.
        example=r"(?:print\s*\(|assert\s*\(|{name}\s*\(|return\b)",
    ),
    "r": Grammar(
        "r",
        ends_early=True,
        more_tags=("rscript",),
        comment=_HASH,
        string=rf"`[^`]*+`?|{_LONG}|{_LONG_SINGLE}",
        defines=r"(?<![\w.]){name}\s*(?:<<?-|=)\s*(?:function\b|\\\()",
        name=r"[\w.]+",
        example=r"(?:print|cat|stopifnot|{name})\s*\(",
    ),
    "rkt": Grammar(
        "rkt",
        ends_early=True,
        more_tags=("scheme", "lisp"),
        comment=r"\#\|.*?(?:\|\#|\Z)|;[^\n]*",
        string=rf"\#\\.|{_LONG}",
        defines=r"\(define\s+\(?\s*{name}(?=[\s()])",
        name=r"[^\s()\[\]]+",
        example=r"\((?:display\w*|print\w*|writeln|check-\w+\S*|module\+|exit|main|{name})[\s)]",
    ),
    "sh": Grammar(
        "sh",
        ends_early=True,
        more_tags=("zsh", "console", "sh-session"),
        comment=r"(?:(?<=\s)|(?<![^\n]))\#[^\n]*",
        string=rf"'[^']*+'?|{_LONG}",
        defines=r"^[ \t]*(?:function\s+)?{name}\s*(?:\(\s*\)\s*[{(]|\{)",
        name=r"[\w-]+",
        example=r"(?:echo|printf|{name})\b(?!\s*\()",
        opener="unused() {\n    :\n",
    ),
    "jl": Grammar(
        "jl",
        ends_early=True,
        comment=rf"\#=.*?(?:=\#|\Z)|{_HASH}",
        string=rf'""".*?(?:"""|\Z)|{_DOUBLE}',
        defines=r"\bfunction\s+{name}",
        name=r"\w+!?",
        example=r"(?:println|print|@show|@test|{name})\b",
    ),
}


def grammar_of(language: str) -> Grammar:
    """The table's entry; what is not in it is taken for a relative of C."""
    return GRAMMARS.get(language) or Grammar(language, _C_COMMENT, f"{_DOUBLE}|{_SINGLE}", _C_FUNCTION)


def closing_brace(blanked: str, opening: int) -> int:
    """Where the brace opened at ``opening`` closes; the end of the text if it never does."""
    depth = 0
    for brace in re.compile(r"[{}]").finditer(blanked, opening):
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
    return len(blanked)


def closed_scopes(blanked: str) -> int:
    """How many braces a text closes that it did not open."""
    depth = lowest = 0
    for brace in re.findall(r"[{}]", blanked):
        depth += 1 if brace == "{" else -1
        lowest = min(lowest, depth)
    return -lowest


def without(text: str, spans: list[tuple[int, int]]) -> str:
    """``text`` less some spans, which do not overlap."""
    kept, position = [], 0
    for start, end in sorted(spans):
        kept.append(text[position:start])
        position = max(position, end)
    return "".join([*kept, text[position:]])
