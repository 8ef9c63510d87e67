'use strict';
// Whether tests have checked anything, and whether they have come to their end: what a callback or a promise that
// never comes leaves out.

const { createHook } = require('async_hooks');
const Module = require('module');

const ASSERT = /^(node:)?assert(\/strict)?$/;
// A call that says something about a value; `assert.fail()` marks a place that is not to be reached.
const ASSERTION = /(?<![\w$.])assert(\.(?!fail\b)\w+)*\s*\((?!\s*false\b)/;
// Frames of Node's between a promise and whoever makes it, and the line of the error itself.
const OWN_FRAMES = 5;

/** Source without comments, as far as that can be seen without parsing it. */
function withoutComments(source) {
  return source.replace(/\/\*[^]*?\*\/|(^|\s)\/\/.*$/gm, '$1');
}

class Checks {
  /** Of the tests `source`; `isTests` says of a stack frame's line whether it is theirs. */
  constructor(source, isTests) {
    const code = withoutComments(source);
    this.expected = ASSERTION.test(code);
    this.reached = 0;
    this.isTests = isTests;
    this.pending = new Set();
    this.wrapped = new Map();
    if (this.expected) this.countAssertions();
    if (/\basync\b/.test(code)) this.watchFunctions();
  }

  /** Whether there are assertions, and none was reached. */
  get nothingChecked() {
    return this.expected && this.reached === 0;
  }

  /** Whether an async function of the tests has not come to its end. */
  get unfinished() {
    return this.pending.size > 0;
  }

  /** `assert`, which counts. */
  get assert() {
    return this.counting(require('assert'));
  }

  countAssertions() {
    const load = Module._load;
    Module._load = (name, ...rest) => {
      const loaded = load(name, ...rest);
      return ASSERT.test(name) ? this.counting(loaded) : loaded;
    };
  }

  counting(target) {
    if (this.wrapped.has(target)) return this.wrapped.get(target);
    const count = () => {
      this.reached += 1;
    };
    const wrapped = new Proxy(target, {
      apply: (inner, self, values) => {
        count();
        return Reflect.apply(inner, self, values);
      },
      get: (inner, key) => {
        const value = Reflect.get(inner, key);
        if (typeof value !== 'function' || key === 'AssertionError' || key === 'fail') return value;
        return this.counting(value);
      },
    });
    this.wrapped.set(target, wrapped);
    return wrapped;
  }

  /** A promise that is made in a function's own frame is what an async function gives, or awaits. */
  watchFunctions() {
    const place = {};
    createHook({
      init: (id, type) => {
        if (type !== 'PROMISE') return;
        const limit = Error.stackTraceLimit;
        Error.stackTraceLimit = OWN_FRAMES;
        Error.captureStackTrace(place);
        Error.stackTraceLimit = limit;
        if (this.isTests(`${place.stack}`.split('\n')[OWN_FRAMES] ?? '')) this.pending.add(id);
      },
      promiseResolve: (id) => this.pending.delete(id),
    }).enable();
  }
}

module.exports = { Checks, withoutComments };
