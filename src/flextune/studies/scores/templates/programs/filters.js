// The filters. Each choice says how many problems it would leave, and one that would leave none cannot be made.
const form = document.getElementById("filters");
/** What the page has done, for tests: problems looked at, entries made. */
const work = { looked: 0, made: 0 };

const anyBits = (item, chosen, bits) => chosen.some((arm) => item.arms[arm].bits & bits);
const SHOW = new Map([
  ["changed", ["changed", (item, chosen, against) => chosen.some((arm) => change(item, arm, against) !== 0)]],
  ["won", ["won", (item, chosen, against) => chosen.some((arm) => change(item, arm, against) > 0)]],
  ["lost", ["lost", (item, chosen, against) => chosen.some((arm) => change(item, arm, against) < 0)]],
  ["all", ["all problems", () => true]],
  ["always", ["passed every time", (item, chosen) => chosen.every((arm) => item.arms[arm].rate === 1)]],
  ["never", ["never passed", (item, chosen) => chosen.every((arm) => item.arms[arm].rate === 0)]],
  ["cut", ["answers cut at the token limit", (item, chosen) => anyBits(item, chosen, CUT)]],
  ...data.outcomes.map((outcome, bit) => [
    outcome,
    [`with: ${spoken(outcome)}`, (item, chosen) => anyBits(item, chosen, 1 << bit)],
  ]),
]);
const COMPARING = new Set(["changed", "won", "lost"]);
const everyArm = arms.map((_, arm) => arm);

/** The arms that a choice is about: a comparison is not about the arm that is compared with. */
function about({ arm, against, show }) {
  const chosen = arm === "" ? everyArm : [arms.indexOf(arm)];
  return COMPARING.has(show) ? chosen.filter((one) => one !== arms.indexOf(against)) : chosen;
}

const isOfSet = (item, set) => set === "" || item.set.id === set || `=${item.set.language}` === set;

/** Whether an item is shown; which arms that is about is found once, not for each item. */
function tester(choice) {
  const [, test] = SHOW.get(choice.show);
  const chosen = about(choice);
  const against = arms.indexOf(choice.against);
  return (item) => test(item, chosen, against);
}

let lower = null;
/** Marks for the texts of the pool that contain what is searched for; each text is looked at once. */
function textsWith(wanted) {
  lower = lower || data.pool.map((text) => text.toLowerCase());
  return lower.map((text) => text.includes(wanted));
}

function searcher(find) {
  const wanted = find.trim().toLowerCase();
  if (!wanted) return () => true;
  const found = textsWith(wanted);
  return (item) =>
    item.name.toLowerCase().includes(wanted) || found[item.prompt] || item.programs.some((row) => found[row[3]]);
}

/** Problems that fit a choice, and for each option of each select how many would fit it. */
function choose(choice) {
  const found = searcher(choice.find);
  const counts = { set: new Map(), arm: new Map(), against: new Map(), show: new Map() };
  const add = (name, value) => counts[name].set(value, (counts[name].get(value) || 0) + 1);
  const options = {
    arm: ["", ...arms].map((arm) => [arm, tester({ ...choice, arm })]),
    against: arms.map((against) => [against, tester({ ...choice, against })]),
    show: [...SHOW.keys()].map((show) => [show, tester({ ...choice, show })]),
  };
  const shows = tester(choice);
  const chosen = [];
  for (const item of items) {
    work.looked += 1;
    if (!found(item)) continue;
    const fits = shows(item);
    if (fits) for (const set of ["", `=${item.set.language}`, item.set.id]) add("set", set);
    if (!isOfSet(item, choice.set)) continue;
    if (fits) chosen.push(item);
    for (const name of Object.keys(options)) {
      for (const [value, test] of options[name]) if (test(item)) add(name, value);
    }
  }
  return { chosen, counts };
}

function setOptions() {
  const languages = new Map();
  for (const set of data.sets) languages.set(set.language, [...(languages.get(set.language) || []), set]);
  const options = [["", "all"]];
  for (const [language, sets] of languages) {
    if (sets.length > 1) options.push([`=${language}`, `${sets[0].language_name}, all`]);
    for (const set of sets) options.push([set.id, set.label]);
  }
  return options;
}

const OPTIONS = {
  set: setOptions(),
  arm: [["", "any"], ...arms.map((arm) => [arm, arm])],
  against: arms.map((arm) => [arm, arm]),
  show: [...SHOW].map(([value, [label]]) => [value, label]),
};

function fillSelects() {
  for (const [name, options] of Object.entries(OPTIONS)) {
    form.elements[name].replaceChildren(...options.map(([value, label]) => new Option(label, value)));
  }
  form.elements.against.parentElement.hidden = arms.length < 3;
  form.elements.arm.parentElement.hidden = arms.length < 2;
}

/** Say what each option would leave; what would leave nothing cannot be chosen. */
function limitSelects(counts, choice) {
  for (const [name, options] of Object.entries(OPTIONS)) {
    options.forEach(([value, label], place) => {
      const option = form.elements[name].options[place];
      const count = counts[name].get(value) || 0;
      const text = `${label} (${count})`;
      if (option.text !== text) option.text = text;
      option.disabled = count === 0 && value !== choice[name];
      // An outcome that occurs nowhere is no choice at all.
      option.hidden = option.disabled && name === "show";
    });
  }
}

const START = {
  set: "", arm: "", against: arms[baseline], find: "",
  show: items.some((item) => everyArm.some((arm) => change(item, arm, baseline) !== 0)) ? "changed" : "all",
};

function currentChoice() {
  const values = Object.fromEntries(new FormData(form));
  return Object.fromEntries(Object.keys(START).map((name) => [name, values[name] ?? START[name]]));
}

/** Put a choice into the form; an address may name what this run does not have. */
function setChoice(choice, otherwise = START) {
  for (const name of Object.keys(START)) {
    const field = form.elements[name];
    field.value = choice[name] ?? otherwise[name];
    if (field.selectedIndex === -1) field.value = otherwise[name];
  }
}
