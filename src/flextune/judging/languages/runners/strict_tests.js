'use strict';
// The tests' process: runs the tests as the main module, and asks the solution's process where they use the
// solution. Only trusted code runs here; whatever the other process sends becomes plain data, a stand-in that
// asks back, or the end of this process without a pass.
(() => {
  const { closeSync, readFileSync, readSync, writeSync } = require('fs');
  const Module = require('module');
  const { inspect } = require('util');
  const vm = require('vm');
  const { Broken, Channel, Closed, Peer } = require('./strict_peer.js');

  // Ours between a test and what it calls are left out of messages.
  Error.stackTraceLimit = 40;
  const secrets = 3;
  const reports = 4;
  const secret = Buffer.alloc(32);
  for (let have = 0; have < secret.length; ) {
    const got = readSync(secrets, secret, have, secret.length - have, null);
    if (got === 0) process.exit(127);
    have += got;
  }
  closeSync(secrets);
  writeSync(reports, 'S');

  const [, , path, entry] = process.argv;
  const source = readFileSync(path, 'utf8');
  const channel = new Channel(5, 6);
  try {
    new vm.Script(source, { filename: path });
    if (channel.receive()[0] !== 'compiled') throw new Closed('the solution does not compile');
  } catch (error) {
    // What is wrong with a solution is on standard error already.
    if (!(error instanceof Closed)) writeSync(2, `${error.stack.split('\n    at ')[0]}\n`);
    writeSync(reports, 'C');
    process.exit(1);
  }
  writeSync(reports, 'R');

  /** End this process at once: no `catch` of the tests may go on after this. */
  function end(message, status = 1) {
    if (message) {
      writeSync(reports, 'E');
      writeSync(2, `${message}\n`);
    }
    process.exit(status);
  }

  function guarded(action) {
    try {
      return action();
    } catch (error) {
      if (error instanceof Broken) end(`the solution's process broke the protocol: ${error.message}`);
      if (error instanceof Closed) end("the solution's process was ended");
      throw error;
    }
  }

  const peer = new Peer(channel, {
    // The solution may call the functions that it was given, and that is all.
    operations: { call: (target, self, ...values) => Reflect.apply(target, undefined, values) },
    mayExpose: (value) => typeof value === 'function',
    keeps: () => false,
    standIn,
    failed: () => {},
    other: ([kind, detail]) => {
      if (kind === 'failed' && (detail === 'A' || detail === 'E')) {
        writeSync(reports, detail);
        end('');
      }
      if (kind !== 'exit' || !Number.isInteger(detail)) throw new Broken('no answer');
      const status = detail & 0xff;
      end(status ? `the solution ended with exit status ${status}` : '', status);
    },
  });

  /** What the tests have for a function or an object of the solution; it equals itself and nothing else. */
  function standIn(number, kind) {
    const ask = (operation, ...values) => guarded(() => peer.request(operation, number, ...values));
    // An object without properties would be deeply equal to `{}`.
    const target = kind === 'function' ? function () {} : { [`object ${number} of the solution`]: true };
    return new Proxy(target, {
      apply: (_, self, values) => ask('call', peer.foreignNumbers.has(self) ? self : undefined, ...values),
      construct: (_, values) => Object(ask('new', ...values)),
      set: (_, key, value) => {
        ask('set', String(key), value);
        return true;
      },
      get: (_, key) => {
        if (key === Symbol.toPrimitive) return () => ask('text');
        if (key === Symbol.iterator) return () => ask('iterate');
        if (key === Symbol.hasInstance) return (value) => ask('instance', value);
        // To await it must not call into the other process, which may never come back.
        return typeof key === 'symbol' || key === 'then' ? undefined : ask('get', key);
      },
    });
  }

  process.on('uncaughtException', (error) => {
    writeSync(reports, error?.code === 'ERR_ASSERTION' ? 'A' : 'E');
    writeSync(2, `${error instanceof Error ? error.stack : `Uncaught ${inspect(error)}`}\n`);
    process.exit(1);
  });
  let loaded = false;
  process.once('beforeExit', () => {
    if (loaded && !process.exitCode) writeSync(reports, secret);
  });

  // The runtime's own names are nobody else's, but for the function that the solution was asked to write.
  const taken = ['this', 'arguments', 'exports', 'require', 'module', '__filename', '__dirname'];
  const names = [...new Set(source.match(/[\p{ID_Start}$_][\p{ID_Continue}$]*/gu))].filter(
    (name) => name === entry || !(name in globalThis || taken.includes(name) || isReserved(name)),
  );
  function isReserved(name) {
    try {
      new vm.Script(`(${name})`);
      return false;
    } catch {
      return true;
    }
  }
  guarded(() => {
    const found = peer.ask(['names', names]);
    for (const [name, value] of Object.entries(Object(found))) {
      if (!names.includes(name)) throw new Broken('no list of names');
      Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
    }
  });
  process.argv.splice(1, 3, path);
  Module._load(path, null, true);
  loaded = true;
})();
