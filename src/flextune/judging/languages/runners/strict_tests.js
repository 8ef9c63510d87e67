'use strict';
// The tests' process: runs the tests as the main module, and asks the solution's process where they use the
// solution. Only trusted code runs here; whatever the other process sends becomes plain data, a stand-in that
// asks back, or the end of this process without a pass.
(() => {
  const fs = require('fs');
  const Module = require('module');
  const { Writable } = require('stream');
  const vm = require('vm');
  const { Channel, Closed } = require('./strict_channel.js');
  const { Checks } = require('./strict_checks.js');
  const { classesOf, headOf, sorted } = require('./strict_names.js');
  const { Peer } = require('./strict_peer.js');
  const { standIns } = require('./strict_standins.js');
  const { Broken, shared } = require('./strict_values.js');

  // Ours between a test and what it calls are left out of messages.
  Error.stackTraceLimit = 40;
  const secrets = 3;
  const reports = 4;
  const { closeSync, readFileSync, readSync, writeSync } = fs;
  const secret = Buffer.alloc(32);
  for (let have = 0; have < secret.length; ) {
    const got = readSync(secrets, secret, have, secret.length - have, null);
    if (got === 0) process.exit(127);
    have += got;
  }
  closeSync(secrets);
  writeSync(reports, 'S');

  const [, , path, promptPath, entry] = process.argv;
  const source = readFileSync(path, 'utf8');
  const prompt = readFileSync(promptPath, 'utf8');
  const channel = new Channel(5, 6);
  const reallyExit = process.reallyExit.bind(process);
  const told = hidden();
  /** Whether the tests have `import` or `await` at their top level. */
  function isModule() {
    try {
      return Boolean(new vm.SourceTextModule(source, { identifier: path }));
    } catch {
      return false;
    }
  }

  try {
    try {
      new vm.Script(source, { filename: path });
    } catch (error) {
      if (!isModule()) throw error;
      writeSync(reports, 'R');
      end('U', 'the tests are a module, which strict mode cannot run');
    }
    if (channel.receive()[0] !== 'compiled') throw new Closed('the solution does not compile');
  } catch (error) {
    // What is wrong with a solution is on standard error already.
    const message = error instanceof Closed ? '' : error.stack.split('\n    at ')[0];
    end('C', message, 1);
  }
  writeSync(reports, 'R');

  /** What the tests print is kept here: the solution may be able to read what goes to standard output. */
  function hidden() {
    const said = [];
    const keep = (text) => {
      said.push(`${text}`);
      if (said.length > 400) said.splice(0, 200);
    };
    for (const [name, fd] of [['stdout', 1], ['stderr', 2]]) {
      const value = new Writable({ decodeStrings: false, write: (text, _, done) => (keep(text), done()) });
      // The real ones are not even made: that would change the pipe, which the solution writes to as well.
      Object.defineProperty(process, name, { value: Object.assign(value, { fd }), configurable: true });
    }
    const names = [1, 2, '/dev/stdout', '/dev/stderr'];
    for (const name of ['writeSync', 'writeFileSync', 'appendFileSync']) {
      const write = fs[name];
      fs[name] = (target, text, ...rest) => {
        if (!names.includes(target)) return write(target, text, ...rest);
        keep(text);
        return Buffer.byteLength(text);
      };
    }
    return said;
  }

  /** End this process at once: no `catch` of the tests may go on after this. */
  function end(letter, message, status = 1) {
    const words = `${told.join('').slice(-8000)}${message ? `${message}\n` : ''}`;
    if (letter) writeSync(reports, letter);
    if (words) writeSync(2, words);
    reallyExit(status);
  }

  function guard(action) {
    try {
      return action();
    } catch (error) {
      if (error instanceof Broken) end('E', `the solution's process broke the protocol: ${error.message}`);
      if (error instanceof Closed) end(letterOf('E'), "the solution's process was ended");
      throw error;
    }
  }

  // Assertions of the tests that failed while the solution ran them, and that did not come back.
  const failures = new Set();
  function letterOf(letter) {
    return failures.size ? 'A' : letter;
  }

  let idleSoon = false;
  /** Tell the solution, once what runs now has come to a pause, that its event loop may go on. */
  function pause() {
    if (idleSoon) return;
    idleSoon = true;
    setImmediate(() => {
      idleSoon = false;
      guard(() => channel.send(['idle']));
    });
  }

  let drained = 0;
  let asked = -1;
  let quiet = -1;
  const isAssertion = (error) => error?.code === 'ERR_ASSERTION';
  const peer = new Peer(channel, {
    ...standIns(() => peer, source + prompt, (message) => end('U', message)),
    failed: (error) => isAssertion(error) && failures.add(error),
    cameBack: (error) => failures.delete(error),
    asks: pause,
    holds: false,
    // Only what is asked for the sake of a request may come between.
    defers: ([, , parent]) => parent === 0,
    guard,
    other: ([kind, detail]) => {
      if (kind === 'drained') {
        channel.socket.unref();
        // What has happened since the question may have begun something new.
        if (detail === drained && peer.activity === asked) quiet = asked;
        return;
      }
      if (kind === 'failed' && (detail === 'A' || detail === 'E')) end(detail, '');
      if (kind !== 'exit' || !Number.isInteger(detail)) throw new Broken('no answer');
      const status = detail & 0xff;
      if (!status) end('', '', 0);
      end(letterOf('E'), `the solution ended with exit status ${status}`, status);
    },
  });

  process.on('uncaughtException', (error) => {
    const { inspect } = require('util');
    end(isAssertion(error) ? 'A' : letterOf('E'), error instanceof Error ? error.stack : `Uncaught ${inspect(error)}`);
  });
  const checks = new Checks(source, (line) => line.includes(`${path}:`));
  let loaded = false;
  process.on('beforeExit', () => {
    // What the solution has begun may still call the tests.
    if (!loaded || peer.activity === quiet) return;
    drained += 1;
    asked = peer.activity;
    guard(() => channel.send(['drain', drained]));
    channel.socket.ref();
  });
  process.on('exit', (status) => {
    // Only the tests can end this process so; without a call of theirs, nothing may be left to come.
    if (!loaded && status) end(letterOf('E'), `the tests ended with exit status ${status}`, status);
    if (status) end('A', `the tests ended with exit status ${status}`, status);
    for (const failure of failures) end('A', `${failure.stack}\nan assertion of the tests failed in a call from the solution`);
    if (checks.unfinished && peer.activity === quiet) end('', 'the tests wait for what never comes', 0);
    if (checks.nothingChecked) end('A', 'no assertion of the tests was reached');
    writeSync(reports, secret);
    reallyExit(0);
  });

  const head = headOf(prompt, entry);
  globalThis.require = Module.createRequire(path);
  try {
    vm.runInThisContext(head, { filename: promptPath });
  } catch {
    // Text that only looks like a program defines nothing.
  }
  delete globalThis.require;
  const valueOf = (name) => vm.runInThisContext(`typeof ${name} === 'undefined' ? undefined : ${name}`);
  for (const name of classesOf(head)) {
    const value = valueOf(name);
    // What is private cannot be passed on.
    if (typeof value === 'function' && !/#[a-zA-Z_$]/.test(`${value}`)) shared.set(name, value);
  }
  const place = (name, value) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  place('assert', checks.assert);
  const { wanted, missing, undefined: free } = sorted(source, prompt, entry, (name) => valueOf(name) !== undefined);
  const complain = (name) => end('U', `the tests use ${name}, which neither they nor the prompt define`);
  // Said at once where that is certain: what a solution does is not to decide whether the tests come to it.
  if (free) complain(free);
  for (const name of missing) {
    Object.defineProperty(globalThis, name, {
      configurable: true,
      get: () => complain(name),
      set: (value) => place(name, value),
    });
  }
  guard(() => {
    try {
      channel.send(['names', wanted, [...shared.keys()]]);
    } catch (error) {
      // Who is gone may have left a last word.
      if (!(error instanceof Closed)) throw error;
    }
    for (const [name, value] of peer.introduced(channel.receive(), wanted)) place(name, value);
    peer.listen();
    channel.socket.unref();
  });
  process.argv.splice(1, 4, path);
  pause();
  Module._load(path, null, true);
  loaded = true;
})();
