# ruff: noqa: E501 - a program reads better unbroken
"""Right solutions whose values are hard to pass on: name to solution and tests."""

from __future__ import annotations

PYTHON_VALUES = {
    "changes its arguments": (
        "def f(numbers, seen, groups):\n    numbers.sort()\n    seen.add(7)\n    groups['a'].append(numbers)",
        "numbers, seen, groups = [3, 1], {1}, {'a': []}\nassert f(numbers, seen, groups=groups) is None\n"
        "assert (numbers, seen, groups) == ([1, 3], {1, 7}, {'a': [[1, 3]]})\nassert groups['a'][0] is numbers",
    ),
    "returns its argument": ("def f(x):\n    x.reverse()\n    return x", "given = [1, 2]\nassert f(given) is given == [2, 1]"),
    "calls back": (
        "def f(function, numbers):\n    return sorted(map(function, numbers), key=lambda x: function(x))",
        "calls = []\ndef double(x):\n    calls.append(x)\n    return 2 * x\n"
        "assert f(double, [3, 1]) == [2, 6] and calls == [3, 1, 6, 2]\nassert f(abs, [-1]) == [1]\nassert f(int, ['5']) == [5]",
    ),
    "lets a callback's exception through": (
        "def f(function):\n    try:\n        function(0)\n    except ZeroDivisionError as error:\n        return str(error)",
        "assert f(lambda x: 1 / x) == 'division by zero'",
    ),
    "is called back from a callback": (
        "def f(n, next_one):\n    return 1 if n == 0 else n * next_one(n - 1)",
        "factorial = lambda n: f(n, factorial)\nassert factorial(20) == 2432902008176640000",
    ),
    "returns functions": ("def f(n): return lambda x, *, y=1: n + x + y", "add = f(3)\nassert add(4) == 8 and add(x=4, y=2) == 9\nassert callable(add)"),
    "generates": ("def f(n):\n    for k in range(n):\n        yield [k]", "assert list(f(3)) == [[0], [1], [2]]\nassert next(iter(f(1))) == [0]\nassert sum(x for [x] in f(4)) == 6"),
    "generates without end": ("import itertools\ndef f(): return itertools.count(5)", "import itertools\nassert list(itertools.islice(f(), 2)) == [5, 6]"),
    "reads an iterator": ("def f(numbers): return sum(numbers)", "assert f(iter([1, 2])) == 3 and f(x for x in [4, 5]) == 9"),
    "has classes": (
        "class Node:\n    count = 0\n    def __init__(self, value, *children):\n        Node.count += 1\n        self.value, self.children = value, list(children)\n"
        "    def total(self): return self.value + sum(child.total() for child in self.children)\n    def __len__(self): return len(self.children)\n"
        "    def __getitem__(self, n): return self.children[n]\n    def __repr__(self): return f'Node({self.value})'\ndef f(node): return node.value",
        "leaf = Node(2)\nroot = Node(1, leaf)\nroot.value = 10\nassert root.total() == 12 and len(root) == 1 and f(root) == 10\n"
        "assert root[0] is leaf and root.children[0] == leaf and root != leaf\nassert isinstance(leaf, Node) and not isinstance(3, Node)\n"
        "assert repr(leaf) == str(leaf) == f'{leaf}' == 'Node(2)' and Node.count == 2\nassert {root: 1}[root] == 1\n"
        "root.extra = leaf\nassert root.extra is leaf and hasattr(root, 'extra') and not hasattr(root, 'nothing')",
    ),
    "is false": ("class Empty:\n    __bool__ = lambda self: False\ndef f(): return Empty()", "assert not f()"),
    "raises": (
        "def f(x):\n    if x < 0:\n        raise ValueError('negative', x)\n    return {}[x]",
        "try:\n    f(-1)\n    raise AssertionError\nexcept ValueError as error:\n    assert error.args == ('negative', -1)\n"
        "try:\n    f(1)\n    raise AssertionError\nexcept LookupError as error:\n    assert type(error) is KeyError",
    ),
    "raises exceptions of its own": (
        "class Empty(ValueError): pass\nclass Other(Exception): pass\ndef f(x):\n    raise (Empty if x else Other)('no value')",
        "caught = []\nfor x in (0, 1):\n    try:\n        f(x)\n    except Empty as error:\n        caught.append(str(error))\n    except Exception as error:\n        caught.append(type(error).__name__)\n"
        "assert caught == ['Other', 'no value'] and issubclass(Empty, ValueError)",
    ),
    "returns every kind of value": (
        "import collections, datetime, decimal, fractions\nP = collections.namedtuple('P', 'x y')\ndef f():\n    return [2**200, float('inf'), b'\\xff', 1j, {1}, frozenset([2]), range(3),\n"
        "        collections.Counter('aa'), collections.deque([1], 3), decimal.Decimal('0.1'), fractions.Fraction(1, 3), datetime.date(2020, 1, 2), P(1, 2), None, '\\ud800']",
        "import collections, datetime, decimal, fractions\nvalue = f()\nassert value == [2**200, float('inf'), b'\\xff', 1j, {1}, {2}, range(3),\n"
        "    {'a': 2}, collections.deque([1], 3), decimal.Decimal('0.1'), fractions.Fraction(1, 3), datetime.date(2020, 1, 2), (1, 2), None, '\\ud800']\n"
        "assert value[12].y == 2 and type(value[7]) is collections.Counter",
    ),
    "is a built-in name": ("def sum(x, y): return x * y", "assert sum(2, 5) == 10"),
    "has constants": ("LIMIT = 10\nTABLE = {'a': [1]}\ndef f(): return LIMIT", "assert f() == LIMIT and TABLE == {'a': [1]}"),
    "sees neither tests nor secret": (
        "import os\ndef f(): return sorted(int(n) for n in os.listdir('/proc/self/fd'))[:6], os.listdir('/flextune/program'), os.listdir('/tmp'), len([n for n in os.listdir('/proc') if n.isdigit()])",
        "import os\nos.open('/tmp/mine', os.O_CREAT | os.O_WRONLY)\ndescriptors, files, shared, processes = f()\n"
        "assert descriptors[:5] == [0, 1, 2, 3, 4] and files == ['main.py'] and shared == [] and processes == 2\nassert not os.path.exists('/flextune/program/main.py')",
    ),
    "prints much": ("def f(x):\n    print('x' * 100_000)\n    return x", "assert f(1) == 1 and f(2) == 2"),
    "passes much": ("def f(x): return x + x", "assert f(list(range(100_000))) == [*range(100_000)] * 2"),
}  # fmt: skip

