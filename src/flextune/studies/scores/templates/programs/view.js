// One problem: what was asked, every arm's programs, and the one that is looked at.
const CHIPS = 24;
const nameOf = ({ arm, seed, sample }, item) => {
  const seeds = item.set.seeds[arm];
  const parts = [arms[arm]];
  if (seeds[seed] !== "-") parts.push(`seed ${seeds[seed]}`);
  if ((item.letters[arm].split(",")[seed] || "").length > 1) parts.push(`sample ${sample}`);
  return parts.join(", ");
};

function folded(title, text, language, of) {
  const made = page.make("details", "extra");
  const summary = page.make("summary", "", title);
  summary.append(page.make("span", "unseen", ` of ${of}`));
  made.append(summary, code(text, language));
  return made;
}

function button(text, className, act, unseen = "") {
  const made = page.make("button", className, text);
  made.type = "button";
  if (unseen) made.append(page.make("span", "unseen", unseen));
  made.addEventListener("click", act);
  return made;
}

/** The program of the other arm that a program is compared with: of the same seed and sample, or the first. */
function rivalOf(program, programs, against) {
  const rivals = programs.filter((other) => other.arm === against && other.text !== null);
  const equal = (other) => other.seed === program.seed && other.sample === program.sample;
  return rivals.find(equal) || rivals.find((other) => other.sample === program.sample) || rivals[0];
}

/** What is shown first: a program of the chosen arm, or of one that changed. */
function firstProgram(item, programs, choice) {
  const against = arms.indexOf(choice.against);
  const wanted = arms.indexOf(choice.arm);
  const has = (arm) => programs.some((one) => one.arm === arm && one.text !== null);
  const order = [wanted, ...everyArm.filter((arm) => change(item, arm, against) !== 0), ...everyArm];
  const arm = order.find((one) => one >= 0 && one !== against && has(one)) ?? order.find((one) => one >= 0 && has(one));
  const way = arm === undefined ? 0 : change(item, arm, against);
  const own = programs.filter((one) => one.arm === arm && one.text !== null);
  // Of several seeds one that shows the change.
  return own.find((one) => way !== 0 && (one.outcome === "passed") === way > 0) || own[0] || programs[0];
}

function chips(item, programs, show) {
  const list = page.make("ul", "arms");
  const buttons = [];
  for (const arm of everyArm) {
    const own = programs.filter((one) => one.arm === arm);
    if (!own.length) continue;
    const row = page.make("li");
    row.append(page.make("span", "arm", arms[arm]));
    const place = page.make("span", "chips");
    for (const program of own.slice(0, CHIPS)) {
      const chip = button("", "chip", () => show(program));
      const name = nameOf(program, item);
      chip.setAttribute("aria-label", `${name}: ${spoken(program.outcome)}${program.cut ? ", cut" : ""}`);
      chip.title = chip.getAttribute("aria-label");
      chip.append(sign(program.outcome));
      const seeds = item.set.seeds[arm];
      const short = [seeds[program.seed] === "-" ? "" : seeds[program.seed], own.length > seeds.length ? `#${program.sample}` : ""];
      chip.append(short.join("") || "program");
      if (program.cut) chip.append("…");
      chip.disabled = program.text === null;
      buttons.push([program, chip]);
      place.append(chip);
    }
    if (own.length > CHIPS) place.append(page.make("span", "quiet", `and ${own.length - CHIPS} more`));
    row.append(place);
    list.append(row);
  }
  return [list, buttons];
}

function factsOf(program) {
  const facts = page.make("p", "verdict");
  facts.append(sign(program.outcome), page.make("b", "", spoken(program.outcome)));
  const parts = [
    program.cut ? "cut at the token limit" : "",
    program.tokens ? `${program.tokens} tokens` : "",
    program.seconds ? `${program.seconds} s of CPU` : "",
  ];
  for (const part of parts.filter(Boolean)) facts.append(page.make("span", "", part));
  return facts;
}

