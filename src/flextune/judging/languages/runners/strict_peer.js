'use strict';
// The conversation between the tests' process and the solution's. The protocol is that of peer.py, but there are no
// named arguments, and an exception is a value.

const { readSync, writeSync } = require('fs');
const { MAX_BYTES, Broken, Decoder, Encoder, need, own, tooLarge } = require('./strict_values.js');

/** The other process is gone. */
class Closed extends Error {}

/** Messages over two pipes: four bytes of length, then JSON. */
class Channel {
  constructor(reads, writes) {
    Object.assign(this, { reads, writes });
  }

  send(message) {
    const body = JSON.stringify(message);
    const size = Buffer.byteLength(body);
    if (size > MAX_BYTES) tooLarge();
    const data = Buffer.alloc(4 + size);
    data.writeUInt32BE(size);
    data.write(body, 4);
    try {
      for (let sent = 0; sent < data.length; ) sent += writeSync(this.writes, data, sent);
    } catch (error) {
      throw error.code === 'EPIPE' ? new Closed() : error;
    }
  }

  receive() {
    const size = this.exactly(4).readUInt32BE();
    need(size <= MAX_BYTES, `a message of ${size} bytes`);
    let message;
    try {
      message = JSON.parse(this.exactly(size).toString());
    } catch (error) {
      throw error instanceof Closed ? error : new Broken('no JSON');
    }
    need(Array.isArray(message) && typeof message[0] === 'string', 'no message');
    return message;
  }

  exactly(size) {
    const data = Buffer.alloc(size);
    for (let have = 0; have < size; ) {
      const got = readSync(this.reads, data, have, size - have, null);
      if (got === 0) throw new Closed();
      have += got;
    }
    return data;
  }
}

/**
 * One end of the conversation. The hooks are what differs: `operations`, `mayExpose`, `keeps`, `standIn`,
 * `failed` and `other`.
 */
class Peer {
  constructor(channel, hooks) {
    Object.assign(this, hooks, { channel });
    this.own = [];
    this.ownNumbers = new Map();
    this.foreign = new Map();
    this.foreignNumbers = new Map();
    this.expose = this.expose.bind(this);
    this.resolve = this.resolve.bind(this);
  }

  encoder(objects) {
    return new Encoder(this.expose, this.keeps, objects);
  }

  request(operation, number, ...values) {
    const encoder = this.encoder();
    const given = values.map((value) => encoder.encode(value));
    return this.ask(['do', operation, number, given], encoder.objects);
  }

  /** Send a request that mentions `objects`, and serve what is asked until the answer comes. */
  ask(request, objects = []) {
    try {
      this.channel.send(request);
    } catch (error) {
      // Who is gone may have left a last word.
      if (!(error instanceof Closed)) throw error;
    }
    for (;;) {
      const message = this.channel.receive();
      if (message[0] === 'do') this.serve(message);
      else if (message[0] === 'ok') return this.decoded(message, objects);
      else if (message[0] === 'raise') throw new Decoder(this.resolve).decode(message[1]);
      else this.other(message);
    }
  }

  decoded(message, objects) {
    const [, changed, value] = message;
    need(message.length === 3 && Array.isArray(changed) && changed.length % 2 === 0, 'no answer');
    const decoder = new Decoder(this.resolve, objects);
    for (let index = 0; index < changed.length; index += 2) {
      decoder.update(changed[index], changed[index + 1]);
    }
    return decoder.decode(value);
  }

  serve(message) {
    const call = this.asked(message);
    try {
      this.reply(call, call.act());
    } catch (error) {
      this.refuse(error);
    }
  }

  /** What is asked, as a function to call, and what the arguments are before. */
  asked(message) {
    const [, operation, number, given] = message;
    need(Number.isInteger(number) && own.call(this.own, number), 'no such object');
    need(own.call(this.operations, operation) && Array.isArray(given), 'no request');
    const decoder = new Decoder(this.resolve);
    const values = given.map((value) => decoder.decode(value));
    const act = () => this.operations[operation](this.own[number], ...values);
    const before = decoder.objects.length ? this.snapshot(values) : '';
    return { act, values, objects: decoder.objects, before };
  }

  /** Send the answer to a call; `wrap` may change the form of its value. */
  reply({ values, objects, before }, value, wrap = (data) => data) {
    const encoder = this.encoder(objects);
    const changed = [];
    if (before && before !== this.snapshot(values)) {
      objects.forEach((changeable, number) => changed.push(number, encoder.contents(changeable)));
    }
    this.channel.send(['ok', changed, wrap(encoder.encode(value))]);
  }

  refuse(error) {
    if (error instanceof Broken || error instanceof Closed) throw error;
    this.failed(error);
    let data;
    try {
      data = this.encoder().encode(error);
    } catch {
      data = ['e', 'Error', 'an exception that cannot be passed on', 'Error'];
    }
    this.channel.send(['raise', data]);
  }

  snapshot(values) {
    const encoder = this.encoder();
    return JSON.stringify(values.map((value) => encoder.encode(value)));
  }

  expose(value) {
    if (this.foreignNumbers.has(value)) return ['i', this.foreignNumbers.get(value)];
    if (!this.mayExpose(value)) {
      throw new TypeError(`strict mode cannot pass ${Object.prototype.toString.call(value)} on`);
    }
    if (!this.ownNumbers.has(value)) {
      this.ownNumbers.set(value, this.own.length);
      this.own.push(value);
    }
    return ['h', this.ownNumbers.get(value), typeof value];
  }

  resolve(data) {
    const [tag, number, kind] = data;
    need(Number.isInteger(number) && number >= 0, 'no reference');
    if (tag === 'i' && own.call(this.own, number)) return this.own[number];
    need(tag === 'h' && (kind === 'function' || kind === 'object'), 'no reference');
    if (!this.foreign.has(number)) {
      const value = this.standIn(number, kind);
      this.foreign.set(number, value);
      this.foreignNumbers.set(value, number);
    }
    return this.foreign.get(number);
  }
}

module.exports = { Broken, Channel, Closed, Peer };
