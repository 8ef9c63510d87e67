// The list, the address of what is shown, and what is printed.
const STEP = 20;
const MOST_PRINTED = 30;
const list = document.getElementById("problems");
const more = document.getElementById("more");
let choice = START;
let chosen = [];
let shown = 0;
let problem = "";

/** The address of a choice, and of one problem in it. */
function address(wanted) {
  const named = Object.entries({ ...wanted }).filter(([name, value]) => value !== "" && value !== undefined && (name === "show" || value !== START[name]));
  return `#programs?${new URLSearchParams(named)}`;
}

function remember() {
  history.replaceState(null, "", address({ ...choice, problem }));
}

const callbacks = {
  opened(item, open) {
    if (page.state.printing) return;
    if (open) problem = item.name;
    else if (problem === item.name) problem = "";
    else return;
    remember();
  },
  goNext(item) {
    const against = arms.indexOf(choice.against);
    const chosenArms = about({ ...choice, show: "changed" });
    const start = chosen.indexOf(item) + 1;
    const next = chosen.findIndex((other, place) => place >= start && chosenArms.some((arm) => change(other, arm, against) !== 0));
    const element = entryOf(item);
    if (element) element.open = false;
    if (next < 0) more.hidden ? list.lastElementChild.querySelector("summary").focus() : more.focus();
    else openProblem(chosen[next]);
  },
};

const entryOf = (item) => [...list.children].find((element) => element.item === item);

function showMore(count = STEP) {
  const added = chosen.slice(shown, shown + count).map((item) => entry(item, choice, callbacks));
  list.append(...added);
  shown += added.length;
  more.hidden = shown >= chosen.length;
  return added;
}

function openProblem(item) {
  const place = chosen.indexOf(item);
  if (place >= shown) showMore(place - shown + 1);
  const element = entryOf(item);
  element.fill();
  element.open = true;
  element.scrollIntoView({ block: "start" });
  element.querySelector("summary").focus({ preventScroll: true });
}

function filter({ keep = false } = {}) {
  choice = currentChoice();
  const found = choose(choice);
  chosen = found.chosen;
  limitSelects(found.counts, choice);
  if (!keep) problem = "";
  list.replaceChildren();
  shown = 0;
  const changedFilters = Object.keys(START).some((name) => choice[name] !== START[name]);
  document.getElementById("found").textContent =
    `${chosen.length.toLocaleString("en")} of ${items.length.toLocaleString("en")} problems. Numbers are programs passed of programs known.`;
  document.getElementById("clear").hidden = !changedFilters || !chosen.length;
  document.getElementById("nothing").hidden = chosen.length > 0;
  showMore();
}

function fromAddress() {
  const [section, query] = location.hash.slice(1).split("?");
  if (section !== "programs" || query === undefined) return false;
  const wanted = Object.fromEntries(new URLSearchParams(query));
  setChoice(wanted, { ...START, show: "all" });
  filter();
  const item = chosen.find((one) => one.name === wanted.problem);
  if (item) openProblem(item);
  else document.getElementById("programs").scrollIntoView();
  return true;
}

function clear() {
  form.reset();
  setChoice(START);
  filter();
  remember();
  form.elements.set.focus();
}

function redraw() {
  for (const element of list.children) {
    const made = element.querySelector(".body");
    if (made) made.again();
  }
  signs();
}

function signs() {
  const present = data.outcomes.filter((_, bit) => items.some((item) => item.arms.some(({ bits }) => bits & (1 << bit))));
  document.getElementById("outcome-signs").replaceChildren(
    ...present.map((outcome) => {
      const made = page.make("li");
      made.append(sign(outcome), spoken(outcome));
      return made;
    })
  );
}

fillSelects();
setChoice(START);
form.addEventListener("input", ({ target }) => {
  if (target.name === "wrap") list.classList.toggle("unwrapped", !target.checked);
  if (target.name === "wrap" || target.name === "lines") return redraw();
  filter();
  return remember();
});
form.addEventListener("submit", (event) => event.preventDefault());
more.addEventListener("click", () => {
  const [first] = showMore();
  if (first) first.querySelector("summary").focus();
});
document.getElementById("clear").addEventListener("click", clear);
document.getElementById("clear-all").addEventListener("click", clear);
addEventListener("hashchange", fromAddress);
page.dark.addEventListener("change", redraw);
signs();
if (!fromAddress()) filter();

const note = document.getElementById("not-printed");
page.print.onPrint(
  () => {
    showMore(Math.max(0, MOST_PRINTED - shown));
    [...list.children].slice(0, MOST_PRINTED).forEach((element) => element.fill());
    const left = items.length - Math.min(shown, MOST_PRINTED);
    note.hidden = left <= 0;
    note.textContent = `${left.toLocaleString("en")} more problems are on the page itself.`;
    redraw();
  },
  () => {
    note.hidden = true;
    filter({ keep: true });
    redraw();
  }
);
return { work, items, choose, changedLines };
