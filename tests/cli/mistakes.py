"""Mistakes that users make, each with the words that it must be answered with."""

from __future__ import annotations

import json
from dataclasses import dataclass

PROBLEM = {
    "name": "double",
    "language": "py",
    "prompt": "def double(x):\n",
    "tests": "assert double(2) == 4",
    "entry_point": "double",
}
SAMPLE = {"name": "double", "completion": "    return 2 * x\n"}
VERDICT = {"name": "double", "sample": 0, "outcome": "passed", "stage": "run", "language": "py"}

EXPERIMENT = """\
name: two
train: {data: rosetta, max_steps: 1, batch_size: 2, limit: 4, validation_size: 0}
evaluate: [{language: py, limit: 2}]
arms:
  - {name: baseline, train: null}
  - {name: lora}
"""


def lines(*rows: dict[str, object]) -> str:
    """JSON lines."""
    return "".join(json.dumps(row) + "\n" for row in rows)


#: Files that every mistake finds in its folder.
FILES = {
    "file.yaml": EXPERIMENT,
    "problems.jsonl": lines(PROBLEM),
    "samples.jsonl": lines(SAMPLE),
    "verdicts.jsonl": lines(VERDICT),
    "of_java.jsonl": lines({**VERDICT, "language": "java"}),
    "broken.yaml": "name: x\nevaluate:\n  - {language: py, [: 2}\n",
    "tab.yaml": "name: x\n\ttrain: null\n",
    "list.yaml": "- a\n",
    "empty.yaml": "",
    "empty.jsonl": "",
    "cut.jsonl": lines(SAMPLE) + "{cut\n",
    "of_js.jsonl": lines({**SAMPLE, "language": "js"}),
    "scala.jsonl": lines({**PROBLEM, "language": "scala"}),
    "notok/config.json": '{"model_type": "llama"}',
}

JUDGE = "judge --problems problems.jsonl --samples samples.jsonl"


@dataclass(frozen=True)
class Mistake:
    """One mistake.

    Attributes:
        what: Names it.
        command: What was typed after ``flextune``.
        words: All of them are in the answer: what is wrong, where, and what to do.
        code: Exit status.
        begins: Whether it is found only at work, which leaves a run.
    """

    what: str
    command: str
    words: tuple[str, ...]
    code: int = 1
    begins: bool = False


def _(what: str, command: str, *words: str, code: int = 1, begins: bool = False) -> Mistake:
    return Mistake(what, command, words, code, begins)


