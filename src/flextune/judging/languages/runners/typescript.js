'use strict';
// Compiles TypeScript sources one after another, as `tsc --target esnext FILE` does, from descriptor 3 to descriptor 4.
//
// Frames are four bytes of length, then the content. A request is a source. The answer is `O` and the JavaScript, or
// `E` and the errors. The first frame, an empty one, is a greeting. What is kept from one source to the next is the
// standard library as it was parsed; a source is checked by a type checker of its own.
const { readFileSync, readSync, writeSync } = require('fs');
const { builtinModules } = require('module');
const { join } = require('path');

const folder = process.argv[2];
const ts = require(join(folder, 'typescript.js'));

const options = { target: ts.ScriptTarget.ESNext };
const name = 'main.ts';
const library = new Map();

function libraryFile(path) {
  if (!library.has(path)) {
    let file;
    try {
      file = ts.createSourceFile(path, readFileSync(path, 'utf8'), options.target);
    } catch (error) {
      if (error.code !== 'ENOENT') throw error;
    }
    library.set(path, file);
  }
  return library.get(path);
}

// What a whole program has of Node, whose types are not there. The tests of MultiPL-E declare what they use, and what
// is missing beside it is an error there, too.
const declaring = 'declare var require: any;';
const nodeNames = ['require', 'process', 'module', 'exports', 'Buffer', '__dirname', '__filename', 'global'];
const missingName = new Set([2304, 2580, 2584, 2591]);
const missingModule = new Set([2307, 2792]);
const nodeName = 'node.d.ts';
const readline =
  'export type Interface = any; export type ReadLine = any; export var createInterface: any; export var promises: any;' +
  ' var all: any; export default all;';
const nodeModules =
  `declare module '*'; declare module 'readline' { ${readline} } declare module 'node:readline' { ${readline} }`;

// Only the sources given and the standard library are there: no packages, no @types, no tsconfig.json.
function hostOf(sources, written) {
  return {
    getSourceFile: (path) =>
      sources.has(path) ? ts.createSourceFile(path, sources.get(path), options.target) : libraryFile(path),
    fileExists: (path) => sources.has(path),
    readFile: () => undefined,
    directoryExists: () => false,
    getDirectories: () => [],
    getDefaultLibFileName: () => join(folder, ts.getDefaultLibFileName(options)),
    getDefaultLibLocation: () => folder,
    getCurrentDirectory: () => '',
    getCanonicalFileName: (path) => path,
    useCaseSensitiveFileNames: () => true,
    getNewLine: () => '\n',
    writeFile: (path, text) => written.set(path, text),
  };
}

// A source that adds to a global of the library (an `interface Node`, say) can break the library's own files, which
// `tsc` reports as well. Checking those takes most of a second, so it is done where it can matter.
function touchesLibrary(source, file) {
  if (!file.locals || source.includes('declare global')) return true;
  const files = [...library.values()].filter((libraryFile) => libraryFile);
  return [...file.locals.keys()].some((key) => files.some(({ locals }) => locals && locals.has(key)));
}

function errorsOf(program, source) {
  const file = program.getSourceFile(name);
  const syntax = program.getSyntacticDiagnostics(file);
  if (syntax.length) return syntax;
  const rest = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  if (rest.length) return rest;
  const types = program.getSemanticDiagnostics(file);
  return types.length || !touchesLibrary(source, file) ? types : program.getSemanticDiagnostics();
}

function ofNode(message) {
  const [, called] = /'(?:node:)?([^']*)'/.exec(message) || [];
  return builtinModules.includes(called);
}

// Declarations of what errors say is missing of Node; empty where there are other errors, or none.
function missingOfNode(errors, source) {
  if (source.includes(declaring)) return '';
  const names = new Set();
  let modules = '';
  for (const { code, messageText } of errors) {
    const missing = nodeNames.find((known) => String(messageText).includes(`'${known}'`));
    if (missingModule.has(code) && ofNode(String(messageText))) modules = nodeModules;
    else if (missingName.has(code) && missing) names.add(missing);
    else return '';
  }
  return modules + [...names].map((missing) => `declare var ${missing}: any;`).join('');
}

function checked(sources, written) {
  const host = hostOf(sources, written);
  const program = ts.createProgram([...sources.keys()], options, host);
  return [host, program, errorsOf(program, sources.get(name))];
}

function compile(source) {
  const written = new Map();
  let [host, program, errors] = checked(new Map([[name, source]]), written);
  const node = missingOfNode(errors, source);
  if (node) {
    const again = checked(new Map([[name, source], [nodeName, node]]), written);
    if (!again[2].length) [host, program, errors] = again;
  }
  if (errors.length) return `E${ts.formatDiagnostics(errors.slice(0, 20), host)}`;
  // Without the file the library would be checked, too.
  program.emit(program.getSourceFile(name));
  return `O${written.get('main.js')}`;
}

function answer(source) {
  try {
    return compile(source);
  } catch (error) {
    return `Ethe compiler failed: ${error.message}`;
  }
}

// Exactly `size` bytes, null at the end of the requests.
function read(size) {
  const bytes = Buffer.alloc(size);
  for (let have = 0; have < size; ) {
    const count = readSync(3, bytes, have, size - have, null);
    if (count === 0) return null;
    have += count;
  }
  return bytes;
}

function write(text) {
  const content = Buffer.from(text);
  const frame = Buffer.alloc(4 + content.length);
  frame.writeUInt32BE(content.length);
  content.copy(frame, 4);
  for (let done = 0; done < frame.length; ) done += writeSync(4, frame, done);
}

// The first source takes the longest, so it is one that nobody waits for.
compile('const numbers: number[] = [1, 2]; numbers.map((x) => `${x}`).join("");');
write('');
for (let size = read(4); size; size = read(4)) {
  write(answer(read(size.readUInt32BE()).toString('utf8')));
}
