'use strict';
// Values of a JavaScript program as JSON and back; strict_peer.js sends them. As in values.py, all but the
// simplest are arrays that begin with a tag:
//
//   u undefined          n NaN, Infinity, -Infinity, -0    b BigInt as text
//   d Date: milliseconds r RegExp: source, flags           y typed array: type, items
//   & the changeable object with this number               h, i, e, E references, see strict_peer.js
//
// Changeable objects are numbered, and a message has the contents of each in a list of its own: they nest as deeply
// as they like, and sharing and cycles survive. Contents are:
//
//   a array: items       _ a hole in an array              o plain object: key, value, ...
//   O the same without a prototype                         m Map: key, value, ...    s Set: items
//   K instance of a class that the prompt defines: the class's name, key, value, ...
//
// An object of another class is a plain object if it has no methods; with methods it is a reference, as is
// everything not named here.

const assert = require('assert');
const { types } = require('util');

const MAX_BYTES = 64 * 1024 ** 2;
const TO_PASS = 'to be passed between solution and tests';
const ERRORS = { Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError };
const ARRAYS = {
  Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array, Float32Array,
  Float64Array, BigInt64Array, BigUint64Array,
};
const own = Object.prototype.hasOwnProperty;
const NUMBERS = { __proto__: null, NaN, Infinity, '-Infinity': -Infinity, '-0': -0 };

/** What arrived is not what the protocol allows. */
class Broken extends Error {}

function need(condition, what) {
  if (!condition) throw new Broken(what);
}

function tooLarge() {
  throw new RangeError(`a value is too large ${TO_PASS}`);
}

/** A number as text, the negative zero included. */
function digits(value) {
  return Object.is(value, -0) ? '-0' : `${value}`;
}

function text(value) {
  need(typeof value === 'string', 'no text');
  return value;
}

/**
 * Values to JSON; `expose` makes a reference of what cannot travel, or of what `keeps` wants to stay. The
 * `objects` have a number already.
 */
class Encoder {
  constructor(expose, keeps, objects = []) {
    Object.assign(this, { expose, keeps });
    this.objects = [...objects];
    this.numbers = new Map(this.objects.map((value, number) => [value, number]));
    this.written = this.objects.length;
  }

  /** One value; what is in changeable objects comes with `contents`. */
  encode(value) {
    if (value === null || typeof value === 'boolean') return value;
    if (typeof value === 'string') return value.length <= MAX_BYTES ? value : tooLarge();
    if (typeof value === 'number') {
      return Number.isFinite(value) && !Object.is(value, -0) ? value : ['n', digits(value)];
    }
    if (value === undefined) return ['u'];
    if (typeof value === 'bigint') return ['b', `${value}`];
    const tag = tagOf(value);
    if (tag === null || ('oO'.includes(tag) && this.keeps(value))) return this.expose(value);
    if (tag in READ) return immutable(tag, value);
    if (!this.numbers.has(value)) {
      this.numbers.set(value, this.objects.length);
      this.objects.push(value);
    }
    return ['&', this.numbers.get(value)];
  }

  /** Contents of all objects that got a number here, in its order; the last thing to ask. */
  contents() {
    const written = [];
    for (; this.written < this.objects.length; this.written++) {
      written.push(this.content(this.objects[this.written]));
    }
    return written;
  }

  /** The contents of one changeable object. */
  content(value) {
    const tag = tagOf(value);
    const data = tag === 'K' ? [tag, classOf(value)] : [tag];
    const add = (part) => data.push(this.encode(part));
    if (tag === 'a') {
      if (value.length > MAX_BYTES) tooLarge();
      for (let index = 0; index < value.length; index++) {
        if (own.call(value, index)) add(value[index]);
        else data.push(['_']);
      }
    } else if (tag === 's') {
      for (const item of Set.prototype.values.call(value)) add(item);
    } else if (tag === 'm') {
      for (const [key, item] of Map.prototype.entries.call(value)) add(key), add(item);
    } else {
      for (const key of Object.keys(value)) data.push(key), add(value[key]);
    }
    return data;
  }

