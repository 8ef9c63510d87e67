'use strict';
// Runs one JavaScript program as the main module and tells, over descriptor 4, how far it came.
(() => {
  const { closeSync, readFileSync, readSync, writeSync } = require('fs');
  const Module = require('module');
  const vm = require('vm');

  // Node itself keeps inherited descriptors from a program's children.
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

  const path = process.argv[2];
  const source = readFileSync(path, 'utf8');
  try {
    // As a script first: a module's wrapper is a function, in which a stray top-level `return` would
    // end the program before its tests. As a module then, where names such as `require` are taken.
    new vm.Script(source, { filename: path });
    vm.compileFunction(source.replace(/^#!.*/, ''), ['exports', 'require', 'module', '__filename', '__dirname'], {
      filename: path,
    });
  } catch (error) {
    writeSync(reports, 'C');
    writeSync(2, `${error.stack.split('\n    at ')[0]}\n`);
    process.exit(1);
  }
  writeSync(reports, 'R');

  process.once('uncaughtExceptionMonitor', (error) => {
    writeSync(reports, error && error.code === 'ERR_ASSERTION' ? 'A' : 'E');
  });
  let loaded = false;
  // Emitted when nothing is left to do, pending promises and timers included, and not by process.exit.
  process.once('beforeExit', () => {
    if (loaded && !process.exitCode) writeSync(reports, secret);
  });
  process.argv.splice(1, 2, path);
  Module._load(path, null, true);
  loaded = true;
})();
