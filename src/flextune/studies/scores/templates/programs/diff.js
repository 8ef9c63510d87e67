/** Cells of the table that finds the longest common lines; beyond, a block counts as changed throughout. */
const MOST_CELLS = 1_000_000;

/**
 * Lines of two texts with their sign: " " in both, "-" in the first only, "+" in the second only.
 * Within a block that changed, what goes comes before what comes.
 */
function changedLines(before, after) {
  const a = before.split("\n");
  const b = after.split("\n");
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let end = 0;
  while (end < a.length - start && end < b.length - start && a[a.length - 1 - end] === b[b.length - 1 - end]) end += 1;
  const same = (lines) => lines.map((line) => [" ", line]);
  return [
    ...same(a.slice(0, start)),
    ...middle(a.slice(start, a.length - end), b.slice(start, b.length - end)),
    ...same(a.slice(a.length - end)),
  ];
}

function middle(a, b) {
  if (a.length * b.length > MOST_CELLS) return [...a.map((line) => ["-", line]), ...b.map((line) => ["+", line])];
  const width = b.length + 1;
  // longest[i, j]: common lines of what follows line i of a and line j of b.
  const longest = new Uint32Array((a.length + 1) * width);
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        a[i] === b[j]
          ? longest[(i + 1) * width + j + 1] + 1
          : Math.max(longest[(i + 1) * width + j], longest[i * width + j + 1]);
    }
  }
  const lines = [];
  let i = 0;
  let j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) {
      lines.push([" ", a[i]]);
      i += 1;
      j += 1;
    } else if (i < a.length && (j === b.length || longest[(i + 1) * width + j] >= longest[i * width + j + 1])) {
      lines.push(["-", a[i]]);
      i += 1;
    } else {
      lines.push(["+", b[j]]);
      j += 1;
    }
  }
  return lines;
}

const LINE_CLASS = { " ": "line", "-": "line gone", "+": "line come" };
const SIGN = { " ": " ", "-": "−", "+": "+" };

/** The changed lines as source; the signs are not part of what is copied. */
function drawnLines(lines, language) {
  const pre = page.make("pre", "diff");
  for (const [sign, text] of lines) {
    const line = page.make("span", LINE_CLASS[sign]);
    line.append(page.make("span", "sign", SIGN[sign]));
    line.append(colour(page.make("span", "text"), text || "\u200b", language));
    pre.append(line);
  }
  return pre;
}
