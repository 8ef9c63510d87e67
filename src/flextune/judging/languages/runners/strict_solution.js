'use strict';
// The solution's process: runs the program as the main module, then does with its objects what the tests ask.
(() => {
  const { readFileSync, writeSync } = require('fs');
  const Module = require('module');
  const vm = require('vm');
  const { types } = require('util');
  const { Broken, Channel, Closed, Peer } = require('./strict_peer.js');

  const channel = new Channel(3, 4);
  const path = process.argv[2];
  const source = readFileSync(path, 'utf8');
  const body = source.replace(/^#!.*/, '');
  try {
    // As in runner.js: first as a script, then as a module.
    new vm.Script(source, { filename: path });
    const given = ['exports', 'require', 'module', '__filename', '__dirname'];
    vm.compileFunction(body, given, { filename: path });
  } catch (error) {
    writeSync(2, `${error.stack.split('\n    at ')[0]}\n`);
    channel.send(['refused']);
    process.exit(1);
  }
  channel.send(['compiled']);
  const silent = (action) => {
    try {
      action();
    } catch (error) {
      if (!(error instanceof Closed)) throw error;
    }
  };
  process.on('exit', (status) => silent(() => channel.send(['exit', status])));

  const peer = new Peer(channel, {
    operations: {
      call: (target, self, ...values) => Reflect.apply(target, self, values),
      new: (target, ...values) => Reflect.construct(target, values),
      get: (target, key) => target[key],
      set: (target, key, value) => void (target[key] = value),
      iterate: (target) => target[Symbol.iterator](),
      text: (target) => `${target}`,
      instance: (target, value) => value instanceof target,
    },
    mayExpose: (value) => typeof value !== 'symbol',
    // The methods of such an object may need it as their `this`.
    keeps: (value) => Object.values(value).some((part) => typeof part === 'function'),
    standIn: (number) => (...values) => peer.request('call', number, undefined, ...values),
    failed: show,
    other: () => {
      throw new Broken('no answer');
    },
  });

  function show(error) {
    writeSync(2, `${error?.stack ?? error}\n`);
  }

  // A program's names are in the scope of its module, where only a direct eval can see them.
  let lookup;
  const place = Symbol.for('flextune');
  globalThis[place] = (inside) => {
    delete globalThis[place];
    lookup = inside;
  };
  const main = new Module(path, null);
  process.mainModule = main;
  process.argv.splice(1, 2, path);
  Object.assign(main, { id: '.', filename: path, paths: [] });
  try {
    main._compile(`${body}\n;globalThis[Symbol.for('flextune')]((name) => eval(name));`, path);
  } catch (error) {
    show(error);
    channel.send(['failed', error?.code === 'ERR_ASSERTION' ? 'A' : 'E']);
    process.exit(1);
  }

  function introduce() {
    const [, names] = channel.receive();
    const encoder = peer.encoder();
    const found = ['o'];
    for (const name of names) {
      if (lookup(`typeof ${name}`) !== 'undefined') found.push(name, encoder.encode(lookup(name)));
    }
    channel.send(['ok', [], found]);
  }

  async function serve() {
    for (;;) {
      const call = peer.asked(channel.receive());
      try {
        const value = call.act();
        if (types.isPromise(value)) await settle(call, value);
        else peer.reply(call, value);
      } catch (error) {
        peer.refuse(error);
      }
    }
  }

  async function settle(call, promise) {
    let value;
    let rejected = 0;
    try {
      value = await promise;
    } catch (error) {
      show(error);
      [value, rejected] = [error, 1];
    }
    peer.reply(call, value, (data) => ['p', rejected, data]);
  }

  introduce();
  serve().catch((error) => {
    if (!(error instanceof Closed)) show(error);
    process.exit(1);
  });
})();
