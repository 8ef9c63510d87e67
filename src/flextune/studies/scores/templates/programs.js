"use strict";
(() => {
  const data = JSON.parse(document.getElementById("programs-data").textContent);
  const STEP = 20;
  const baseline = data.arms.indexOf(data.baseline);
  const form = document.getElementById("filters");
  const list = document.getElementById("problems");
  const more = document.getElementById("more");
  const textOf = (place) => (place < 0 ? "" : data.pool[place]);
  const spoken = (outcome) => outcome.replaceAll("_", " ");

  // All text goes in as text, never as markup: programs are written by a model.
  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function dot(outcome) {
    const made = make("span", "dot");
    made.style.backgroundColor = data.colours[outcome] || "#888";
    return made;
  }

  const HASH = new Set(["py", "rb", "sh", "pl", "r", "jl"]);
  const WORDS = new RegExp(
    "^(?:abstract|and|as|async|await|boolean|break|case|catch|class|const|continue|def|default|del|do|double|elif|else|" +
      "enum|except|export|extends|false|False|final|finally|float|fn|for|from|fun|func|function|if|impl|implements|import|" +
      "in|instanceof|int|interface|is|lambda|let|long|match|mut|new|nil|None|not|null|or|package|pass|private|protected|" +
      "public|pub|raise|return|self|static|String|struct|super|switch|this|throw|throws|trait|true|True|try|type|typeof|" +
      "undefined|use|val|var|void|while|with|yield)$"
  );

  function code(text, language) {
    const pre = make("pre");
    const comment = HASH.has(language) ? "#[^\\n]*" : language === "lua" ? "--[^\\n]*" : "\\/\\/[^\\n]*|\\/\\*[\\s\\S]*?\\*\\/";
    const text3 = language === "py" ? '"""[\\s\\S]*?(?:"""|$)|' : "";
    const string = text3 + '"(?:\\\\.|[^"\\\\\\n])*"?|\'(?:\\\\.|[^\'\\\\\\n])*\'?';
    const token = new RegExp(`(${comment})|(${string})|([A-Za-z_]\\w*)|(\\d[\\w.]*)`, "g");
    let end = 0;
    for (const found of text.matchAll(token)) {
      const kind = found[1] ? "c" : found[2] ? "t" : found[4] ? "n" : WORDS.test(found[3]) ? "w" : "";
      if (!kind) continue;
      pre.append(text.slice(end, found.index), make("span", kind, found[0]));
      end = found.index + found[0].length;
    }
    pre.append(text.slice(end));
    return pre;
  }

  function folded(title, text, language) {
    const made = make("details", "extra");
    made.append(make("summary", "", title), code(text, language));
    return made;
  }

  function column(arm, cells, language) {
    const made = make("div", "column");
    made.append(make("h4", "", data.arms[arm]));
    if (!cells.length) {
      made.append(make("p", "quiet", "no program in this page"));
      return made;
    }
    const tabs = make("div", "tabs");
    const place = make("div");
    const samples = cells.some((cell) => cell[2] > 0);
    const buttons = cells.map((cell) => {
      const [, seed, sample, outcome] = cell;
      const button = make("button");
      button.type = "button";
      const name = seed === "-" ? "" : `seed ${seed}`;
      button.append(dot(outcome), samples ? `${name} #${sample}` : name || "program");
      button.addEventListener("click", () => show(cell, button));
      tabs.append(button);
      return button;
    });
    function show(cell, button) {
      for (const other of buttons) other.setAttribute("aria-pressed", String(other === button));
      const verdict = make("div", "verdict");
      verdict.append(dot(cell[3]), spoken(cell[3]));
      place.replaceChildren(verdict);
      place.append(cell[4] < 0 ? make("p", "quiet", "no completion was stored") : code(textOf(cell[4]), language));
      if (cell[5] >= 0) place.append(make("pre", "message", textOf(cell[5])));
    }
    show(cells[0], buttons[0]);
    if (cells.length > 1) made.append(tabs);
    made.append(place);
    return made;
  }

  function body({ group, problem }) {
    const made = make("div", "body");
    if (textOf(problem.prompt)) made.append(code(textOf(problem.prompt).replace(/\n+$/, ""), group.language));
    const columns = make("div", "columns");
    data.arms.forEach((_, arm) => {
      columns.append(column(arm, problem.cells.filter((cell) => cell[0] === arm), group.language));
    });
    made.append(columns);
    if (textOf(problem.reference)) made.append(folded("Reference answer", textOf(problem.reference), group.language));
    if (textOf(problem.tests)) made.append(folded("Tests", textOf(problem.tests), group.language));
    return made;
  }

  const rate = ([passed, known]) => (known ? passed / known : NaN);
  const change = (problem, arm) => Math.sign(rate(problem.tally[arm]) - rate(problem.tally[baseline])) || 0;

  function entry(item) {
    const { group, problem } = item;
    const made = make("details", "problem");
    const summary = make("summary");
    summary.append(make("span", "title", problem.name), make("span", "where", group.label));
    const tallies = make("span", "tallies");
    data.arms.forEach((arm, index) => {
      const [passed, known, unknown] = problem.tally[index];
      const way = change(problem, index);
      const tally = make("span", way > 0 ? "up" : way < 0 ? "down" : "", `${arm} `);
      tally.append(make("b", "", known ? `${passed}/${known}` : "?"));
      if (unknown) tally.append(` (${unknown} unknown)`);
      tallies.append(tally);
    });
    summary.append(tallies);
    made.append(summary);
    made.addEventListener("toggle", () => {
      if (made.open && made.children.length === 1) made.append(body(item));
    });
    return made;
  }

  const items = data.groups.flatMap((group) => group.problems.map((problem) => ({ group, problem })));
  const present = new Set(items.flatMap(({ problem }) => problem.cells.map((cell) => cell[3])));
  const anyArm = (arm, test) => (arm === "" ? data.arms.some((_, i) => test(i)) : test(Number(arm)));
  const everyArm = (arm, test) => (arm === "" ? data.arms.every((_, i) => test(i)) : test(Number(arm)));
  const SHOW = {
    "": ["all problems", () => true],
    changed: [`changed against ${data.baseline}`, (p, arm) => anyArm(arm, (i) => change(p, i) !== 0)],
    won: [`won against ${data.baseline}`, (p, arm) => anyArm(arm, (i) => change(p, i) > 0)],
    lost: [`lost against ${data.baseline}`, (p, arm) => anyArm(arm, (i) => change(p, i) < 0)],
    always: ["passed every time", (p, arm) => everyArm(arm, (i) => rate(p.tally[i]) === 1)],
    never: ["never passed", (p, arm) => everyArm(arm, (i) => rate(p.tally[i]) === 0)],
  };
  for (const outcome of data.outcomes.filter((o) => present.has(o))) {
    SHOW[`=${outcome}`] = [
      `with: ${spoken(outcome)}`,
      (p, arm) => p.cells.some((cell) => cell[3] === outcome && (arm === "" || cell[0] === Number(arm))),
    ];
  }

  function fill(name, options) {
    form.elements[name].replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  }
  const languages = new Map(data.groups.map((group) => [group.language, group.language_name]));
  const wordings = [...new Set(data.groups.map((group) => group.wording).filter(Boolean))];
  fill("language", [["", "all"], ...languages]);
  fill("wording", [["", "all"], ...wordings.map((wording) => [wording, wording])]);
  fill("arm", [["", "any arm"], ...data.arms.map((arm, index) => [String(index), arm])]);
  fill("outcome", Object.entries(SHOW).map(([value, [label]]) => [value, label]));
  form.elements.wording.parentElement.hidden = wordings.length < 2;

  function contains({ problem }, text) {
    const places = [problem.prompt, ...problem.cells.map((cell) => cell[4])];
    return problem.name.toLowerCase().includes(text) || places.some((at) => textOf(at).toLowerCase().includes(text));
  }

  let chosen = [];
  let shown = 0;
  function showMore() {
    list.append(...chosen.slice(shown, shown + STEP).map(entry));
    shown = Math.min(shown + STEP, chosen.length);
    more.hidden = shown >= chosen.length;
  }
  function filter() {
    const { language, wording, arm, outcome, text } = Object.fromEntries(new FormData(form));
    const wanted = text.trim().toLowerCase();
    chosen = items.filter(
      (item) =>
        (!language || item.group.language === language) &&
        (!wording || item.group.wording === wording) &&
        SHOW[outcome][1](item.problem, arm) &&
        (!wanted || contains(item, wanted))
    );
    list.replaceChildren();
    shown = 0;
    document.getElementById("found").textContent = `${chosen.length} of ${items.length} problems. Numbers are programs passed of programs known.`;
    showMore();
  }
  form.addEventListener("input", filter);
  form.addEventListener("submit", (event) => event.preventDefault());
  more.addEventListener("click", showMore);
  filter();
})();