  /** Type, message, name and simple properties of an error. */
  static error(error) {
    const name = `${error.name}`;
    const plain = Object.entries(error).filter(([, part]) => ['string', 'number', 'boolean'].includes(typeof part));
    if (error.code === 'ERR_ASSERTION') return ['AssertionError', `${error.message}`, name];
    const shared = classOf(error);
    if (shared !== undefined) return [`@${shared}`, `${error.message}`, name, ...plain.flat()];
    const type = Object.keys(ERRORS).reverse().find((one) => error instanceof ERRORS[one]) ?? 'Error';
    return [type, `${error.message}`, name, ...plain.flat()];
  }
}

/** Classes that both processes have, by name. */
const shared = new Map();

function classOf(value) {
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  return shared.has(name) && Object.getPrototypeOf(value) === shared.get(name).prototype ? name : undefined;
}

/** The tag of a value that travels as data, null for what has to be a reference. */
function tagOf(value) {
  if (typeof value !== 'object' || types.isProxy(value)) return null;
  const prototype = Object.getPrototypeOf(value);
  if (Array.isArray(value)) return prototype === Array.prototype ? 'a' : null;
  if (prototype === null) return 'O';
  if (prototype === Object.prototype) return 'o';
  if (types.isMap(value)) return prototype === Map.prototype ? 'm' : null;
  if (types.isSet(value)) return prototype === Set.prototype ? 's' : null;
  if (types.isDate(value)) return prototype === Date.prototype ? 'd' : null;
  if (types.isRegExp(value)) return prototype === RegExp.prototype ? 'r' : null;
  if (types.isTypedArray(value)) return value.constructor?.name in ARRAYS ? 'y' : null;
  if (types.isNativeError(value)) return null;
  if (classOf(value) !== undefined) return 'K';
  return isRecord(value) ? 'o' : null;
}

/** Whether an object of a class has data and no methods: then its class is no more than a name. */
function isRecord(value) {
  if (types.isPromise(value) || types.isBoxedPrimitive(value) || Symbol.iterator in value) return false;
  for (let level = Object.getPrototypeOf(value); level !== Object.prototype; ) {
    if (level === null || Object.getOwnPropertyNames(level).join() !== 'constructor') return false;
    // A class of the runtime keeps its data where nobody sees it.
    if (/\[native code\]/.test(Function.prototype.toString.call(level.constructor))) return false;
    level = Object.getPrototypeOf(level);
  }
  return true;
}

function immutable(tag, value) {
  if (tag === 'd') return ['d', Number.isNaN(value.getTime()) ? null : value.getTime()];
  if (tag === 'r') return ['r', value.source, value.flags];
  return ['y', value.constructor.name, ...Array.from(value, digits)];
}

/** Not an assignment: `__proto__` is a key like any other here. */
function define(object, key, value, enumerable = true) {
  Object.defineProperty(object, key, { value, enumerable, configurable: true, writable: true });
}

const READ = {
  __proto__: null,
  u: () => undefined,
  n: (name) => (need(name in NUMBERS, 'no number'), NUMBERS[name]),
  b: (whole) => (need(/^-?\d+$/.test(text(whole)), 'no BigInt'), BigInt(whole)),
  d: (time) => new Date(time ?? NaN),
  r: (source, flags) => new RegExp(text(source), text(flags)),
  y: (type, ...items) => {
    need(own.call(ARRAYS, type), 'no array type');
    return ARRAYS[type].from(items, type.startsWith('Big') ? BigInt : Number);
  },
};
const EMPTY = {
  __proto__: null,
  a: () => [],
  o: () => ({}),
  O: () => Object.create(null),
  m: () => new Map(),
  s: () => new Set(),
  K: (name) => (need(shared.has(name), 'no class'), Object.create(shared.get(name).prototype)),
};