function shownProgram(item, program, programs, choice) {
  const made = page.make("div", "shown");
  const language = item.set.language;
  if (program.text === null) {
    const folder = item.set.folders[program.arm][program.seed];
    made.append(factsOf(program), page.make("p", "quiet", `The text is not on this page; it is in generated/${folder}/completions.jsonl.`));
    return made;
  }
  const rival = rivalOf(program, programs, arms.indexOf(choice.against));
  const compared = form.elements.lines.checked && rival && rival !== program;
  made.append(factsOf(program));
  if (compared) {
    const lines = changedLines(rival.text, program.text);
    const [gone, come] = ["-", "+"].map((one) => lines.filter(([sign]) => sign === one).length);
    const words = gone + come ? `−${gone} +${come} lines` : "the same text";
    made.append(page.make("p", "against", `against ${nameOf(rival, item)} (${spoken(rival.outcome)}): ${words}`));
    made.append(gone + come ? drawnLines(lines, language) : code(program.text, language));
  } else {
    made.append(code(program.text, language));
  }
  if (program.message) made.append(page.make("pre", "message", program.message));
  return made;
}

/** The opened part of an entry. */
function body(item, choice, goNext) {
  const made = page.make("div", "body");
  const programs = programsOf(item);
  const language = item.set.language;
  const asked = page.make("div", "asked");
  if (textOf(item.prompt)) asked.append(code(textOf(item.prompt).replace(/\n+$/, ""), language));
  const pane = page.make("div", "pane");
  const head = page.make("h3", "looked");
  const place = page.make("div");
  let current = null;

  function show(program) {
    current = program;
    for (const [other, chip] of buttons) chip.setAttribute("aria-pressed", String(other === program));
    head.textContent = nameOf(program, item);
    place.replaceChildren(shownProgram(item, program, programs, choice));
    page.tables.watch(place);
  }
  const [list, buttons] = chips(item, programs, show);
  asked.append(list);
  if (textOf(item.reference)) asked.append(folded("Reference answer", textOf(item.reference), language, item.name));
  if (textOf(item.tests)) asked.append(folded("Tests", textOf(item.tests), language, item.name));

  const tools = page.make("div", "tools");
  const copy = button("Copy program", "", async () => {
    // Only a page from a file or over https may write to the clipboard; elsewhere the text is marked.
    if (!navigator.clipboard) {
      getSelection().selectAllChildren(place.querySelector("pre") || place);
      return;
    }
    await navigator.clipboard.writeText(current.text || "");
    copy.firstChild.data = "Copied";
    setTimeout(() => (copy.firstChild.data = "Copy program"), 1500);
  }, ` of ${item.name}`);
  const link = page.make("a", "", "Link");
  link.href = address({ ...choice, problem: item.name, set: item.set.id });
  link.append(page.make("span", "unseen", ` to ${item.name}`));
  tools.append(head, copy, link, button("Next changed →", "", goNext, ` problem after ${item.name}`));
  pane.append(tools, place);
  made.append(asked, pane);
  if (programs.length) show(firstProgram(item, programs, choice));
  made.again = () => current && show(current);
  return made;
}

/** A problem in the list; what is inside is made when it is opened. */
function entry(item, choice, { opened, goNext }) {
  work.made += 1;
  const made = page.make("details", "problem");
  const summary = page.make("summary");
  summary.append(page.make("span", "title", item.name), page.make("span", "where", item.set.label));
  const tallies = page.make("span", "tallies");
  arms.forEach((arm, index) => {
    const { passed, known, unknown, bits } = item.arms[index];
    if (!known && !unknown) return;
    const way = change(item, index, arms.indexOf(choice.against));
    const shown = page.make("span", way > 0 ? "up" : way < 0 ? "down" : "", `${arm} `);
    shown.append(page.make("span", "way", way > 0 ? "▲" : way < 0 ? "▼" : ""), page.make("b", "", known ? `${passed}/${known}` : "?"));
    if (unknown) shown.append(` (${unknown} unknown)`);
    if (bits & CUT) shown.append(" …");
    tallies.append(shown);
  });
  summary.append(tallies);
  made.append(summary);
  made.item = item;
  made.fill = () => {
    if (made.children.length > 1) return;
    made.append(body(item, choice, () => goNext(item)));
    page.tables.watch(made);
  };
  made.addEventListener("toggle", () => {
    if (made.open) made.fill();
    opened(item, made.open);
  });
  return made;
}
