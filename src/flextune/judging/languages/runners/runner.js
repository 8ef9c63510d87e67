'use strict';
// Runs one JavaScript program as the main module and tells, over descriptor 4, how far it came.
//
// Where it has tests, two of its statements are the judge's, one before them and one after them, and call a function
// named by the program's tag. Tests may also end in `process.exit(0)`: that counts where they call it themselves.
(() => {
  const { closeSync, existsSync, readFileSync, readSync, writeSync } = require('fs');
  const { pathToFileURL } = require('url');
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
  const module = path.replace(/\.js$/, '.mjs');
  const source = readFileSync(path, 'utf8');

  // Why the source is no program, and whether it is one as a module with `import` and `export`.
  const refused = () => {
    try {
      const names = ['exports', 'require', 'module', '__filename', '__dirname'];
      vm.compileFunction(source.replace(/^#!.*/, ''), names, { filename: path });
    } catch (error) {
      if (!existsSync(module)) return [error, false];
      try {
        new vm.SourceTextModule(source, { identifier: path });
      } catch (second) {
        // What is wrong with a module says more than that it is no script.
        return [/outside a module|Unexpected token 'export'|valid in async/.test(error.message) ? second : error, false];
      }
      return [null, true];
    }
    return [null, false];
  };
  const [error, isModule] = refused();
  if (error) {
    writeSync(reports, 'C');
    writeSync(2, `${error.stack.split('\n    at ')[0]}\n`);
    process.exit(1);
  }
  writeSync(reports, 'R');

  // The last stack frame of `from`'s caller that is the program's, as line and column; zeros where there is none.
  const placeOfCaller = (from, deepest) => {
    const holder = {};
    Error.captureStackTrace(holder, from);
    const frames = String(holder.stack).split('\n').slice(1, deepest + 1);
    const name = /main\.m?js:(\d+):(\d+)\)?$/;
    const frame = frames.find((line) => name.test(line));
    return frame ? name.exec(frame).slice(1).map(Number) : [0, 0];
  };
  const lineOfCaller = (from, deepest) => placeOfCaller(from, deepest)[0];

  const [tag] = (source.match(/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/g) || []).slice(-1);
  let marks = 0;
  let steps = null;
  let handles = true;
  let hidden = '';
  let firstLine = Infinity;
  // One before the tests, which says whether this is the main module, then one after them.
  const mark = (isMain) => {
    const before = isMain !== undefined;
    marks = marks === (before ? 0 : 1) ? marks + 1 : -1;
    if (marks === 1) firstLine = lineOfCaller(mark, 1);
    if (isMain === false) hidden = 'the solution says that it is not the main module';
  };
  if (tag && source.includes(`globalThis['${tag}']`)) {
    Object.defineProperty(globalThis, tag, { value: mark });
    const tests = source.slice(source.indexOf(`globalThis['${tag}']`));
    handles = /\bun(?:caughtException|handledRejection)\b/.test(tests);
    if (/=>|\bawait\b|\bfunction\b|\bassert\b/.test(tests)) {
      steps = require('./steps.js')(source, source.length - tests.length, (from) => lineOfCaller(from, 8) >= firstLine);
    }
  }

  const unhandled = 'an exception of the tests was kept from ending them';
  const finish = () => {
    const missed = hidden || (steps && steps.missed());
    if (missed) writeSync(2, `${missed}\n`);
    else writeSync(reports, secret);
  };
  process.once('uncaughtExceptionMonitor', (error) => {
    writeSync(reports, error && error.code === 'ERR_ASSERTION' ? 'A' : 'E');
    if (marks > 0 && !handles) hidden = unhandled;
  });
  // Who listens to rejections keeps them from being exceptions.
  process.on('newListener', function listen(event) {
    if (event !== 'unhandledRejection' || handles) return;
    process.removeListener('newListener', listen);
    process.prependListener(event, () => {
      if (marks > 0) hidden = unhandled;
    });
  });
  let ended = false;
  // Emitted when nothing is left to do, pending promises and timers included, and not by process.exit; again where that
  // begins something new, as the end of `node:test` does.
  process.on('beforeExit', function idle() {
    if (lineOfCaller(idle, 8)) return; // Said by the program itself.
    if (process.exitCode) hidden = hidden || 'the tests have said that they failed';
    ended = marks === 2;
  });
  // Once: what the program says itself comes too late, or too early.
  process.once('exit', (status) => {
    if (ended && !status) finish();
  });
  const leave = process.exit;
  process.exit = function exit(code = process.exitCode) {
    const [line, column] = placeOfCaller(exit, 1);
    // What the solution calls by another name is not written as an exit.
    const isOwn = line >= firstLine && /^exit\b/.test(source.split('\n')[line - 1].slice(column - 1));
    ended = ended || (marks > 0 && Number(code || 0) === 0 && isOwn);
    leave.call(process, code);
  };

  process.argv.splice(1, 2, path);
  if (isModule) import(pathToFileURL(module));
  else Module._load(path, null, true);
})();
