'use strict';
// Whether a program's tests took all of their own steps, as far as V8's coverage can tell: a callback that holds an
// assertion was called, what was awaited came back, and no failed assertion was caught by what is tested.
const ASSERTION = /\b(?:assert|expect|strictEqual|deepEqual|deepStrictEqual)\b/;
// Assertions that are there to fail if they are ever reached.
const NEVER = /\bassert\s*\.\s*fail\b|\bassert(?:\s*\.\s*ok)?\s*\(\s*(?:false|0|!1)\b|\bunreachable\b/;

// The tests are `source` from the character `start`; `called(f)` is whether they, and not the solution, called `f`.
module.exports = (source, start, called) => {
  const tests = source.slice(start);
  const failures = countFailures(tests, called);
  const session = observe(tests);
  return {
    // What did not happen, null where everything did.
    missed() {
      if (failures.count > 0) return 'the failure of an assertion was caught by what it tests';
      const place = session && firstMissed(covered(session), source, start);
      return place == null ? null : `line ${source.slice(0, place).split('\n').length}: the tests never came to this step`;
    },
  };
};

function countFailures(tests, called) {
  const failures = { count: 0 };
  if (!/\bassert\b/.test(tests) || /\bcatch\b|\bthrows\b|\brejects\b|AssertionError/.test(tests)) return failures;
  // What every AssertionError is given when it is made.
  Object.defineProperty(require('assert').AssertionError.prototype, 'code', {
    configurable: true,
    set: function code(value) {
      if (called(code)) failures.count += 1;
      Object.defineProperty(this, 'code', { value, writable: true, enumerable: true, configurable: true });
    },
  });
  return failures;
}

function observe(tests) {
  const named = [...tests.matchAll(/\bfunction\b\s*\*?\s*([\w$]+)/g)].some(([, name]) => isHandedOn(name, tests));
  if (!named && !/=>|\bawait\b|\bfunction\b\s*\*?\s*\(/.test(tests)) return null;
  try {
    const { Session } = require('inspector');
    const session = new Session();
    session.connect();
    session.post('Profiler.enable');
    session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
    return session;
  } catch {
    return null; // A Node that was built without it.
  }
}

function covered(session) {
  let scripts = [];
  session.post('Profiler.takePreciseCoverage', (error, answer) => {
    if (!error) scripts = answer.result;
  });
  return scripts.filter(({ url }) => /main\.m?js$/.test(url)).flatMap(({ functions }) => functions);
}

function firstMissed(functions, source, start) {
  for (const { ranges } of functions) {
    const [whole, ...parts] = ranges;
    if (whole.startOffset < start) continue;
    const text = source.slice(whole.startOffset, whole.endOffset);
    const before = source.slice(start, whole.startOffset);
    const after = source.slice(whole.endOffset);
    if (whole.count === 0 && isCallback(text, before, after)) return whole.startOffset;
    // After an `await` that came back there is something that ran.
    const waiting = parts.find(
      (part) =>
        part.count === 0 &&
        whole.count > 0 &&
        isAfterAwait(source.slice(whole.startOffset, part.startOffset)) &&
        (asserts(source.slice(part.startOffset, part.endOffset)) ||
          ASSERTION.test(lastStatement(source.slice(whole.startOffset, part.startOffset)))),
    );
    if (waiting) return waiting.startOffset;
  }
  return null;
}

function asserts(text) {
  return ASSERTION.test(text) && !NEVER.test(text);
}

// A function that is handed on, where it stands or by its name; no handler of errors.
function isCallback(text, before, after) {
  if (!asserts(text)) return false;
  const [, name] = /^(?:async\s+)?function\s*\*?\s*([\w$]+)/.exec(text) ?? /\b(?:const|let|var)\s+([\w$]+)\s*=\s*$/.exec(before) ?? [];
  if (name) return isHandedOn(name, `${before}\n${after}`);
  return !/(?:[=:]|\.catch\s*\(|\.then\s*\([^;]*,)\s*$/.test(before);
}

// Whether code mentions a function as an argument that is not there for errors.
function isHandedOn(name, code) {
  if (/err|fail|reject|catch|never/i.test(name)) return false;
  return new RegExp(`[(,]\\s*${name.replace(/\$/g, '\\$&')}\\s*[,)]`).test(code);
}

function lastStatement(text) {
  return text.replace(/;\s*$/, '').split(/[;{}]/).pop();
}

// Whether the last thing in `text` is an `await` with what it waits for.
function isAfterAwait(text) {
  return /\bawait\b[^;{}]*(?:\{[^{}]*\}[^;{}]*)*;?\s*$/.test(text);
}
