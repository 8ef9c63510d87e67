"""Mistakes about files: samples, verdicts, outputs, runs; answered without torch."""

from __future__ import annotations

from tests.cli.mistakes import JUDGE
from tests.cli.mistakes import mistake as _

FILE_MISTAKES = [
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
    _(
        "verdicts for samples",
        "judge --problems problems.jsonl --samples verdicts.jsonl",
        "verdicts.jsonl:1: this is a verdict, not a sample; flextune score and compare take verdicts",
    ),
    _(
        "verdicts for problems",
        "judge --problems verdicts.jsonl --samples samples.jsonl",
        "verdicts.jsonl:1: this is a verdict, not a problem",
    ),
    _(
        "samples to check",
        "check-problems samples.jsonl",
        "not a problem; give its file as --samples of judge",
    ),
    _("a language of rows", f"{JUDGE} --language js", "--language is for --benchmark: rows of problems say"),
    _(
        "programs in a file",
        f"{JUDGE} --keep-programs file.yaml",
        "--keep-programs file.yaml: is a file; give a",
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
        "output is the cache",
        f"{JUDGE} -o new.jsonl --cache new.jsonl",
        "-o new.jsonl: is the file of --cache",
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
        "problems over the problems",
        "generate rosetta --problems made.problems.jsonl -o made",
        "-o made.problems.jsonl: is the file of --problems; choose another file",
    ),
    _(
        "completions over a folder",
        "generate rosetta -o .",
        "-o .: is a folder; give the name of a file in it",
    ),
    # Verdicts, scores and runs.
    _(
        "compare a run",
        "compare verdicts.jsonl a_run",
        "a_run: a run; give one of its evaluations: a_run/judged/0123",
    ),
    _("score of a run", "score a_run", "a_run: a run; give one of its evaluations: a_run/judged/0123"),
    _(
        "compare scores.json",
        "compare a_run/scores.json verdicts.jsonl",
        "a_run/scores.json: the scores of a run, not verdicts; give one of its evaluations: a_run/judged/",
    ),
    _(
        "score of scores.json",
        "score a_run/scores.json",
        "not verdicts; give one of its evaluations: a_run/judged",
    ),
    _("compare with itself", "compare verdicts.jsonl ./verdicts.jsonl", "are one file: give two to compare"),
    _(
        "score of two verdicts on one",
        "score twice.jsonl",
        "twice.jsonl:2: a second verdict on double, sample 0",
    ),
    _(
        "compare a folder that is no run",
        "compare verdicts.jsonl notok",
        "notok: no verdicts.jsonl in this folder; give a file of",
    ),
    _(
        "compare nothing",
        "compare verdicts.jsonl no",
        "no: no such verdict file; give a file of verdicts, as flextune judge",
    ),
    _(
        "compare an experiment file",
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
        "damaged scores",
        "report damaged",
        "damaged/scores.json: not a scores file",
        "remove it and run the experiment again",
    ),
    _("a model over another", "rosetta pretrain notok", "OUTPUT notok: this folder holds something already"),
    _("a model over a file", "rosetta pretrain file.yaml", "OUTPUT file.yaml: is a file; give a folder"),
    _("figures in a file", "figures a_run -o file.yaml", "-o file.yaml: is a file; give a folder"),
    _(
        "spectra in a file",
        "spectrum notok --figures file.yaml",
        "--figures file.yaml: is a file; give a folder",
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
