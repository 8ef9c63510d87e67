'use strict';
// Which names of the tests come from the solution, and which from whom the solution cannot reach. As in names.py,
// what tests judge with is never the solution's to define.

const vm = require('vm');
const { withoutComments } = require('./strict_checks.js');

const NAME = /[\p{ID_Start}$_][\p{ID_Continue}$]*/gu;
// The runtime's own names of a module.
const TAKEN = ['this', 'arguments', 'exports', 'require', 'module', '__filename', '__dirname'];
const JUDGES = /^(expect|chai|should|sinon|jest|vi|test|it|describe|assert\w*|approx\w*|(is|all)_?close(To)?|(deep|shallow|nearly|almost)?_?(is)?_?(deep)?_?(eq|equals?|same))$/i;

// Words that are names in some places only.
const CONTEXTUAL = ['async', 'await', 'get', 'set', 'of', 'static', 'from', 'as', 'let', 'yield', 'target', 'meta'];
const TEMPLATE = /`(?:\\[^]|\$\{[^}]*\}|[^`\\])*`/g;
const REGEX = /((?:^|[(,=:[!&|?{};])\s*)\/(?![*/])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\[\n])+\/[a-z]*/gm;

/** The text of a prompt before what it leaves to the solution: everything that it defines itself. */
function headOf(prompt, entry) {
  const place = entry ? new RegExp(`^.*\\b(function\\b\\s*\\*?|class|const|let|var)\\s+${escaped(entry)}(?![\\w$]).*$`, 'm') : null;
  const found = place?.exec(prompt);
  const lines = prompt.slice(0, found ? found.index : prompt.length).split('\n');
  for (; lines.length; lines.pop()) {
    const head = lines.join('\n');
    if (compiles(head)) return head;
  }
  return '';
}

/** Names of classes and constructors that a text defines. */
function classesOf(text) {
  return [...text.matchAll(/(?:\bclass|\bfunction)\s+([A-Z][\w$]*)/g)].map(([, name]) => name);
}

function compiles(text) {
  try {
    new vm.Script(text);
    return true;
  } catch {
    return false;
  }
}

function escaped(name) {
  return name.replace(/\$/g, '\\$&');
}

/**
 * Sorts the names of the tests `source`: `wanted` come from the solution, and `missing` from nobody, should the tests
 * use them without having defined them. `known` says whether somebody who is trusted defines a name.
 */
function sorted(source, prompt, entry, known) {
  const code = blanked(withoutComments(source));
  const names = [...new Set(code.match(NAME))].filter(
    (name) => name === entry || !(TAKEN.includes(name) || isReserved(name) || known(name)),
  );
  const fed = entry ? argumentsOf(code, [entry, 'candidate']) : '';
  const mayDefine = (name) => {
    if (name === entry) return true;
    if (JUDGES.test(name)) return false;
    if (!entry || new RegExp(`(?<![\\w$])${escaped(name)}(?![\\w$])`).test(prompt)) return true;
    const uses = (text) => (text.match(new RegExp(`(?<![\\w$.])${escaped(name)}(?![\\w$])`, 'g')) ?? []).length;
    return uses(fed) === uses(code);
  };
  const wanted = names.filter(mayDefine);
  const missing = names.filter((name) => !wanted.includes(name));
  return { wanted, missing, undefined: missing.find((name) => isFree(name, code)) };
}

/**
 * Whether code certainly uses a name that it does not define: it calls it, or asks for a part of it, and does nothing
 * else with it. Elsewhere only running it can tell.
 */
function isFree(name, code) {
  const inTemplates = (text) => (text.match(/\$\{[^}]*\}/g) ?? []).join(';');
  const text = code.replace(TEMPLATE, inTemplates).replace(REGEX, '$1""');
  if (CONTEXTUAL.includes(name) || new RegExp(`\\.{3}\\s*${escaped(name)}`).test(text)) return false;
  const places = [...text.matchAll(new RegExp(`(?<![\\w$.])${escaped(name)}(?![\\w$])`, 'g'))];
  return places.length > 0 && places.every(({ index }) => {
    const before = text.slice(0, index).trimEnd();
    const after = text.slice(index + name.length);
    const isMethod = /^\s*\((?:[^()]|\([^()]*\))*\)\s*\{/.test(after);
    return /^\s*[(.]/.test(after) && !isMethod && !/\b(?:typeof|function|class|get|set|async)$/.test(before);
  });
}

/** Everything between the parentheses of calls of these names. */
function argumentsOf(code, names) {
  let found = '';
  const call = new RegExp(`(?<![\\w$.])(?:${names.map(escaped).join('|')})\\s*\\(`, 'g');
  for (let match = call.exec(code); match; match = call.exec(code)) {
    let depth = 1;
    let end = call.lastIndex;
    for (; end < code.length && depth; end++) depth += code[end] === '(' ? 1 : code[end] === ')' ? -1 : 0;
    found += `${code.slice(call.lastIndex, end)}\n`;
    call.lastIndex = end;
  }
  return found;
}

/** Code without what is in its strings; what templates put in is code. */
function blanked(code) {
  return code.replace(/'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"/g, '""');
}

function isReserved(name) {
  return !compiles(`(${name})`);
}

module.exports = { classesOf, headOf, sorted };
