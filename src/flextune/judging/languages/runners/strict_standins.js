'use strict';
// What the tests' process has for objects of the solution, and what of its own objects the solution may use.

const { EventEmitter } = require('events');
const { Broken } = require('./strict_values.js');

// What every object has; behind these names are the ways to everything else.
const HIDDEN = new Set(Object.getOwnPropertyNames(Object.prototype).filter((name) => !/^(toString|valueOf)$/.test(name)));

/**
 * Hooks of a peer: `peer()` is that peer, `texts` the trusted sources, and `unsupported` ends this process because the
 * tests cannot be judged here.
 */
function standIns(peer, texts, unsupported) {
  const get = (target, key) => {
    if (HIDDEN.has(key) || typeof key !== 'string') throw new TypeError(`${String(key)} is not passed on`);
    return target[key];
  };
  return {
    operations: {
      call: (target, self, ...values) => Reflect.apply(target, self, values),
      get,
      set: (target, key, value) => {
        get(target, key);
        target[key] = value;
      },
      iterate: (target) => target[Symbol.iterator](),
      iterateLater: (target) => target[Symbol.asyncIterator](),
    },
    mayExpose: (value) => typeof value === 'function' || isOwn(value, texts),
    keeps: () => false,
    describe: (value) => {
      if (typeof value === 'function') return [value.name, value.length];
      return `${Symbol.iterator in value ? 'i' : ''}${Symbol.asyncIterator in value ? 'a' : ''}`;
    },
    unsupported: (value) => {
      const message = `strict mode cannot pass ${Object.prototype.toString.call(value)} from the tests to the solution`;
      // What the solution asks for is its own affair.
      if (peer().serving) throw new TypeError(message);
      unsupported(message);
    },
    standIn: (number, kind, about) => standIn(peer(), number, kind, about),
  };
}

/** Whether an object is of a class that the tests or the prompt define, or an iterator or event emitter. */
function isOwn(value, texts) {
  if (typeof value !== 'object') return false;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === EventEmitter.prototype) return true;
  if (typeof value.next === 'function' && (Symbol.iterator in value || Symbol.asyncIterator in value)) return true;
  const { constructor } = prototype ?? {};
  return typeof constructor === 'function' && texts.includes(Function.prototype.toString.call(constructor));
}

/** A stand-in; it equals itself and nothing else. */
function standIn(peer, number, kind, about) {
  if (kind === 'symbol') return Symbol(typeof about === 'string' ? about : '');
  const flags = typeof about === 'string' ? about : '';
  const ask = (operation, ...values) => peer.guard(() => peer.request(operation, number, ...values));
  // An object without properties would be deeply equal to `{}`.
  const target = kind === 'function' ? function () {} : { [`object ${number} of the solution`]: true };
  return new Proxy(target, {
    apply: (_, self, values) => ask('call', passable(peer, self), ...values),
    construct: (_, values) => Object(ask('new', ...values)),
    has: (_, key) => (typeof key === 'symbol' ? false : ask('has', key)),
    deleteProperty: (_, key) => ask('delete', String(key)),
    set: (_, key, value) => {
      ask('set', String(key), value);
      return true;
    },
    get: (_, key) => {
      if (key === Symbol.toPrimitive) return (hint) => primitive(ask('primitive', hint));
      if (key === Symbol.iterator) return flags.includes('i') ? () => ask('iterate') : undefined;
      if (key === Symbol.asyncIterator) return flags.includes('a') ? () => ask('iterateLater') : undefined;
      if (key === Symbol.hasInstance) return (value) => ask('instance', value);
      // To await it must not call into the other process, which may never come back.
      return typeof key === 'symbol' || key === 'then' ? undefined : ask('get', key);
    },
  });
}

function primitive(value) {
  if (typeof value === 'object' || typeof value === 'function') throw new Broken('no primitive value');
  return value;
}

/** The `this` of a call, undefined where it is nothing that can be passed on. */
function passable(peer, self) {
  if (self === undefined || self === null || self === globalThis || typeof self !== 'object') return undefined;
  if (peer.foreignNumbers.has(self)) return self;
  const prototype = Object.getPrototypeOf(self);
  return prototype === Object.prototype && !Object.values(self).some((part) => !isPlain(part)) ? self : undefined;
}

function isPlain(part) {
  return part === null || !['object', 'symbol'].includes(typeof part) || Array.isArray(part);
}

module.exports = { standIns };
