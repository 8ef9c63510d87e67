// What the page knows of every problem, decoded once: the outcomes of each arm as counts and as a set of bits.
const data = page.read("programs-data");
const arms = data.arms;
const baseline = Math.max(0, arms.indexOf(data.baseline));
const PASSED = data.outcomes.indexOf("passed");
const UNKNOWN = new Set(["toolchain_missing", "library_missing", "strict_unsupported", "sandbox_fault"]);
const CUT = 1 << data.outcomes.length;
const textOf = (place) => (place < 0 ? "" : data.pool[place]);
const spoken = (outcome) => outcome.replaceAll("_", " ");

const outcomeOf = (letter) => data.letters.indexOf(letter.toLowerCase());
const isCut = (letter) => letter !== letter.toLowerCase();

function tally(letters) {
  let passed = 0;
  let known = 0;
  let unknown = 0;
  let bits = 0;
  for (const letter of letters) {
    if (letter === ",") continue;
    const outcome = outcomeOf(letter);
    if (outcome === PASSED) passed += 1;
    if (UNKNOWN.has(data.outcomes[outcome])) unknown += 1;
    else known += 1;
    bits |= 1 << outcome;
    if (isCut(letter)) bits |= CUT;
  }
  return { passed, known, unknown, bits, rate: known ? passed / known : NaN };
}

const items = data.sets.flatMap((set) =>
  set.problems.map(([name, prompt, tests, reference, letters, programs]) => ({
    set, name, prompt, tests, reference, letters, programs, arms: letters.map(tally),
  }))
);

const change = (item, arm, against) => Math.sign(item.arms[arm].rate - item.arms[against].rate) || 0;

/** Every program of a problem: arm, seed, sample, outcome, whether it was cut, and its texts where the page has them. */
function programsOf(item) {
  const stored = new Map(item.programs.map((row) => [row.slice(0, 3).join(), row]));
  return item.letters.flatMap((letters, arm) =>
    (letters ? letters.split(",") : []).flatMap((samples, seed) =>
      [...samples].map((letter, sample) => {
        const row = stored.get([arm, seed, sample].join());
        return {
          arm, seed, sample,
          outcome: data.outcomes[outcomeOf(letter)],
          cut: isCut(letter),
          text: row ? textOf(row[3]) : null,
          message: row ? textOf(row[4]) : "",
          tokens: row ? row[5] : 0,
          seconds: row ? row[6] : 0,
        };
      })
    )
  );
}

function sign(outcome) {
  const [colour, pattern] = data.styles[outcome];
  return page.swatch({ kind: "small", colour: page.ink(colour), pattern });
}
