"""Mistakes in what is asked for: experiment files, languages, decoding, adapters; answered without torch."""

from __future__ import annotations

from tests.cli.mistakes import mistake as _

REQUESTS = [
    # Experiment files.
    _("file absent", "run nosuch.yaml", "nosuch.yaml: cannot read", "No such file"),
    _("bad YAML", "run broken.yaml", "broken.yaml:3: not valid YAML", "found ':'"),
    _("tab", "run tab.yaml", "tab.yaml:2: not valid YAML", "indent with spaces, not tabs"),
    _("empty file", "run empty.yaml", "empty.yaml: nothing in it", "`flextune init` prints an experiment"),
    _(
        "rows",
        "run samples.jsonl",
        "samples.jsonl: a file of rows; an experiment is a YAML file",
        "train: {data:",
    ),
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
    _("null for a list", "run file.yaml arms=null", "arms: a list is wanted, as in arms=[]", "(given: null)"),
    _("nothing to train", "train file.yaml train=null", "'two' trains nothing: no arm has a section train"),
    _("a plan of a sweep", "run sweep.yaml --plan", "has a section sweep: run it with `flextune sweep`"),
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
    _("no language", "eval rosetta --language ','", "--language: none is given"),
    _("no model", "eval ''", "MODEL is empty: give rosetta, a folder"),
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
    _(
        "a wording that a benchmark does not have",
        "run file.yaml 'evaluate=[{benchmark: humaneval, lexicon: reserved}]'",
        "evaluate.0.lexicon: reserved is a wording of rosetta, and humaneval has one alone; leave it out",
    ),
    _(
        "a wording as an option",
        "eval rosetta --benchmark humaneval --lexicon reserved",
        "--lexicon reserved: humaneval has one wording alone; leave it out",
    ),
    _(
        "problems and a benchmark",
        "eval rosetta --problems problems.jsonl --benchmark mbpp",
        "give one of them",
    ),
    _(
        "a language that own problems do not have",
        "eval rosetta --problems problems.jsonl --language java",
        "no problem in java (its languages: py)",
    ),
    # Decoding.
    _(
        "a temperature without sampling",
        "run file.yaml 'decode=[{temperature: 0.8}]'",
        "decode.0.temperature: 0.8 needs strategy: sample (greedy has no use for it)",
    ),
    _(
        "beams without a search",
        "run file.yaml 'decode=[{strategy: sample, num_beams: 8}]'",
        "decode.0.num_beams: 8 needs strategy: beam (sample has no use for it)",
    ),
    _("top-p without temperature", "eval rosetta --top-p 0.5", "--top-p 0.5 needs --temperature above 0"),
    _(
        "top-k without temperature",
        "generate rosetta -o x --top-k 5",
        "--top-k 5 needs --temperature above 0",
    ),
    _(
        "length penalty without beams",
        "eval rosetta --length-penalty 2",
        "--length-penalty 2 needs --num-beams",
    ),
    _(
        "prompt typo",
        "eval rosetta --prompt chatt",
        "--prompt: unknown template 'chatt', did you mean 'chat'",
    ),
    _("samples without temperature", "eval rosetta --n 5", "--n 5 needs --temperature above 0"),
    _("beams and temperature", "eval rosetta --num-beams 2 --temperature 1", "exclude each other: choose"),
    _(
        "two languages in a file",
        "generate rosetta -o x --language py --language js",
        "a file holds one",
    ),
    _("a server's option alone", "eval rosetta --retries 3", "--retries needs --server URL"),
    _("name outside of the runs", "eval rosetta --name ../x", "--name '../x': letters, digits and . _ + -"),
    _("name of a run with a space", "eval rosetta --name 'a b'", "--name 'a b': letters, digits and . _ + -"),
    # Adapters.
    _("nothing to merge", "eval rosetta --merged", "--merged needs an adapter: give MODEL+ADAPTER"),
    _("nothing to merge, to generate", "generate rosetta -o x --merged", "--merged needs an adapter"),
    _(
        "pictures without a folder",
        "spectrum notok --format png",
        "--format is for figures: give --figures DIR",
    ),
    _(
        "one adapter twice",
        "spectrum notok notok",
        "two adapters are called",
        "give each a name, as in first=notok",
    ),
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
]