JAVASCRIPT_VALUES = {
    "changes its arguments": (
        "function f(numbers, groups) { numbers.sort((a, b) => a - b); groups.a.push(numbers); groups.m.set(1, 2); }",
        "const n = [30, 4]; const g = { a: [], m: new Map() }; f(n, g);\n"
        "assert.deepStrictEqual(n, [4, 30]); assert.strictEqual(g.a[0], n); assert.strictEqual(g.m.get(1), 2);",
    ),
    "returns its argument": ("const f = (x) => x.reverse();", "const x = [1, 2]; assert.strictEqual(f(x), x); assert.deepEqual(x, [2, 1]);"),
    "calls back": (
        "function f(numbers, callback) { return numbers.map((x) => callback(x)); }",
        "const seen = []; assert.deepEqual(f([1, 2], (x) => { seen.push(x); return 2 * x; }), [2, 4]); assert.deepEqual(seen, [1, 2]);\n"
        "assert.throws(() => f([1], () => { throw new RangeError('mine'); }), RangeError);",
    ),
    "returns functions": ("const f = (n) => (x) => n + x;", "assert.strictEqual(f(3)(4), 7);"),
    "has classes": (
        "class Stack { #items = []; push(x) { this.#items.push(x); this.size = this.#items.length; return this; } pop() { return this.#items.pop(); } static of(x) { return new Stack().push(x); } toString() { return 'Stack'; } }\n"
        "const f = () => new Stack();",
        "const s = new Stack(); s.push(1).push([2]); assert.strictEqual(s.size, 2); assert.deepEqual(s.pop(), [2]); assert(s instanceof Stack); assert(!([] instanceof Stack));\n"
        "assert.strictEqual(Stack.of(5).pop(), 5); assert.strictEqual(`${s}`, 'Stack'); assert.notDeepEqual(f(), f()); s.extra = s; assert.strictEqual(s.extra, s);",
    ),
    "has objects with methods": (
        "const f = () => ({ n: 0, increase() { return ++this.n; } });",
        "const counter = f(); counter.increase(); assert.strictEqual(counter.increase(), 2); assert.strictEqual(counter.n, 2);",
    ),
    "has classes without methods": ("class P { constructor(x) { this.x = x; } }\nconst f = () => new P(3);", "assert.deepEqual(f(), { x: 3 });"),
    "generates": ("function* f(n) { for (let k = 0; k < n; k++) yield [k]; }", "assert.deepEqual([...f(2)], [[0], [1]]);"),
    "throws": (
        "class Mine extends TypeError {}\nfunction f(x) { if (x === 0) throw new Mine('bad'); if (x === 1) throw 'text'; return null.x; }",
        "assert.throws(() => f(0), /bad/); assert.throws(() => f(0), TypeError); assert.throws(() => f(2), TypeError);\n"
        "try { f(1); assert.fail(); } catch (error) { assert.strictEqual(error, 'text'); }",
    ),
    "promises": (
        "const f = async (x) => { await new Promise((done) => setTimeout(done, 10)); if (!x) throw new RangeError('zero'); return [x]; };",
        "(async () => { assert.deepEqual(await f(1), [1]); await assert.rejects(() => f(0), RangeError); assert.deepEqual(await Promise.all([f(1), f(2)]), [[1], [2]]); })();",
    ),
    "returns every kind of value": (
        "const f = () => [undefined, null, NaN, -0, -Infinity, 10n ** 30n, [1, , 3], new Map([[{ a: 1 }, new Set([2])]]), new Date(5), /a/gi, new Uint8Array([1, 255]), Object.create(null), '\\ud800', { ['__proto__']: 1 }];",
        "const expected = [undefined, null, NaN, -0, -Infinity, 10n ** 30n, [1, , 3], new Map([[{ a: 1 }, new Set([2])]]), new Date(5), /a/gi, new Uint8Array([1, 255]), Object.create(null), '\\ud800', { ['__proto__']: 1 }];\n"
        "assert.deepStrictEqual(f(), expected); assert.strictEqual(({}).a, undefined);",
    ),
    "keeps sharing and cycles": (
        "const f = () => { const row = [0]; const loop = { rows: [row, row] }; loop.self = loop; return loop; };",
        "const x = f(); assert.strictEqual(x.self, x); assert.strictEqual(x.rows[0], x.rows[1]);",
    ),
    "has constants of any kind": ("let A = 1; const B = [2]; var C = { c: 3 }; class D {}", "assert.deepEqual([A, B, C], [1, [2], { c: 3 }]); assert.deepEqual(new D(), {});"),
    "is a name of the runtime": ("function escape(x) { return x + 1; }", "assert.strictEqual(escape(1), 2);"),
    "uses strict mode": ("'use strict';\nfunction f(x) { return x; } // end", "assert.strictEqual(f(1), 1);"),
    "has names of the tests": ("const assert = require('assert');\nconst test = 1, candidate = 2;\nfunction f(x) { return x; }", "function test() { let candidate = f; assert.strictEqual(candidate(1), 1); }\ntest();"),
    "sees neither tests nor secret": (
        "const fs = require('fs');\nconst f = () => [fs.readdirSync('/flextune/program').sort(), fs.readdirSync('/tmp'), fs.existsSync('/proc/self/fd/5') && fs.fstatSync(5).isFIFO() && fs.readlinkSync('/proc/self/fd/5') === fs.readlinkSync('/proc/self/fd/4')];",
        "require('fs').writeFileSync('/tmp/mine', 'x');\nassert.deepEqual(f(), [['main.js', 'strict_channel.js', 'strict_peer.js', 'strict_solution.js', 'strict_values.js'], [], false]);",
    ),
    "passes much": ("const f = (x) => [...x, ...x];", "const x = Array.from({ length: 100000 }, (_, k) => k); assert.deepEqual(f(x), [...x, ...x]);"),
}  # fmt: skip
