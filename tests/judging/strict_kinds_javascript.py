# ruff: noqa: E501 - a program reads better unbroken
"""Kinds of solutions and tests in JavaScript, and what strict mode must say of each."""

from __future__ import annotations

from tests.judging.kinds import Kind

JAVASCRIPT_KINDS = {
    "setImmediate": Kind(
        "function f(x, cb){\n",
        "  setImmediate(() => cb(x));\n}",
        "let n=0; f(3, v => { n++; assert.equal(v,3); }); setTimeout(()=>assert.equal(n,1),30);",
    ),
    "setImmediate with a wrong value": Kind(
        "function f(x, cb){\n",
        "  setImmediate(() => cb(x+1));\n}",
        "f(3, v => { assert.equal(v,3); });",
        "wrong_answer",
    ),
    "queueMicrotask": Kind(
        "function f(x, cb){\n",
        "  queueMicrotask(() => cb(x));\n}",
        "f(3, v => { assert.equal(v,3); });",
    ),
    "setInterval": Kind(
        "function f(x, cb){\n",
        "  let n=0; const t=setInterval(() => { cb(++n); if(n===x) clearInterval(t); }, 2);\n}",
        "const s=[]; f(3, v => s.push(v)); setTimeout(()=>assert.deepEqual(s,[1,2,3]),60);",
    ),
    "a callback that never comes": Kind(
        "function f(x, cb){\n",
        "}",
        "f(3, v => { assert.equal(v,3); });",
        "wrong_answer",
    ),
    "a callback that is awaited and never comes": Kind(
        "function f(x, cb){\n",
        "}",
        "assert.equal(1,1);\n(async()=>{ const v = await new Promise(r=>f(3,r)); assert.equal(v,3); })();",
        "ended_early",
    ),
    "a late failure of the tests, swallowed": Kind(
        "function f(x, cb){\n",
        "  setTimeout(()=>{ try { cb(x+1) } catch {} },1);\n}",
        "f(3, v => { assert.equal(v,3); });",
        "wrong_answer",
    ),
    "a failure of the tests, swallowed": Kind(
        "function f(x, cb){\n",
        "  try { cb(x+1) } catch {}\n}",
        "f(3, v => { assert.equal(v,3); });",
        "wrong_answer",
    ),
    "debounce": Kind(
        "function debounce(fn, ms){\n",
        "  let t; return function(...a) { clearTimeout(t); t=setTimeout(()=>fn.apply(this,a), ms); };\n}",
        "let n=0; const d=debounce(()=>n++,20); d();d();d(); setTimeout(()=>{assert.equal(n,1);},80);",
    ),
    "throttle": Kind(
        "function throttle(fn, ms){\n",
        "  let last=0; return (...a) => { const now=Date.now(); if (now-last>=ms) { last=now; return fn(...a);} };\n}",
        "let n=0; const d=throttle(()=>n++,50); d();d();d(); assert.equal(n,1); setTimeout(()=>{d(); assert.equal(n,2);},90);",
    ),
    "event emitters": Kind(
        "const EventEmitter=require('events');\nfunction make(){\n",
        "  return new EventEmitter();\n}",
        "const e=make(); const s=[]; e.on('x', v=>s.push(v)); e.emit('x',1); e.emit('x',2); assert.deepEqual(s,[1,2]);",
    ),
    "an event before the next turn": Kind(
        "function make(){\n",
        "  const E=require('events'); const e=new E(); setTimeout(()=>e.emit('done',5),5); return e;\n}",
        "make().on('done', v=>assert.equal(v,5));",
    ),
    "asynchronous iterators": Kind(
        "async function* gen(n){\n",
        "  for (let i=0;i<n;i++) { await new Promise(r=>setTimeout(r,1)); yield i; }\n}",
        "(async()=>{ const r=[]; for await (const x of gen(3)) r.push(x); assert.deepEqual(r,[0,1,2]); })();",
    ),
    "generators": Kind(
        "function* gen(n){\n",
        "  for (let i=0;i<n;i++) yield i;\n}",
        "assert.deepEqual([...gen(3)],[0,1,2]); const g=gen(2); assert.deepEqual(g.next(),{value:0,done:false});",
    ),
    "promises at once": Kind(
        "async function f(x){\n",
        "  await new Promise(r=>setTimeout(r,30)); return x*2;\n}",
        "(async()=>{ const t=Date.now(); const r=await Promise.all([1,2,3,4,5,6,7,8].map(x=>f(x))); assert.deepEqual(r,[2,4,6,8,10,12,14,16]); assert(Date.now()-t<220, `${Date.now()-t}`); })();",
    ),
    "callbacks that are awaited": Kind(
        "async function f(cb){\n",
        "  return (await cb(3)) + 1;\n}",
        "(async()=>{ assert.equal(await f(async x=>{ await new Promise(r=>setTimeout(r,5)); return x*2; }), 7); })();",
    ),
    "a promise with a wrong value": Kind(
        "async function f(x){\n",
        "  return x;\n}",
        "f(3).then(v=>assert.equal(v,4));",
        "wrong_answer",
    ),
    "tests that end in an exit": Kind(
        "function f(x){\n",
        "  return x;\n}",
        "assert.equal(f(1),1);\nprocess.exit(0);",
    ),
    "tests that exit later": Kind(
        "async function f(x){\n",
        "  return x;\n}",
        "f(1).then(v=>{assert.equal(v,1); process.exit(0);}).catch(e=>{console.error(e); process.exit(1);});",
    ),
    "tests that exit later, with a failure": Kind(
        "async function f(x){\n",
        "  return x+1;\n}",
        "f(1).then(v=>{assert.equal(v,1); process.exit(0);}).catch(e=>{console.error(e); process.exit(1);});",
        "wrong_answer",
    ),
    "a solution that exits": Kind(
        "function f(x){\n",
        "  process.exit(0);\n}",
        "assert.equal(f(1),1);\nprocess.exit(0);",
        "ended_early",
    ),
    "a solution that exits later": Kind(
        "function f(x){\n",
        "  setTimeout(()=>process.exit(0),5); return x;\n}",
        "assert.equal(f(1),1); setTimeout(()=>assert.equal(f(1),2),50);",
        "ended_early",
    ),
    "an exception in a timer": Kind(
        "function f(x){\n",
        "  setTimeout(()=>{throw new Error('x')},5); return x;\n}",
        "assert.equal(f(1),1);",
        "exception",
    ),
    "a long linked list, changed in place": Kind(
        "class ListNode { constructor(val, next=null) { this.val=val; this.next=next; } }\nfunction rev(head){\n",
        "  let p=null; while(head){ const n=head.next; head.next=p; p=head; head=n; } return p;\n}",
        "let h=null; for(let i=299;i>=0;i--) h=new ListNode(i,h); let r=rev(h); const o=[]; while(r){o.push(r.val); r=r.next;} assert.deepEqual(o,[...Array(300).keys()].reverse());",
    ),
    "a class of the prompt with methods": Kind(
        "class Node { constructor(v) { this.v=v; } double() { return this.v*2; } }\nfunction f(n){\n",
        "  return new Node(n.double());\n}",
        "assert.equal(f(new Node(2)).double(), 8); assert(f(new Node(1)) instanceof Node);",
    ),
    "a class of the tests": Kind(
        "function f(n){\n",
        "  n.add(3); return n.total();\n}",
        "class Acc { constructor(){this.s=0;} add(x){this.s+=x;} total(){return this.s;} }\nconst a=new Acc(); assert.equal(f(a),3); assert.equal(a.s,3);",
    ),
    "a helper of the prompt": Kind(
        "function helper(x){ return x+1; }\nfunction f(x){\n",
        "  return x-1;\n}",
        "assert.equal(helper(f(3)),3);",
    ),
    "a helper of the prompt redefined": Kind(
        "function helper(x){ return x+1; }\nfunction f(x){\n",
        "  return 0;\n}\nhelper = () => 3;",
        "assert.equal(helper(f(3)),3);",
        "wrong_answer",
    ),
    "a function that judges, from the solution": Kind(
        "function f(x){\n",
        "  return 0;\n}\nfunction same() { return true; }",
        "assert(same(f(3),3));",
        "strict_unsupported",
    ),
    "expect, from the solution": Kind(
        "function f(x){\n",
        "  return 0;\n}\nfunction expect() { return {toBe(){}}; }",
        "expect(f(3)).toBe(3);",
        "strict_unsupported",
    ),
    "a class that the tests only hand over": Kind(
        "function f(x){\n",
        "  return x.v;\n}\nclass Box { constructor(v){this.v=v;} get(){return 1;} }",
        "assert.equal(f(new Box(3)),3);",
    ),
    "an exception of the tests on its way back": Kind(
        "function f(cb){\n",
        "  cb();\n}",
        "const e=new RangeError('x'); try { f(()=>{throw e}); assert.fail(); } catch (c) { assert.strictEqual(c,e); }",
    ),
    "properties of an exception": Kind(
        "function f(){\n",
        "  const e=new Error('bad'); e.code='E1'; throw e;\n}",
        "try { f(); assert.fail(); } catch (c) { assert.equal(c.code,'E1'); assert.equal(c.message,'bad'); }",
    ),
    "an exception class of the prompt": Kind(
        "class MyError extends Error { constructor(m){super(m); this.name='MyError';} }\nfunction f(){\n",
        "  throw new MyError('q');\n}",
        "assert.throws(()=>f(), MyError); assert.throws(()=>f(), {name:'MyError', message:'q'});",
    ),
    "this of a callback": Kind(
        "function once(fn){\n",
        "  let d,r; return function(...a){ if(!d){d=true; r=fn.apply(this,a);} return r; };\n}",
        "const o={x:2, m: once(function(y){ return this.x+y; })}; assert.equal(o.m(3),5); assert.equal(o.m(9),5);",
    ),
    "symbols": Kind(
        "function f(){\n",
        "  return Symbol('q');\n}",
        "assert.equal(typeof f(),'symbol'); assert.equal(f().description,'q');",
    ),
    "rejected promises": Kind(
        "async function f(){\n",
        "  throw new TypeError('no');\n}",
        "(async()=>{ await assert.rejects(f(), TypeError); await assert.rejects(()=>f(), /no/); })();",
    ),
    "deeply nested arrays": Kind(
        "function f(x, cb){\n",
        "  let r=[]; for(let i=0;i<500;i++) r=[r]; return r;\n}",
        "let r=f(1),n=0; while(r.length){r=r[0];n++;} assert.equal(n,500);",
    ),
    "an argument that cannot be handed over": Kind(
        "function f(x){\n",
        "  return 1;\n}",
        "assert.equal(f(new WeakMap()),1);",
        "strict_unsupported",
    ),
    "tests that print": Kind(
        "function f(x){\n",
        "  return 1;\n}",
        "console.log('x'); console.error('y'); assert.equal(f(2),1);",
    ),
    "a promise of the tests that never settles": Kind(
        "async function f(x){\n",
        "  await new Promise(r=>setTimeout(r,5)); return x;\n}",
        "(async()=>{ assert.equal(await Promise.race([f(1), new Promise(()=>{})]),1); })();",
    ),
    "recursion between solution and tests": Kind(
        "function f(n, g){\n",
        "  return n===0?0:g(n-1);\n}",
        "const g=n=>f(n,g); assert.equal(f(60,g),0);",
    ),
    "a long text": Kind(
        "function f(x, cb){\n",
        "  return x;\n}",
        "const b='x'.repeat(3e6); assert.equal(f(b),b);",
    ),
    "tests that are a module": Kind(
        "export function f(x){\n",
        "  return x;\n}",
        "import { ok } from 'node:assert';\nok(await f(1) === 1);",
        "strict_unsupported",
    ),
    "a solution that is a module": Kind(
        "function f(x){\n",
        "  return join('a', x);\n}\nimport { join } from 'path';\nexport { f };\n",
        "assert.equal(f('b'),'a/b');",
    ),
    "a solution that is a wrong module": Kind(
        "function f(x){\n",
        "  return x;\n}\nimport { join } from 'path';\nawait 0;\n",
        "assert.equal(f('b'),'a/b');",
        "wrong_answer",
    ),
    "a solution that imports what is not there": Kind(
        "function f(x){\n",
        "  return x;\n}\nimport 'nowhere';\n",
        "assert.equal(f('b'),'b');",
        "exception",
    ),
    "a name that only a failure comes to": Kind(
        "function f(x){\n",
        "  throw new Error('later');\n}",
        "try { assert.equal(f(1),1); } catch (error) { report(error); }",
        "strict_unsupported",
    ),
    "the same name, and no failure": Kind(
        "function f(x){\n",
        "  return x;\n}",
        "try { assert.equal(f(1),1); } catch (error) { report(error); }",
        "strict_unsupported",
    ),
    "names that are defined in every way": Kind(
        "function f(x){\n",
        "  return x;\n}",
        "const o = { run(x) { return x; }, get y() { return (1); } };\nconst g = (...rest) => rest.map(f);\nconst [h, { k }] = [(x) => x, { k: (x) => x }];\nclass A { *m(x = (1)) { yield x; } }\nassert.deepEqual(g(o.run(h(k(1)))), [1]); assert.equal([...new A().m(f(2))][0], 2); assert.equal(`call(it) ${f(3)}`.length, 10); assert(!/call(me)/.test(`${f(1)}`));",
    ),
    "no tests": Kind(
        "",
        "",
        "",
    ),
}
