"use strict";
// What every script of the page shares: colours for light and dark, and marks that do not rest on colour alone.
const page = (() => {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const darkInks = read("inks-data");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const state = { printing: false };
  // Paper is white.
  const isDark = () => dark.matches && !state.printing;
  const ink = (colour) => (isDark() && darkInks[colour]) || colour;

  // All text goes in as text, never as markup: programs are written by a model.
  function make(tag, className, text) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  function svg(tag, attributes, parent) {
    const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    if (parent) parent.append(element);
    return element;
  }

  const UP = "M-1 11L10 0M4 13L16 1M12 12L23 1";
  const DOWN = "M-1 1L10 12M4 -1L16 11M12 0L23 11";
  const ACROSS = "M0 4H22M0 8H22";
  const UPRIGHT = "M5 0V12M11 0V12M17 0V12";
  const PATTERNS = { "/": UP, "\\": DOWN, x: UP + DOWN, "-": ACROSS, "|": UPRIGHT, "+": ACROSS + UPRIGHT, ".": "M4 4h.01M11 4h.01M18 4h.01M4 9h.01M11 9h.01M18 9h.01" };
  const DASHES = { dash: "6 4", dot: "2 3", dashdot: "6 3 2 3", longdash: "9 4", longdashdot: "9 3 2 3" };

  /** A small picture of an area, a line or a point: what a legend shows. */
  function swatch({ kind, colour, pattern = "", dash = "", opacity = 1 }) {
    const width = kind === "small" ? 14 : 22;
    const drawn = svg("svg", { width, height: 12, viewBox: `0 0 ${width} 12`, "aria-hidden": "true", class: "swatch" });
    if (kind === "line") {
      svg("path", { d: "M0 6H22", stroke: colour, "stroke-width": 2.5, "stroke-dasharray": DASHES[dash] || "none" }, drawn);
    } else if (kind === "point") {
      svg("circle", { cx: 11, cy: 6, r: 4, fill: colour }, drawn);
    } else {
      svg("rect", { width, height: 12, rx: 2, fill: colour, opacity }, drawn);
      if (PATTERNS[pattern]) {
        const stroke = { stroke: ink("#ffffff"), "stroke-width": pattern === "." ? 2.6 : 1.4, "stroke-linecap": "round", fill: "none" };
        svg("path", { d: PATTERNS[pattern], opacity: 0.85, ...stroke }, drawn);
      }
    }
    return drawn;
  }

  return { read, dark, state, isDark, ink, make, svg, swatch };
})();