#: Answered without torch.
MISTAKES = [
    # Experiment files.
    _("file absent", "run nosuch.yaml", "nosuch.yaml: cannot read", "No such file"),
    _("bad YAML", "run broken.yaml", "broken.yaml:3: not valid YAML", "found ':'"),
    _("tab", "run tab.yaml", "tab.yaml:2: not valid YAML", "indent with spaces, not tabs"),
    _("empty file", "run empty.yaml", "empty.yaml: nothing in it", "`flextune init` prints an experiment"),
    _("a list", "run list.yaml", "list.yaml: an experiment is a mapping", "found: a list", "flextune init"),
    _(
        "key typo",
        "run file.yaml train.learning_ratee=1",
        "'train.learning_ratee', did you mean 'learning_rate'?",
    ),
    _(
        "key of a section at the top",
        "run file.yaml learning_rate=1",
        "'learning_rate'; it is 'train.learning_rate'",
    ),
    _("key of another tool", "run file.yaml lr=1", "unknown key 'lr'; it is 'train.learning_rate'"),
    _("key in the wrong section", "run file.yaml train.rank=1", "'train.rank'; it is 'adapter.rank'"),
    _("key in an arm", "run file.yaml arms.lora.learning_rate=1", "it is 'train.learning_rate'"),
    _(
        "a key as an option",
        "run file.yaml --epochs 3",
        "No such option: --epochs",
        "train.epochs=VALUE",
        code=2,
    ),
    _("a foreign option", "run file.yaml --lr 1", "train.learning_rate=VALUE", code=2),
    _("wrong type", "run file.yaml train.epochs=three", "train.epochs:", "valid number", '(given: "three")'),
    _(
        "a number for a list",
        "run file.yaml seeds=0",
        "seeds: a list is wanted, as in seeds=[0]",
        "(given: 0)",
    ),
    _("a number for a section", "run file.yaml train=3", "train: a mapping of keys is wanted", "(given: 3)"),
    _("unknown arm", "run file.yaml arms.loraa.seeds=1", "'loraa'", "did you mean 'lora'?", "baseline, lora"),
    _("unknown item", "run file.yaml evaluate.4.limit=1", "no item '4'", "it has 1, numbered from 0"),
    _(
        "enum",
        "run file.yaml 'decode=[{strategy: gredy}]'",
        "decode.0.strategy:",
        "'greedy', 'sample' or 'beam'",
        "gredy",
    ),
    _("arm twice", "run file.yaml 'arms=[{name: a},{name: a}]'", "arms: 'a' is given twice"),
    _("name with a space", "run file.yaml 'name=a b'", "name: letters, digits and . _ + - only", '"a b"'),
    _("no evaluation", "run file.yaml evaluate=[]", "evaluates nothing: add for example evaluate: [{"),
    _(
        "not an override",
        "run file.yaml lora",
        "'lora': an override is key.path=value, for example train.epochs=1",
    ),
    # Languages, benchmarks and their data.
    _("language typo", "eval rosetta --language pyton", "'pyton', did you mean 'python'?", "java, js, py"),
    _(
        "an override without quotes",
        "run file.yaml decode=[{n: 1}]",
        "not valid YAML; quote the whole override",
    ),
    _("multipl-e in Python", "eval rosetta --benchmark multipl-e --language py", "no Python; humaneval has"),
    _("kotlin", "eval rosetta --benchmark multipl-e --language kotlin", "'kotlin' (known: cpp, cs,"),
    _("humaneval in Java", "eval rosetta --benchmark humaneval --language java", "no Java; multipl-e has"),
    _(
        "case of a benchmark",
        "eval rosetta --benchmark HumanEval",
        "'HumanEval', did you mean 'humaneval'?",
        "mbpp",
    ),
    _("no benchmark", "eval notok", "--benchmark: needed for notok: apps, humaneval,"),
    _(
        "data folder absent",
        "eval rosetta --benchmark mbpp --data-dir no",
        "--data-dir no: no such folder",
        "mbpp.jsonl",
    ),
    _(
        "data not in it",
        "eval rosetta --benchmark mbpp --data-dir .",
        "--data-dir .: no mbpp.jsonl",
        "give the one",
    ),
    _(
        "a run with data absent",
        "run file.yaml 'evaluate=[{benchmark: mbpp}]' --data-dir no",
        "--data-dir no: no such",
    ),
    # Decoding.
    _("samples without temperature", "eval rosetta --n 5", "--n 5 needs --temperature above 0"),
    _("beams and temperature", "eval rosetta --num-beams 2 --temperature 1", "exclude each other: choose"),
    _(
        "two languages in a file",
        "generate rosetta -o x --language py --language js",
        "a file holds one language",
    ),
    # Adapters.
    _(
        "adapter absent",
        "eval rosetta+nowhere",
        "rosetta+nowhere: no adapter folder 'nowhere'",
        "PEFT folder",
    ),
    _(
        "adapter that is none",
        "eval rosetta+notok",
        "notok: no adapter_config.json; it is not an adapter folder",
    ),
    _(
        "spectrum of no adapter",
        "spectrum notok",
        "notok: no adapter_config.json; it is not an adapter folder",
    ),
    _("merge without a purpose", "merge notok", "nothing to do: give -o DIR to merge"),
    # Judging.
    _(
        "judge without options",
        "judge",
        "give --samples FILE, and either --problems FILE or --benchmark NAME",
    ),
    _(
        "swapped files",
        "judge --problems samples.jsonl --samples problems.jsonl",
        "samples.jsonl:1:",
        "give its file as --samples",
    ),
    _(
        "samples in another language",
        "judge --problems problems.jsonl --samples of_js.jsonl",
        "in py, not in 'js'",
    ),
    _("binary", "judge --problems problems.jsonl --samples binary.jsonl", "binary.jsonl:1: not UTF-8 text"),
    _("no samples", "judge --problems problems.jsonl --samples empty.jsonl", "empty.jsonl: no samples in it"),
    _(
        "output is the samples",
        f"{JUDGE} -o samples.jsonl",
        "-o samples.jsonl: is the file of --samples",
        "another",
    ),
    _(
        "output is the problems",
        f"{JUDGE} -o problems.jsonl",
        "is the file of --problems; choose another file",
    ),
    _("output links to the samples", f"{JUDGE} -o link.jsonl", "-o link.jsonl: is the file of --samples"),
    _("output is a hard link", f"{JUDGE} -o hard.jsonl", "-o hard.jsonl: is the file of --samples"),
    _(
        "output is another file",
        f"{JUDGE} -o file.yaml",
        "-o file.yaml: this file is there already",
        "choose another",
    ),
    _("output is a folder", f"{JUDGE} -o .", "-o .: is a folder; give the name of a file in it"),
    _(
        "output in no folder",
        f"{JUDGE} -o no/x.jsonl",
        "there is no folder no; make it, or choose another place",
    ),
    _(
        "cache is the samples",
        f"{JUDGE} --cache samples.jsonl",
        "samples.jsonl: cannot be used as a cache of verdicts",
    ),
    _(
        "checks over the problems",
        "check-problems problems.jsonl -o problems.jsonl",
        "is the file of FILE; choose",
    ),
    _(
        "completions over a file",
        "generate rosetta -o samples.jsonl",
        "samples.jsonl: holds the completions of another",
    ),
    _(
        "completions over a folder",
        "generate rosetta -o .",
        "-o .: is a folder; give the name of a file in it",
    ),
    # Verdicts, scores and runs.
    _(
        "compare a run",
        "compare verdicts.jsonl notok",
        "notok: no verdicts.jsonl in this folder; give a file of",
    ),
    _(
        "compare nothing",
        "compare verdicts.jsonl no",
        "no: no such verdict file; give a file of flextune judge",
    ),
    _(
        "compare scores.json",
        "compare verdicts.jsonl file.yaml",
        "file.yaml:1: not a JSON line; give a file of verdicts",
    ),
    _(
        "compare samples",
        "compare verdicts.jsonl samples.jsonl",
        "samples.jsonl:1: not a verdict line",
        "give a file",
    ),
    _(
        "compare languages",
        "compare verdicts.jsonl of_java.jsonl",
        "of language py, of_java.jsonl of java",
        "--across",
    ),
    _(
        "score of samples",
        "score samples.jsonl",
        "samples.jsonl:1: not a verdict line",
        "give a file of verdicts",
    ),
    _(
        "no such run",
        "report nosuch",
        "'nosuch' is neither a run folder nor a run in runs (runs there: none)",
    ),
    _(
        "unknown picture",
        "report nosuch --format gif",
        "figure format 'gif': unknown (known: html, png, pdf, svg)",
    ),
    _(
        "a run folder that is none",
        "run notok",
        "notok: a folder without experiment.yaml",
        "give an experiment file",
    ),
    _("no such command", "rum", "No such command 'rum'", "Did you mean 'run'", code=2),
    _("argument left out", "rosetta pretrain", "Missing argument 'OUTPUT'", code=2),
    _("power of one problem", "power --problem-count 1", "problems must lie between 2 and 100000 (given: 1)"),
]

#: Answered by what needs torch.
OF_MODELS = [
    _(
        "model typo",
        "eval rosettaa --benchmark rosetta",
        "'rosettaa': no such folder",
        "did you mean 'rosetta'?",
    ),
    _(
        "model absent",
        "eval no/model --benchmark rosetta",
        "'no/model': no such folder",
        "the hub cannot be reached",
    ),
    _(
        "data on no hub",
        "eval rosetta --benchmark humaneval",
        "cannot be had from the hub",
        "--data-dir or $FLEXTUNE",
    ),
    _(
        "no tokenizer",
        "eval bare --benchmark rosetta",
        "'bare': its tokenizer cannot be built: there is no tokenizer.json",
    ),
    _(
        "no weights",
        "eval light --benchmark rosetta",
        "'light' cannot be loaded",
        "fetch the model again, with its weights",
    ),
    _(
        "adapter for a model",
        "eval rosetta+bare",
        "bare: no adapter_config.json; it is not an adapter folder",
    ),
    _("no CUDA", "run file.yaml device=cuda:99", "device 'cuda:99'", "cpu"),
    _(
        "diverged",
        "train file.yaml train.learning_rate=1e30 train.max_steps=4",
        "lower train.learning_rate",
        begins=True,
    ),
]
