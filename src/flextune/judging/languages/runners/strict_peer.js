'use strict';
// One end of the conversation between the tests' process and the solution's. As in peer.py, both ends may ask at any
// time, but each has one thread: who waits for an answer serves what the other asks for its sake. What comes out of
// the other's event loop (a timer, a promise) waits until this one's event loop is reached, as it would in one
// process. For the same reason the solution's event loop stands still from a request of the tests to the end of what
// they do without a pause.
//
//   do, n, for, operation, number, values, contents    asks something of the receiver's object `number`; `n` counts
//                                                      the sender's requests, `for` is the one that it serves, or 0
//   ok, n, [number, contents, ...], contents, value    answers, with the arguments that the call has changed
//   raise, n, [number, contents, ...], contents, value answers with an exception
//   idle                                               the tests have nothing to do at present
//   settled, number, rejected, contents, value         a promise of the sender has settled

const { types } = require('util');
const { Closed } = require('./strict_channel.js');
const { Broken, Decoder, Encoder, need, own } = require('./strict_values.js');

/**
 * The hooks are what differs: `operations`, `mayExpose`, `unsupported`, `keeps`, `describe`, `standIn`, `failed`,
 * `cameBack`, `asks`, `holds`, `defers`, `guard` and `other`.
 */
class Peer {
  constructor(channel, hooks) {
    Object.assign(this, hooks, { channel });
    this.own = [];
    this.ownNumbers = new Map();
    this.foreign = new Map();
    this.foreignNumbers = new Map();
    this.promises = new Map();
    this.told = [];
    this.foreignErrors = new WeakMap();
    this.requests = 0;
    this.serving = 0;
    this.activity = 0;
    this.later = [];
    this.held = false;
    this.expose = this.expose.bind(this);
    this.resolve = this.resolve.bind(this);
  }

  encoder(objects) {
    return new Encoder(this.expose, this.keeps, objects);
  }

  /** From now on the event loop takes care of what arrives. */
  listen() {
    this.channel.arrived = () => this.guard(() => this.work());
    this.channel.listen();
  }

  /** Everything that has arrived, and what was put off. */
  work() {
    for (;;) {
      const message = this.later.shift() ?? this.channel.next() ?? (this.held ? this.channel.receive() : undefined);
      if (message === undefined) break;
      this.act(message);
    }
    if (this.channel.closed) throw new Closed();
  }

  act(message) {
    if (message[0] === 'do') {
      this.activity += 1;
      this.held = this.holds;
      this.serve(message);
    } else if (message[0] === 'settled') {
      this.activity += 1;
      this.settled(message);
    } else this.other(message);
  }

  request(operation, number, ...values) {
    const encoder = this.encoder();
    const given = values.map((value) => encoder.encode(value));
    const n = ++this.requests;
    this.activity += 1;
    this.asks();
    try {
      this.channel.send(['do', n, this.serving, operation, number, given, encoder.contents()]);
    } catch (error) {
      // Who is gone may have left a last word.
      if (!(error instanceof Closed)) throw error;
    }
    for (;;) {
      const message = this.channel.receive();
      const [kind, first] = message;
      if ((kind === 'ok' || kind === 'raise') && first === n) {
        // The event loop sees nothing of what was read together with the answer.
        if (this.channel.data.length) setImmediate(this.channel.arrived);
        return this.answered(message, encoder.objects);
      }
      if (kind === 'settled' || (kind === 'do' && this.defers(message))) {
        if (!this.later.length) setImmediate(this.channel.arrived);
        this.later.push(message);
      } else if (kind === 'do') this.serve(message);
      else this.other(message);
    }
  }

  answered(message, objects) {
    const [kind, , changed, contents, value] = message;
    need(message.length === 5 && Array.isArray(changed) && changed.length % 2 === 0, 'no answer');
    const decoder = new Decoder(this.resolve, objects);
    decoder.load(contents);
    for (let index = 0; index < changed.length; index += 2) {
      decoder.update(changed[index], changed[index + 1]);
    }
    const result = decoder.decode(value);
    if (kind === 'ok') return result;
    this.cameBack(result);
    throw result;
  }