/** JSON to values; whatever the JSON, it throws nothing but `Broken`. */
class Decoder {
  constructor(resolve, objects = []) {
    this.resolve = resolve;
    this.objects = [...objects];
  }

  decode(data) {
    return this.guarded(() => this.read(data));
  }

  /** Make the objects of these contents, with the next numbers. */
  load(contents) {
    this.guarded(() => {
      need(Array.isArray(contents), 'no contents');
      const first = this.objects.length;
      for (const data of contents) {
        need(Array.isArray(data) && data[0] in EMPTY, 'no contents');
        this.objects.push(EMPTY[data[0]](data[1]));
      }
      contents.forEach((data, index) => this.fill(this.objects[first + index], data));
    });
  }

  update(number, data) {
    this.guarded(() => {
      const target = this.numbered(number);
      need(sameKind(target, EMPTY[data[0]](data[1])), 'an object cannot change its type');
      if (Array.isArray(target)) target.length = 0;
      else if (types.isMap(target) || types.isSet(target)) target.clear();
      else for (const key of Object.keys(target)) delete target[key];
      this.fill(target, data);
    });
  }

  /** The error of a description. */
  static error(type, message, name, ...parts) {
    for (const part of [type, message, name]) text(part);
    const kind = own.call(ERRORS, type) ? ERRORS[type] : Error;
    const error = type === 'AssertionError' ? new assert.AssertionError({ message }) : new kind(message);
    if (type.startsWith('@')) {
      need(shared.has(type.slice(1)), 'no class');
      Object.setPrototypeOf(error, shared.get(type.slice(1)).prototype);
    }
    for (let index = 0; index + 1 < parts.length; index += 2) {
      const [key, value] = [text(parts[index]), parts[index + 1]];
      need(value === null || typeof value !== 'object', 'no part of an error');
      if (key !== '__proto__' && key !== 'stack') error[key] = value;
    }
    if (error.name !== name) define(error, 'name', name, false);
    return error;
  }

  guarded(action) {
    try {
      return action();
    } catch (error) {
      throw error instanceof Broken ? error : new Broken(`no value (${error?.name})`);
    }
  }

  numbered(number) {
    need(Number.isInteger(number) && own.call(this.objects, number), 'no such object');
    return this.objects[number];
  }

  read(data) {
    if (data === null || ['string', 'number', 'boolean'].includes(typeof data)) return data;
    need(Array.isArray(data) && typeof data[0] === 'string', 'no value');
    const [tag] = data;
    if (tag === '&') return this.numbered(data[1]);
    if (tag in READ) return READ[tag](...data.slice(1));
    return this.resolve(data);
  }

  fill(value, data) {
    const part = (index) => {
      need(index < data.length, 'no value');
      return this.read(data[index]);
    };
    if (Array.isArray(value)) {
      for (let index = 1; index < data.length; index++) {
        if (Array.isArray(data[index]) && data[index][0] === '_') value.length = index;
        else value[index - 1] = part(index);
      }
    } else if (types.isSet(value)) {
      for (let index = 1; index < data.length; index++) value.add(part(index));
    } else if (types.isMap(value)) {
      for (let index = 1; index < data.length; index += 2) value.set(part(index), part(index + 1));
    } else {
      for (let index = data[0] === 'K' ? 2 : 1; index < data.length; index += 2) {
        const key = text(data[index]);
        const item = part(index + 1);
        // To await such an object is to call into the other process, which may never come back.
        need(key !== 'then' || typeof item !== 'function', 'an object that poses as a promise');
        define(value, key, item);
      }
    }
  }
}

function sameKind(one, other) {
  return [Array.isArray, types.isMap, types.isSet].every((is) => is(one) === is(other));
}

module.exports = { MAX_BYTES, Broken, Decoder, Encoder, need, own, shared, tooLarge };
