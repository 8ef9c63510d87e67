'use strict';
// Messages over two pipes: four bytes of length, then JSON. They are read by the event loop, or at once where
// somebody waits for an answer.

const net = require('net');
const { readSync, writeSync } = require('fs');
const { MAX_BYTES, Broken, need, tooLarge } = require('./strict_values.js');

// Milliseconds between two looks at an empty pipe.
const SHORTEST = 0.02;
const LONGEST = 4;

/** The other process is gone. */
class Closed extends Error {}

/** Both directions; `arrived` is told when the event loop has read a message. */
class Channel {
  constructor(reads, writes) {
    Object.assign(this, { reads, writes, data: Buffer.alloc(0), arrived: () => {} });
    this.part = Buffer.alloc(1 << 16);
    this.nap = new Int32Array(new SharedArrayBuffer(4));
    this.wait = Atomics.wait;
  }

  /** Let the event loop read; the process lives as long as it does, unless `unref` was called. */
  listen() {
    this.socket = new net.Socket({ fd: this.reads, readable: true, writable: false });
    this.socket.on('data', (data) => {
      this.data = Buffer.concat([this.data, data]);
      this.arrived();
    });
    this.socket.on('end', () => {
      this.closed = true;
      this.arrived();
    });
    this.socket.on('error', () => {});
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

  /** The next message that is there, undefined where none is. */
  next() {
    if (this.data.length < 4) return undefined;
    const size = this.data.readUInt32BE();
    need(size <= MAX_BYTES, `a message of ${size} bytes`);
    if (this.data.length < 4 + size) return undefined;
    const body = this.data.toString('utf8', 4, 4 + size);
    this.data = this.data.subarray(4 + size);
    let message;
    try {
      message = JSON.parse(body);
    } catch {
      throw new Broken('no JSON');
    }
    need(Array.isArray(message) && typeof message[0] === 'string', 'no message');
    return message;
  }

  /** The next message, waited for. */
  receive() {
    const limit = Error.stackTraceLimit;
    // An empty pipe is an exception each time.
    Error.stackTraceLimit = 0;
    try {
      return this.polled();
    } finally {
      Error.stackTraceLimit = limit;
    }
  }

  polled() {
    for (let pause = SHORTEST; ; ) {
      const message = this.next();
      if (message !== undefined) return message;
      let got = -1;
      try {
        got = readSync(this.reads, this.part, 0, this.part.length, null);
      } catch (error) {
        if (error.code !== 'EAGAIN') throw error;
      }
      if (got === 0) throw new Closed();
      if (got > 0) {
        this.data = Buffer.concat([this.data, this.part.subarray(0, got)]);
        pause = SHORTEST;
      } else {
        this.wait.call(Atomics, this.nap, 0, 0, pause);
        pause = Math.min(2 * pause, LONGEST);
      }
    }
  }
}

module.exports = { Channel, Closed };
