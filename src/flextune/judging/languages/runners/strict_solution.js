'use strict';
// The solution's process: runs the program as the main module, then does with its objects what the tests ask.
(() => {
  const { readFileSync, writeSync } = require('fs');
  const Module = require('module');
  const vm = require('vm');
  const { pathToFileURL } = require('url');
  const { types } = require('util');
  const { Channel, Closed } = require('./strict_channel.js');
  const { Peer } = require('./strict_peer.js');
  const { Broken, shared } = require('./strict_values.js');

  const channel = new Channel(3, 4);
  const path = process.argv[2];
  const source = readFileSync(path, 'utf8');
  // A program's names are in the scope of its module, where only a direct eval can see them.
  let lookup;
  const place = Symbol.for('flextune');
  globalThis[place] = (inside) => {
    delete globalThis[place];
    lookup = inside;
  };
  const body = source.replace(/^#!.*/, '');
  const looked = `${body}\n;globalThis[Symbol.for('flextune')]((name) => eval(name));`;
  let module;
  try {
    // As in runner.js: first as a script, then as a module.
    new vm.Script(source, { filename: path });
    const given = ['exports', 'require', 'module', '__filename', '__dirname'];
    vm.compileFunction(body, given, { filename: path });
  } catch (error) {
    try {
      module = new vm.SourceTextModule(looked, {
        identifier: path,
        importModuleDynamically: (name) => import(name),
        initializeImportMeta: (meta) => Object.assign(meta, { url: pathToFileURL(path).href }),
      });
    } catch {
      writeSync(2, `${error.stack.split('\n    at ')[0]}\n`);
      channel.send(['refused']);
      process.exit(1);
    }
  }
  channel.send(['compiled']);
  const leave = process.exit.bind(process);
  const guard = (action) => {
    try {
      return action();
    } catch (error) {
      if (!(error instanceof Closed || error instanceof Broken)) throw error;
      if (error instanceof Broken) show(error);
      // Nobody is there any more to be told.
      over = true;
      return leave(1);
    }
  };
  let over = false;
  process.on('exit', (status) => {
    if (!over) guard(() => channel.send(['exit', status]));
  });

  let drains = 0;
  const peer = new Peer(channel, {
    operations: {
      call: (target, self, ...values) => Reflect.apply(target, self, values),
      new: (target, ...values) => Reflect.construct(target, values),
      get: (target, key) => target[key],
      set: (target, key, value) => void (target[key] = value),
      has: (target, key) => key in target,
      delete: (target, key) => delete target[key],
      iterate: (target) => target[Symbol.iterator](),
      iterateLater: (target) => target[Symbol.asyncIterator](),
      primitive: (target, hint) => (hint === 'number' ? +target : hint === 'string' ? `${target}` : target + ''),
      instance: (target, value) => value instanceof target,
    },
    mayExpose: () => true,
    // The methods of such an object may need it as their `this`.
    keeps: (value) => Object.values(value).some((part) => typeof part === 'function'),
    describe: (value) => {
      if (typeof value === 'symbol') return value.description ?? '';
      if (typeof value === 'function' || types.isPromise(value)) return '';
      return `${Symbol.iterator in value ? 'i' : ''}${Symbol.asyncIterator in value ? 'a' : ''}`;
    },
    unsupported: () => {},
    standIn,
    failed: show,
    cameBack: () => {},
    asks: () => {},
    holds: true,
    defers: () => false,
    guard,
    other: ([kind, detail]) => {
      peer.held = false;
      if (kind === 'idle') return;
      if (kind !== 'drain') throw new Broken('no answer');
      drains = detail;
      // When nothing else keeps this process alive, nothing will call the tests any more.
      channel.socket.unref();
    },
  });
  process.on('beforeExit', () => {
    if (!drains) return;
    guard(() => channel.send(['drained', drains]));
    drains = 0;
    channel.socket.ref();
  });

  function show(error) {
    writeSync(2, `${error?.stack ?? error}\n`);
  }

  /** What the solution has for a function or an object of the tests. */
  function standIn(number, kind, about) {
    const ask = (operation, ...values) => peer.request(operation, number, ...values);
    if (kind === 'function') {
      const [name, length] = Array.isArray(about) ? about : [];
      const call = function (...values) {
        // Outside of a method it is the global object, or nothing.
        return ask('call', this === globalThis ? undefined : this, ...values);
      };
      Object.defineProperty(call, 'name', { value: `${name ?? ''}` });
      return Object.defineProperty(call, 'length', { value: Number(length ?? 0) });
    }
    return new Proxy({}, {
      get: (_, key) => {
        if (key === Symbol.iterator) return about.includes('i') ? () => ask('iterate') : undefined;
        if (key === Symbol.asyncIterator) return about.includes('a') ? () => ask('iterateLater') : undefined;
        return typeof key === 'symbol' || key === 'then' ? undefined : ask('get', key);
      },
      set: (_, key, value) => {
        ask('set', String(key), value);
        return true;
      },
    });
  }

  function fail(error) {
    show(error);
    over = true;
    guard(() => channel.send(['failed', error?.code === 'ERR_ASSERTION' ? 'A' : 'E']));
    leave(1);
  }

  /** What a module imports, as a module of the same names. */
  async function imported(name) {
    const exports = await import(name);
    const names = Object.keys(exports);
    return new vm.SyntheticModule(names, function set() {
      for (const one of names) this.setExport(one, exports[one]);
    });
  }

  const begin = () => guard(() => {
    const [, names, classes] = channel.receive();
    const defined = (name) => lookup(`typeof ${name}`) !== 'undefined';
    for (const name of classes) {
      if (defined(name) && typeof lookup(name) === 'function') shared.set(name, lookup(name));
    }
    const encoder = peer.encoder();
    const found = [];
    for (const name of names) if (defined(name)) found.push(name, encoder.encode(lookup(name)));
    channel.send(['introduced', found, encoder.contents()]);
    peer.listen();
    peer.held = true;
    peer.work();
  });

  process.argv.splice(1, 2, path);
  if (module) {
    module.link(imported).then(() => module.evaluate()).then(begin, fail);
    return;
  }
  const main = new Module(path, null);
  process.mainModule = main;
  Object.assign(main, { id: '.', filename: path, paths: [] });
  try {
    main._compile(looked, path);
  } catch (error) {
    fail(error);
  }
  begin();
})();
