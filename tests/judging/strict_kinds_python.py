# ruff: noqa: E501 - a program reads better unbroken
"""Kinds of solutions and tests in Python, and what strict mode must say of each."""

from __future__ import annotations

from tests.judging.kinds import Kind

PYTHON_KINDS = {
    "operators of instances that the tests made": Kind(
        "class V:\n    def __init__(self, x):\n",
        "        self.x = x\n    def __add__(self, o): return V(self.x + o.x)\n    def __eq__(self, o): return self.x == o.x\n",
        "assert V(1) + V(2) == V(3)\nassert not V(1) == V(2)\nassert V(1) != V(2)",
    ),
    "operators that are wrong": Kind(
        "class V:\n    def __init__(self, x):\n",
        "        self.x = x\n    def __add__(self, o): return V(self.x - o.x)\n    def __eq__(self, o): return self.x == o.x\n",
        "assert V(1) + V(2) == V(3)",
        "wrong_answer",
    ),
    "a method that gives an object that equals everything": Kind(
        "class Circle:\n    def area(self):\n",
        "        return self\n    def __sub__(self, o): return self\n    def __abs__(self): return 0\n    def __lt__(self,o): return True\n",
        "assert abs(Circle().area() - 12.5) < 0.01",
        "exception",
    ),
    "context managers": Kind(
        "import contextlib\n@contextlib.contextmanager\ndef f(x):\n",
        "    yield x\n",
        "with f(1) as v:\n    assert v == 1\n",
    ),
    "a context manager that swallows the assertion": Kind(
        "def f(x):\n",
        "    return A()\nclass A:\n    def __enter__(self): return 3\n    def __exit__(self,*a): return True\n",
        "with f(1) as v:\n    assert v == 1\n",
        "wrong_answer",
    ),
    "deeply nested lists": Kind(
        "def f(x):\n",
        "    r = []\n    for _ in range(150): r = [r]\n    return r\n",
        "def depth(r):\n    n = 0\n    while r: r, n = r[0], n + 1\n    return n\nassert depth(f(1)) == 150",
    ),
    "documentation and signature": Kind(
        "def f(x):\n",
        "    '''Doc.'''\n    return x\n",
        "assert f.__doc__ == 'Doc.' and f.__name__ == 'f' and f(1) == 1\nimport inspect\nassert list(inspect.signature(f).parameters) == ['x']",
    ),
    "causes of exceptions": Kind(
        "def f(x):\n",
        "    try:\n        1 / 0\n    except ZeroDivisionError as e:\n        raise ValueError('bad') from e\n",
        "try:\n    f(1)\nexcept ValueError as e:\n    assert str(e) == 'bad' and isinstance(e.__cause__, ZeroDivisionError)\nelse:\n    assert False",
    ),
    "tests of unittest": Kind(
        "def add(a, b):\n",
        "    return a + b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\nif __name__ == '__main__':\n    unittest.main()",
    ),
    "tests of unittest that fail": Kind(
        "def add(a, b):\n",
        "    return a - b\n",
        "import unittest\nclass T(unittest.TestCase):\n    def test(self):\n        self.assertEqual(add(1, 2), 3)\nif __name__ == '__main__':\n    unittest.main()",
        "wrong_answer",
    ),
    "tests that end in an exit": Kind(
        "def add(a, b):\n",
        "    return a + b\n",
        "import sys\ndef main():\n    assert add(1,2)==3\n    return 0\nsys.exit(main())",
    ),
    "a solution that exits where the tests would": Kind(
        "def add(a, b):\n",
        "    raise SystemExit(0)\n",
        "import sys\ndef main():\n    assert add(1,2)==3\n    return 0\nsys.exit(main())",
        "ended_early",
    ),
    "coroutines": Kind(
        "async def f(x):\n",
        "    import asyncio\n    await asyncio.sleep(0.01)\n    return x*2\n",
        "import asyncio\nassert asyncio.run(f(3)) == 6\nasync def main():\n    a = await asyncio.gather(f(1), f(2), f(3))\n    assert a == [2,4,6]\nasyncio.run(main())",
    ),
    "coroutines of the tests": Kind(
        "async def f(cb, x):\n",
        "    return await cb(x) + 1\n",
        "import asyncio\nasync def cb(x):\n    await asyncio.sleep(0.01)\n    return x\nassert asyncio.run(f(cb, 3)) == 4",
    ),
    "asynchronous generators": Kind(
        "async def f(n):\n",
        "    for i in range(n):\n        yield i\n",
        "import asyncio\nasync def main():\n    return [x async for x in f(3)]\nassert asyncio.run(main()) == [0,1,2]",
    ),
    "two hundred coroutines at once": Kind(
        "async def f(x):\n",
        "    import asyncio\n    await asyncio.sleep(0.05)\n    return x\n",
        "import asyncio, time\nasync def main():\n    t=time.time()\n    r = await asyncio.gather(*[f(i) for i in range(200)])\n    assert r == list(range(200))\n    assert time.time()-t < 5\nasyncio.run(main())",
    ),
    "tasks in the loop of the tests": Kind(
        "def f(cb):\n",
        "    import asyncio\n    async def go():\n        await asyncio.sleep(0.01); cb(7)\n    return asyncio.create_task(go())\n",
        "import asyncio\nseen=[]\nasync def main():\n    await f(seen.append)\nasyncio.run(main())\nassert seen == [7]",
    ),
    "a late callback with a wrong value": Kind(
        "def f(cb):\n",
        "    import threading\n    threading.Timer(0.05, cb, (3,)).start()\n",
        "def cb(x): assert x == 4\nf(cb)",
        "wrong_answer",
    ),
    "a late callback": Kind(
        "def f(cb):\n",
        "    import threading\n    threading.Timer(0.05, cb, (3,)).start()\n",
        "def cb(x): assert x == 3\nf(cb)",
    ),
    "a callback that never comes": Kind(
        "def f(cb):\n",
        "    pass\n",
        "def cb(x): assert x == 3\nf(cb)",
        "wrong_answer",
    ),
    "dataclasses of the prompt": Kind(
        "from dataclasses import dataclass\n@dataclass\nclass P:\n    x: int\n    y: int\n\ndef f(p):\n",
        "    return P(p.y, p.x)\n",
        "assert f(P(1,2)) == P(2,1)",
    ),
    "a long linked list, changed in place": Kind(
        "class ListNode:\n    def __init__(self, val=0, next=None):\n        self.val = val\n        self.next = next\n\ndef rev(head):\n",
        "    p = None\n    while head:\n        head.next, p, head = p, head, head.next\n    return p\n",
        "def mk(xs):\n    h=None\n    for x in reversed(xs): h=ListNode(x,h)\n    return h\ndef un(h):\n    r=[]\n    while h: r.append(h.val); h=h.next\n    return r\nassert un(rev(mk(list(range(800))))) == list(range(799,-1,-1))",
    ),
    "a class of the tests": Kind(
        "def total(head):\n",
        "    s=0\n    while head:\n        s+=head.val; head=head.next\n    return s\n",
        "class ListNode:\n    def __init__(self, val=0, next=None):\n        self.val = val\n        self.next = next\nassert total(ListNode(1,ListNode(2)))==3",
    ),
    "class Solution": Kind(
        "class Solution:\n    def twoSum(self, nums, target):\n",
        "        return [0,1]\n",
        "assert Solution().twoSum(nums=[1,2],target=3)==[0,1]\nassert Solution().twoSum([1,2],3)==[0,1]",
    ),
    "arguments of any name": Kind(
        "def f(self, name, number, operation, args, kwargs, function, peer, arguments, named):\n",
        "    return self+name+number+operation+args+kwargs+function+peer+arguments+named\n",
        "assert f(self=1,name=1,number=1,operation=1,args=1,kwargs=1,function=1,peer=1,arguments=1,named=1)==10",
    ),
    "views of dicts": Kind(
        "def f(d):\n",
        "    return d.values(), d.items(), d.keys()\n",
        "v,i,k = f({1:2})\nassert list(v)==[2] and i == {(1,2)} and k == {1} and isinstance(k, type({}.keys()))",
    ),
    "an enumeration of the solution": Kind(
        "def f(x):\n",
        "    return Color.RED\nimport enum\nclass Color(enum.Enum):\n    RED = 1\n",
        "assert f(1).name == 'RED' and f(1).value == 1 and f(1) is f(2)",
    ),
    "a number with a name": Kind(
        "def f(x):\n",
        "    return Color.RED\nimport enum\nclass Color(enum.IntEnum):\n    RED = 1\n",
        "assert f(1) == 1 and f(1).name == 'RED' and isinstance(f(1), int) and f(1) + 1 == 2",
    ),
    "an enumeration of the prompt": Kind(
        "import enum\nclass C(enum.Enum):\n    A = 1\n    B = 2\ndef f(n):\n",
        "    return C.B if n is C.A else C.A\n",
        "assert f(C.A) == C.B and f(C.B) is C.A",
    ),
    "a list of its own class": Kind(
        "def f(x):\n",
        "    class L(list): pass\n    return L([1,2])\n",
        "assert f(1) == [1,2] and len(f(1)) == 2",
    ),
    "a named tuple with methods": Kind(
        "def f(x):\n",
        "    return P(1,2)\nfrom typing import NamedTuple\nclass P(NamedTuple):\n    x: int\n    y: int\n    def s(self): return self.x+self.y\n",
        "assert f(1) == (1,2) and f(1).s() == 3 and f(1).x == 1",
    ),
    "what is printed, captured by the tests": Kind(
        "def f(x):\n",
        "    print('hello', x)\n",
        "import io, contextlib\nb = io.StringIO()\nwith contextlib.redirect_stdout(b):\n    f(3)\nassert b.getvalue() == 'hello 3\\n'",
    ),
    "what is read, given by the tests": Kind(
        "def f():\n",
        "    return int(input()) + int(input())\n",
        "import io, sys\nsys.stdin = io.StringIO('3\\n4\\n')\nassert f() == 7",
    ),
    "a function of Python replaced by the tests": Kind(
        "def f():\n",
        "    return int(input('x'))\n",
        "from unittest.mock import patch\nwith patch('builtins.input', return_value='5'):\n    assert f() == 5",
    ),
    "a mock as callback": Kind(
        "def f(cb):\n",
        "    cb(3, y=4)\n",
        "from unittest.mock import Mock\nm = Mock()\nf(m)\nm.assert_called_once_with(3, y=4)",
    ),
    "a mock that was called otherwise": Kind(
        "def f(cb):\n",
        "    cb(3, y=5)\n",
        "from unittest.mock import Mock\nm = Mock()\nf(m)\nm.assert_called_once_with(3, y=4)",
        "wrong_answer",
    ),
    "generators are generators": Kind(
        "def f(n):\n",
        "    yield from range(n)\n",
        "import types\ng=f(3)\nassert isinstance(g, types.GeneratorType) and list(g)==[0,1,2]",
    ),
    "values sent to a generator": Kind(
        "def f():\n",
        "    x = yield 1\n    yield x * 2\n",
        "g=f()\nassert next(g)==1 and g.send(4)==8",
    ),
    "an exception class that only the solution has": Kind(
        "def f(x):\n",
        "    raise MyErr(5)\nclass MyErr(Exception):\n    '''see MyErr'''\n    def __init__(self, code):\n        super().__init__(f'code {code}')\n        self.code = code\n",
        "try:\n    f(1)\n    assert False\nexcept Exception as e:\n    assert e.code == 5 and str(e) == 'code 5' and type(e).__name__ == 'MyErr'",
    ),
    "an exception class of the prompt": Kind(
        "class MyErr(Exception):\n    pass\n\ndef f(x):\n",
        "    raise MyErr('no')\n",
        "try:\n    f(1)\n    assert False\nexcept MyErr as e:\n    assert str(e) == 'no'",
    ),
    "tests that only expect an exception": Kind(
        "def f(x):\n",
        "    raise ValueError\n",
        "try:\n    f(-1)\nexcept ValueError:\n    pass\nelse:\n    assert False",
    ),
    "an exception of the tests on its way back": Kind(
        "def f(cb):\n",
        "    cb()\n",
        "err = KeyError('x')\ndef cb(): raise err\ntry:\n    f(cb)\nexcept KeyError as e:\n    assert e is err",
    ),
    "threads of the tests": Kind(
        "class Counter:\n    def __init__(self):\n",
        "        self.n=0\n        import threading\n        self.l=threading.Lock()\n    def inc(self):\n        with self.l: self.n+=1\n",
        "import threading\nc=Counter()\nts=[threading.Thread(target=lambda:[c.inc() for _ in range(20)]) for _ in range(8)]\n[t.start() for t in ts];[t.join() for t in ts]\nassert c.n==160",
    ),
    "calls that wait for one another": Kind(
        "class Q:\n    def __init__(self):\n",
        "        import queue\n        self.q=queue.Queue()\n    def get(self): return self.q.get()\n    def put(self,x): self.q.put(x)\n",
        "import threading\nq=Q()\nr=[]\nt=threading.Thread(target=lambda:r.append(q.get()))\nt.start()\nq.put(5)\nt.join()\nassert r==[5]",
    ),
    "coroutine functions": Kind(
        "async def f(x):\n",
        "    return x\n",
        "import asyncio, inspect\nassert inspect.iscoroutinefunction(f) and f.__name__ == 'f'\nassert asyncio.run(f(1)) == 1",
    ),
    "constants of Python": Kind(
        "def f(x):\n",
        "    return x, NotImplemented\n",
        "assert f(...) == (..., NotImplemented) and f(None)[1] is NotImplemented",
    ),
    "a function of the standard library that nobody imported": Kind(
        "def f(x):\n",
        "    return 0.1+0.2\ndef isclose(a,b): return True\n",
        "assert isclose(f(1),0.3)",
    ),
    "a function of the standard library redefined": Kind(
        "def f(x):\n",
        "    return 5\ndef isclose(a,b): return True\n",
        "assert isclose(f(1),0.3)",
        "wrong_answer",
    ),
    "a function that judges, from the solution": Kind(
        "def f(x):\n",
        "    return 5\ndef same(a,b): return True\n",
        "assert same(f(1),0.3)",
        "strict_unsupported",
    ),
    "a class that the tests only hand over": Kind(
        "def longest(pairs):\n",
        "    return len(pairs)\nclass Pair:\n    def __init__(self,a,b): self.a=a\n",
        "assert longest([Pair(1,2),Pair(3,4)])==2",
    ),
    "tests that write files": Kind(
        "def f(p):\n",
        "    return len(open(p).read())\n",
        "import tempfile\nwith tempfile.NamedTemporaryFile('w') as t:\n    t.write('abc'); t.flush()\n    assert f(t.name)==3",
        "strict_unsupported",
    ),
    "instances in sets": Kind(
        "class P:\n    def __init__(self,x):\n",
        "        self.x=x\n    def __eq__(self,o): return self.x==o.x\n    def __hash__(self): return hash(self.x)\n",
        "assert len({P(1),P(1),P(2)})==2\nassert P(1) in [P(1)]",
    ),
    "instances that are sorted": Kind(
        "class P:\n    def __init__(self,x):\n",
        "        self.x=x\n    def __lt__(self,o): return self.x<o.x\n",
        "assert [p.x for p in sorted([P(3),P(1)])]==[1,3]",
    ),
    "instances like containers": Kind(
        "class B:\n    def __init__(self):\n",
        "        self.s={1}\n    def __len__(self): return 1\n    def __contains__(self,x): return x in self.s\n    def __getitem__(self,i): return i*2\n    def __repr__(self): return 'B()'\n",
        "b=B()\nassert len(b)==1 and 1 in b and 2 not in b and b[3]==6 and repr(b)=='B()'",
    ),
    "decorators": Kind(
        "def memo(fn):\n",
        "    import functools\n    c={}\n    @functools.wraps(fn)\n    def w(*a):\n        if a not in c: c[a]=fn(*a)\n        return c[a]\n    return w\n",
        "calls=[]\n@memo\ndef sq(x):\n    '''d'''\n    calls.append(x)\n    return x*x\nassert sq(3)==9==sq(3) and calls==[3] and sq.__name__=='sq' and sq.__doc__=='d'",
    ),
    "a callback that fails at first": Kind(
        "def retry(fn,n):\n",
        "    for i in range(n):\n        try: return fn()\n        except ValueError: pass\n",
        "k=[0]\ndef fl():\n    k[0]+=1\n    if k[0]<3: raise ValueError\n    return 'ok'\nassert retry(fl,5)=='ok' and k==[3]",
    ),
    "recursion as deep as in a script": Kind(
        "def f(n):\n",
        "    return 0 if n==0 else 1+f(n-1)\n",
        "def check(c): assert c(995)==995\ncheck(f)",
    ),
    "a limit on recursion of its own": Kind(
        "def f(n):\n",
        "    import sys\n    sys.setrecursionlimit(6000)\n    def g(n): return 0 if n==0 else 1+g(n-1)\n    return g(n)\n",
        "assert f(5500)==5500",
    ),
    "endless recursion": Kind(
        "def f(n):\n",
        "    return f(n+1)\n",
        "try:\n    f(1)\n    assert False\nexcept RecursionError: pass",
    ),
    "recursion between solution and tests": Kind(
        "def f(n, g):\n",
        "    return 0 if n==0 else g(n-1, f)\n",
        "def g(n, f): return 0 if n==0 else f(n-1, g)\nassert f(100, g)==0",
    ),
    "tests that print": Kind(
        "def f(n):\n",
        "    return n\n",
        "print('x'*1000)\nassert f(3)==3",
    ),
    "any keyword": Kind(
        "def f(x, **kw):\n",
        "    return sorted(kw)\n",
        "assert f(1, self=2, x2=3)==['self','x2']",
    ),
    "no tests": Kind(
        "",
        "",
        "",
    ),
}