  serve(message) {
    const [, n, , operation, number, given, contents] = message;
    need(Number.isInteger(n) && Number.isInteger(number) && own.call(this.own, number), 'no such object');
    need(own.call(this.operations, operation) && Array.isArray(given), 'no request');
    const decoder = new Decoder(this.resolve);
    decoder.load(contents);
    const values = given.map((value) => decoder.decode(value));
    const { objects } = decoder;
    const before = this.encoder(objects);
    const then = objects.map((value) => JSON.stringify(before.content(value)));
    const changes = (encoder) => {
      const changed = [];
      objects.forEach((value, place) => {
        const content = encoder.content(value);
        if (JSON.stringify(content) !== then[place]) changed.push(place, content);
      });
      return changed;
    };
    const outer = this.serving;
    this.serving = n;
    let reply;
    try {
      const value = this.operations[operation](this.own[number], ...values);
      const encoder = this.encoder(objects);
      const changed = changes(encoder);
      const encoded = encoder.encode(value);
      reply = ['ok', n, changed, encoder.contents(), encoded];
    } catch (error) {
      if (error instanceof Broken || error instanceof Closed) throw error;
      this.failed(error);
      reply = this.refusal(n, error, objects, changes);
    } finally {
      this.serving = outer;
    }
    this.channel.send(reply);
  }

  refusal(n, error, objects, changes) {
    try {
      const encoder = this.encoder(objects);
      const changed = changes(encoder);
      const encoded = encoder.encode(error);
      return ['raise', n, changed, encoder.contents(), encoded];
    } catch {
      return ['raise', n, [], [], ['e', -1, 'Error', 'an exception that cannot be passed on', 'Error']];
    }
  }

  /** Tell the other end when a promise of this end settles. */
  watch(promise, number) {
    const tell = (rejected) => (value) => {
      if (rejected) this.failed(value);
      let message;
      try {
        const encoder = this.encoder();
        const encoded = encoder.encode(value);
        message = ['settled', number, rejected, encoder.contents(), encoded];
      } catch (error) {
        message = ['settled', number, 1, [], ['e', -1, 'TypeError', `${error.message}`, 'TypeError']];
      }
      this.guard(() => this.channel.send(message));
    };
    promise.then(tell(0), tell(1));
  }

  settled([, number, rejected, contents, value]) {
    need(this.promises.has(number), 'no promise');
    const decoder = new Decoder(this.resolve);
    decoder.load(contents);
    const result = decoder.decode(value);
    if (rejected) this.cameBack(result);
    const [fulfil, reject] = this.promises.get(number);
    this.promises.delete(number);
    // What poses as a promise is no answer: to wait for it is to wait for the other process.
    (rejected ? reject : fulfil)(result);
  }

  expose(value) {
    if (this.foreignNumbers.has(value)) return ['i', this.foreignNumbers.get(value)];
    const promised = types.isPromise(value);
    if (types.isNativeError(value)) return this.error(value);
    if (!promised && !this.mayExpose(value)) this.unsupported(value);
    if (!this.ownNumbers.has(value)) {
      this.ownNumbers.set(value, this.own.length);
      this.own.push(value);
      if (promised) this.watch(value, this.own.length - 1);
    }
    const kind = promised ? 'promise' : typeof value;
    return ['h', this.ownNumbers.get(value), kind, this.describe(value)];
  }

  error(value) {
    if (this.foreignErrors.has(value)) return ['E', this.foreignErrors.get(value)];
    this.told.push(value);
    return ['e', this.told.length - 1, ...Encoder.error(value)];
  }

  resolve(data) {
    const [tag, number, kind, about] = data;
    if (tag === 'e') {
      const error = Decoder.error(...data.slice(2));
      if (Number.isInteger(number) && number >= 0) this.foreignErrors.set(error, number);
      return error;
    }
    need(Number.isInteger(number) && number >= 0, 'no reference');
    if (tag === 'E' && own.call(this.told, number)) return this.told[number];
    if (tag === 'i' && own.call(this.own, number)) return this.own[number];
    need(tag === 'h' && ['function', 'object', 'promise', 'symbol'].includes(kind), 'no reference');
    if (!this.foreign.has(number)) {
      const value = kind === 'promise' ? this.promise(number) : this.standIn(number, kind, about);
      this.foreign.set(number, value);
      this.foreignNumbers.set(value, number);
    }
    return this.foreign.get(number);
  }

  /** Names and objects that the solution introduces, of those that were `wanted`. */
  introduced(message, wanted) {
    const [kind, found, contents] = message;
    if (kind !== 'introduced') this.other(message);
    need(kind === 'introduced' && Array.isArray(found) && found.length % 2 === 0, 'no list of names');
    const decoder = new Decoder(this.resolve);
    decoder.load(contents);
    const pairs = [];
    for (let index = 0; index < found.length; index += 2) {
      need(wanted.includes(found[index]), 'no list of names');
      pairs.push([found[index], decoder.decode(found[index + 1])]);
    }
    return pairs;
  }

  promise(number) {
    return new Promise((fulfil, reject) => this.promises.set(number, [fulfil, reject]));
  }
}

module.exports = { Peer };
